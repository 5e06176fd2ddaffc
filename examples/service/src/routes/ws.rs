//! WebSockets: one that answers its own client, and a room in which all hear all.

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use tokio::sync::broadcast::error::RecvError;

use crate::state::Shared;

const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Sends back what comes.
pub(super) async fn echo(State(app): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    // An upgraded connection is no request any more: the server does not wait for it by itself.
    let hold = app.stop.hold();
    upgrade.max_message_size(MESSAGE_BYTES_MAX).on_upgrade(async move |mut socket| {
        let _hold = hold;
        let mut stop = std::pin::pin!(app.stop.asked());
        loop {
            let message = tokio::select! {
                message = socket.recv() => message,
                () = &mut stop => return say_goodbye(socket).await,
            };
            let answer = match message {
                Some(Ok(Message::Text(text))) => Message::Text(text),
                Some(Ok(Message::Binary(bytes))) => Message::Binary(bytes),
                // Pings and the closing handshake are answered by the layer below.
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            };
            if socket.send(answer).await.is_err() {
                return;
            }
        }
    })
}

/// Sends what one says to all, the speaker too.
pub(super) async fn room(State(app): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    let hold = app.stop.hold();
    // Before the answer, so that whoever has it misses nothing.
    let mut said = app.room.subscribe();
    upgrade.max_message_size(MESSAGE_BYTES_MAX).on_upgrade(async move |mut socket| {
        let _hold = hold;
        let mut stop = std::pin::pin!(app.stop.asked());
        loop {
            let to_send = tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => {
                        // There is a listener: this one.
                        let _ = app.room.send(text.to_string());
                        continue;
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => return,
                },
                said = said.recv() => match said {
                    Ok(text) => text,
                    Err(RecvError::Lagged(missed)) => format!("({missed} messages were missed)"),
                    Err(RecvError::Closed) => return,
                },
                () = &mut stop => return say_goodbye(socket).await,
            };
            if socket.send(Message::Text(to_send.into())).await.is_err() {
                return;
            }
        }
    })
}

async fn say_goodbye(mut socket: WebSocket) {
    let frame = CloseFrame { code: close_code::AWAY, reason: "the service ends".into() };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        // The client's half of the closing handshake.
        while let Some(Ok(_)) = socket.recv().await {}
    }
}

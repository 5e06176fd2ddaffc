//! Notes over a line protocol, one command a line, for those who have nothing but a terminal:
//!
//! ```text
//! ADD buy milk        ->  + 1
//! GET 1               ->  = 1 buy milk
//! LIST                ->  = 1 buy milk, one line for each note, then .
//! QUIT                ->  . and the connection ends
//! ```
//!
//! What goes wrong is answered by a line that begins with `-`.

mod codec;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Framed;

pub use codec::{Command, CommandError, Reply, ServerCodec};

use crate::error::ApiError;
use crate::state::Shared;

/// Accepts until the service ends.
pub async fn serve(listener: TcpListener, app: Shared) {
    let mut stop = std::pin::pin!(app.stop.asked());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => return,
        };
        match accepted {
            Ok((socket, peer)) => {
                let app_of_task = app.clone();
                app.stop.spawn(async move {
                    if let Err(error) = talk(socket, app_of_task).await {
                        tracing::debug!("{peer}: {error}");
                    }
                });
            }
            // No descriptor is free, say; that passes.
            Err(error) => {
                tracing::warn!("cannot accept: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn talk(socket: TcpStream, app: Shared) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut frames = Framed::new(socket, ServerCodec::default());
    let mut stop = std::pin::pin!(app.stop.asked());
    loop {
        let command = tokio::select! {
            // A command that has come is answered, also where the service ends meanwhile.
            biased;
            command = frames.next() => command,
            () = &mut stop => return frames.close().await,
        };
        match command {
            Some(Ok(Ok(Command::Quit))) => {
                frames.send(Reply::End).await?;
                return frames.close().await;
            }
            Some(Ok(Ok(Command::List))) => list(&mut frames, &app).await?,
            Some(Ok(Ok(Command::Add(text)))) => {
                let added = app.notes.add(&text).await;
                frames.send(added.map_or_else(refusal, |note| Reply::Added(note.id))).await?;
            }
            Some(Ok(Ok(Command::Get(id)))) => {
                let found = app.notes.find(id).await;
                frames.send(found.map_or_else(refusal, Reply::Note)).await?;
            }
            Some(Ok(Err(error))) => frames.send(Reply::Refused(error.to_string())).await?,
            Some(Err(error)) => return Err(error),
            None => return Ok(()),
        }
    }
}

async fn list(frames: &mut Framed<TcpStream, ServerCodec>, app: &Shared) -> std::io::Result<()> {
    let mut notes = app.notes.all();
    while let Some(note) = notes.next().await {
        match note {
            Ok(note) => frames.feed(Reply::Note(note)).await?,
            Err(error) => return frames.send(refusal(error)).await,
        }
    }
    frames.send(Reply::End).await
}

fn refusal(error: ApiError) -> Reply {
    match error {
        ApiError::Sqlite(_) => {
            tracing::error!("{error}");
            Reply::Refused("internal error".into())
        }
        error => Reply::Refused(error.to_string()),
    }
}

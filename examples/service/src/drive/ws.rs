//! Checks of the WebSockets, over TLS too.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{Seen, Target};

/// A plain connection or one under TLS.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A client's side of a WebSocket.
pub type Socket = WebSocketStream<Box<dyn Wire>>;

/// Connects to a route.
pub async fn connect(target: &Target, path: &str) -> anyhow::Result<Socket> {
    let (scheme, host) = target.base.split_once("://").context("no URL")?;
    let tcp = TcpStream::connect(host).await?;
    tcp.set_nodelay(true)?;
    let (scheme, wire): (_, Box<dyn Wire>) = match (scheme, &target.tls) {
        ("https", Some(tls)) => {
            let (name, _) = host.rsplit_once(':').context("no port")?;
            let name = ServerName::try_from(name.to_string())?;
            let connector = TlsConnector::from(Arc::clone(tls));
            ("wss", Box::new(connector.connect(name, tcp).await?))
        }
        _ => ("ws", Box::new(tcp)),
    };
    let url = format!("{scheme}://{host}{path}");
    Ok(tokio_tungstenite::client_async(url, wire).await?.0)
}

/// Texts, bytes and pings there and back, then the closing handshake.
pub async fn echo(target: &Target) -> Seen {
    let mut socket = connect(target, "/ws").await?;
    for n in 0..100 {
        socket.send(Message::text(format!("text {n}"))).await?;
        ensure!(next(&mut socket).await? == Message::text(format!("text {n}")), "text {n}");
    }
    let bytes = vec![7; 300_000];
    socket.send(Message::binary(bytes.clone())).await?;
    ensure!(next(&mut socket).await? == Message::binary(bytes), "not the bytes that were sent");
    socket.send(Message::Ping("are you there".into())).await?;
    ensure!(next(&mut socket).await? == Message::Pong("are you there".into()), "no pong");
    socket.close(None).await?;
    // What comes after it is no more of the protocol: a server may end TLS without a word.
    let last = next(&mut socket).await?;
    ensure!(matches!(last, Message::Close(_)), "more after the end: {last}");
    Ok("100 texts, 300,000 bytes, a ping; closed".into())
}

/// Ten clients hear each other.
pub async fn room(target: &Target) -> Seen {
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(connect(target, "/room").await?);
    }
    for n in 0..sockets.len() {
        let text = format!("{n} says hello");
        sockets[n].send(Message::text(text.clone())).await?;
        for socket in &mut sockets {
            ensure!(next(socket).await? == Message::text(text.clone()), "not what {n} said");
        }
    }
    for socket in &mut sockets {
        socket.close(None).await?;
    }
    Ok("10 clients, each heard by all".into())
}

/// Reads until the service says that it ends.
pub async fn goodbye(mut socket: Socket) -> Seen {
    while let Some(message) = socket.next().await {
        if let Message::Close(frame) = message? {
            let frame = frame.context("closed without a reason")?;
            ensure!(frame.code == CloseCode::Away, "closed with {}", frame.code);
            // Sends this side's half.
            socket.flush().await?;
            return Ok(frame.reason.to_string());
        }
    }
    bail!("the connection ended without a closing handshake")
}

async fn next(socket: &mut Socket) -> anyhow::Result<Message> {
    Ok(socket.next().await.context("the connection ended")??)
}

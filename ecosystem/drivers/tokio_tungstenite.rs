//! WebSocket over loopback: messages of all kinds and sizes, both directions at once, pings, closing,
//! and a client that goes away.

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, accept_async, connect_async};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Sends back what it gets until the other side closes; answers how many messages there were.
async fn echo() -> (String, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        let mut echoed = 0;
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() || message.is_binary() {
                socket.send(message).await.unwrap();
                echoed += 1;
            }
        }
        echoed
    });
    (url, server)
}

async fn client(url: &str) -> Client {
    let (client, response) = connect_async(url).await.unwrap();
    assert_eq!(response.status(), 101);
    client
}

#[tokio::test]
async fn messages_come_back_in_order() {
    let (url, server) = echo().await;
    let mut client = client(&url).await;
    for n in 0..1000 {
        client.send(Message::text(format!("message {n}"))).await.unwrap();
        let back = client.next().await.unwrap().unwrap();
        assert_eq!(back.into_text().unwrap().as_str(), format!("message {n}"));
    }
    client.close(None).await.unwrap();
    while client.next().await.is_some() {}
    assert_eq!(server.await.unwrap(), 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_larger_than_all_buffers_both_ways_at_once() {
    let (url, server) = echo().await;
    let (mut write, mut read) = client(&url).await.split();
    let sent: Vec<Vec<u8>> = (0..20u8).map(|n| vec![n; 1 << 20]).collect();
    let expected = sent.clone();
    let writer = tokio::spawn(async move {
        for bytes in sent {
            write.send(Message::binary(bytes)).await.unwrap();
        }
        write
    });
    for bytes in expected {
        assert!(read.next().await.unwrap().unwrap().into_data() == bytes);
    }
    let mut write = writer.await.unwrap();
    write.close().await.unwrap();
    while read.next().await.is_some() {}
    assert_eq!(server.await.unwrap(), 20);
}

#[tokio::test]
async fn a_ping_is_answered_by_whoever_reads() {
    let (url, server) = echo().await;
    let mut client = client(&url).await;
    client.send(Message::Ping(b"are you there".to_vec().into())).await.unwrap();
    let pong = client.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong(b"are you there".to_vec().into()));
    client.close(None).await.unwrap();
    while client.next().await.is_some() {}
    assert_eq!(server.await.unwrap(), 0);
}

#[tokio::test]
async fn closing_says_why() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
        let frame = CloseFrame { code: CloseCode::Policy, reason: "enough".into() };
        socket.close(Some(frame)).await.unwrap();
        while socket.next().await.is_some() {}
    });
    let mut client = client(&url).await;
    let Message::Close(Some(frame)) = client.next().await.unwrap().unwrap() else {
        panic!("something before the close")
    };
    assert_eq!((frame.code, frame.reason.as_str()), (CloseCode::Policy, "enough"));
    assert!(client.next().await.is_none());
    server.await.unwrap();
}

#[tokio::test]
async fn a_client_that_goes_away_without_closing_ends_the_server() {
    let (url, server) = echo().await;
    drop(client(&url).await);
    assert_eq!(server.await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_clients_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut socket = accept_async(stream).await.unwrap();
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_text() {
                        socket.send(message).await.unwrap();
                    }
                }
            });
        }
    });
    let clients: Vec<_> = (0..50)
        .map(|who| {
            let url = url.clone();
            tokio::spawn(async move {
                let mut client = client(&url).await;
                for n in 0..20 {
                    client.send(Message::text(format!("{who} {n}"))).await.unwrap();
                    let back = client.next().await.unwrap().unwrap();
                    assert_eq!(back.into_text().unwrap().as_str(), format!("{who} {n}"));
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_websocket_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
    assert!(connect_async(url).await.is_err());
}

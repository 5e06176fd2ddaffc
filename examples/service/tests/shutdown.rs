//! How the service ends: what was accepted is answered, what stays open is told.

mod support;

use std::time::Duration;

use futures_util::StreamExt;
use service::config::{ServeArgs, Stores};
use service::drive::{http, lines, ws};
use support::{LONG, get, start, start_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_under_way_are_answered() {
    let running = start().await;
    let mut asked = Vec::new();
    for target in [&running.http, &running.https] {
        for _ in 0..10 {
            let target = target.clone();
            asked.push(tokio::spawn(async move { get(&target, "/slow?ms=500").await }));
        }
    }
    while running.server.app().accepted() < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.stop().await;
    for answer in asked {
        assert_eq!(answer.await.unwrap().unwrap(), (200, "waited 500 ms\n".into()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_under_way_come_to_their_end() {
    let running = start().await;
    let url = running.http.url("/numbers?count=20&every_ms=25");
    let response = running.http.client.get(url).send().await.unwrap();
    let text = tokio::spawn(response.text());
    running.stop().await;
    let expected: String = (0..20).map(|n| format!("{n}\n")).collect();
    assert_eq!(text.await.unwrap().unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_without_end_are_ended() {
    let running = start().await;
    let url = running.http.url("/events");
    let response = running.http.client.get(url).send().await.unwrap();
    let note = http::add(&running.http, "heard".into()).await.unwrap();
    let text = tokio::spawn(response.text());
    running.stop().await;
    let text = text.await.unwrap().unwrap();
    assert!(text.contains(&serde_json::to_string(&note).unwrap()), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websockets_are_told() {
    let running = start().await;
    let mut sockets = vec![running.socket("/ws").await, running.socket("/room").await];
    sockets.push(ws::connect(&running.https, "/ws").await.unwrap());
    let told: Vec<_> =
        sockets.into_iter().map(|socket| tokio::spawn(ws::goodbye(socket))).collect();
    running.stop().await;
    for told in told {
        assert_eq!(told.await.unwrap().unwrap(), "the service ends");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_have_come_are_answered() {
    let running = start().await;
    let mut client = running.lines().await;
    assert_eq!(lines::ask(&mut client, "ADD before").await.unwrap(), "+ 1");
    running.stop().await;
    assert!(client.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_under_way_are_answered() {
    use service::grpc::v1::AddRequest;
    let running = start().await;
    let mut client = running.grpc().await;
    let (sender, requests) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let mut notes = client.add_each(requests).await.unwrap().into_inner();
    let app = running.server.app().clone();
    let stopped = tokio::spawn(running.stop());
    app.stop.asked().await;
    for n in 0..10 {
        sender.send(AddRequest { text: format!("late {n}") }).await.unwrap();
        assert_eq!(notes.message().await.unwrap().unwrap().text, format!("late {n}"));
    }
    drop(sender);
    assert!(notes.message().await.unwrap().is_none());
    stopped.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_hold_nothing_up() {
    let running = start().await;
    let mut idle = TcpStream::connect(running.server.addresses().http).await.unwrap();
    idle.write_all(b"GET /plaintext HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 1024];
    let len = idle.read(&mut answer).await.unwrap();
    assert!(answer[..len].starts_with(b"HTTP/1.1 200"));
    running.stop().await;
    assert_eq!(idle.read_to_end(&mut answer).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_accepted_after_the_end() {
    let running = start().await;
    let addresses = running.server.addresses();
    running.stop().await;
    let places =
        [Some(addresses.http), addresses.https, addresses.grpc, addresses.lines].into_iter();
    for address in places.flatten() {
        assert!(TcpStream::connect(address).await.is_err(), "{address} still listens");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_too_slow_is_said() {
    let running = start_with(ServeArgs::on_free_ports(Stores::default())).await;
    let target = running.http.clone();
    let asked = tokio::spawn(async move { get(&target, "/slow?ms=60000").await });
    while running.server.app().accepted() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let error = running.server.stop(Duration::from_millis(100)).await.unwrap_err();
    assert!(error.to_string().contains("did not end within 100ms"), "{error}");
    asked.abort();
}

/// The binary, from its start to SIGTERM.
mod process {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Child, Command, Stdio};

    use super::*;
    use service::drive::Target;

    fn service(args: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
        command.args(args).stdout(Stdio::piped()).spawn().unwrap()
    }

    /// What it says until it is ready, by name.
    fn addresses(out: &mut impl BufRead) -> Vec<(String, String)> {
        let mut addresses = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended: {addresses:?}");
            match line.trim_end().split_once(' ') {
                Some((name, url)) => addresses.push((name.to_string(), url.to_string())),
                None => return addresses,
            }
        }
    }

    async fn ends_by(signal: &str) {
        let mut child = service(&["serve", "--http", "127.0.0.1:0"]);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let addresses = addresses(&mut out);
        assert_eq!(addresses[0].0, "http");
        let target = Target::new(&addresses[0].1, None).unwrap();
        let mut slow = TcpStream::connect(&addresses[0].1["http://".len()..]).await.unwrap();
        slow.write_all(b"GET /numbers?count=20&every_ms=20 HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        // It has been accepted: the first of its bytes is back.
        let mut answer = vec![slow.read_u8().await.unwrap()];
        assert_eq!(get(&target, "/plaintext").await.unwrap().0, 200);
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        tokio::time::timeout(LONG, slow.read_to_end(&mut answer)).await.unwrap().unwrap();
        assert!(
            answer.ends_with(b"3\r\n19\n\r\n0\r\n\r\n"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "served 2 requests\n");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sigterm() {
        ends_by("-TERM").await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sigint() {
        ends_by("-INT").await;
    }

    #[test]
    fn demo() {
        let done = Command::new(env!("CARGO_BIN_EXE_service")).arg("demo").output().unwrap();
        let out = String::from_utf8(done.stdout).unwrap();
        assert_eq!(done.status.code(), Some(0), "{out}");
        assert!(out.contains("checks, 0 wrong\nstopped\n"), "{out}");
    }

    #[test]
    fn an_address_that_is_taken() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
        let done = command.args(["serve", "--http", &address]).output().unwrap();
        assert_eq!(done.status.code(), Some(2));
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(said.contains(&format!("--http: cannot listen on {address}")), "{said}");
    }
}

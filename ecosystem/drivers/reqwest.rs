//! The client against a hyper server on loopback: bodies both ways, streams, redirects, time limits,
//! cookies, HTTP/2, many requests over few connections, and servers that break off.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use reqwest::{Body, Client, multipart};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// A server, and how many connections it accepted.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let server = Builder::new(TokioExecutor::new());
                    // A client that breaks off is an error here, and none of the test's.
                    drop(server.serve_connection(TokioIo::new(stream), service_fn(answer)).await);
                });
            }
        });
        Self { address, connections }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let response = Response::builder();
    let path = request.uri().path().to_string();
    let answer = match path.as_str() {
        "/hello" => response.body(Full::from("hello")),
        "/echo" => {
            let body = request.into_body().collect().await.map(|body| body.to_bytes());
            response.body(Full::from(body.unwrap_or_default()))
        }
        "/query" => response.body(Full::from(request.uri().query().unwrap_or("").to_string())),
        "/big" => response.body(Full::from(vec![7; 8 << 20])),
        "/json" => response
            .header("content-type", "application/json")
            .body(Full::from(r#"{"answer": 42}"#)),
        "/away" => {
            response.status(StatusCode::FOUND).header("location", "/hello").body(Full::default())
        }
        "/round" => {
            response.status(StatusCode::FOUND).header("location", "/round").body(Full::default())
        }
        "/cookie" => response.header("set-cookie", "name=value").body(Full::default()),
        "/cookies" => {
            let cookies = request.headers().get("cookie").map(|all| all.as_bytes().to_vec());
            response.body(Full::from(cookies.unwrap_or_default()))
        }
        "/never" => std::future::pending().await,
        _ => response.status(StatusCode::NOT_FOUND).body(Full::default()),
    };
    Ok(answer.unwrap())
}

#[tokio::test]
async fn a_body_is_read() {
    let server = Server::start().await;
    let response = reqwest::get(server.url("/hello")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "hello");
    assert_eq!(reqwest::get(server.url("/none")).await.unwrap().status(), 404);
}

#[tokio::test]
async fn bodies_both_ways() {
    let server = Server::start().await;
    let bytes: Vec<u8> = (0..3 << 20).map(|at| (at % 251) as u8).collect();
    let sent = Client::new().post(server.url("/echo")).body(bytes.clone()).send().await.unwrap();
    assert!(sent.bytes().await.unwrap() == bytes);
}

#[tokio::test]
async fn a_streamed_body_arrives_whole() {
    let server = Server::start().await;
    let parts = futures_util::stream::iter(0..1000).then(|n| async move {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(format!("{n},"))
    });
    let body = Body::wrap_stream(parts);
    let sent = Client::new().post(server.url("/echo")).body(body).send().await.unwrap();
    let expected: String = (0..1000).map(|n| format!("{n},")).collect();
    assert_eq!(sent.text().await.unwrap(), expected);
}

#[tokio::test]
async fn a_large_answer_is_streamed() {
    let server = Server::start().await;
    let mut parts = reqwest::get(server.url("/big")).await.unwrap().bytes_stream();
    let mut length = 0;
    while let Some(part) = parts.next().await {
        length += part.unwrap().len();
    }
    assert_eq!(length, 8 << 20);
}

#[tokio::test]
async fn json_forms_and_queries() {
    let server = Server::start().await;
    let client = Client::new();
    let json: serde_json::Value =
        client.get(server.url("/json")).send().await.unwrap().json().await.unwrap();
    assert_eq!(json["answer"], 42);
    let form = client.post(server.url("/echo")).form(&[("a", "1"), ("b", "x y")]);
    assert_eq!(form.send().await.unwrap().text().await.unwrap(), "a=1&b=x+y");
    let query = client.get(server.url("/query")).query(&[("q", "1")]);
    assert_eq!(query.send().await.unwrap().text().await.unwrap(), "q=1");
    let parts = multipart::Form::new().text("field", "value in a part");
    let sent = client.post(server.url("/echo")).multipart(parts).send().await.unwrap();
    assert!(sent.text().await.unwrap().contains("value in a part"));
}

#[tokio::test]
async fn redirects_are_followed_but_not_for_ever() {
    let server = Server::start().await;
    assert_eq!(reqwest::get(server.url("/away")).await.unwrap().text().await.unwrap(), "hello");
    assert!(reqwest::get(server.url("/round")).await.unwrap_err().is_redirect());
}

#[tokio::test]
async fn cookies_are_kept() {
    let server = Server::start().await;
    let client = Client::builder().cookie_store(true).build().unwrap();
    client.get(server.url("/cookie")).send().await.unwrap();
    let kept = client.get(server.url("/cookies")).send().await.unwrap();
    assert_eq!(kept.text().await.unwrap(), "name=value");
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_at_the_limit() {
    let server = Server::start().await;
    let client = Client::builder().timeout(Duration::from_millis(50)).build().unwrap();
    assert!(client.get(server.url("/never")).send().await.unwrap_err().is_timeout());
    // The client is as good as before.
    assert_eq!(client.get(server.url("/hello")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let server = Server::start().await;
    let client = Client::new();
    for _ in 0..100 {
        let answer = client.get(server.url("/hello")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "hello");
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_requests_at_once() {
    let server = Server::start().await;
    let client = Client::new();
    let requests: Vec<_> = (0..200)
        .map(|n| {
            let sent = client.post(server.url("/echo")).body(n.to_string()).send();
            tokio::spawn(async move { (n, sent.await.unwrap().text().await.unwrap()) })
        })
        .collect();
    for request in requests {
        let (n, text) = request.await.unwrap();
        assert_eq!(text, n.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_over_one_http2_connection() {
    let server = Server::start().await;
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    client.get(server.url("/hello")).send().await.unwrap();
    let requests: Vec<_> = (0..100)
        .map(|n| {
            let sent = client.post(server.url("/echo")).body(vec![n as u8; 50_000]).send();
            tokio::spawn(async move { (n, sent.await.unwrap().bytes().await.unwrap()) })
        })
        .collect();
    for request in requests {
        let (n, bytes) = request.await.unwrap();
        assert!(bytes == vec![n as u8; 50_000]);
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_request_that_is_dropped_leaves_the_client_usable() {
    let server = Server::start().await;
    let client = Client::new();
    let gone = tokio::spawn(client.get(server.url("/never")).send());
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    assert_eq!(client.get(server.url("/hello")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert!(reqwest::get(url).await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_server_that_breaks_off_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let ready = Arc::new(Notify::new());
    let told = ready.clone();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        told.notify_one();
        stream.readable().await.unwrap();
    });
    let request = tokio::spawn(reqwest::get(url));
    ready.notified().await;
    assert!(request.await.unwrap().is_err());
}

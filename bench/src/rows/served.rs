//! Servers over loopback, loaded by another process, so that CPU time is the server's alone.

use super::{HyperIo, Row, rt};
use crate::floors::Floor;
use crate::load::{Kind, Load};
use crate::row::{Goal, NO_WORSE};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, header};
use rt::io::{AsyncReadExt, AsyncWriteExt};
use rt::net::{TcpListener, TcpStream};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

/// Answers where it listens; the server goes on in tasks.
pub(super) type Serve = fn() -> Pin<Box<dyn Future<Output = SocketAddr> + Send>>;

pub(super) const ROWS: &[Row] = &[
    echo("echo_1", "echo of 64 B, 1 connection", 1, 64),
    echo("echo_64", "echo of 64 B, 64 connections", 64, 64),
    echo("echo_1000", "echo of 64 B, 1,000 connections", 1_000, 64)
        .goal(Goal { p99: Some(0.5), ..ECHO }),
    echo("echo_1k_64", "echo of 1 KiB, 64 connections", 64, 1 << 10),
    echo("echo_16k_64", "echo of 16 KiB, 64 connections", 64, 16 << 10),
    served("accept_close", "accept, echo 64 B, close; 16 at a time", serve_echo, Kind::Churn, 16),
    served("http_64", "HTTP/1.1, 13 B through hyper, 64 connections", serve_text, Kind::Http, 64)
        .goal(HTTP),
    served("http_1000", "the same, 1,000 connections", serve_text, Kind::Http, 1_000)
        .goal(Goal { p99: Some(0.5), ..HTTP }),
    served("http_json_64", "JSON of 27 B, 64 connections", serve_json, Kind::Http, 64).goal(HTTP),
];

const ECHO: Goal = Goal { user: Some(0.6), p999: Some(1.0), ..NO_WORSE };
const HTTP: Goal = Goal { user: Some(0.9), p999: Some(1.0), ..NO_WORSE };

const fn served(
    name: &'static str,
    about: &'static str,
    serve: Serve,
    kind: Kind,
    connections: usize,
) -> Row {
    let load = Load { kind, connections, bytes: 64 };
    Row::served(name, about, serve, load).floor(Floor::Epoll(load), 1.0)
}

const fn echo(name: &'static str, about: &'static str, connections: usize, bytes: usize) -> Row {
    let load = Load { kind: Kind::Echo, connections, bytes };
    Row::served(name, about, serve_echo, load).floor(Floor::Epoll(load), 1.0).goal(ECHO)
}

/// Binds, and spawns a task for each connection.
async fn listen<F>(each: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    rt::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            rt::spawn(each(stream));
        }
    });
    address
}

fn serve_echo() -> Pin<Box<dyn Future<Output = SocketAddr> + Send>> {
    Box::pin(listen(|mut stream| async move {
        let mut buffer = vec![0; 16 << 10];
        // Ends with the connection; a reset one is no concern of the server's.
        while let Ok(bytes @ 1..) = stream.read(&mut buffer).await {
            if stream.write_all(&buffer[..bytes]).await.is_err() {
                return;
            }
        }
    }))
}

fn serve_text() -> Pin<Box<dyn Future<Output = SocketAddr> + Send>> {
    serve_http(|| Response::new(Full::from("Hello, World!")))
}

fn serve_json() -> Pin<Box<dyn Future<Output = SocketAddr> + Send>> {
    serve_http(|| {
        let message = ["Hello", "World"].join(", ");
        let body = format!(r#"{{"message":"{message}!"}}"#);
        let mut response = Response::new(Full::from(body));
        let json = header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    })
}

fn serve_http(
    answer: fn() -> Response<Full<Bytes>>,
) -> Pin<Box<dyn Future<Output = SocketAddr> + Send>> {
    Box::pin(listen(move |stream| async move {
        let service =
            service_fn(move |_: Request<Incoming>| async move { Ok::<_, Infallible>(answer()) });
        // A client that goes away in the middle is an error of its own.
        drop(http1::Builder::new().serve_connection(HyperIo::new(stream), service).await);
    }))
}

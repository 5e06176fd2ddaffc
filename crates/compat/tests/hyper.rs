//! hyper's server and client over shinkan's sockets, with hyper's own time limits.

use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::rt::{Executor, Timer};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use shinkan::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use shinkan::net::{TcpListener, TcpStream};
use shinkan::sync::oneshot;
use shinkan::time::{Duration, Instant};
use shinkan_compat::hyper::{Clock, FromHyper, LocalSpawner, Spawner, ToHyper};
use std::convert::Infallible;
use std::rc::Rc;

const LIMIT: Duration = Duration::from_secs(30);

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    Ok(Response::new(Full::new(request.into_body().collect().await?.to_bytes())))
}

#[shinkan::test]
async fn a_large_body_goes_there_and_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = shinkan::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        hyper::server::conn::http1::Builder::new()
            .timer(Clock)
            .header_read_timeout(LIMIT)
            .serve_connection(ToHyper::new(stream), service_fn(echo))
            .await
    });

    let stream = ToHyper::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    Spawner.execute(connection);
    let sent: Bytes = (0..1_000_000_u32).map(|n| n as u8).collect();
    let request = Request::post("/").header("host", "here").body(Full::new(sent.clone())).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.collect().await.unwrap().to_bytes(), sent);
    drop(sender);
    server.await.unwrap().unwrap();
}

/// The server's end of a connection in memory, which gives up on headers after [`LIMIT`].
fn serve_in_memory() -> (DuplexStream, shinkan::task::JoinHandle<hyper::Result<()>>) {
    let (here, there) = duplex(1024);
    let server = shinkan::spawn(
        hyper::server::conn::http1::Builder::new()
            .timer(Clock)
            .header_read_timeout(LIMIT)
            .serve_connection(ToHyper::new(there), service_fn(echo)),
    );
    (here, server)
}

#[shinkan::test(start_paused = true)]
async fn a_client_that_never_ends_its_header_is_given_up() {
    let before = Instant::now();
    let (mut client, server) = serve_in_memory();
    client.write_all(b"GET / HTTP/1.1\r\nhost: he").await.unwrap();
    let error = server.await.unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let waited = before.elapsed();
    assert!(waited >= LIMIT && waited < LIMIT * 2, "{waited:?}");
}

#[shinkan::test(start_paused = true)]
async fn the_limit_begins_anew_with_each_request() {
    let (mut client, server) = serve_in_memory();
    for _ in 0..3 {
        shinkan::time::advance(LIMIT / 2).await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
        let mut answer = [0; 15];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        let mut last = [0; 4];
        while &last != b"\r\n\r\n" {
            last.rotate_left(1);
            last[3] = client.read_u8().await.unwrap();
        }
    }
    drop(client);
    let _ = server.await.unwrap();
}

#[shinkan::test(start_paused = true)]
async fn a_reset_moves_the_deadline_in_place() {
    let before = Instant::now();
    assert_eq!(Clock.now(), before.into_std());
    let mut sleep = Clock.sleep(LIMIT);
    let place = std::ptr::from_ref(&*sleep).cast::<()>();
    Clock.reset(&mut sleep, (before + LIMIT * 2).into_std());
    assert_eq!(std::ptr::from_ref(&*sleep).cast::<()>(), place);
    sleep.await;
    assert!(before.elapsed() >= LIMIT * 2);
}

#[shinkan::test(start_paused = true)]
async fn a_reset_replaces_a_sleep_of_someone_else() {
    struct Never;
    impl Future for Never {
        type Output = ();
        fn poll(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<()> {
            std::task::Poll::Pending
        }
    }
    impl hyper::rt::Sleep for Never {}

    let mut sleep: std::pin::Pin<Box<dyn hyper::rt::Sleep>> = Box::pin(Never);
    Clock.reset(&mut sleep, (Instant::now() + LIMIT).into_std());
    sleep.await;
}

#[shinkan::test]
async fn an_upgraded_connection_is_a_stream_again() {
    async fn upgrade(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
        shinkan::spawn(async move {
            let mut stream = FromHyper::new(hyper::upgrade::on(request).await.unwrap());
            let mut text = [0; 4];
            stream.read_exact(&mut text).await.unwrap();
            stream.write_all(&text).await.unwrap();
            stream.shutdown().await.unwrap();
        });
        let mut answer = Response::new(Empty::new());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        answer.headers_mut().insert("upgrade", "words".parse().unwrap());
        Ok(answer)
    }

    let (here, there) = duplex(64);
    let server = hyper::server::conn::http1::Builder::new()
        .serve_connection(ToHyper::new(there), service_fn(upgrade))
        .with_upgrades();
    let server = shinkan::spawn(server);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(ToHyper::new(here)).await.unwrap();
    shinkan::spawn(connection.with_upgrades());
    let request = Request::get("/")
        .header("connection", "upgrade")
        .header("upgrade", "words")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);

    let mut stream = FromHyper::new(hyper::upgrade::on(answer).await.unwrap());
    stream.write_all(b"echo").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "echo");
    server.await.unwrap().unwrap();
}

#[test]
fn what_is_not_send_runs_where_it_was_spawned() {
    let runtime = shinkan::runtime::Builder::new_current_thread().build_local(Default::default());
    let value = runtime.unwrap().block_on(async {
        let value = Rc::new(7);
        let (sender, receiver) = oneshot::channel();
        let inside = value.clone();
        LocalSpawner.execute(async move {
            let _ = sender.send(*inside);
        });
        receiver.await.unwrap()
    });
    assert_eq!(value, 7);
}

#[shinkan::test]
async fn a_stream_that_exchanges_the_buffer_is_refused() {
    struct Exchanges;
    impl shinkan::io::AsyncRead for Exchanges {
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut shinkan::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            *buffer = shinkan::io::ReadBuf::new(Box::leak(vec![7; 4096].into()));
            buffer.advance(4096);
            std::task::Poll::Ready(Ok(()))
        }
    }
    let read = shinkan::spawn(async {
        let mut stream = FromHyper::new(ToHyper::new(Exchanges));
        let _ = stream.read_u8().await;
    });
    assert!(read.await.unwrap_err().is_panic());
}

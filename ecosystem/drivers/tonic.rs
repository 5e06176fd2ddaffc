//! A service of all four kinds of calls, written by hand as `tonic-build` would, with its clients on
//! loopback, on a Unix socket and in memory: order, deadlines, calls that are given up, limits,
//! compression, servers that end and that come back.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream, UnixListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::codegen::http;
use tonic::metadata::MetadataValue;
use tonic::server::NamedService;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

#[derive(Clone, PartialEq, prost::Message)]
struct Word {
    #[prost(uint64, tag = "1")]
    number: u64,
    #[prost(string, tag = "2")]
    text: String,
}

fn word(number: u64) -> Word {
    Word { number, text: format!("word {number}") }
}

type Codec = ProstCodec<Word, Word>;
type Answers = Pin<Box<dyn Stream<Item = Result<Word, Status>> + Send>>;

/// What the service tells of calls that nobody wants any more.
#[derive(Clone, Default)]
struct Words {
    begun: Arc<Notify>,
    given_up: Arc<Notify>,
    go_on: Arc<Notify>,
}

/// Tells when it is dropped.
struct Tells(Arc<Notify>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Words {
    async fn one(self, request: Request<Word>) -> Result<Response<Word>, Status> {
        let mark = request.metadata().get("mark").cloned();
        let asked = request.into_inner();
        match asked.text.as_str() {
            "never" => {
                let _tells = Tells(self.given_up);
                self.begun.notify_one();
                std::future::pending().await
            }
            "later" => {
                self.begun.notify_one();
                self.go_on.notified().await;
            }
            "wrong" => {
                let mut status = Status::failed_precondition("asked for it");
                status.metadata_mut().insert("why", MetadataValue::from_static("because"));
                return Err(status);
            }
            "panics" => panic!("asked for it"),
            _ => {}
        }
        let mut response = Response::new(Word { number: asked.number + 1, ..asked });
        if let Some(mark) = mark {
            response.metadata_mut().insert("mark", mark);
        }
        Ok(response)
    }

    /// As many as asked for, or without an end for 0.
    async fn many(self, request: Request<Word>) -> Result<Response<Answers>, Status> {
        let last = request.into_inner().number;
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(async move {
            let _tells = Tells(self.given_up);
            for n in (1..).take_while(|n| last == 0 || *n <= last) {
                if sender.send(Ok(word(n))).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn sum(self, request: Request<Streaming<Word>>) -> Result<Response<Word>, Status> {
        let mut words = request.into_inner();
        let mut sum = 0;
        while let Some(word) = words.next().await {
            sum += word?.number;
        }
        Ok(Response::new(word(sum)))
    }

    async fn echo(self, request: Request<Streaming<Word>>) -> Result<Response<Answers>, Status> {
        Ok(Response::new(Box::pin(request.into_inner())))
    }
}

impl NamedService for Words {
    const NAME: &'static str = "test.Words";
}

impl Service<http::Request<Body>> for Words {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let mut calls = tonic::server::Grpc::new(Codec::default())
                .accept_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Gzip);
            Ok(match request.uri().path() {
                "/test.Words/One" => {
                    calls.unary(service_fn(|r| this.clone().one(r)), request).await
                }
                "/test.Words/Many" => {
                    calls.server_streaming(service_fn(|r| this.clone().many(r)), request).await
                }
                "/test.Words/Sum" => {
                    calls.client_streaming(service_fn(|r| this.clone().sum(r)), request).await
                }
                "/test.Words/Echo" => {
                    calls.streaming(service_fn(|r| this.clone().echo(r)), request).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// A server on loopback, which ends when it is told to.
struct Running {
    address: SocketAddr,
    service: Words,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Running {
    async fn start() -> Self {
        Self::start_with(Server::builder()).await
    }

    async fn start_with(mut builder: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = Words::default();
        let (stop, stopped) = oneshot::channel();
        let served = builder.add_service(service.clone()).serve_with_incoming_shutdown(
            TcpListenerStream::new(listener),
            async {
                // A test that ends without a word ends the server with it.
                drop(stopped.await);
            },
        );
        Self { address, service, stop, ended: tokio::spawn(served) }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap()
    }

    async fn client(&self) -> Client {
        Client::new(self.endpoint().connect().await.unwrap())
    }
}

#[derive(Clone)]
struct Client(tonic::client::Grpc<Channel>);

fn path(name: &'static str) -> http::uri::PathAndQuery {
    http::uri::PathAndQuery::from_static(name)
}

impl Client {
    fn new(channel: Channel) -> Self {
        Self(tonic::client::Grpc::new(channel))
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.0.ready().await.map_err(|e| Status::unavailable(e.to_string()))
    }

    async fn one(&mut self, request: Request<Word>) -> Result<Response<Word>, Status> {
        self.ready().await?;
        self.0.unary(request, path("/test.Words/One"), Codec::default()).await
    }

    async fn many(&mut self, number: u64) -> Result<Streaming<Word>, Status> {
        self.ready().await?;
        let request = Request::new(word(number));
        let called = self.0.server_streaming(request, path("/test.Words/Many"), Codec::default());
        Ok(called.await?.into_inner())
    }

    async fn sum(
        &mut self,
        words: impl Stream<Item = Word> + Send + 'static,
    ) -> Result<u64, Status> {
        self.ready().await?;
        let request = Request::new(words);
        let called = self.0.client_streaming(request, path("/test.Words/Sum"), Codec::default());
        Ok(called.await?.into_inner().number)
    }

    async fn echo(
        &mut self,
        words: impl Stream<Item = Word> + Send + 'static,
    ) -> Result<Streaming<Word>, Status> {
        self.ready().await?;
        let request = Request::new(words);
        let called = self.0.streaming(request, path("/test.Words/Echo"), Codec::default());
        Ok(called.await?.into_inner())
    }
}

fn ask(number: u64, text: &str) -> Request<Word> {
    Request::new(Word { number, text: text.to_string() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_calls_share_a_connection() {
    let server = Running::start().await;
    let client = server.client().await;
    let mut calls = JoinSet::new();
    for n in 0..200 {
        let mut client = client.clone();
        calls.spawn(async move { client.one(ask(n, "")).await.unwrap().into_inner().number });
    }
    let mut answers = calls.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, (1..=200).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stream_of_answers_keeps_its_order() {
    let server = Running::start().await;
    let words = server.client().await.many(2000).await.unwrap();
    let words: Vec<Word> = words.map(Result::unwrap).collect().await;
    assert!(words.iter().zip(1..).all(|(got, n)| *got == word(n)));
    assert_eq!(words.len(), 2000);
}

#[tokio::test]
async fn a_stream_of_questions_is_summed() {
    let server = Running::start().await;
    let sum = server.client().await.sum(tokio_stream::iter((1..=1000).map(word))).await;
    assert_eq!(sum.unwrap(), 500_500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn question_and_answer_take_turns() {
    let server = Running::start().await;
    let (sender, receiver) = mpsc::channel(1);
    let mut answers = server.client().await.echo(ReceiverStream::new(receiver)).await.unwrap();
    for n in 0..500 {
        sender.send(word(n)).await.unwrap();
        assert_eq!(answers.next().await.unwrap().unwrap(), word(n));
    }
    drop(sender);
    assert!(answers.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_messages_one_way_and_the_other() {
    let server = Running::start().await;
    let text = "word ".repeat(100_000);
    let made = text.clone();
    let words = tokio_stream::iter(0..20).map(move |number| Word { number, text: made.clone() });
    let mut answers = server.client().await.echo(words).await.unwrap();
    for number in 0..20 {
        let answer = answers.next().await.unwrap().unwrap();
        assert!(answer.number == number && answer.text == text);
    }
}

#[tokio::test]
async fn what_is_compressed_comes_back() {
    let server = Running::start().await;
    let mut client = server.client().await;
    client.0 = client
        .0
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    let text = "again and ".repeat(50_000);
    let answer = client.one(ask(1, &text)).await.unwrap().into_inner();
    assert!(answer.number == 2 && answer.text == text);
}

#[tokio::test]
async fn a_status_and_what_goes_with_it_come_over() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let status = client.one(ask(1, "wrong")).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "asked for it"));
    assert_eq!(status.metadata().get("why").unwrap(), "because");
    let mut marked = ask(1, "");
    marked.metadata_mut().insert("mark", MetadataValue::from_static("mine"));
    assert_eq!(client.one(marked).await.unwrap().metadata().get("mark").unwrap(), "mine");
    client.ready().await.unwrap();
    let unknown: Result<Response<Word>, Status> =
        client.0.unary(ask(1, ""), path("/test.Words/None"), Codec::default()).await;
    assert_eq!(unknown.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_call_past_its_deadline_ends_on_both_sides() {
    let server = Running::start().await;
    let mut late = ask(1, "never");
    late.set_timeout(Duration::from_millis(50));
    let code = server.client().await.one(late).await.unwrap_err().code();
    assert!(matches!(code, Code::Cancelled | Code::DeadlineExceeded), "{code}");
    server.service.given_up.notified().await;
}

#[tokio::test]
async fn the_servers_own_limit_ends_a_call() {
    let builder = Server::builder().timeout(Duration::from_millis(50));
    let server = Running::start_with(builder).await;
    let code = server.client().await.one(ask(1, "never")).await.unwrap_err().code();
    assert!(matches!(code, Code::Cancelled | Code::DeadlineExceeded), "{code}");
    server.service.given_up.notified().await;
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_on_the_server() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let call = tokio::spawn(async move { client.one(ask(1, "never")).await });
    server.service.begun.notified().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    server.service.given_up.notified().await;
}

#[tokio::test]
async fn answers_without_an_end_stop_when_nobody_reads() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let mut words = client.many(0).await.unwrap();
    for n in 1..=100 {
        assert_eq!(words.next().await.unwrap().unwrap().number, n);
    }
    drop(words);
    server.service.given_up.notified().await;
    assert_eq!(client.one(ask(1, "")).await.unwrap().into_inner().number, 2);
}

#[tokio::test]
async fn a_server_that_is_told_to_end_answers_what_it_has_begun() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let mut again = client.clone();
    let call = tokio::spawn(async move { client.one(ask(1, "later")).await });
    server.service.begun.notified().await;
    server.stop.send(()).unwrap();
    server.service.go_on.notify_one();
    assert_eq!(call.await.unwrap().unwrap().into_inner().number, 2);
    server.ended.await.unwrap().unwrap();
    assert_eq!(again.one(ask(1, "")).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_call_that_panics_hurts_no_other() {
    let server = Running::start().await;
    let mut client = server.client().await;
    assert!(client.one(ask(1, "panics")).await.is_err());
    assert_eq!(client.one(ask(1, "")).await.unwrap().into_inner().number, 2);
}

#[tokio::test]
async fn one_call_at_a_time_where_that_is_the_limit() {
    let builder = Server::builder().concurrency_limit_per_connection(1);
    let server = Running::start_with(builder).await;
    let mut client = server.client().await;
    let mut second = client.clone();
    let first = tokio::spawn(async move { client.one(ask(1, "later")).await });
    server.service.begun.notified().await;
    let mut second = tokio::spawn(async move { second.one(ask(2, "")).await });
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut second).await.is_err());
    server.service.go_on.notify_one();
    assert_eq!(first.await.unwrap().unwrap().into_inner().number, 2);
    assert_eq!(second.await.unwrap().unwrap().into_inner().number, 3);
}

#[tokio::test]
async fn a_channel_finds_a_server_that_comes_later_and_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = Client::new(endpoint.connect_lazy());
    assert_eq!(client.one(ask(1, "")).await.unwrap_err().code(), Code::Unavailable);
    for _ in 0..2 {
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Server::builder()
            .add_service(Words::default())
            .serve_with_shutdown(address, async { drop(stopped.await) });
        let ended = tokio::spawn(served);
        // Until it listens.
        while client.one(ask(1, "")).await.is_err() {
            tokio::task::yield_now().await;
        }
        stop.send(()).unwrap();
        ended.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_to_several_servers_uses_them_all() {
    let servers = [Running::start().await, Running::start().await];
    let channel = Channel::balance_list(servers.iter().map(Running::endpoint));
    let mut begun = [false, false];
    while begun != [true, true] {
        let mut client = Client::new(channel.clone());
        let call = tokio::spawn(async move { client.one(ask(1, "later")).await });
        let [first, second] = &servers;
        let index = tokio::select! {
            () = first.service.begun.notified() => 0,
            () = second.service.begun.notified() => 1,
        };
        begun[index] = true;
        servers[index].service.go_on.notify_one();
        assert_eq!(call.await.unwrap().unwrap().into_inner().number, 2);
    }
}

#[tokio::test]
async fn over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let served = Server::builder()
        .add_service(Words::default())
        .serve_with_incoming(UnixListenerStream::new(listener));
    let server = tokio::spawn(served);
    let connector = service_fn(move |_: http::Uri| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://local");
    let mut client = Client::new(endpoint.connect_with_connector(connector).await.unwrap());
    assert_eq!(client.many(100).await.unwrap().fold(0, |n, _| n + 1).await, 100);
    server.abort();
}

#[tokio::test]
async fn in_memory_with_little_room() {
    let (near, far) = tokio::io::duplex(64);
    let served = Server::builder()
        .add_service(Words::default())
        .serve_with_incoming(tokio_stream::once(Ok::<_, std::io::Error>(far)));
    let server = tokio::spawn(served);
    let mut near = Some(near);
    let connector = service_fn(move |_: http::Uri| {
        let near = near.take().ok_or_else(|| std::io::Error::other("only once"));
        async move { near.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://local");
    let mut client = Client::new(endpoint.connect_with_connector(connector).await.unwrap());
    assert_eq!(client.sum(tokio_stream::iter((1..=100).map(word))).await.unwrap(), 5050);
    assert_eq!(client.many(100).await.unwrap().fold(0, |n, _| n + 1).await, 100);
    drop(client);
    server.await.unwrap().unwrap();
}

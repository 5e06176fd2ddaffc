//! A server to fetch from, in this process: pages of different sizes that answer after different
//! times. A few fail, hang or break off, and each says beforehand how fetching it must end.

use crate::crawl::Target;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::rt::Executor;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use shinkan::net::{TcpListener, TcpStream};
use shinkan::time::sleep;
use shinkan_compat::hyper::{Clock, Spawner, ToHyper};
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

const PAGES: usize = 120;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) pages: Vec<Target>,
}

/// Starts the server on a free port of the loopback interface. It serves until the runtime ends.
pub(crate) async fn start() -> io::Result<Server> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let site: Arc<Vec<Page>> = Arc::new((0..PAGES).map(Page::new).collect());
    let pages = (0..PAGES)
        .map(|n| Target {
            url: format!("http://{address}/page/{n}"),
            expected: site[n].manner.failure(),
        })
        .collect();
    shinkan::spawn(serve(listener, site));
    Ok(Server { address, pages })
}

async fn serve(listener: TcpListener, site: Arc<Vec<Page>>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => Spawner.execute(serve_one(stream, site.clone())),
            // Out of descriptors, most likely: those who are connected go on, the next one waits a
            // moment.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve_one(stream: TcpStream, site: Arc<Vec<Page>>) {
    let service = service_fn(move |request| answer(request, site.clone()));
    let connection = http1::Builder::new()
        .timer(Clock)
        .header_read_timeout(Duration::from_secs(5))
        .serve_connection(ToHyper::new(stream), service);
    // A client that hangs up on us, or a page that breaks off, is no concern of the other
    // connections.
    let _ = connection.await;
}

async fn answer(
    request: Request<Incoming>,
    site: Arc<Vec<Page>>,
) -> Result<Response<PageBody>, Infallible> {
    let number = request.uri().path().strip_prefix("/page/").and_then(|n| n.parse::<usize>().ok());
    let Some(page) = number.and_then(|n| site.get(n)) else {
        return Ok(response(StatusCode::NOT_FOUND, PageBody::whole(0)));
    };
    sleep(page.delay).await;
    Ok(match page.manner {
        Manner::Answers => response(StatusCode::OK, PageBody::whole(page.size)),
        Manner::FailsOnce if page.asked_before() => {
            response(StatusCode::OK, PageBody::whole(page.size))
        }
        Manner::FailsOnce => response(StatusCode::SERVICE_UNAVAILABLE, PageBody::whole(0)),
        Manner::IsMissing => response(StatusCode::NOT_FOUND, PageBody::whole(0)),
        Manner::Fails => response(StatusCode::INTERNAL_SERVER_ERROR, PageBody::whole(0)),
        Manner::BreaksOff => response(StatusCode::OK, PageBody::half(page.size)),
        Manner::Hangs => pending().await,
    })
}

fn response(status: StatusCode, body: PageBody) -> Response<PageBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

struct Page {
    manner: Manner,
    size: usize,
    delay: Duration,
    asked: AtomicBool,
}

#[derive(Clone, Copy)]
enum Manner {
    Answers,
    FailsOnce,
    IsMissing,
    Fails,
    BreaksOff,
    Hangs,
}

impl Manner {
    /// The kind of failure that a client which tries again must end with.
    fn failure(self) -> Option<&'static str> {
        match self {
            Manner::Answers | Manner::FailsOnce => None,
            Manner::IsMissing => Some("status 4xx"),
            Manner::Fails => Some("status 5xx"),
            Manner::BreaksOff => Some("broken off"),
            Manner::Hangs => Some("timeout"),
        }
    }
}

impl Page {
    /// The same page for the same number in every run, so that runs can be compared.
    fn new(number: usize) -> Page {
        let manner = match number {
            11 | 52 | 93 => Manner::FailsOnce,
            23 => Manner::IsMissing,
            37 | 71 => Manner::Fails,
            64 => Manner::BreaksOff,
            45 | 88 => Manner::Hangs,
            _ => Manner::Answers,
        };
        Page {
            manner,
            // 1 KiB to 512 KiB, most of them small.
            size: 1024 << (number * 7 % 19 / 2),
            delay: Duration::from_millis((number * 37 % 97) as u64),
            asked: AtomicBool::new(false),
        }
    }

    fn asked_before(&self) -> bool {
        self.asked.swap(true, Ordering::Relaxed)
    }
}

/// A body of a known length, which may end too early.
struct PageBody {
    announced: usize,
    sent: usize,
    breaks_at: usize,
    /// Whether what comes before the break had its time to leave.
    flushed: bool,
}

impl PageBody {
    fn whole(size: usize) -> PageBody {
        PageBody { announced: size, sent: 0, breaks_at: usize::MAX, flushed: false }
    }

    fn half(size: usize) -> PageBody {
        PageBody { announced: size, sent: 0, breaks_at: size / 2, flushed: false }
    }
}

impl Body for PageBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        static PIECE: [u8; 16 * 1024] = [b'.'; 16 * 1024];
        if self.sent >= self.breaks_at {
            if !self.flushed {
                self.flushed = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Err(io::Error::other("this page breaks off"))));
        }
        let end = self.announced.min(self.breaks_at);
        let length = (end - self.sent).min(PIECE.len());
        if length == 0 {
            return Poll::Ready(None);
        }
        self.sent += length;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&PIECE[..length])))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.announced
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.announced - self.sent) as u64)
    }
}

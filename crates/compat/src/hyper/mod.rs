//! hyper 1 on shinkan: what spawns, what waits, and streams with hyper's two traits.
//!
//! hyper itself names the package `tokio` for its channels (feature `sync`). Those start no runtime
//! and work on any, so a program may leave that as it is; with shinkan's line in
//! `[patch.crates-io]`, they are shinkan's channels, and the graph has one runtime.
//!
//! # Examples
//! A server that gives up on clients that don't finish their header, and one that asks it:
//!
//! ```
//! use http_body_util::{BodyExt, Empty, Full};
//! use hyper::body::{Bytes, Incoming};
//! use hyper::service::service_fn;
//! use hyper::{Request, Response};
//! use shinkan::net::{TcpListener, TcpStream};
//! use shinkan_compat::hyper::{Clock, ToHyper};
//! use std::convert::Infallible;
//! use std::time::Duration;
//!
//! async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     Ok(Response::new(Full::from("hello")))
//! }
//!
//! # #[shinkan::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! shinkan::spawn(async move {
//!     while let Ok((stream, _)) = listener.accept().await {
//!         let connection = hyper::server::conn::http1::Builder::new()
//!             .timer(Clock)
//!             .header_read_timeout(Duration::from_secs(10))
//!             .serve_connection(ToHyper::new(stream), service_fn(hello));
//!         shinkan::spawn(connection);
//!     }
//! });
//!
//! let stream = ToHyper::new(TcpStream::connect(address).await?);
//! let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
//! shinkan::spawn(connection);
//! let request = Request::get("/").header("host", "here").body(Empty::<Bytes>::new())?;
//! let answer = sender.send_request(request).await?.collect().await?.to_bytes();
//! assert_eq!(answer, "hello");
//! # Ok(())
//! # }
//! ```

mod clock;
mod from_hyper;
mod to_hyper;

pub use clock::Clock;
pub use from_hyper::FromHyper;
pub use to_hyper::ToHyper;

use std::future::Future;

/// Spawns what hyper wants to run in the background, such as the streams of HTTP/2.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spawner;

impl<F> hyper::rt::Executor<F> for Spawner
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    fn execute(&self, future: F) {
        drop(shinkan::spawn(future));
    }
}

/// Spawns on the thread that it is called on, for futures that are not `Send`: services and bodies
/// of one thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalSpawner;

impl<F> hyper::rt::Executor<F> for LocalSpawner
where
    F: Future + 'static,
    F::Output: 'static,
{
    /// # Panics
    /// Outside of a `LocalSet` or a local runtime.
    #[track_caller]
    fn execute(&self, future: F) {
        drop(shinkan::task::spawn_local(future));
    }
}

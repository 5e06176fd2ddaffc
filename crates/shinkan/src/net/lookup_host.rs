//! The name service.

use super::addr::{ToSocketAddrs, resolve};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;

/// Looks a name up and gives its addresses, in the order of the name service.
///
/// Addresses, and text that is one, come back at once. Names are asked for by getaddrinfo(3) on a
/// thread of the blocking pool.
///
/// # Errors
/// The name is unknown, its server does not answer, or there is no port in it.
///
/// # Cancel safety
/// Nothing is lost; the question itself goes on in the pool.
///
/// # Panics
/// Outside a runtime, where the name service must be asked.
///
/// # Examples
/// ```
/// # async fn example() -> std::io::Result<()> {
/// for addr in shinkan::net::lookup_host("localhost:3000").await? {
///     println!("{addr}");
/// }
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn lookup_host<T>(
    host: T,
) -> impl Future<Output = io::Result<impl Iterator<Item = SocketAddr> + use<T>>>
where
    T: ToSocketAddrs,
{
    let place = Location::caller();
    async move { resolve(host, place).await }
}

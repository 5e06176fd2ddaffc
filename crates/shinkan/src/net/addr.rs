//! What can be turned into addresses, at once or by asking the name service.

use shinkan_base::wait::WaitKind;
use shinkan_driver::ops;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::panic::Location;
use std::pin::pin;
use std::vec;

use sealed::{Internal, Targets};

/// What can be turned into one or more socket addresses without blocking.
///
/// Addresses, and text that is one, are taken as they are. Names are looked up by getaddrinfo(3)
/// on a thread of the blocking pool. The trait has no methods of its own and cannot be implemented
/// elsewhere; its implementors are those of [`std::net::ToSocketAddrs`].
pub trait ToSocketAddrs: sealed::Sealed {}

pub(super) mod sealed {
    use std::net::SocketAddr;

    /// The part of the trait that nobody else may use.
    pub trait Sealed {
        #[doc(hidden)]
        fn targets(&self, internal: Internal) -> Targets;
    }

    /// Keeps others from calling.
    #[derive(Debug)]
    pub struct Internal;

    /// What is known without asking anybody.
    #[derive(Debug)]
    pub enum Targets {
        One(SocketAddr),
        Many(Vec<SocketAddr>),
        Name(String, u16),
        NameWithPort(String),
    }
}

/// Addresses, one by one.
#[derive(Debug)]
pub(super) enum Addrs {
    One(Option<SocketAddr>),
    Many(vec::IntoIter<SocketAddr>),
}

impl Iterator for Addrs {
    type Item = SocketAddr;

    fn next(&mut self) -> Option<SocketAddr> {
        match self {
            Addrs::One(addr) => addr.take(),
            Addrs::Many(addrs) => addrs.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Addrs::One(addr) => (usize::from(addr.is_some()), Some(usize::from(addr.is_some()))),
            Addrs::Many(addrs) => addrs.size_hint(),
        }
    }
}

/// What `host` means; asks the name service where it must.
pub(super) fn resolve<T: ToSocketAddrs>(
    host: T,
    place: &'static Location<'static>,
) -> impl Future<Output = io::Result<Addrs>> {
    // At the call, which is the first poll of whoever waits: `T` need not be kept until the end.
    let targets = host.targets(Internal);
    drop(host);
    async move {
        let many = match targets {
            Targets::One(addr) => return Ok(Addrs::One(Some(addr))),
            Targets::Many(addrs) => addrs,
            Targets::Name(host, port) => ask(place, move || ops::look_up(&host, port)).await?,
            Targets::NameWithPort(host) => {
                ask(place, move || ops::look_up_with_port(&host)).await?
            }
        };
        Ok(Addrs::Many(many.into_iter()))
    }
}

async fn ask(
    place: &'static Location<'static>,
    look_up: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
) -> io::Result<Vec<SocketAddr>> {
    let mut answer = pin!(shinkan_rt::spawn_blocking(look_up));
    let resource = place as *const Location<'static>;
    let resource = resource.addr();
    poll_fn(|cx| {
        let answer = answer.as_mut().poll(cx);
        if answer.is_pending() {
            shinkan_context::pending(WaitKind::Lookup, resource, place);
        }
        answer
    })
    .await
    .map_err(io::Error::from)?
}

/// Calls `f` with one address after the other until it succeeds; the last error counts.
pub(super) fn first_of<R>(
    addrs: Addrs,
    mut f: impl FnMut(SocketAddr) -> io::Result<R>,
) -> io::Result<R> {
    let mut last = None;
    for addr in addrs {
        match f(addr) {
            Ok(done) => return Ok(done),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(none))
}

#[cold]
pub(super) fn none() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the name has no address")
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {}

impl<T: sealed::Sealed + ?Sized> sealed::Sealed for &T {
    fn targets(&self, internal: Internal) -> Targets {
        (**self).targets(internal)
    }
}

impl ToSocketAddrs for SocketAddr {}

impl sealed::Sealed for SocketAddr {
    fn targets(&self, _: Internal) -> Targets {
        Targets::One(*self)
    }
}

impl ToSocketAddrs for SocketAddrV4 {}

impl sealed::Sealed for SocketAddrV4 {
    fn targets(&self, _: Internal) -> Targets {
        Targets::One((*self).into())
    }
}

impl ToSocketAddrs for SocketAddrV6 {}

impl sealed::Sealed for SocketAddrV6 {
    fn targets(&self, _: Internal) -> Targets {
        Targets::One((*self).into())
    }
}

impl ToSocketAddrs for (IpAddr, u16) {}

impl sealed::Sealed for (IpAddr, u16) {
    fn targets(&self, _: Internal) -> Targets {
        Targets::One((*self).into())
    }
}

impl ToSocketAddrs for (Ipv4Addr, u16) {}

impl sealed::Sealed for (Ipv4Addr, u16) {
    fn targets(&self, _: Internal) -> Targets {
        Targets::One((*self).into())
    }
}

impl ToSocketAddrs for (Ipv6Addr, u16) {}

impl sealed::Sealed for (Ipv6Addr, u16) {
    fn targets(&self, _: Internal) -> Targets {
        Targets::One((*self).into())
    }
}

impl ToSocketAddrs for &[SocketAddr] {}

impl sealed::Sealed for &[SocketAddr] {
    fn targets(&self, _: Internal) -> Targets {
        match **self {
            [addr] => Targets::One(addr),
            ref addrs => Targets::Many(addrs.to_vec()),
        }
    }
}

impl ToSocketAddrs for str {}

impl sealed::Sealed for str {
    fn targets(&self, _: Internal) -> Targets {
        match self.parse() {
            Ok(addr) => Targets::One(addr),
            Err(_) => Targets::NameWithPort(self.to_owned()),
        }
    }
}

impl ToSocketAddrs for String {}

impl sealed::Sealed for String {
    fn targets(&self, internal: Internal) -> Targets {
        self.as_str().targets(internal)
    }
}

impl ToSocketAddrs for (&str, u16) {}

impl sealed::Sealed for (&str, u16) {
    fn targets(&self, _: Internal) -> Targets {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(ip) => Targets::One((ip, port).into()),
            Err(_) => Targets::Name(host.to_owned(), port),
        }
    }
}

impl ToSocketAddrs for (String, u16) {}

impl sealed::Sealed for (String, u16) {
    fn targets(&self, internal: Internal) -> Targets {
        (self.0.as_str(), self.1).targets(internal)
    }
}

//! Names of hosts. May block for seconds.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// The addresses of a host, as getaddrinfo(3) has them.
///
/// # Errors
/// The name is unknown, or its server does not answer.
pub fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

/// The addresses of `host:port`.
///
/// # Errors
/// As [`look_up`]; `InvalidInput` where there is no port in it.
pub fn look_up_with_port(host_and_port: &str) -> io::Result<Vec<SocketAddr>> {
    Ok(host_and_port.to_socket_addrs()?.collect())
}

//! Non-blocking operations on descriptors: the only way by which the API reaches the kernel. A
//! simulation will answer here, one cold branch before each call.

pub use shinkan_sys::fd::{
    access, is_nonblocking, is_pipe, open_fifo, pipe, read, readv, set_nonblocking, write, writev,
};
pub use shinkan_sys::names::{look_up, look_up_with_port};
pub use shinkan_sys::process::spawn;
pub use shinkan_sys::socket::{
    Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type, accept_inet, accept_unix,
    connect_datagram, connect_inet, connect_udp, connect_unix, local_inet, local_unix, peek,
    peek_from, peer_cred, peer_inet, peer_unix, recv, recv_from, recv_from_unix, send, send_to,
    send_to_unix, send_vectored, tcp_connect, tcp_listen, udp_bind, unix_addr, unix_connect,
    unix_datagram, unix_datagram_pair, unix_listen, unix_stream_pair,
};
pub use shinkan_sys::stdio::{Output, read_stdin, stderr, stdin, stdout};
pub use shinkan_sys::threads::spawn as spawn_thread;

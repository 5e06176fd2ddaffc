//! Non-blocking operations on descriptors: the only way by which the API reaches the kernel. A
//! simulation will answer here, one cold branch before each call.

pub use shinkan_sys::fd::{
    access, is_nonblocking, is_pipe, open_fifo, pipe, read, readv, set_nonblocking, write, writev,
};
pub use shinkan_sys::names::{look_up, look_up_with_port};
pub use shinkan_sys::socket::{
    Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type, accept, accept_inet, peek,
    peek_from, recv, recv_from, send, send_to,
};

//! Datagrams within this machine. The module is public and hidden, as Tokio's is; its socket is
//! named `net::UnixDatagram`.

pub(crate) mod socket;
mod transfer;

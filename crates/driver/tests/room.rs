//! The process's table of descriptors is larger than what is registered needs. One test: the table is
//! the process's.

use shinkan_driver::{Driver, Interest, Ready};
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::thread;

/// What the kernel says in this file of its own, of the line with that name; the first number.
fn number(file: &str, name: &str) -> Option<usize> {
    let text = fs::read_to_string(format!("/proc/self/{file}")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().find_map(|word| word.parse().ok())
}

fn table() -> usize {
    number("status", "FDSize:").unwrap()
}

#[test]
fn the_table_grows_before_descriptors_need_it() {
    // Nothing: no limit.
    let limit = number("limits", "Max open files").unwrap_or(usize::MAX);
    let driver = Driver::epoll().unwrap();
    assert!(table() >= limit.min(1024), "{} after the start", table());

    // None of these has a number as high as the table's size: the kernel has no reason to grow it.
    let mut sockets = Vec::new();
    loop {
        let socket = UnixDatagram::unbound().unwrap();
        let fd = socket.as_raw_fd();
        socket.set_nonblocking(true).unwrap();
        let source = driver.io().register(fd, Interest::READABLE, Ready::EMPTY).unwrap();
        sockets.push((source, socket));
        if fd >= 800.min(limit as i32 - 100) {
            break;
        }
    }
    let wanted = limit.min(2048);
    while table() < wanted {
        thread::yield_now();
    }
    drop(sockets);
    assert!(table() >= wanted);
}

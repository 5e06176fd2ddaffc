//! The process's table of descriptors is larger than what is registered needs. One test: the table is
//! the process's, which has the test runner's thread beside this one.

use shinkan_driver::{Driver, Interest, Ready, Source};
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::thread;
use std::time::{Duration, Instant};

/// The first number in the line of that name, in a file of the kernel's about this process.
fn number(file: &str, name: &str) -> Option<usize> {
    let text = fs::read_to_string(format!("/proc/self/{file}")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().find_map(|word| word.parse().ok())
}

/// Registers sockets up to one with this number.
fn register_up_to(driver: &Driver, last: usize) -> Vec<(Source, UnixDatagram)> {
    let mut sockets = Vec::new();
    loop {
        let socket = UnixDatagram::unbound().unwrap();
        let fd = socket.as_raw_fd();
        socket.set_nonblocking(true).unwrap();
        let source = driver.io().register(fd, Interest::READABLE, Ready::EMPTY).unwrap();
        sockets.push((source, socket));
        if fd as usize >= last {
            return sockets;
        }
    }
}

/// Waits until the table holds so many.
fn holds(wanted: usize) {
    let start = Instant::now();
    while number("status", "FDSize:").unwrap() < wanted {
        assert!(start.elapsed() < Duration::from_secs(60), "it holds no {wanted}");
        thread::yield_now();
    }
}

#[test]
fn the_table_grows_before_descriptors_need_it() {
    // Nothing: no limit.
    let limit = number("limits", "Max open files").unwrap_or(usize::MAX);
    if limit < 1024 {
        return;
    }
    let driver = Driver::epoll().unwrap();
    // No number is as high as the table's size: the kernel has no reason to make it larger.
    let few = register_up_to(&driver, 50);
    holds(1024);
    let many = register_up_to(&driver, 800);
    holds(limit.min(2048));
    drop((few, many));
}

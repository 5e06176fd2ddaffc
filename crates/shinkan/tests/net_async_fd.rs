//! Descriptors of any kind: every way to register one, to wait for it, and to say that it is not
//! ready after all.

#![allow(deprecated, reason = "the old names are kept, and must do the same")]

mod support;

use shinkan::io::Interest;
use shinkan::io::unix::AsyncFd;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use support::{current_thread, is_pending, on_both};

fn pair() -> (UnixStream, UnixStream) {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (a, b)
}

/// On one thread: on several, one may apply late what it got from the kernel before, and a descriptor
/// counts as ready once more after it was cleared.
fn on_one(test: impl Future<Output = ()>) {
    current_thread().block_on(test);
}

#[test]
fn only_what_was_registered_is_waited_for() {
    on_both(|| async {
        let (a, mut b) = pair();
        let reader = AsyncFd::with_interest(a, Interest::READABLE).unwrap();
        assert!(is_pending(reader.readable()).await);
        b.write_all(b"x").unwrap();
        let mut guard = reader.readable().await.unwrap();
        assert!(guard.ready().is_readable() && !guard.ready().is_writable());
        guard.retain_ready();
        drop(guard);
        let mut byte = [0; 1];
        let read = reader.try_io(Interest::READABLE, |mut inner| inner.read(&mut byte)).unwrap();
        assert_eq!((read, &byte), (1, b"x"));
        assert!(reader.into_inner().write(b"y").is_ok());
    });
}

#[test]
fn a_guard_that_clears_makes_the_next_one_wait() {
    on_one(async {
        let (a, mut b) = pair();
        let mut fd = AsyncFd::try_new(a).unwrap();
        b.write_all(b"x").unwrap();
        let mut guard = fd.readable().await.unwrap();
        assert!(std::ptr::eq(guard.get_inner(), guard.get_ref().get_ref()));
        // Cleared although the byte is there: only a new event makes it ready again.
        guard.clear_ready();
        drop(guard);
        assert!(is_pending(fd.readable()).await);
        b.write_all(b"y").unwrap();
        let mut guard = fd.readable().await.unwrap();
        let ready = guard.ready();
        guard.clear_ready_matching(ready);
        drop(guard);
        assert!(is_pending(fd.readable()).await);

        b.write_all(b"z").unwrap();
        let mut guard = fd.readable_mut().await.unwrap();
        let mut bytes = [0; 8];
        assert_eq!(guard.get_inner_mut().read(&mut bytes).unwrap(), 3);
        guard.clear_ready();
        assert!(guard.get_inner().peer_addr().is_ok());
        drop(guard);
        assert!(is_pending(fd.readable_mut()).await);
    });
}

#[test]
fn a_try_that_would_block_clears() {
    on_one(async {
        let (a, mut b) = pair();
        let mut fd = AsyncFd::new(a).unwrap();
        b.write_all(b"x").unwrap();
        let mut guard = fd.readable_mut().await.unwrap();
        guard.retain_ready();
        let would_block = guard.try_io(|_| Err::<(), _>(io::Error::from(ErrorKind::WouldBlock)));
        assert!(would_block.is_err());
        drop(guard);
        assert!(is_pending(fd.ready_mut(Interest::READABLE)).await);

        let mut guard = fd.ready_mut(Interest::WRITABLE).await.unwrap();
        assert!(guard.ready().is_writable());
        assert_eq!(guard.try_io(|fd| fd.get_mut().write(b"ok")).unwrap().unwrap(), 2);
        guard.clear_ready_matching(shinkan::io::Ready::WRITABLE);
        drop(guard);
        assert!(is_pending(fd.writable_mut()).await);
        let error = fd.try_io_mut(Interest::WRITABLE, |fd| fd.write(b"no")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn by_polling() {
    on_both(|| async {
        let (a, mut b) = pair();
        let mut fd = AsyncFd::new(a).unwrap();
        b.write_all(b"x").unwrap();
        assert!(poll_fn(|cx| fd.poll_read_ready(cx)).await.unwrap().ready().is_readable());
        assert!(poll_fn(|cx| fd.poll_write_ready(cx)).await.unwrap().ready().is_writable());
        // The guard borrows from the poll's own argument, so it cannot leave `poll_fn`.
        let read = poll_fn(|cx| fd.poll_read_ready_mut(cx).map_ok(|guard| guard.ready())).await;
        assert!(read.unwrap().is_readable());
        let write = poll_fn(|cx| fd.poll_write_ready_mut(cx).map_ok(|guard| guard.ready())).await;
        assert!(write.unwrap().is_writable());
    });
}

#[test]
fn what_cannot_be_registered_comes_back() {
    current_thread().block_on(async {
        let file = tempfile::tempfile().unwrap();
        let error = AsyncFd::try_with_interest(file, Interest::READABLE).unwrap_err();
        let (mut file, error) = error.into_parts();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        file.write_all(b"still open").unwrap();
    });
}

#[test]
fn a_descriptor_that_only_promises_to_stay() {
    on_one(async {
        let (a, mut b) = pair();
        // SAFETY:
        // - open: `fd` owns `a`, which is closed when it is dropped.
        let fd = unsafe { AsyncFd::register(a) }.unwrap();
        assert!(fd.writable().await.unwrap().ready().is_writable());
        assert!(is_pending(fd.readable()).await);
        // SAFETY:
        // - open: as above.
        let fd = unsafe { AsyncFd::register_with_interest(fd.into_inner(), Interest::READABLE) };
        let fd = fd.unwrap();
        assert!(is_pending(fd.readable()).await);
        b.write_all(b"x").unwrap();
        let guard = fd.readable().await.unwrap();
        assert!(guard.ready().is_readable() && !guard.ready().is_writable());
    });
}

#[test]
fn a_guard_tries_and_lends_what_it_guards() {
    on_one(async {
        let (a, mut b) = pair();
        let mut fd = AsyncFd::new(a).unwrap();
        b.write_all(b"x").unwrap();
        let mut bytes = [0; 8];
        let mut guard = fd.readable().await.unwrap();
        assert_eq!(guard.try_io(|fd| fd.get_ref().read(&mut bytes)).unwrap().unwrap(), 1);
        // It would block: the guard clears, and the next one waits.
        guard.try_io(|fd| fd.get_ref().read(&mut bytes)).unwrap_err();
        drop(guard);
        assert!(is_pending(fd.readable()).await);

        let mut guard = fd.writable_mut().await.unwrap();
        assert!(guard.get_ref().get_ref().peer_addr().is_ok());
        guard.get_mut().get_mut().write_all(b"y").unwrap();
        drop(guard);
        let mut byte = [0; 1];
        b.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"y");
    });
}

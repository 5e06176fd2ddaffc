//! Pipes in memory, split and join: room, ends, wake-ups, budget, wait records.

mod mock;

use mock::{Count, Mock, poll_once, run};
use shinkan_base::wait::{TaskFrame, WaitKind};
use shinkan_context::budget::{self, Budget};
use shinkan_io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex, empty, join, repeat,
    simplex, sink, split,
};
use std::future::Future;
use std::io::{ErrorKind, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

#[test]
fn a_write_waits_for_room_and_a_read_makes_it() {
    run(async {
        let (mut a, mut b) = duplex(4);
        assert_eq!(a.write(b"abcdef").await.unwrap(), 4);
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        {
            let mut writing = pin!(a.write(b"ef"));
            assert!(writing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            assert_eq!(b.read_u8().await.unwrap(), b'a');
            assert_eq!(count.get(), 1);
            assert_eq!(writing.await.unwrap(), 1);
        }
        drop(a);
        let mut rest = String::new();
        b.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "bcde");
    });
}

#[test]
fn many_bytes_pass_a_small_pipe_in_order() {
    let (mut a, mut b) = duplex(7);
    let bytes: Vec<u8> = (0..10_000u32).map(|n| n as u8).collect();
    let mut got = Vec::new();
    {
        let mut write = pin!(async {
            a.write_all(&bytes).await.unwrap();
            a.shutdown().await.unwrap();
        });
        let mut read = pin!(b.read_to_end(&mut got));
        let mut written = false;
        loop {
            written = written || poll_once(write.as_mut()).is_ready();
            if let Poll::Ready(read) = poll_once(read.as_mut()) {
                assert_eq!(read.unwrap(), bytes.len());
                break;
            }
        }
    }
    assert_eq!(got, bytes);
}

#[test]
fn a_shut_down_end_can_still_read() {
    run(async {
        let (mut a, mut b) = duplex(8);
        a.shutdown().await.unwrap();
        assert_eq!(b.read(&mut [0; 4]).await.unwrap(), 0);
        b.write_all(b"late").await.unwrap();
        let mut text = [0; 4];
        a.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"late");
        assert_eq!(a.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        drop(a);
        assert_eq!(b.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn dropping_an_end_wakes_both_who_wait_at_the_other() {
    let (a, b) = duplex(1);
    let (mut read, mut write) = split(b);
    run(write.write_all(b"x")).unwrap();
    let (reader, writer) = (Arc::new(Count::default()), Arc::new(Count::default()));
    {
        let (reader, writer) = (Waker::from(reader.clone()), Waker::from(writer.clone()));
        let (mut memory, bytes) = ([0; 1], [0; 1]);
        let mut reading = pin!(read.read(&mut memory));
        assert!(reading.as_mut().poll(&mut Context::from_waker(&reader)).is_pending());
        let mut writing = pin!(write.write(&bytes));
        assert!(writing.as_mut().poll(&mut Context::from_waker(&writer)).is_pending());
    }
    drop(a);
    assert_eq!((reader.get(), writer.get()), (1, 1));
}

/// Drops the other end when it is woken: foreign code that comes back into the pipe.
struct DropsTheOtherEnd(std::sync::Mutex<Option<shinkan_io::DuplexStream>>);

impl Wake for DropsTheOtherEnd {
    fn wake(self: Arc<Self>) {
        let end = self.0.lock().unwrap().take();
        drop(end);
    }
}

#[test]
fn a_waker_may_come_back_into_the_pipe() {
    let (mut a, b) = duplex(8);
    let (mut a_read, b_end) = duplex(8);
    let waker = Waker::from(Arc::new(DropsTheOtherEnd(std::sync::Mutex::new(Some(b_end)))));
    let mut memory = [0; 4];
    let mut buf = ReadBuf::new(&mut memory);
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut a_read).poll_read(&mut cx, &mut buf).is_pending());
    // The waker that waits in `b` owns `b` itself.
    let waker = Waker::from(Arc::new(DropsTheOtherEnd(std::sync::Mutex::new(Some(b)))));
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut a).poll_read(&mut cx, &mut buf).is_pending());
    drop(waker);
    assert!(Pin::new(&mut a).poll_shutdown(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn several_buffers_fill_the_room_one_after_the_other() {
    run(async {
        let (mut a, mut b) = duplex(5);
        let bufs = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cdef")];
        assert!(a.is_write_vectored());
        assert_eq!(a.write_vectored(&bufs).await.unwrap(), 5);
        assert_eq!(a.write_vectored(&[IoSlice::new(b"")]).await.unwrap(), 0);
        let mut text = [0; 5];
        b.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"abcde");
    });
}

#[test]
fn a_simplex_pipe_ends_when_its_writer_is_shut_down() {
    run(async {
        let (mut read, mut write) = simplex(8);
        write.write_all(b"abc").await.unwrap();
        write.shutdown().await.unwrap();
        let mut text = String::new();
        read.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "abc");
        assert!(read.is_pair_of(&write));
        let _whole = read.unsplit(write);
    });
}

#[test]
fn a_wait_in_a_pipe_says_what_and_where() {
    let frame = TaskFrame::new(7);
    let (mut a, _b) = duplex(1);
    let line = line!() - 1;
    let _entered = shinkan_context::enter_frame(&frame);
    {
        let mut memory = [0; 1];
        let mut reading = pin!(a.read(&mut memory));
        assert!(poll_once(reading.as_mut()).is_pending());
    }
    let wait = frame.wait.read().expect("the read waits");
    assert_eq!((wait.kind, wait.place.line()), (WaitKind::DuplexRead, line));
    let resource = wait.resource;
    frame.wait.clear();
    run(a.write_all(b"x")).unwrap();
    {
        let mut writing = pin!(a.write(b"y"));
        assert!(poll_once(writing.as_mut()).is_pending());
    }
    let wait = frame.wait.read().expect("the write waits");
    assert_eq!(wait.kind, WaitKind::DuplexWrite);
    assert_ne!(wait.resource, resource);
}

#[test]
fn streams_that_never_wait_take_budget() {
    let mut memory = [0; 8];
    let mut cx = Context::from_waker(Waker::noop());
    budget::with(Budget::initial(), || {
        for _ in 0..32 {
            let mut buf = ReadBuf::new(&mut memory);
            assert!(Pin::new(&mut repeat(7)).poll_read(&mut cx, &mut buf).is_ready());
            assert_eq!(buf.filled(), [7; 8]);
            assert!(Pin::new(&mut empty()).poll_read(&mut cx, &mut buf).is_ready());
            assert!(Pin::new(&mut empty()).poll_write(&mut cx, b"x").is_ready());
            assert!(Pin::new(&mut sink()).poll_write(&mut cx, b"x").is_ready());
        }
        assert!(Pin::new(&mut sink()).poll_write(&mut cx, b"x").is_pending());
        let mut buf = ReadBuf::new(&mut memory);
        assert!(Pin::new(&mut empty()).poll_read(&mut cx, &mut buf).is_pending());
    });
    let (mut a, mut b) = duplex(1_024);
    budget::with(Budget::initial(), || {
        for _ in 0..64 {
            assert!(Pin::new(&mut a).poll_write(&mut cx, b"x").is_ready());
            let mut buf = ReadBuf::new(&mut memory);
            assert!(Pin::new(&mut b).poll_read(&mut cx, &mut buf).is_ready());
        }
        assert!(Pin::new(&mut a).poll_write(&mut cx, b"x").is_pending());
    });
}

#[test]
fn a_pipe_that_waits_costs_no_budget() {
    let (mut a, _b) = duplex(8);
    let mut memory = [0; 8];
    let mut cx = Context::from_waker(Waker::noop());
    budget::with(Budget::initial(), || {
        for _ in 0..1_000 {
            let mut buf = ReadBuf::new(&mut memory);
            assert!(Pin::new(&mut a).poll_read(&mut cx, &mut buf).is_pending());
        }
        assert_eq!(budget::current().left(), Some(128));
    });
}

#[test]
fn a_reader_and_a_writer_are_joined() {
    run(async {
        let mut both = join(&b"from"[..], Mock::default());
        let mut text = String::new();
        both.read_to_string(&mut text).await.unwrap();
        both.write_all(b"to").await.unwrap();
        assert_eq!(both.writer().written, b"to");
        let (reader, writer) = both.into_inner();
        assert_eq!((reader.len(), writer.written.len()), (0, 2));
    });
}

#[test]
#[should_panic(expected = "half of another stream")]
fn halves_of_two_streams_do_not_fit() {
    let ((read, _w), (_r, write)) = (simplex(1), simplex(1));
    let _ = read.unsplit(write);
}

#[test]
#[should_panic(expected = "room for 0 bytes")]
fn a_pipe_without_room_is_refused() {
    let _ = duplex(0);
}

#[test]
fn auto_traits_are_as_with_tokio() {
    fn send_sync<T: Send + Sync>() {}
    fn unpin<T: Unpin>() {}
    send_sync::<shinkan_io::DuplexStream>();
    send_sync::<shinkan_io::SimplexStream>();
    send_sync::<shinkan_io::ReadHalf<Mock>>();
    unpin::<shinkan_io::ReadHalf<std::marker::PhantomPinned>>();
    unpin::<shinkan_io::BufReader<()>>();
    unpin::<shinkan_io::BufStream<()>>();
    unpin::<shinkan_io::Lines<()>>();
    unpin::<shinkan_io::Empty>();
    fn is_send<T: Send>(_: T) {}
    is_send(async {
        let (mut a, mut b) = duplex(1);
        let _ = shinkan_io::copy_bidirectional(&mut a, &mut b).await;
        let _ = a.read_to_end(&mut Vec::new()).await;
        let _ = b.write_u32(1).await;
    });
}

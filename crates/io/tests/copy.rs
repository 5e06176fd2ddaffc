//! Copying: order, flushes, errors, both ways at once.

mod mock;

use mock::Step::{Fail, Pending, Read, Write};
use mock::{Mock, poll_once, run};
use shinkan_context::budget::{self, Budget};
use shinkan_io::{
    AsyncReadExt, AsyncWriteExt, BufReader, copy, copy_bidirectional,
    copy_bidirectional_with_sizes, copy_buf, duplex,
};
use std::io::ErrorKind;
use std::pin::pin;
use std::task::Poll;

#[test]
fn all_is_copied_and_flushed() {
    run(async {
        let mut source =
            Mock::new([Read(b"ab"), Pending, Fail(ErrorKind::Interrupted), Read(b"cd")]);
        let mut sink = Mock::new([Write(1), Pending, Fail(ErrorKind::Interrupted)]);
        assert_eq!(copy(&mut source, &mut sink).await.unwrap(), 4);
        assert_eq!(sink.written, b"abcd");
        assert!(sink.flushes >= 1);
    });
}

#[test]
fn a_source_that_waits_has_what_was_written_flushed() {
    let mut source = Mock::new([Read(b"question"), Pending]);
    let mut sink = Mock::default();
    {
        let mut copying = pin!(copy(&mut source, &mut sink));
        assert!(poll_once(copying.as_mut()).is_pending());
    }
    assert_eq!((sink.written.as_slice(), sink.flushes), (&b"question"[..], 1));
}

#[test]
fn either_side_may_fail() {
    run(async {
        let mut source = Mock::new([Read(b"ab"), Fail(ErrorKind::ConnectionReset)]);
        let error = copy(&mut source, &mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let mut full = Mock::new([Write(0)]);
        let error = copy(&mut &b"ab"[..], &mut full).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
        let mut full = Mock::new([Write(0)]);
        let error = copy_buf(&mut &b"ab"[..], &mut full).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
    });
}

#[test]
fn copy_buf_that_is_cancelled_loses_nothing() {
    let mut source = BufReader::new(&b"abcdef"[..]);
    let mut sink = Mock::new([Write(2), Pending]);
    {
        let mut copying = pin!(copy_buf(&mut source, &mut sink));
        assert!(poll_once(copying.as_mut()).is_pending());
    }
    assert_eq!(source.buffer(), b"cdef");
    assert_eq!(run(copy_buf(&mut source, &mut sink)).unwrap(), 4);
    assert_eq!(sink.written, b"abcdef");
}

#[test]
fn both_ways_end_one_after_the_other() {
    run(async {
        let (mut client, mut a) = duplex(16);
        let (mut b, mut server) = duplex(16);
        client.write_all(b"request").await.unwrap();
        client.shutdown().await.unwrap();
        let mut proxy = pin!(copy_bidirectional(&mut a, &mut b));
        assert!(poll_once(proxy.as_mut()).is_pending());
        // The end of one way has reached the server, which still answers.
        let mut request = String::new();
        server.read_to_string(&mut request).await.unwrap();
        assert_eq!(request, "request");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        assert_eq!(proxy.await.unwrap(), (7, 6));
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "answer");
    });
}

#[test]
fn an_error_of_one_way_ends_both() {
    run(async {
        let mut a = Mock::new([Fail(ErrorKind::ConnectionReset)]);
        let (mut b, _server) = duplex(16);
        let error = copy_bidirectional(&mut a, &mut b).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
#[should_panic(expected = "`b_to_a_buf_size` must be greater than 0")]
fn a_copy_without_a_buffer_is_refused() {
    let (mut a, mut b) = duplex(1);
    let _ = run(copy_bidirectional_with_sizes(&mut a, &mut b, 1, 0));
}

#[test]
fn a_copy_between_streams_that_never_wait_yields() {
    budget::with(Budget::initial(), || {
        let (mut source, mut sink) = (shinkan_io::repeat(1), shinkan_io::sink());
        let mut copying = pin!(copy(&mut source, &mut sink));
        assert!(matches!(poll_once(copying.as_mut()), Poll::Pending));
    });
    let mut copies = 0;
    budget::with(Budget::initial(), || {
        let mut copying = pin!(async {
            loop {
                let _ = copy(&mut &b"hello"[..], &mut Vec::new()).await;
                copies += 1;
            }
        });
        let copying: std::pin::Pin<&mut dyn Future<Output = ()>> = copying.as_mut();
        assert!(poll_once(copying).is_pending());
    });
    assert_eq!(copies, 128);
}

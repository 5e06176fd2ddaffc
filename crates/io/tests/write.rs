//! Writing: short writes, interrupted writes, full writers, and what a cancelled write leaves.

mod mock;

use bytes::{Buf, Bytes};
use mock::Step::{Fail, Pending, Write};
use mock::{Mock, poll_once, run};
use shinkan_io::{AsyncSeekExt, AsyncWrite, AsyncWriteExt, BufStream, BufWriter};
use std::io::{Cursor, ErrorKind, IoSlice, SeekFrom};
use std::pin::pin;

#[test]
fn write_all_goes_on_over_short_and_interrupted_writes() {
    run(async {
        let mut sink = Mock::new([Write(1), Fail(ErrorKind::Interrupted), Pending, Write(3)]);
        sink.write_all(b"hello world").await.unwrap();
        assert_eq!((sink.written.as_slice(), sink.writes), (&b"hello world"[..], 5));
        sink.write_all(b"").await.unwrap();
        assert_eq!(sink.writes, 5);
    });
}

#[test]
fn a_writer_that_takes_no_more_is_an_error() {
    run(async {
        let mut memory = [0; 3];
        let mut sink = Cursor::new(&mut memory[..]);
        assert_eq!(sink.write_all(b"four").await.unwrap_err().kind(), ErrorKind::WriteZero);
        assert_eq!(sink.write_u8(1).await.unwrap_err().kind(), ErrorKind::WriteZero);
        assert_eq!(sink.write(b"x").await.unwrap(), 0);
        let mut none = BufWriter::with_capacity(8, Mock::new([Write(0)]));
        none.write_all(b"abc").await.unwrap();
        assert_eq!(none.flush().await.unwrap_err().kind(), ErrorKind::WriteZero);
        assert_eq!(none.buffer(), b"abc");
    });
}

#[test]
fn numbers_go_in_both_orders_and_in_pieces() {
    run(async {
        let mut sink = Mock::new([Write(1), Pending, Write(2)]);
        sink.write_u32(0x0102_0304).await.unwrap();
        sink.write_u16_le(0x0605).await.unwrap();
        sink.write_i8(-1).await.unwrap();
        sink.write_f32(1.5).await.unwrap();
        sink.write_i128_le(-2).await.unwrap();
        let mut expected = vec![1, 2, 3, 4, 5, 6, 0xff];
        expected.extend(1.5f32.to_be_bytes());
        expected.extend((-2i128).to_le_bytes());
        assert_eq!(sink.written, expected);
    });
}

#[test]
fn write_all_buf_that_is_cancelled_holds_what_is_left() {
    let mut sink = Mock::new([Write(2), Pending]);
    let mut rest = Bytes::from_static(b"abcdef");
    {
        let mut writing = pin!(sink.write_all_buf(&mut rest));
        assert!(poll_once(writing.as_mut()).is_pending());
    }
    assert_eq!(&rest[..], b"cdef");
    run(sink.write_all_buf(&mut rest)).unwrap();
    assert_eq!(sink.written, b"abcdef");
}

#[test]
fn a_buffer_in_two_pieces_is_written_at_once_where_the_writer_can() {
    run(async {
        let mut both = (&b"one "[..]).chain(&b"two"[..]);
        let mut sink = Vec::new();
        assert_eq!(sink.write_buf(&mut both).await.unwrap(), 7);
        assert_eq!(sink, b"one two");
        let mut both = (&b"one "[..]).chain(&b"two"[..]);
        let mut sink = Mock::default();
        assert_eq!(sink.write_buf(&mut both).await.unwrap(), 4);
        assert_eq!(sink.write_buf(&mut both).await.unwrap(), 3);
        assert_eq!(sink.write_buf(&mut both).await.unwrap(), 0);
    });
}

#[test]
fn a_writer_that_takes_one_buffer_gets_the_first_that_is_not_empty() {
    run(async {
        let mut sink = Mock::default();
        let bufs = [IoSlice::new(b""), IoSlice::new(b"one"), IoSlice::new(b"two")];
        assert_eq!(sink.write_vectored(&bufs).await.unwrap(), 3);
        assert_eq!(sink.written, b"one");
        assert!(!sink.is_write_vectored() && Vec::new().is_write_vectored());
    });
}

#[test]
fn small_writes_are_collected_and_large_ones_go_past() {
    run(async {
        let mut sink = BufWriter::with_capacity(4, Mock::default());
        sink.write_all(b"ab").await.unwrap();
        assert_eq!((sink.buffer(), sink.get_ref().writes), (&b"ab"[..], 0));
        sink.write_all(b"cde").await.unwrap();
        assert_eq!((sink.buffer(), sink.get_ref().writes), (&b"cde"[..], 1));
        sink.write_all(b"0123456789").await.unwrap();
        assert_eq!((sink.buffer(), sink.get_ref().writes), (&b""[..], 3));
        sink.write_all(b"z").await.unwrap();
        sink.shutdown().await.unwrap();
        let sink = sink.into_inner();
        assert_eq!((sink.shutdowns, sink.written.as_slice()), (1, &b"abcde0123456789z"[..]));
    });
}

#[test]
fn a_flush_that_is_cancelled_or_fails_writes_nothing_twice() {
    let inner = Mock::new([Write(2), Pending, Write(1), Fail(ErrorKind::Other)]);
    let mut sink = BufWriter::with_capacity(16, inner);
    run(sink.write_all(b"abcdef")).unwrap();
    {
        let mut flush = pin!(sink.flush());
        assert!(poll_once(flush.as_mut()).is_pending());
    }
    assert_eq!(run(sink.flush()).unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(sink.buffer(), b"def");
    run(sink.flush()).unwrap();
    assert_eq!(sink.get_ref().written, b"abcdef");
    assert_eq!(sink.get_ref().flushes, 1);
}

#[test]
fn several_buffers_are_collected_for_a_writer_that_takes_one() {
    run(async {
        let mut sink = BufWriter::with_capacity(4, Mock::default());
        let bufs =
            [IoSlice::new(b""), IoSlice::new(b"ab"), IoSlice::new(b"c"), IoSlice::new(b"de")];
        assert_eq!(sink.write_vectored(&bufs).await.unwrap(), 3);
        assert_eq!(sink.buffer(), b"abc");
        assert_eq!(sink.write_vectored(&[IoSlice::new(b"")]).await.unwrap(), 0);
        assert_eq!(sink.write_vectored(&[IoSlice::new(b"01234")]).await.unwrap(), 5);
        assert_eq!(sink.get_ref().written, b"abc01234");
        let mut sink = BufWriter::with_capacity(4, Vec::new());
        assert_eq!(sink.write_vectored(&bufs).await.unwrap(), 5);
        assert_eq!(sink.get_ref(), b"abcde");
    });
}

#[test]
fn what_is_buffered_is_written_before_the_position_moves() {
    run(async {
        let mut sink = BufWriter::new(Cursor::new(vec![0; 8]));
        sink.write_all(b"ab").await.unwrap();
        assert_eq!(sink.seek(SeekFrom::Start(4)).await.unwrap(), 4);
        sink.write_all(b"cd").await.unwrap();
        assert_eq!(sink.stream_position().await.unwrap(), 6);
        assert!(sink.seek(SeekFrom::Current(-100)).await.is_err());
        assert_eq!(sink.get_ref().get_ref(), b"ab\0\0cd\0\0");
    });
}

#[test]
fn a_stream_made_of_both_buffers_keeps_what_they_hold() {
    run(async {
        use shinkan_io::{AsyncReadExt, BufReader};
        let inner = Mock::new([mock::Step::Read(b"abc")]);
        let mut both = BufWriter::new(BufReader::new(inner));
        assert_eq!(both.read_u8().await.unwrap(), b'a');
        both.write_all(b"xy").await.unwrap();
        let mut stream = BufStream::from(both);
        assert_eq!(stream.read_u16().await.unwrap(), u16::from_be_bytes(*b"bc"));
        stream.flush().await.unwrap();
        assert_eq!(stream.into_inner().written, b"xy");
    });
}

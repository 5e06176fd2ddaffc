//! Reading: short reads, interrupted reads, ends, errors, and what a cancelled read leaves.

mod mock;

use mock::Step::{Fail, Pending, Read};
use mock::{Mock, poll_once, run};
use shinkan_io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeekExt, BufReader, ReadBuf};
use std::io::{self, Cursor, ErrorKind, SeekFrom};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

#[test]
fn read_returns_what_there_is() {
    run(async {
        let mut source = Mock::new([Pending, Read(b"hello"), Fail(ErrorKind::ConnectionReset)]);
        let mut buf = [0; 3];
        assert_eq!(source.read(&mut buf).await.unwrap(), 3);
        assert_eq!(&buf, b"hel");
        assert_eq!(source.read(&mut buf).await.unwrap(), 2);
        assert_eq!(&buf[..2], b"lo");
        assert_eq!(source.read(&mut buf).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(source.read(&mut buf).await.unwrap(), 0);
    });
}

#[test]
fn read_exact_goes_on_over_short_and_interrupted_reads() {
    run(async {
        let mut source =
            Mock::new([Read(b"a"), Fail(ErrorKind::Interrupted), Pending, Read(b"bcdef")]);
        let mut buf = [0; 4];
        assert_eq!(source.read_exact(&mut buf).await.unwrap(), 4);
        assert_eq!(&buf, b"abcd");
        let error = source.read_exact(&mut buf).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(source.read_exact(&mut []).await.unwrap(), 0);
    });
}

#[test]
fn numbers_come_in_both_orders_and_in_pieces() {
    run(async {
        let mut source = Mock::new([Read(&[0x01]), Pending, Read(&[0x02, 0x03, 0x04])]);
        assert_eq!(source.read_u32().await.unwrap(), 0x0102_0304);
        assert_eq!((&[1u8, 2][..]).read_u16_le().await.unwrap(), 0x0201);
        assert_eq!((&[0xffu8][..]).read_i8().await.unwrap(), -1);
        assert_eq!((&[7u8][..]).read_u8().await.unwrap(), 7);
        let bytes = (-2i128).to_le_bytes();
        assert_eq!((&bytes[..]).read_i128_le().await.unwrap(), -2);
        assert_eq!((&1.5f32.to_be_bytes()[..]).read_f32().await.unwrap(), 1.5);
        assert_eq!((&1.5f64.to_le_bytes()[..]).read_f64_le().await.unwrap(), 1.5);
        let error = (&[1u8, 2, 3][..]).read_u64().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    });
}

#[test]
fn read_to_end_appends_and_counts_only_what_is_new() {
    run(async {
        let mut source =
            Mock::new([Read(b"one "), Fail(ErrorKind::Interrupted), Pending, Read(b"two")]);
        let mut buf = b"zero ".to_vec();
        assert_eq!(source.read_to_end(&mut buf).await.unwrap(), 7);
        assert_eq!(buf, b"zero one two");
    });
}

#[test]
fn read_to_end_does_not_grow_a_vector_that_was_large_enough() {
    run(async {
        let mut buf = Vec::with_capacity(64);
        let text = [b'x'; 64];
        assert_eq!((&text[..]).read_to_end(&mut buf).await.unwrap(), 64);
        assert_eq!((buf.len(), buf.capacity()), (64, 64));
        let text = [b'y'; 1_000];
        assert_eq!((&text[..]).read_to_end(&mut buf).await.unwrap(), 1_000);
        assert!(buf[..64] == [b'x'; 64] && buf[64..] == text);
    });
}

#[test]
fn read_to_end_that_is_cancelled_or_fails_keeps_what_it_read() {
    let mut source = Mock::new([Read(b"kept"), Pending, Read(b" and"), Fail(ErrorKind::Other)]);
    let mut buf = Vec::new();
    {
        let mut reading = pin!(source.read_to_end(&mut buf));
        assert!(poll_once(reading.as_mut()).is_pending());
    }
    assert_eq!(buf, b"kept");
    assert_eq!(run(source.read_to_end(&mut buf)).unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(buf, b"kept and");
}

#[test]
fn text_that_is_not_utf8_leaves_the_string_as_it_was() {
    run(async {
        let mut text = String::from("before");
        let error = Mock::new([Read(b"ok\xff")]).read_to_string(&mut text).await.unwrap_err();
        assert_eq!((error.kind(), text.as_str()), (ErrorKind::InvalidData, "before"));
        let mut broken = Mock::new([Read(b"ok"), Fail(ErrorKind::BrokenPipe)]);
        let error = broken.read_to_string(&mut text).await.unwrap_err();
        assert_eq!((error.kind(), text.as_str()), (ErrorKind::BrokenPipe, "before"));
        // A character in two pieces is one character.
        let mut source = Mock::new([Read(b"\xc3"), Pending, Read(b"\xa9")]);
        assert_eq!(source.read_to_string(&mut text).await.unwrap(), 2);
        assert_eq!(text, "beforeé");
    });
}

#[test]
fn read_line_ends_at_the_end_of_the_line() {
    run(async {
        let source = Mock::new([Read(b"fir"), Pending, Read(b"st\nsec"), Read(b"ond")]);
        let mut reader = BufReader::new(source);
        let mut line = String::from("> ");
        assert_eq!(reader.read_line(&mut line).await.unwrap(), 6);
        assert_eq!(line, "> first\n");
        line.clear();
        assert_eq!(reader.read_line(&mut line).await.unwrap(), 6);
        assert_eq!(line, "second");
        assert_eq!(reader.read_line(&mut line).await.unwrap(), 0);
    });
}

#[test]
fn a_line_that_is_not_utf8_is_skipped() {
    run(async {
        let mut reader = &b"\xff\nnext\n"[..];
        let mut line = String::from("before ");
        let error = reader.read_line(&mut line).await.unwrap_err();
        assert_eq!((error.kind(), line.as_str()), (ErrorKind::InvalidData, "before "));
        reader.read_line(&mut line).await.unwrap();
        assert_eq!(line, "before next\n");
    });
}

#[test]
fn a_line_that_fails_keeps_the_part_that_is_text() {
    run(async {
        let mut reader = BufReader::new(Mock::new([Read(b"par"), Fail(ErrorKind::Other)]));
        let mut line = String::new();
        assert_eq!(reader.read_line(&mut line).await.unwrap_err().kind(), ErrorKind::Other);
        assert_eq!(line, "par");
        let mut reader = BufReader::new(Mock::new([Read(b"par\xff"), Fail(ErrorKind::Other)]));
        assert_eq!(reader.read_line(&mut line).await.unwrap_err().kind(), ErrorKind::Other);
        assert_eq!(line, "par");
    });
}

#[test]
fn next_line_that_is_cancelled_loses_nothing() {
    let source = Mock::new([Read(b"ha"), Pending, Read(b"lf\r\nlast")]);
    let mut lines = BufReader::new(source).lines();
    {
        let mut next = pin!(lines.next_line());
        assert!(poll_once(next.as_mut()).is_pending());
    }
    run(async {
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("half"));
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("last"));
        assert_eq!(lines.next_line().await.unwrap(), None);
    });
}

#[test]
fn next_segment_that_is_cancelled_loses_nothing() {
    let mut segments = BufReader::new(Mock::new([Read(b"a"), Pending, Read(b"b,,c")])).split(b',');
    {
        let mut next = pin!(segments.next_segment());
        assert!(poll_once(next.as_mut()).is_pending());
    }
    run(async {
        let mut all = Vec::new();
        while let Some(segment) = segments.next_segment().await.unwrap() {
            all.push(segment);
        }
        assert_eq!(all, [&b"ab"[..], b"", b"c"]);
    });
}

#[test]
fn fill_buf_shows_and_consume_takes() {
    run(async {
        let mut reader = BufReader::new(Mock::new([Pending, Read(b"abcd")]));
        assert_eq!(reader.fill_buf().await.unwrap(), b"abcd");
        reader.consume(3);
        assert_eq!(reader.fill_buf().await.unwrap(), b"d");
        reader.consume(1);
        assert_eq!(reader.fill_buf().await.unwrap(), b"");
    });
}

#[test]
fn take_ends_at_its_limit_and_then_asks_no_more() {
    run(async {
        let mut few = Mock::new([Read(b"abcdef"), Fail(ErrorKind::Other)]).take(4);
        let mut text = String::new();
        assert_eq!(few.read_to_string(&mut text).await.unwrap(), 4);
        assert_eq!((text.as_str(), few.limit()), ("abcd", 0));
        few.set_limit(1);
        assert_eq!(few.read_u8().await.unwrap(), b'e');
        let mut line = BufReader::new(&b"abc\ndef"[..]).take(2);
        let mut text = String::new();
        assert_eq!(line.read_line(&mut text).await.unwrap(), 2);
        assert_eq!(line.fill_buf().await.unwrap(), b"");
    });
}

#[test]
fn take_does_not_zero_again_what_is_initialised() {
    let mut memory = *b"old bytes";
    let mut buf = ReadBuf::new(&mut memory);
    let mut probe = Probe::default();
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let mut take = (&mut probe).take(3);
    assert!(Pin::new(&mut take).poll_read(&mut cx, &mut buf).is_ready());
    assert_eq!((probe.capacity, probe.initialized), (3, 3));
    assert_eq!(buf.filled(), b"o");
}

#[derive(Default)]
struct Probe {
    capacity: usize,
    initialized: usize,
}

impl AsyncRead for Probe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        (self.capacity, self.initialized) = (buf.capacity(), buf.initialized().len());
        buf.advance(1);
        Poll::Ready(Ok(()))
    }
}

/// Puts another buffer in the place of the one it was lent.
struct Thief;

impl AsyncRead for Thief {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let other: &'static mut [u8] = Box::leak(vec![1; 64].into_boxed_slice());
        *buf = ReadBuf::new(other);
        buf.advance(8);
        Poll::Ready(Ok(()))
    }
}

#[test]
#[should_panic(expected = "exchanged the buffer")]
fn a_reader_that_exchanges_the_buffer_of_read_to_end_is_caught() {
    let _ = run(Thief.read_to_end(&mut Vec::new()));
}

#[test]
#[should_panic(expected = "exchanged the buffer")]
fn a_reader_that_exchanges_the_buffer_of_read_buf_is_caught() {
    let _ = run(Thief.read_buf(&mut Vec::new()));
}

#[test]
#[should_panic(expected = "exchanged the buffer")]
fn a_reader_that_exchanges_the_buffer_of_take_is_caught() {
    let _ = run(Thief.take(4).read(&mut [0; 8]));
}

#[test]
fn read_buf_appends_and_leaves_a_full_buffer_alone() {
    run(async {
        let mut source = Mock::new([Read(b"abc"), Pending, Read(b"defgh")]);
        let mut buf = Vec::from(*b"> ");
        assert_eq!(source.read_buf(&mut buf).await.unwrap(), 3);
        assert_eq!(buf, b"> abc");
        let mut memory = [0; 4];
        let mut room = &mut memory[..];
        assert_eq!(source.read_buf(&mut room).await.unwrap(), 4);
        assert_eq!(source.read_buf(&mut room).await.unwrap(), 0);
        assert_eq!(&memory, b"defg");
    });
}

#[test]
fn chain_goes_on_where_the_first_ends() {
    run(async {
        let mut both = Mock::new([Read(b"one\n"), Pending]).chain(&b"two\n"[..]);
        assert_eq!(both.read(&mut []).await.unwrap(), 0);
        let mut text = String::new();
        assert_eq!(both.read_to_string(&mut text).await.unwrap(), 8);
        assert_eq!(text, "one\ntwo\n");
        let mut lines = (&b"a"[..]).chain(&b"b\nc"[..]).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ab"));
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("c"));
    });
}

#[test]
fn a_large_read_goes_past_the_buffer_and_a_small_one_through_it() {
    run(async {
        let mut reader = BufReader::with_capacity(4, Mock::new([Read(b"0123456789")]));
        let mut buf = [0; 8];
        assert_eq!(reader.read(&mut buf).await.unwrap(), 8);
        assert_eq!(reader.buffer(), b"");
        assert_eq!(reader.read(&mut buf[..1]).await.unwrap(), 1);
        assert_eq!(reader.buffer(), b"9");
    });
}

#[test]
fn a_relative_move_starts_from_what_the_program_has_read() {
    run(async {
        let mut reader = BufReader::with_capacity(8, Cursor::new(b"0123456789abcdef"));
        assert_eq!(reader.read_u16().await.unwrap(), u16::from_be_bytes(*b"01"));
        assert_eq!(reader.seek(SeekFrom::Current(1)).await.unwrap(), 3);
        assert_eq!(reader.buffer(), b"");
        assert_eq!(reader.read_u8().await.unwrap(), b'3');
        assert_eq!(reader.stream_position().await.unwrap(), 4);
        assert_eq!(reader.seek(SeekFrom::End(-1)).await.unwrap(), 15);
        assert_eq!(reader.read_u8().await.unwrap(), b'f');
        reader.rewind().await.unwrap();
        assert_eq!(reader.read_u8().await.unwrap(), b'0');
        // The move and the way back over the buffer together don't fit one number.
        let error = reader.seek(SeekFrom::Current(i64::MIN)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(reader.read_u8().await.unwrap(), b'1');
    });
}

#[test]
fn a_cursor_behind_its_end_is_at_the_end() {
    run(async {
        let mut cursor = Cursor::new(b"abc");
        cursor.set_position(u64::MAX);
        assert_eq!(cursor.read(&mut [0; 4]).await.unwrap(), 0);
        cursor.set_position(2);
        assert_eq!(cursor.read_u8().await.unwrap(), b'c');
    });
}

#[test]
#[should_panic(expected = "capacity must be greater than zero")]
fn a_buffer_without_room_is_refused() {
    let _ = BufReader::with_capacity(0, &b""[..]);
}

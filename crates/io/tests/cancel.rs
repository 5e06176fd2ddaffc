//! Every method of the extension traits, dropped after each number of polls: what its docs say of
//! cancel safety holds. The stream moves a byte at a time and answers Pending before each.

use bytes::{Buf, BytesMut};
use shinkan_io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite,
    AsyncWriteExt, ReadBuf,
};
use std::future::Future;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Bytes to read, bytes that were written, and a Pending before each step.
#[derive(Debug, Clone, Default)]
struct Trickle {
    source: Vec<u8>,
    at: usize,
    written: Vec<u8>,
    answered_pending: bool,
    /// Pendings that a flush, shutdown or move has left.
    slow: usize,
    target: Option<SeekFrom>,
}

const SLOW: usize = 3;

impl Trickle {
    fn new(source: &[u8]) -> Self {
        Self { source: source.to_vec(), slow: SLOW, ..Self::default() }
    }

    fn rest(&self) -> &[u8] {
        &self.source[self.at..]
    }

    /// Ready every second time.
    fn step(&mut self) -> Poll<()> {
        self.answered_pending = !self.answered_pending;
        if self.answered_pending { Poll::Pending } else { Poll::Ready(()) }
    }

    fn slowly(&mut self) -> Poll<()> {
        if self.slow == 0 {
            self.slow = SLOW;
            return Poll::Ready(());
        }
        self.slow -= 1;
        Poll::Pending
    }
}

impl AsyncRead for Trickle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.step().is_pending() {
            return Poll::Pending;
        }
        let me = self.get_mut();
        if let Some(byte) = me.source.get(me.at).filter(|_| buf.remaining() > 0) {
            buf.put_slice(&[*byte]);
            me.at += 1;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for Trickle {
    fn poll_fill_buf(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.step().is_pending() {
            return Poll::Pending;
        }
        let me = self.get_mut();
        let end = me.source.len().min(me.at + 1);
        Poll::Ready(Ok(&me.source[me.at..end]))
    }

    fn consume(mut self: Pin<&mut Self>, amt: usize) {
        self.at += amt;
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.step().is_pending() {
            return Poll::Pending;
        }
        let n = buf.len().min(1);
        self.written.extend_from_slice(&buf[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.slowly().map(Ok)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.slowly().map(Ok)
    }
}

impl AsyncSeek for Trickle {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        assert!(self.target.is_none(), "a move was begun before the one before was completed");
        self.target = Some(position);
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        if self.target.is_some() && self.slowly().is_pending() {
            return Poll::Pending;
        }
        match self.target.take() {
            Some(SeekFrom::Start(at)) => self.at = at as usize,
            Some(SeekFrom::Current(by)) => {
                self.at = self.at.checked_add_signed(by as isize).unwrap()
            }
            Some(SeekFrom::End(by)) => {
                self.at = self.source.len().checked_add_signed(by as isize).unwrap()
            }
            None => {}
        }
        Poll::Ready(Ok(self.at as u64))
    }
}

/// Polls so many times, then drops it. The output where it was done before.
fn after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
    }
    None
}

fn finish<F: Future>(future: F) -> F::Output {
    after(1_000, future).expect("it ends")
}

const TEXT: &[u8] = b"0123456789abcdef\nghijklmnopqrstuvwxyz";

/// Calls `dropped_after` with every number of polls until it says that the future was done.
fn each_await(mut dropped_after: impl FnMut(usize) -> bool) {
    let ends = (0..1_000).find(|polls| dropped_after(*polls));
    assert!(ends.is_some_and(|polls| polls > 1), "it never had to wait, or never ended: {ends:?}");
}

#[test]
fn reads_lose_nothing() {
    each_await(|polls| {
        let (mut stream, mut buf) = (Trickle::new(TEXT), [0; 4]);
        let done = after(polls, stream.read(&mut buf));
        assert_eq!(stream.at, done.as_ref().map_or(0, |n| *n.as_ref().unwrap()));
        done.is_some()
    });
    each_await(|polls| {
        let (mut stream, mut buf) = (Trickle::new(TEXT), BytesMut::new());
        let done = after(polls, stream.read_buf(&mut buf)).is_some();
        assert_eq!([&buf, stream.rest()].concat(), TEXT);
        done
    });
    each_await(|polls| {
        let (mut stream, mut buf) = (Trickle::new(TEXT), b"before".to_vec());
        let done = after(polls, stream.read_to_end(&mut buf)).is_some();
        assert_eq!([&buf, stream.rest()].concat(), [b"before", TEXT].concat());
        // A second call goes on.
        finish(stream.read_to_end(&mut buf)).unwrap();
        assert_eq!(buf, [b"before", TEXT].concat());
        done
    });
}

#[test]
fn adapters_lose_nothing() {
    each_await(|polls| {
        let mut chain = Trickle::new(&TEXT[..3]).chain(Trickle::new(&TEXT[3..]));
        let mut buf = Vec::new();
        let done = after(polls, chain.read_to_end(&mut buf)).is_some();
        finish(chain.read_to_end(&mut buf)).unwrap();
        assert_eq!(buf, TEXT);
        done
    });
    each_await(|polls| {
        let mut stream = Trickle::new(TEXT);
        let (mut buf, mut take) = (Vec::new(), (&mut stream).take(5));
        let done = after(polls, take.read_to_end(&mut buf)).is_some();
        finish(take.read_to_end(&mut buf)).unwrap();
        assert_eq!(buf, TEXT[..5]);
        assert_eq!(stream.rest(), &TEXT[5..]);
        done
    });
}

#[test]
fn an_exact_read_loses_only_what_is_in_its_buffer() {
    each_await(|polls| {
        let (mut stream, mut buf) = (Trickle::new(TEXT), [0; 9]);
        let done = after(polls, stream.read_exact(&mut buf)).is_some();
        assert!(stream.at <= 9 && done == (stream.at == 9));
        assert_eq!(buf[..stream.at], TEXT[..stream.at]);
        done
    });
}

#[test]
fn a_read_of_text_leaves_an_empty_string() {
    each_await(|polls| {
        let (mut stream, mut text) = (Trickle::new(TEXT), "before".to_owned());
        let done = after(polls, stream.read_to_string(&mut text)).is_some();
        match done {
            true => assert_eq!(text.as_bytes(), [b"before", TEXT].concat()),
            false => assert_eq!(text, ""),
        }
        done
    });
    each_await(|polls| {
        let (mut stream, mut line) = (Trickle::new(TEXT), "before".to_owned());
        let done = after(polls, stream.read_line(&mut line)).is_some();
        match done {
            true => assert_eq!(line, "before0123456789abcdef\n"),
            false => assert_eq!(line, ""),
        }
        // Nothing beyond the line was touched.
        assert!(stream.at <= 17);
        done
    });
}

/// Reads of numbers: dropped, they have taken at most their own bytes; what follows is whole.
macro_rules! reads {
    ($($name:ident $size:literal)*) => {$(
        each_await(|polls| {
            let mut stream = Trickle::new(TEXT);
            let done = after(polls, stream.$name()).is_some();
            assert!(stream.at <= $size && done == (stream.at == $size), stringify!($name));
            // A number of one byte is read or not: nothing is lost.
            assert!($size > 1 || done || stream.at == 0, stringify!($name));
            let mut rest = Vec::new();
            finish(stream.clone().read_to_end(&mut rest)).unwrap();
            assert_eq!(rest, stream.rest());
            done
        });
    )*};
}

#[test]
fn reads_of_numbers_take_no_more_than_their_bytes() {
    reads! {
        read_u8 1 read_i8 1
        read_u16 2 read_i16 2 read_u32 4 read_i32 4 read_u64 8 read_i64 8 read_u128 16 read_i128 16
        read_f32 4 read_f64 8
        read_u16_le 2 read_i16_le 2 read_u32_le 4 read_i32_le 4 read_u64_le 8 read_i64_le 8
        read_u128_le 16 read_i128_le 16 read_f32_le 4 read_f64_le 8
    }
}

#[test]
fn writes_that_are_dropped_have_written_nothing() {
    each_await(|polls| {
        let mut stream = Trickle::default();
        let done = after(polls, stream.write(b"some")).is_some();
        assert_eq!(stream.written, if done { &b"s"[..] } else { b"" });
        done
    });
    each_await(|polls| {
        let mut stream = Trickle::default();
        let bufs = [IoSlice::new(b""), IoSlice::new(b"some"), IoSlice::new(b"more")];
        let done = after(polls, stream.write_vectored(&bufs)).is_some();
        assert_eq!(stream.written, if done { &b"s"[..] } else { b"" });
        done
    });
    each_await(|polls| {
        let (mut stream, mut buf) = (Trickle::default(), BytesMut::from("some"));
        let done = after(polls, stream.write_buf(&mut buf)).is_some();
        assert_eq!(stream.written.len(), usize::from(done));
        assert_eq!([&stream.written[..], &buf].concat(), b"some");
        done
    });
}

#[test]
fn a_write_of_all_has_written_a_part() {
    each_await(|polls| {
        let mut stream = Trickle::default();
        let done = after(polls, stream.write_all(TEXT)).is_some();
        assert!(TEXT.starts_with(&stream.written));
        assert_eq!(done, stream.written.len() == TEXT.len());
        done
    });
    each_await(|polls| {
        // Two pieces, so that a drop falls on the seam too.
        let (mut stream, mut buf) = (Trickle::default(), Buf::chain(&TEXT[..7], &TEXT[7..]));
        let done = after(polls, stream.write_all_buf(&mut buf)).is_some();
        assert_eq!(stream.written.len() + buf.remaining(), TEXT.len());
        finish(stream.write_all_buf(&mut buf)).unwrap();
        assert_eq!(stream.written, TEXT);
        done
    });
}

/// Writes of numbers: dropped, they have written their first bytes.
macro_rules! writes {
    ($($name:ident $number:expr, $bytes:expr;)*) => {$(
        each_await(|polls| {
            let mut stream = Trickle::default();
            let done = after(polls, stream.$name($number)).is_some();
            let bytes = $bytes;
            assert!(bytes.starts_with(&stream.written), stringify!($name));
            assert_eq!(done, stream.written.len() == bytes.len(), stringify!($name));
            assert!(bytes.len() > 1 || done || stream.written.is_empty(), stringify!($name));
            done
        });
    )*};
}

#[test]
fn writes_of_numbers_have_written_their_first_bytes() {
    const N: u128 = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210;
    writes! {
        write_u8 7, [7]; write_i8 -7, [249];
        write_u16 N as u16, (N as u16).to_be_bytes(); write_i16 N as i16, (N as i16).to_be_bytes();
        write_u32 N as u32, (N as u32).to_be_bytes(); write_i32 N as i32, (N as i32).to_be_bytes();
        write_u64 N as u64, (N as u64).to_be_bytes(); write_i64 N as i64, (N as i64).to_be_bytes();
        write_u128 N, N.to_be_bytes(); write_i128 N as i128, (N as i128).to_be_bytes();
        write_f32 1.5, 1.5f32.to_be_bytes(); write_f64 -2.5, (-2.5f64).to_be_bytes();
        write_u16_le N as u16, (N as u16).to_le_bytes();
        write_i16_le N as i16, (N as i16).to_le_bytes();
        write_u32_le N as u32, (N as u32).to_le_bytes();
        write_i32_le N as i32, (N as i32).to_le_bytes();
        write_u64_le N as u64, (N as u64).to_le_bytes();
        write_i64_le N as i64, (N as i64).to_le_bytes();
        write_u128_le N, N.to_le_bytes(); write_i128_le N as i128, (N as i128).to_le_bytes();
        write_f32_le 1.5, 1.5f32.to_le_bytes(); write_f64_le -2.5, (-2.5f64).to_le_bytes();
    }
}

#[test]
fn flush_and_shutdown_are_called_again() {
    each_await(|polls| {
        let mut stream = Trickle::new(TEXT);
        let done = after(polls, stream.flush()).is_some();
        finish(stream.flush()).unwrap();
        done
    });
    each_await(|polls| {
        let mut stream = Trickle::new(TEXT);
        let done = after(polls, stream.shutdown()).is_some();
        finish(stream.shutdown()).unwrap();
        done
    });
}

#[test]
fn reads_up_to_a_byte_lose_nothing() {
    each_await(|polls| {
        let (mut stream, mut buf) = (Trickle::new(TEXT), b"before".to_vec());
        let first = after(polls, stream.read_until(b'f', &mut buf));
        assert_eq!([&buf, stream.rest()].concat(), [b"before", TEXT].concat());
        if first.is_none() {
            let own = TEXT[stream.at..].iter().position(|byte| *byte == b'f').unwrap() + 1;
            // It counts what it read itself.
            assert_eq!(finish(stream.read_until(b'f', &mut buf)).unwrap(), own);
        }
        assert_eq!(buf, b"before0123456789abcdef");
        first.is_some()
    });
    each_await(|polls| {
        let mut stream = Trickle::new(TEXT);
        let done = after(polls, stream.fill_buf()).map(|there| there.unwrap().len());
        assert_eq!(stream.rest(), TEXT);
        stream.consume(done.unwrap_or(0));
        assert_eq!(stream.at, done.unwrap_or(0));
        done.is_some()
    });
}

#[test]
fn lines_and_pieces_keep_what_they_have_read() {
    let (first, second) = ("0123456789abcdef", "ghijklmnopqrstuvwxyz");
    for dropped in 1..4 {
        each_await(|polls| {
            let (mut lines, mut all) = (Trickle::new(TEXT).lines(), Vec::new());
            let mut ended = true;
            for _ in 0..dropped {
                match after(polls, lines.next_line()) {
                    Some(line) => all.extend(line.unwrap()),
                    None => ended = false,
                }
            }
            while let Some(line) = finish(lines.next_line()).unwrap() {
                all.push(line);
            }
            assert_eq!(all, [first, second]);
            ended
        });
        each_await(|polls| {
            let (mut pieces, mut all) = (Trickle::new(TEXT).split(b'\n'), Vec::new());
            let mut ended = true;
            for _ in 0..dropped {
                match after(polls, pieces.next_segment()) {
                    Some(piece) => all.extend(piece.unwrap()),
                    None => ended = false,
                }
            }
            while let Some(piece) = finish(pieces.next_segment()).unwrap() {
                all.push(piece);
            }
            assert_eq!(all, [first.as_bytes(), second.as_bytes()]);
            ended
        });
    }
}

#[test]
fn a_move_that_is_dropped_is_completed_by_the_next() {
    each_await(|polls| {
        let mut stream = Trickle::new(TEXT);
        let done = after(polls, stream.seek(SeekFrom::Start(5))).is_some();
        assert!(stream.at == 0 || stream.at == 5);
        assert_eq!(finish(stream.seek(SeekFrom::End(-2))).unwrap(), TEXT.len() as u64 - 2);
        done
    });
    each_await(|polls| {
        let mut stream = Trickle { at: 9, ..Trickle::new(TEXT) };
        let done = after(polls, stream.rewind()).is_some();
        assert!(stream.at == 0 || (stream.at == 9 && !done));
        finish(stream.rewind()).unwrap();
        assert_eq!(finish(stream.read_u8()).unwrap(), b'0');
        done
    });
    each_await(|polls| {
        let mut stream = Trickle { at: 9, ..Trickle::new(TEXT) };
        let done = after(polls, stream.stream_position()).is_some();
        assert_eq!(finish(stream.stream_position()).unwrap(), 9);
        assert_eq!(stream.rest(), &TEXT[9..]);
        done
    });
}

#[test]
fn no_method_is_missing_here() {
    let traits = [
        include_str!("../src/read_ext.rs"),
        include_str!("../src/write_ext.rs"),
        include_str!("../src/buf_read_ext.rs"),
        include_str!("../src/seek_ext.rs"),
    ];
    let (here, mut count) = (include_str!("cancel.rs"), 0);
    for line in traits.iter().flat_map(|text| text.lines()) {
        let Some(method) = line.strip_prefix("    fn ") else { continue };
        let name = method.split(['(', '<']).next().unwrap();
        if name == "poll" {
            continue;
        }
        count += 1;
        let is_called = here.contains(&format!(".{name}(")) || here.contains(&format!(" {name} "));
        assert!(is_called, "`{name}` is cancelled nowhere");
    }
    assert!(count > 60, "{count} methods were found");
}

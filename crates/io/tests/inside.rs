//! What adapters lend of what is inside them, and the polled halves of their methods.

mod mock;

use mock::run;
use shinkan_io::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeek, AsyncWriteExt, BufReader, BufStream, BufWriter,
    ReadBuf, SimplexStream, join,
};
use std::future::poll_fn;
use std::io::{Cursor, SeekFrom};
use std::pin::Pin;

#[test]
fn the_pinned_inside_is_the_inside() {
    run(async {
        let mut reader = BufReader::new(&b"abc"[..]);
        Pin::new(&mut reader).get_pin_mut().set(b"xyz");
        assert_eq!(*reader.get_ref(), b"xyz");

        let mut writer = BufWriter::new(Vec::new());
        writer.write_all(b"late").await.unwrap();
        Pin::new(&mut writer).get_pin_mut().extend(b"early ");
        writer.flush().await.unwrap();
        assert_eq!(writer.get_ref(), b"early late");

        let mut both = BufStream::new(Cursor::new(vec![0; 2]));
        Pin::new(&mut both).get_pin_mut().set_position(1);
        both.write_all(b"x").await.unwrap();
        both.flush().await.unwrap();
        assert_eq!(both.get_ref().get_ref(), b"\0x");

        let mut take = (&b"abcdef"[..]).take(2);
        Pin::new(&mut take).get_pin_mut().set(b"12345");
        let mut out = String::new();
        take.read_to_string(&mut out).await.unwrap();
        assert_eq!(out, "12");

        let mut chain = (&b"ab"[..]).chain(&b"cd"[..]);
        let (mut first, mut second) = Pin::new(&mut chain).get_pin_mut();
        first.set(b"1");
        second.set(b"2");
        out.clear();
        chain.read_to_string(&mut out).await.unwrap();
        assert_eq!(out, "12");
    });
}

#[test]
fn both_sides_of_a_join_can_be_reached() {
    run(async {
        let mut joined = join(&b"abc"[..], Vec::new());
        *joined.reader_mut() = b"xyz";
        joined.writer_mut().push(b'1');
        Pin::new(&mut joined).writer_pin_mut().push(b'2');
        joined.write_all(b"3").await.unwrap();
        let mut two = [0; 2];
        joined.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"xy");
        assert_eq!(*Pin::new(&mut joined).reader_pin_mut(), b"z");
        assert_eq!(joined.into_inner(), (&b"z"[..], b"123".to_vec()));
    });
}

#[test]
fn lines_and_segments_by_polling() {
    run(async {
        let mut lines = (&b"one\r\ntwo"[..]).lines();
        let mut found = Vec::new();
        while let Some(line) = poll_fn(|cx| Pin::new(&mut lines).poll_next_line(cx)).await.unwrap()
        {
            found.push(line);
        }
        assert_eq!(found, ["one", "two"]);

        let mut segments = AsyncBufReadExt::split(&b"a,,b"[..], b',');
        let mut found = Vec::new();
        while let Some(segment) =
            poll_fn(|cx| Pin::new(&mut segments).poll_next_segment(cx)).await.unwrap()
        {
            found.push(segment);
        }
        assert_eq!(found, [b"a".to_vec(), b"".to_vec(), b"b".to_vec()]);
    });
}

#[test]
fn a_seek_in_its_two_halves() {
    run(async {
        let mut cursor = Cursor::new(b"abcdef");
        Pin::new(&mut cursor).start_seek(SeekFrom::End(-2)).unwrap();
        assert_eq!(poll_fn(|cx| Pin::new(&mut cursor).poll_complete(cx)).await.unwrap(), 4);
        assert_eq!(cursor.read_u8().await.unwrap(), b'e');
        Pin::new(&mut cursor).start_seek(SeekFrom::Current(-100)).unwrap_err();
        assert_eq!(cursor.position(), 5);
    });
}

#[test]
fn a_simplex_stream_in_one_piece() {
    run(async {
        let mut stream = SimplexStream::new_unsplit(4);
        stream.write_all(b"abcd").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut out = String::new();
        stream.read_to_string(&mut out).await.unwrap();
        assert_eq!(out, "abcd");
    });
}

#[test]
fn a_read_buffers_raw_parts() {
    let mut storage = [0xEE; 8];
    let mut buf = ReadBuf::new(&mut storage);
    buf.put_slice(b"ab");
    buf.initialize_unfilled_to(2).copy_from_slice(b"cd");
    buf.advance(1);
    assert_eq!(buf.filled(), b"abc");
    assert_eq!(buf.initialized().len(), 8);
    buf.filled_mut()[0] = b'x';
    assert_eq!(buf.take(4).remaining(), 4);
    buf.set_filled(1);
    assert_eq!((buf.filled(), buf.remaining()), (&b"x"[..], 7));
    buf.clear();
    assert_eq!(buf.remaining(), buf.capacity());
}

#[test]
fn the_inside_is_lent_and_given_back() {
    run(async {
        let mut reader = BufReader::new(&b"abc"[..]);
        *reader.get_mut() = b"xyz";
        assert_eq!(reader.read_u8().await.unwrap(), b'x');

        let mut writer = BufWriter::new(Vec::new());
        writer.get_mut().push(b'1');
        writer.write_all(b"2").await.unwrap();
        writer.flush().await.unwrap();
        assert_eq!(writer.into_inner(), b"12");

        let mut both = BufStream::with_capacity(2, 8, Cursor::new(b"abcd".to_vec()));
        both.get_mut().set_position(1);
        // It reads as much as its capacity, and no more.
        assert_eq!(both.read_u8().await.unwrap(), b'b');
        assert_eq!(both.get_ref().position(), 3);

        let mut take = (&b"abcdef"[..]).take(2);
        *take.get_mut() = b"12345";
        assert_eq!(take.read_u8().await.unwrap(), b'1');
        assert_eq!(*take.get_ref(), b"2345");
        assert_eq!(take.into_inner(), b"2345");

        let mut chain = (&b"ab"[..]).chain(&b"cd"[..]);
        *chain.get_mut().0 = b"1";
        *chain.get_mut().1 = b"2";
        assert_eq!(chain.read_u8().await.unwrap(), b'1');
        assert_eq!(chain.get_ref(), (&&b""[..], &&b"2"[..]));
        assert_eq!(chain.into_inner(), (&b""[..], &b"2"[..]));

        let mut lines = (&b"one\ntwo\nthree"[..]).lines();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "one");
        assert_eq!(*lines.get_ref(), b"two\nthree");
        *lines.get_mut() = b"2\n3";
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "2");
        assert_eq!(lines.into_inner(), b"3");

        assert_eq!(*join(&b"abc"[..], Vec::new()).reader(), b"abc");
    });
}

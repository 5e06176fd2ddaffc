//! The streams of either side with the methods of the other.

use futures::io as theirs;
use futures::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use shinkan::fs::File;
use shinkan::io as ours;
use shinkan_compat::futures_io::{FromFutures, ToFutures};
use std::io::SeekFrom;

#[shinkan::test]
async fn a_file_is_written_sought_and_read_by_futures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    let mut file = ToFutures::new(File::create_new(&path).await.unwrap());
    file.write_all(b"one two three").await.unwrap();
    file.flush().await.unwrap();
    file.close().await.unwrap();

    let mut file = ToFutures::new(File::open(&path).await.unwrap());
    assert_eq!(file.seek(SeekFrom::Start(4)).await.unwrap(), 4);
    let mut word = [0; 3];
    file.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"two");
    assert_eq!(file.seek(SeekFrom::Current(-3)).await.unwrap(), 4);
    assert_eq!(file.seek(SeekFrom::End(-5)).await.unwrap(), 8);
    let mut rest = String::new();
    file.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "three");
    assert!(file.seek(SeekFrom::Current(-100)).await.is_err());
    // Refused, and the next one starts afresh.
    assert_eq!(file.seek(SeekFrom::Start(1)).await.unwrap(), 1);
}

#[shinkan::test]
async fn a_seek_that_was_given_up_does_not_hold_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    shinkan::fs::write(&path, "0123456789").await.unwrap();
    let mut file = ToFutures::new(File::open(&path).await.unwrap());
    for to in [3, 7, 7, 1] {
        let mut given_up = file.seek(SeekFrom::Start(to));
        let _ = futures::poll!(&mut given_up);
    }
    assert_eq!(file.seek(SeekFrom::Start(5)).await.unwrap(), 5);
    let mut digit = [0; 1];
    file.read_exact(&mut digit).await.unwrap();
    assert_eq!(&digit, b"5");
}

#[shinkan::test]
async fn lines_of_a_pipe_are_read_by_futures() {
    let (here, there) = ours::duplex(4);
    let writer = shinkan::spawn(async move {
        let mut here = ToFutures::new(here);
        here.write_all(b"first line\nsecond line\n").await.unwrap();
        here.close().await.unwrap();
    });
    let mut there = ToFutures::new(ours::BufReader::new(there));
    let mut line = String::new();
    there.read_line(&mut line).await.unwrap();
    there.read_line(&mut line).await.unwrap();
    assert_eq!(line, "first line\nsecond line\n");
    assert_eq!(there.read_line(&mut line).await.unwrap(), 0);
    writer.await.unwrap();
}

#[shinkan::test]
async fn a_cursor_of_futures_is_written_sought_and_read_by_shinkan() {
    use ours::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
    let mut cursor = FromFutures::new(theirs::Cursor::new(Vec::new()));
    cursor.write_all(b"one\ntwo\nthree").await.unwrap();
    cursor.flush().await.unwrap();
    assert_eq!(cursor.stream_position().await.unwrap(), 13);
    assert_eq!(cursor.seek(SeekFrom::Start(4)).await.unwrap(), 4);
    let mut line = String::new();
    ours::AsyncBufReadExt::read_line(&mut cursor, &mut line).await.unwrap();
    assert_eq!(line, "two\n");
    assert_eq!(cursor.seek(SeekFrom::Current(-8)).await.unwrap(), 0);
    assert!(cursor.seek(SeekFrom::Current(-1)).await.is_err());
    let mut all = String::new();
    cursor.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "one\ntwo\nthree");
    cursor.seek(SeekFrom::Start(0)).await.unwrap();
    let mut lines = cursor.lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("one"));
    lines.into_inner().shutdown().await.unwrap();
}

#[shinkan::test]
async fn both_wraps_at_once_are_the_stream_itself() {
    use ours::{AsyncReadExt as _, AsyncWriteExt as _};
    let (here, there) = ours::duplex(8);
    let mut here = FromFutures::new(ToFutures::new(here));
    let mut there = FromFutures::new(ToFutures::new(there));
    let writer = shinkan::spawn(async move {
        let parts = [std::io::IoSlice::new(b"to"), std::io::IoSlice::new(b"gether")];
        let written = here.write_vectored(&parts).await.unwrap();
        here.write_all(&b"together"[written..]).await.unwrap();
        here.shutdown().await.unwrap();
    });
    let mut text = String::new();
    there.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "together");
    writer.await.unwrap();
}

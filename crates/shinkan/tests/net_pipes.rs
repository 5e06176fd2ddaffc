//! Named pipes, and pipe ends that others made.

mod support;

use shinkan::io::{AsyncReadExt, AsyncWriteExt, Interest};
use shinkan::net::unix::pipe::{OpenOptions, Receiver, Sender, pipe};
use std::future::poll_fn;
use std::io::{ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::process::Command;
use support::{is_pending, on_both};

#[test]
fn a_named_pipe_is_opened_from_both_sides() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("named");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        // Nobody reads yet, so nobody may write.
        let error = OpenOptions::new().open_sender(&path).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(6), "no such device or address");
        // For both at once it may.
        let alone = OpenOptions::new().read_write(true).open_sender(&path).unwrap();
        drop(alone);
        let mut receiver = OpenOptions::new().open_receiver(&path).unwrap();
        let mut sender = OpenOptions::new().unchecked(true).open_sender(&path).unwrap();
        poll_fn(|cx| sender.poll_write_ready(cx)).await.unwrap();
        sender.write_all(b"word").await.unwrap();
        drop(sender);
        let mut out = String::new();
        receiver.read_to_string(&mut out).await.unwrap();
        assert_eq!(out, "word");
    });
}

#[test]
fn a_file_is_no_pipe() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "text").unwrap();
        let error = OpenOptions::new().open_receiver(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = Receiver::from_file(std::fs::File::open(&path).unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn ends_that_are_taken_unchecked() {
    on_both(|| async {
        let (sender, receiver) = pipe().unwrap();
        let write: OwnedFd = sender.into_nonblocking_fd().unwrap();
        let read: OwnedFd = receiver.into_nonblocking_fd().unwrap();
        let sender = Sender::from_owned_fd_unchecked(write).unwrap();
        let receiver = Receiver::from_owned_fd_unchecked(read).unwrap();
        sender.writable().await.unwrap();
        sender.try_write(b"1").unwrap();
        let write = std::fs::File::from(sender.into_nonblocking_fd().unwrap());
        let read = std::fs::File::from(receiver.into_nonblocking_fd().unwrap());
        let mut sender = Sender::from_file_unchecked(write).unwrap();
        let mut receiver = Receiver::from_file_unchecked(read).unwrap();
        sender.write_all(b"2").await.unwrap();
        let mut both = [0; 2];
        receiver.read_exact(&mut both).await.unwrap();
        assert_eq!(&both, b"12");
    });
}

#[test]
fn ends_that_are_taken_checked_wait_and_try() {
    on_both(|| async {
        let (sender, receiver) = pipe().unwrap();
        let sender = Sender::from_owned_fd(sender.into_blocking_fd().unwrap()).unwrap();
        let write = std::fs::File::from(sender.into_blocking_fd().unwrap());
        let sender = Sender::from_file(write).unwrap();
        assert!(is_pending(poll_fn(|cx| receiver.poll_read_ready(cx))).await);
        assert!(is_pending(receiver.ready(Interest::READABLE)).await);

        assert!(sender.ready(Interest::WRITABLE).await.unwrap().is_writable());
        let write = || rustix::io::write(&sender, b"word").map_err(Into::into);
        assert_eq!(sender.try_io(write).unwrap(), 4);
        poll_fn(|cx| receiver.poll_read_ready(cx)).await.unwrap();
        assert!(receiver.ready(Interest::READABLE).await.unwrap().is_readable());
        let mut first = [0; 1];
        let read = || rustix::io::read(&receiver, &mut first).map_err(Into::into);
        assert_eq!(receiver.try_io(read).unwrap(), 1);
        let mut rest = Vec::with_capacity(8);
        assert_eq!(receiver.try_read_buf(&mut rest).unwrap(), 3);
        assert_eq!((&first, &*rest), (b"w", &b"ord"[..]));

        sender.try_write(b"late").unwrap();
        drop(sender);
        let mut receiver = std::fs::File::from(receiver.into_blocking_fd().unwrap());
        let mut late = String::new();
        receiver.read_to_string(&mut late).unwrap();
        assert_eq!(late, "late");
    });
}

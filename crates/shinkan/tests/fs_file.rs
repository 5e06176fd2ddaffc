//! An open file: order, errors, cancellation, the end of the runtime.
//!
//! Where an operation has to wait, the test holds the only thread of the pool, so that nothing is
//! decided by time.

mod support;

use rustix::pipe::fcntl_setpipe_size;
use shinkan::fs::{File, OpenOptions};
use shinkan::io::{AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite, AsyncWriteExt};
use shinkan::runtime::Handle;
use shinkan_base::wait::WaitKind;
use shinkan_context::budget::{self, Budget};
use std::future::Future;
use std::io::{ErrorKind, IoSlice, Read, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::panic::Location;
use std::pin::Pin;
use std::task::Poll;
use support::pool::{hold, poll_once, runtime};
use support::{is_pending, on_both};

const TEXT: &[u8] = b"0123456789";

/// A file that holds `TEXT`, whose reads go to the pool: it was cloned.
async fn pooled(path: &std::path::Path) -> File {
    std::fs::write(path, TEXT).unwrap();
    let file = File::options().read(true).write(true).open(path).await.unwrap();
    file.try_clone().await.unwrap()
}

/// A pipe with these bytes, whose reads are done at once on every machine, and its other end.
fn piped(bytes: &[u8]) -> (File, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(bytes).unwrap();
    (File::from(OwnedFd::from(reader)), writer)
}

#[test]
fn reads_writes_and_seeks_on_both_flavours() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let mut file = File::create_new(folder.path().join("a")).await.unwrap();
        file.write_all(TEXT).await.unwrap();
        assert_eq!(file.stream_position().await.unwrap(), 10);
        assert_eq!(file.seek(SeekFrom::End(-4)).await.unwrap(), 6);
        let mut two = [0; 2];
        file.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"67");
        assert_eq!(file.seek(SeekFrom::Current(-7)).await.unwrap(), 1);
        file.write_all(b"ab").await.unwrap();
        file.rewind().await.unwrap();
        let mut all = Vec::new();
        file.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"0ab3456789");
        file.set_len(3).await.unwrap();
        file.sync_all().await.unwrap();
        file.sync_data().await.unwrap();
        assert_eq!(file.metadata().await.unwrap().len(), 3);
        let error = file.seek(SeekFrom::Current(-11)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(file.stream_position().await.unwrap(), 10, "a seek that failed moved nothing");
    });
}

#[test]
fn a_large_file_goes_through_in_pieces() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let bytes: Vec<u8> = (0..5 << 20).map(|i: u32| (i % 251) as u8).collect();
        let mut file = File::create_new(&path).await.unwrap();
        assert_eq!(file.write(&bytes).await.unwrap(), 2 << 20);
        file.write_all(&bytes[2 << 20..]).await.unwrap();
        file.flush().await.unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes);
        for pooled in [false, true] {
            if pooled {
                file.try_clone().await.unwrap();
            }
            file.rewind().await.unwrap();
            let mut back = Vec::new();
            file.read_to_end(&mut back).await.unwrap();
            assert!(back == bytes, "pooled: {pooled}");
            file.rewind().await.unwrap();
            let mut back = vec![0; bytes.len()];
            file.read_exact(&mut back).await.unwrap();
            assert!(back == bytes, "pooled: {pooled}");
        }
    });
}

#[test]
fn several_buffers_are_one_write_which_the_limit_cuts() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = File::create(&path).await.unwrap();
        assert!(file.is_write_vectored());
        file.set_max_buf_size(8);
        let parts = [IoSlice::new(b"abc"), IoSlice::new(b""), IoSlice::new(b"defghij")];
        assert_eq!(file.write_vectored(&parts).await.unwrap(), 8);
        assert_eq!(file.write(b"").await.unwrap(), 0);
        file.flush().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abcdefgh");
        let mut clone = file.try_clone().await.unwrap();
        assert_eq!(clone.max_buf_size(), 8);
        assert_eq!(clone.write(TEXT).await.unwrap(), 8);
        clone.shutdown().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abcdefgh01234567");
    });
}

#[test]
fn the_error_of_a_write_is_told_by_the_next_write_or_flush() {
    runtime().block_on(async {
        let mut full = OpenOptions::new().write(true).open("/dev/full").await.unwrap();
        assert_eq!(full.write(TEXT).await.unwrap(), 10);
        assert_eq!(full.write(TEXT).await.unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(full.write(TEXT).await.unwrap(), 10);
        assert_eq!(full.flush().await.unwrap_err().kind(), ErrorKind::StorageFull);
        full.flush().await.unwrap();
        // Neither a seek nor a look at the file takes it away.
        full.write_all(TEXT).await.unwrap();
        full.seek(SeekFrom::Start(0)).await.unwrap();
        let _ = full.sync_all().await;
        full.metadata().await.unwrap();
        let error = full.flush().await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(28), "the kernel's own error");
        full.flush().await.unwrap();
    });
}

#[test]
fn a_read_cancelled_at_its_await_loses_no_byte() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    runtime.block_on(async {
        let mut file = pooled(&folder.path().join("a")).await;
        let held = hold(&Handle::current());
        assert!(is_pending(file.read(&mut [0; 4])).await);
        drop(held);
        // What it read is given out, in smaller parts too.
        let mut two = [0; 2];
        file.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"01");
        let mut rest = Vec::new();
        file.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, &TEXT[2..]);
    });
}

#[test]
fn after_a_cancelled_read_others_see_the_position_before_it() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a");
    let cancelled = async || {
        let mut file = pooled(&path).await;
        file.read_exact(&mut [0; 2]).await.unwrap();
        let held = hold(&Handle::current());
        assert!(is_pending(file.read(&mut [0; 4])).await);
        drop(held);
        file
    };
    runtime.block_on(async {
        assert_eq!(cancelled().await.stream_position().await.unwrap(), 2);
        assert_eq!(cancelled().await.seek(SeekFrom::Current(1)).await.unwrap(), 3);
        assert_eq!(cancelled().await.seek(SeekFrom::End(-1)).await.unwrap(), 9);
        let mut file = cancelled().await;
        let far_back = file.seek(SeekFrom::Current(i64::MIN)).await.unwrap_err();
        assert_eq!(far_back.kind(), ErrorKind::InvalidInput);
        assert_eq!(file.stream_position().await.unwrap(), 2);

        let mut file = cancelled().await;
        file.write_all(b"ab").await.unwrap();
        file.flush().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"01ab456789");

        let mut file = cancelled().await;
        file.flush().await.unwrap();
        let mut four = [0; 4];
        file.read_exact(&mut four).await.unwrap();
        assert_eq!(&four, b"2345", "a flush keeps what was read");

        let mut file = cancelled().await;
        file.set_len(3).await.unwrap();
        let mut rest = Vec::new();
        file.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"2", "what was cut off is not read");

        let mut std = cancelled().await.into_std().await;
        assert_eq!(std::io::Seek::stream_position(&mut std).unwrap(), 6, "as documented: read");
    });
}

#[test]
fn a_cancelled_write_writes_nothing_and_a_cancelled_flush_loses_nothing() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a");
    runtime.block_on(async {
        let mut file = File::create(&path).await.unwrap();
        let held = hold(&Handle::current());
        // The first is taken; the second waits for it, and was not taken.
        assert_eq!(file.write(b"one").await.unwrap(), 3);
        assert!(is_pending(file.write(b"two")).await);
        assert!(is_pending(file.flush()).await);
        assert!(is_pending(file.seek(SeekFrom::Start(1))).await, "it waits too, and is not begun");
        let Err(mut file) = file.try_into_std() else { panic!("a write is under way") };
        drop(held);
        file.flush().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(file.stream_position().await.unwrap(), 3);
    });
}

#[test]
fn a_cancelled_seek_is_done() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    runtime.block_on(async {
        let mut file = pooled(&folder.path().join("a")).await;
        let held = hold(&Handle::current());
        assert!(is_pending(file.seek(SeekFrom::Start(7))).await);
        let again = Pin::new(&mut file).start_seek(SeekFrom::Start(1)).unwrap_err();
        assert!(again.to_string().contains("`poll_complete`"), "{again}");
        drop(held);
        let mut rest = Vec::new();
        file.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"789");
    });
}

#[test]
fn what_asks_for_the_whole_file_can_be_cancelled() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a");
    runtime.block_on(async {
        let mut file = pooled(&path).await;
        file.write_all(b"ab").await.unwrap();
        let held = hold(&Handle::current());
        assert!(is_pending(file.set_len(5)).await);
        assert!(is_pending(file.sync_all()).await);
        assert!(is_pending(file.metadata()).await);
        assert!(is_pending(file.try_clone()).await);
        drop(held);
        file.set_len(4).await.unwrap();
        // One that was begun is done before what comes next.
        let held = hold(&Handle::current());
        assert!(is_pending(file.set_len(7)).await);
        assert!(is_pending(file.metadata()).await);
        drop(held);
        let std = file.into_std().await;
        assert_eq!(std.metadata().unwrap().len(), 7);
    });
}

#[test]
fn others_that_share_the_file_wait_in_turn() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    runtime.block_on(async {
        let file = pooled(&folder.path().join("a")).await;
        let (one, two, three) = shinkan::join!(file.set_len(4), file.sync_all(), file.try_clone());
        one.and(two).unwrap();
        assert_eq!(three.unwrap().metadata().await.unwrap().len(), 4);
    });
}

#[test]
fn what_is_in_memory_takes_no_thread() {
    let runtime = runtime();
    runtime.block_on(async {
        let held = hold(&Handle::current());
        let (mut file, mut writer) = piped(TEXT);
        let mut four = [0; 4];
        assert_eq!(file.read(&mut four).await.unwrap(), 4);
        assert_eq!(file.read(&mut [0; 32]).await.unwrap(), 6);
        assert_eq!(file.stream_position().await.unwrap_err().kind(), ErrorKind::NotSeekable);
        // Empty: a thread waits for more, and there is none.
        assert!(is_pending(file.read(&mut four)).await);
        writer.write_all(TEXT).unwrap();
        assert!(is_pending(file.read(&mut four)).await, "only one is under way");
        drop((held, writer));
        let mut all = Vec::new();
        file.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, TEXT);
    });
}

#[test]
fn a_large_read_at_once_is_one_and_takes_budget_by_its_bytes() {
    let runtime = runtime();
    let _inside = runtime.enter();
    let _held = hold(runtime.handle());
    let bytes = vec![7; 512 << 10];
    let (reader, mut writer) = std::io::pipe().unwrap();
    fcntl_setpipe_size(&reader, bytes.len()).unwrap();
    writer.write_all(&bytes).unwrap();
    let mut file = File::from(OwnedFd::from(reader));
    let mut all = vec![0; 1 << 20];
    budget::with(Budget::initial(), || {
        let read = poll_once(file.read(&mut all)).0;
        assert!(matches!(read, Poll::Ready(Ok(n)) if n == bytes.len()), "{read:?}");
        assert_eq!(budget::current().left(), Some(128 - 1 - 16));
    });
    assert!(all[..bytes.len()] == bytes);
    // The limit of a file holds for these, too.
    file.set_max_buf_size(100);
    writer.write_all(&bytes[..200]).unwrap();
    assert!(matches!(poll_once(file.read(&mut all)).0, Poll::Ready(Ok(100))));
}

#[test]
fn a_read_at_once_and_one_on_the_pool_share_the_position() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    runtime.block_on(async {
        let path = folder.path().join("a");
        std::fs::write(&path, TEXT).unwrap();
        let mut file = File::open(&path).await.unwrap();
        let mut two = [0; 2];
        file.read_exact(&mut two).await.unwrap();
        assert_eq!(file.stream_position().await.unwrap(), 2);
        let mut clone = file.try_clone().await.unwrap();
        clone.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"23");
        file.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"45");
        assert_eq!(clone.seek(SeekFrom::Start(8)).await.unwrap(), 8);
        let mut std = file.into_std().await;
        let mut rest = String::new();
        std.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "89");
    });
}

#[test]
fn reads_and_seeks_at_once_take_budget() {
    let runtime = runtime();
    let _inside = runtime.enter();
    let (mut file, _writer) = piped(&[0; 1000]);
    budget::with(Budget::initial(), || {
        for _ in 0..128 {
            assert!(poll_once(file.read(&mut [0; 1])).0.is_ready());
        }
        let (polled, wait) = poll_once(file.read(&mut [0; 1]));
        assert!(polled.is_pending());
        assert_eq!(wait.unwrap().kind, WaitKind::Budget);
    });
    budget::with(Budget::initial(), || {
        for _ in 0..128 {
            assert!(matches!(poll_once(file.stream_position()).0, Poll::Ready(Err(_))));
        }
        assert!(poll_once(file.stream_position()).0.is_pending());
    });
    // The seek is under way, and the next read waits for it; no byte was lost.
    let mut rest = Vec::new();
    drop(_writer);
    runtime.block_on(file.read_to_end(&mut rest)).unwrap();
    assert_eq!(rest.len(), 1000 - 128);
}

#[test]
fn a_file_that_waits_says_so_and_where() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a");
    let mut file = runtime.block_on(pooled(&path));
    let held = hold(runtime.handle());
    let _inside = runtime.enter();
    #[track_caller]
    fn waits<F: Future>(future: F) {
        let here = Location::caller();
        let wait = poll_once(future).1.expect("it waits");
        assert_eq!((wait.kind, wait.leaves), (WaitKind::Blocking, 1));
        assert_eq!((wait.place.file(), wait.place.line()), (here.file(), here.line()));
    }
    waits(File::open(&path));
    waits(File::create(&path));
    waits(File::create_new(&path));
    waits(File::options().read(true).open(&path));
    waits(file.metadata());
    waits(file.try_clone());
    waits(file.sync_all());
    waits(file.sync_data());
    waits(file.set_permissions(std::fs::metadata("/").unwrap().permissions()));
    waits(file.set_times(Default::default()));
    waits(file.set_len(1));
    let place = Location::caller();
    let mut made = File::from(std::fs::File::open("/proc/self/status").unwrap());
    for wait in [poll_once(made.read(&mut [0])).1, poll_once(made.rewind()).1] {
        let wait = wait.expect("it waits");
        assert_eq!((wait.kind, wait.leaves), (WaitKind::Blocking, 1));
        assert_eq!((wait.place.file(), wait.place.line()), (place.file(), place.line() + 1));
    }
    assert!(poll_once(file.flush()).1.is_some());
    drop(held);
}

#[test]
fn what_the_runtime_did_not_begin_fails_and_what_was_written_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let _inside = handle.enter();
    let (mut file, mut reads, mut seeks, other) = runtime.block_on(async {
        let file = pooled(&path).await;
        let reads = file.try_clone().await.unwrap();
        let seeks = file.try_clone().await.unwrap();
        let other = file.try_clone().await.unwrap();
        (file, reads, seeks, other)
    });
    let held = hold(&handle);
    assert!(poll_once(reads.read(&mut [0; 4])).0.is_pending());
    assert!(poll_once(seeks.seek(SeekFrom::Start(5))).0.is_pending());
    let Poll::Ready(Ok(2)) = poll_once(file.write(b"ab")).0 else { panic!("not taken") };
    let mut metadata = Box::pin(other.metadata());
    assert!(poll_once(metadata.as_mut()).0.is_pending());
    runtime.shutdown_background();

    handle.block_on(async {
        let failed = [
            metadata.await.map(drop).unwrap_err(),
            reads.read(&mut [0; 4]).await.unwrap_err(),
            seeks.rewind().await.unwrap_err(),
            // Begun after the end.
            reads.read(&mut [0; 4]).await.unwrap_err(),
            reads.rewind().await.unwrap_err(),
            reads.write(b"c").await.unwrap_err(),
            reads.set_len(1).await.unwrap_err(),
            reads.sync_all().await.unwrap_err(),
            reads.try_clone().await.unwrap_err(),
            File::open(&path).await.unwrap_err(),
        ];
        for error in failed {
            assert_eq!(error.kind(), ErrorKind::Other);
            assert_eq!(error.to_string(), "background task failed");
        }
        drop(held);
        file.flush().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"ab23456789");
        drop(reads.into_std().await);
    });
}

#[test]
fn a_file_that_is_dropped_writes_what_it_took() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a");
    runtime.block_on(async {
        let mut file = File::create(&path).await.unwrap();
        let held = hold(&Handle::current());
        file.write_all(TEXT).await.unwrap();
        drop((file, held));
    });
    // Dropped, it waits for its threads.
    drop(runtime);
    assert_eq!(std::fs::read(&path).unwrap(), TEXT);
}

#[test]
fn errors_of_an_open_file() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let kind = |result: std::io::Result<File>| result.unwrap_err().kind();
        assert_eq!(kind(File::open(&path).await), ErrorKind::NotFound);
        let mut writes = File::create(&path).await.unwrap();
        assert_eq!(kind(File::create_new(&path).await), ErrorKind::AlreadyExists);
        assert_eq!(kind(File::create(folder.path()).await), ErrorKind::IsADirectory);
        assert_eq!(kind(File::open("a\0b").await), ErrorKind::InvalidInput);
        assert_eq!(writes.read(&mut [0; 1]).await.unwrap_err().raw_os_error(), Some(9));
        let mut reads = File::open(&path).await.unwrap();
        reads.write_all(TEXT).await.unwrap();
        assert_eq!(reads.flush().await.unwrap_err().raw_os_error(), Some(9));
        assert_eq!(reads.set_len(1).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        let mut directory = File::open(folder.path()).await.unwrap();
        for _ in 0..2 {
            let error = directory.read(&mut [0; 1]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::IsADirectory);
        }
    });
}

#[test]
fn a_file_outside_a_runtime_panics_each_time() {
    let (file, _writer) = piped(TEXT);
    let mut file = std::panic::AssertUnwindSafe(file);
    for _ in 0..2 {
        let read = std::panic::catch_unwind(move || {
            let mut file = file;
            poll_once(file.read(&mut [0; 1])).0.is_ready()
        });
        let text = *read.unwrap_err().downcast::<String>().unwrap();
        assert!(text.contains("there is no reactor running"), "{text}");
        file = std::panic::AssertUnwindSafe(piped(TEXT).0);
    }
}

//! Whole files: those that are read at once are seen as those that a thread reads.
//!
//! What the kernel has in memory is for it to say, so a test that needs it tries again.

mod support;

use shinkan::fs;
use shinkan::runtime::Handle;
use shinkan_base::wait::WaitKind;
use shinkan_context::budget::{self, Budget};
use shinkan_driver::files;
use std::cell::Cell;
use std::future::Future;
use std::io::{self, ErrorKind, Write};
use std::marker::PhantomData;
use std::os::unix::fs::symlink;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use support::pool::{hold, poll_once, runtime};
use support::{is_pending, on_both};

/// The largest file that is read at once.
const LIMIT: usize = 128 << 10;

/// Not the same in any two of its parts.
fn contents(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

/// Whether the files of this folder can be read at once: their mount is known from now on.
fn is_at_once(folder: &Path) -> bool {
    let path = folder.join("asked");
    std::fs::write(&path, "first").unwrap();
    (0..100).any(|_| match files::read_cached(&path, LIMIT) {
        Ok(bytes) => bytes == b"first",
        Err(uncached) => uncached.read(&path).unwrap() != b"first",
    })
}

/// Polls once, until the future was done at that; there may be other reasons for a wait.
fn at_once<F: Future>(mut future: impl FnMut() -> F) -> F::Output {
    let done = (0..100).find_map(|_| match poll_once(future()).0 {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    });
    done.expect("it is done at the first poll")
}

#[test]
fn each_size_is_read_as_the_standard_library_does() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for len in [0, 1, 4095, 4096, 4097, LIMIT - 1, LIMIT, LIMIT + 1, 3 << 20] {
            let (bytes, text) = (contents(len), "ä".repeat(len / 2));
            // On the pool, and at once.
            std::fs::write(&path, &bytes).unwrap();
            for _ in 0..3 {
                assert!(fs::read(&path).await.unwrap() == bytes, "{len} bytes");
            }
            std::fs::write(&path, &text).unwrap();
            for _ in 0..3 {
                assert!(fs::read_to_string(&path).await.unwrap() == text, "{len} bytes");
            }
        }
    });
}

#[test]
fn a_small_file_in_memory_takes_no_thread_and_a_large_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let at_once = is_at_once(folder.path());
    let path = folder.path().join("a");
    let threads = |len| {
        std::fs::write(&path, contents(len)).unwrap();
        let runtime = runtime();
        runtime.block_on(async { assert_eq!(fs::read(&path).await.unwrap().len(), len) });
        runtime.handle().metrics().num_blocking_threads()
    };
    for len in [0, 1, 1 << 10, LIMIT] {
        assert!(!at_once || (0..100).any(|_| threads(len) == 0), "{len} bytes");
    }
    assert_eq!(threads(LIMIT + 1), 1);
}

#[test]
fn the_first_poll_reads_and_not_the_call() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a");
    runtime.block_on(async {
        for _ in 0..3 {
            std::fs::write(&path, "before").unwrap();
            let (bytes, text) = (fs::read(&path), fs::read_to_string(&path));
            std::fs::write(&path, "after").unwrap();
            assert_eq!((&*bytes.await.unwrap(), &*text.await.unwrap()), (&b"after"[..], "after"));
        }
    });
}

#[test]
fn links_are_followed() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("below")).unwrap();
        std::fs::write(at("below/a"), "found").unwrap();
        symlink("below", at("folder")).unwrap();
        symlink("folder/a", at("file")).unwrap();
        symlink("nothing", at("dangling")).unwrap();
        symlink("round", at("round")).unwrap();
        for _ in 0..3 {
            assert_eq!(fs::read(at("file")).await.unwrap(), b"found");
            assert_eq!(fs::read(at("folder/../below/a")).await.unwrap(), b"found");
            assert_eq!(fs::read(at("dangling")).await.unwrap_err().kind(), ErrorKind::NotFound);
            let round = fs::read(at("round")).await.unwrap_err();
            assert_eq!(
                round.raw_os_error(),
                std::fs::read(at("round")).unwrap_err().raw_os_error()
            );
        }
    });
}

#[test]
fn a_named_pipe_is_waited_for_and_read_to_its_end() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("named");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        is_at_once(folder.path());
        let mut read = pin!(fs::read(path.clone()));
        assert!(is_pending(read.as_mut()).await);
        // To open a writer that waits for no reader fails until somebody reads.
        let writer = thread::spawn(move || {
            let mut writer = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            writer.write_all(b"one ").unwrap();
            writer.write_all(&contents(LIMIT)).unwrap();
        });
        let bytes = read.await.unwrap();
        writer.join().unwrap();
        assert!(bytes[..4] == *b"one " && bytes[4..] == contents(LIMIT));
    });
}

#[test]
fn what_is_no_plain_file_is_as_before() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        is_at_once(folder.path());
        let same = |ours: io::Result<Vec<u8>>, path: &Path| {
            let theirs = std::fs::read(path).unwrap_err();
            let ours = ours.unwrap_err();
            assert_eq!((ours.kind(), ours.to_string()), (theirs.kind(), theirs.to_string()));
        };
        for _ in 0..3 {
            let name = fs::read("/proc/self/comm").await.unwrap();
            assert_eq!(name, std::fs::read("/proc/self/comm").unwrap());
            assert!(fs::read_to_string("/proc/self/status").await.unwrap().contains("\nThreads:"));
            assert_eq!(fs::read("/dev/null").await.unwrap(), b"");
            let asked = folder.path().join("asked");
            for path in [folder.path(), &asked.join("below"), &folder.path().join("gone")] {
                same(fs::read(path).await, path);
            }
            for path in ["", "a\0b", "/"] {
                same(fs::read(path).await, Path::new(path));
            }
            let long = PathBuf::from("a".repeat(5000));
            same(fs::read(&long).await, &long);
        }
        assert_eq!(fs::read(folder.path().join("asked")).await.unwrap(), b"first");
    });
}

#[test]
fn what_is_no_text_is_the_standard_librarys_error() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"text \xff").unwrap();
        let theirs = std::fs::read_to_string(&path).unwrap_err();
        for _ in 0..3 {
            let ours = fs::read_to_string(&path).await.unwrap_err();
            assert_eq!(ours.kind(), ErrorKind::InvalidData);
            assert_eq!(ours.to_string(), theirs.to_string());
        }
    });
}

#[test]
fn a_file_that_is_replaced_meanwhile_is_the_old_or_the_new_one() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    is_at_once(folder.path());
    let path = folder.path().join("a");
    let next = folder.path().join("next");
    let versions = [vec![b'a'; 1000], vec![b'b'; 70_000]];
    std::fs::write(&path, &versions[0]).unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let replacer = {
        let (path, versions, done) = (path.clone(), versions.clone(), done.clone());
        thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                for version in &versions {
                    std::fs::write(&next, version).unwrap();
                    std::fs::rename(&next, &path).unwrap();
                }
            }
        })
    };
    runtime.block_on(async {
        for _ in 0..2000 {
            assert!(versions.contains(&fs::read(&path).await.unwrap()));
        }
    });
    done.store(true, Ordering::Relaxed);
    replacer.join().unwrap();
}

#[test]
fn a_file_that_is_cut_and_grows_meanwhile_is_some_of_it() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    is_at_once(folder.path());
    let path = folder.path().join("a");
    std::fs::write(&path, contents(LIMIT)).unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (path, done) = (path.clone(), done.clone());
        thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                for len in [LIMIT, 10, LIMIT + 5000, 0] {
                    std::fs::write(&path, contents(len)).unwrap();
                }
            }
        })
    };
    runtime.block_on(async {
        for _ in 0..2000 {
            // Zeros where the file was cut below a read, and grew again.
            let bytes = fs::read(&path).await.unwrap();
            let all = contents(bytes.len());
            assert!(bytes.iter().zip(all).all(|(is, was)| *is == was || *is == 0));
        }
    });
    done.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}

#[test]
fn a_read_at_once_takes_budget_and_says_where_it_waits() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a");
    std::fs::write(&path, "text").unwrap();
    if !is_at_once(folder.path()) {
        return;
    }
    let _inside = runtime.enter();
    budget::with(Budget::initial(), || {
        for _ in 0..64 {
            assert_eq!(at_once(|| fs::read(&path)).unwrap(), b"text");
            assert_eq!(at_once(|| fs::read_to_string(&path)).unwrap(), "text");
        }
        let (read, here) = (fs::read(&path), Location::caller());
        let (polled, wait) = poll_once(read);
        assert!(polled.is_pending());
        let wait = wait.unwrap();
        assert_eq!(wait.kind, WaitKind::Budget);
        assert_eq!((wait.place.file(), wait.place.line()), (here.file(), here.line()));
    });
}

#[test]
fn after_the_end_a_small_file_is_an_error_too() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("asked");
    is_at_once(folder.path());
    let handle = runtime.handle().clone();
    runtime.shutdown_background();
    handle.block_on(async {
        for _ in 0..2 {
            let error = fs::read(&path).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Other);
            assert_eq!(error.to_string(), "background task failed");
            assert_eq!(fs::read_to_string(&path).await.unwrap_err().kind(), ErrorKind::Other);
        }
    });
}

#[test]
fn outside_a_runtime_a_small_file_panics_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asked");
    is_at_once(folder.path());
    for _ in 0..2 {
        let read = std::panic::catch_unwind(|| poll_once(fs::read(&path)).0.is_ready());
        let text = *read.unwrap_err().downcast::<String>().unwrap();
        assert!(text.contains("there is no reactor running"), "{text}");
    }
}

#[test]
fn a_large_file_waits_for_a_thread() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a");
    std::fs::write(&path, contents(LIMIT + 1)).unwrap();
    is_at_once(folder.path());
    runtime.block_on(async {
        let held = hold(&Handle::current());
        let mut read = pin!(fs::read(&path));
        assert!(is_pending(read.as_mut()).await);
        drop(held);
        assert_eq!(read.await.unwrap().len(), LIMIT + 1);
    });
}

#[test]
fn the_future_may_be_sent_where_its_path_may() {
    fn is_send<T: Send>(_: T) {}
    struct NotSync(PathBuf, PhantomData<Cell<u8>>);
    impl AsRef<Path> for NotSync {
        fn as_ref(&self) -> &Path {
            &self.0
        }
    }
    is_send(fs::read(NotSync(PathBuf::new(), PhantomData)));
    is_send(fs::read_to_string(NotSync(PathBuf::new(), PhantomData)));
}

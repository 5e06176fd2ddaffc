//! Paths and folders: what each operation does, its errors, and what it says while it waits.

mod support;

use shinkan::fs;
use shinkan::runtime::Handle;
use shinkan_base::wait::WaitKind;
use std::collections::HashSet;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::panic::Location;
use std::path::Path;
use std::task::Poll;
use support::pool::{hold, poll_once, runtime};
use support::{is_pending, on_both};

async fn kind<T>(future: impl Future<Output = io::Result<T>>) -> ErrorKind {
    future.await.err().expect("an error").kind()
}

#[test]
fn what_each_operation_does() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("a")).await.unwrap();
        fs::create_dir_all(at("a/b/c")).await.unwrap();
        fs::write(at("a/b/file"), "text").await.unwrap();
        assert_eq!(fs::read(at("a/b/file")).await.unwrap(), b"text");
        assert_eq!(fs::read_to_string(at("a/b/file")).await.unwrap(), "text");
        assert_eq!(fs::copy(at("a/b/file"), at("copy")).await.unwrap(), 4);
        fs::rename(at("copy"), at("moved")).await.unwrap();
        assert!(!fs::try_exists(at("copy")).await.unwrap());
        fs::hard_link(at("moved"), at("again")).await.unwrap();
        assert_eq!(fs::metadata(at("again")).await.unwrap().nlink(), 2);
        fs::symlink("a/b", at("link")).await.unwrap();
        assert_eq!(fs::read_link(at("link")).await.unwrap(), Path::new("a/b"));
        assert!(fs::symlink_metadata(at("link")).await.unwrap().is_symlink());
        assert!(fs::metadata(at("link")).await.unwrap().is_dir());
        let real = fs::canonicalize(at("link/../b/file")).await.unwrap();
        assert_eq!(real, folder.path().canonicalize().unwrap().join("a/b/file"));
        let read_only = std::fs::Permissions::from_mode(0o444);
        fs::set_permissions(at("moved"), read_only).await.unwrap();
        assert_eq!(fs::metadata(at("again")).await.unwrap().mode() & 0o777, 0o444);
        fs::remove_file(at("link")).await.unwrap();
        fs::remove_dir(at("a/b/c")).await.unwrap();
        fs::remove_dir_all(at("a")).await.unwrap();
        assert!(!at("a").exists());
    });
}

#[test]
fn the_error_of_each_operation() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let file = folder.path().join("file");
        let below = file.join("below");
        fs::write(&file, b"\xff").await.unwrap();
        fs::create_dir(folder.path().join("full")).await.unwrap();
        fs::write(folder.path().join("full/a"), "").await.unwrap();
        let permissions = std::fs::metadata(&file).unwrap().permissions();

        assert_eq!(kind(fs::canonicalize(&gone)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::copy(&gone, &file)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::copy(folder.path(), &gone)).await, ErrorKind::InvalidInput);
        assert_eq!(kind(fs::create_dir(&file)).await, ErrorKind::AlreadyExists);
        assert_eq!(kind(fs::create_dir(gone.join("a"))).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::create_dir_all(&below)).await, ErrorKind::NotADirectory);
        assert_eq!(kind(fs::DirBuilder::new().create(&file)).await, ErrorKind::AlreadyExists);
        assert_eq!(kind(fs::hard_link(&gone, &below)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::metadata(&gone)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::metadata(&below)).await, ErrorKind::NotADirectory);
        assert_eq!(kind(fs::read(&gone)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::read(folder.path())).await, ErrorKind::IsADirectory);
        assert_eq!(kind(fs::read_dir(&gone)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::read_dir(&file)).await, ErrorKind::NotADirectory);
        assert_eq!(kind(fs::read_link(&file)).await, ErrorKind::InvalidInput);
        assert_eq!(kind(fs::read_to_string(&file)).await, ErrorKind::InvalidData);
        assert_eq!(kind(fs::remove_dir(&file)).await, ErrorKind::NotADirectory);
        let full = folder.path().join("full");
        assert_eq!(kind(fs::remove_dir(full)).await, ErrorKind::DirectoryNotEmpty);
        assert_eq!(kind(fs::remove_dir_all(&gone)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::remove_file(&gone)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::rename(&gone, &file)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::set_permissions(&gone, permissions)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::symlink("a", &file)).await, ErrorKind::AlreadyExists);
        assert_eq!(kind(fs::symlink_metadata(&gone)).await, ErrorKind::NotFound);
        assert_eq!(kind(fs::try_exists(&below)).await, ErrorKind::NotADirectory);
        assert_eq!(kind(fs::write(folder.path(), "a")).await, ErrorKind::IsADirectory);
        assert_eq!(kind(fs::write("/dev/full", "a")).await, ErrorKind::StorageFull);
        assert_eq!(kind(fs::write("a\0b", "a")).await, ErrorKind::InvalidInput);
    });
}

#[test]
fn each_operation_says_where_it_waits() {
    #[track_caller]
    fn waits<F: Future>(future: F) {
        let here = Location::caller();
        let wait = poll_once(future).1.expect("it waits");
        assert_eq!((wait.kind, wait.leaves), (WaitKind::Blocking, 1));
        assert_eq!((wait.place.file(), wait.place.line()), (here.file(), here.line()));
    }
    let runtime = runtime();
    let held = hold(runtime.handle());
    let _inside = runtime.enter();
    let permissions = std::fs::metadata("/").unwrap().permissions();
    waits(fs::canonicalize("nothing"));
    waits(fs::copy("nothing", "nowhere"));
    waits(fs::create_dir("nothing/a"));
    waits(fs::create_dir_all("/proc/nothing"));
    waits(fs::DirBuilder::new().create("nothing/a"));
    waits(fs::hard_link("nothing", "nowhere"));
    waits(fs::metadata("nothing"));
    waits(fs::read("nothing"));
    waits(fs::read_dir("nothing"));
    waits(fs::read_link("nothing"));
    waits(fs::read_to_string("nothing"));
    waits(fs::remove_dir("nothing"));
    waits(fs::remove_dir_all("nothing"));
    waits(fs::remove_file("nothing"));
    waits(fs::rename("nothing", "nowhere"));
    waits(fs::set_permissions("nothing", permissions));
    waits(fs::symlink("nothing", "/proc/nothing"));
    waits(fs::symlink_metadata("nothing"));
    waits(fs::try_exists("nothing"));
    waits(fs::write("/proc/nothing", "nothing"));
    drop(held);
}

#[test]
fn a_folder_of_many_entries_is_fetched_in_batches() {
    on_both(|| async {
        let folder = tempfile::tempdir().unwrap();
        let names: HashSet<_> = (0..100).map(|i| format!("{i}")).collect();
        for name in &names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let mut entries = fs::read_dir(folder.path()).await.unwrap();
        let mut seen = HashSet::new();
        while let Some(entry) = entries.next_entry().await.unwrap() {
            assert!(entry.file_type().await.unwrap().is_file());
            assert_eq!(entry.metadata().await.unwrap().ino(), entry.ino());
            assert_eq!(entry.path(), folder.path().join(entry.file_name()));
            assert!(seen.insert(entry.file_name().into_string().unwrap()), "given twice");
        }
        assert_eq!(seen, names);
        assert!(entries.next_entry().await.unwrap().is_none(), "the end stays");
    });
}

#[test]
fn a_cancelled_fetch_loses_no_entry_and_is_one_hand_over_for_many() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    for i in 0..50 {
        std::fs::write(folder.path().join(format!("{i}")), "").unwrap();
    }
    runtime.block_on(async {
        let mut entries = fs::read_dir(folder.path()).await.unwrap();
        let held = hold(&Handle::current());
        let mut seen = HashSet::new();
        // What was fetched with the folder needs no thread.
        while let (Poll::Ready(entry), _) = poll_once(entries.next_entry()) {
            seen.insert(entry.unwrap().expect("not the end").file_name());
        }
        assert!(seen.len() >= 32 && seen.len() < 50, "{}", seen.len());
        let here = Location::caller();
        let wait = poll_once(entries.next_entry()).1.unwrap();
        assert_eq!((wait.kind, wait.leaves), (WaitKind::Blocking, 1));
        assert_eq!((wait.place.file(), wait.place.line()), (here.file(), here.line() + 1));
        assert!(format!("{entries:?}").contains("fetching"));
        drop(held);
        while let Some(entry) = entries.next_entry().await.unwrap() {
            assert!(seen.insert(entry.file_name()), "given twice");
        }
        assert_eq!(seen.len(), 50);
    });
}

#[test]
fn a_folder_whose_runtime_has_ended_is_an_error_each_time() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    for i in 0..50 {
        std::fs::write(folder.path().join(format!("{i}")), "").unwrap();
    }
    let handle = runtime.handle().clone();
    let mut entries = runtime.block_on(fs::read_dir(folder.path())).unwrap();
    let _inside = handle.enter();
    let held = hold(&handle);
    while poll_once(entries.next_entry()).0.is_ready() {}
    runtime.shutdown_background();
    handle.block_on(async {
        for _ in 0..2 {
            let error = entries.next_entry().await.unwrap_err();
            assert_eq!(
                (error.kind(), &*error.to_string()),
                (ErrorKind::Other, "background task failed")
            );
        }
        assert_eq!(kind(fs::read_dir(folder.path())).await, ErrorKind::Other);
    });
    drop(held);
}

#[test]
fn what_is_given_as_a_path_lives_until_the_end() {
    let runtime = runtime();
    runtime.block_on(async {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "here").unwrap();
        assert_eq!(fs::read(file).await.unwrap(), b"here");
        let held = hold(&Handle::current());
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_owned();
        assert!(is_pending(fs::metadata(file)).await);
        assert!(!path.exists(), "and goes with a future that is dropped");
        drop(held);
    });
}

#[test]
fn a_folder_is_made_with_its_mode() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let (ours, std) = (folder.path().join("ours"), folder.path().join("std"));
        fs::DirBuilder::new().mode(0o750).create(&ours).await.unwrap();
        std::fs::DirBuilder::new().mode(0o750).create(&std).unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().mode();
        assert_eq!(mode(&ours), mode(&std));
        fs::DirBuilder::new().recursive(true).create(ours.join("a/b")).await.unwrap();
        assert!(ours.join("a/b").is_dir());
    });
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn an_operation_outside_a_runtime_panics() {
    let _ = poll_once(fs::read("/dev/null"));
}

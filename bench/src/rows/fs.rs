//! Files that are in memory: what a read costs beyond the copy.

use super::{Row, Work, rt};
use crate::floors::Floor;
use rt::fs::{self, File};
use rt::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use std::path::PathBuf;

pub(super) const ROWS: &[Row] = &[
    Row::new("file_read", "a file, 4 KiB a read, one after the other", 20_000, reads)
        .floor(Floor::Pread, 1.0),
    Row::new("file_read_64", "the same in 64 tasks", 20_000, reads_64).floor(Floor::Pread, 1.0),
    Row::new("file_read_large", "a file, 1 MiB a read", 400, large_reads),
    Row::new("file_seek", "a seek and a read of 512 B", 10_000, seeks).floor(Floor::Syscall, 1.0),
    Row::new("file_write", "a file, 4 KiB a write, flushed", 10_000, writes),
    Row::new("fs_read", "a file of 1 KiB, opened and read", 10_000, whole),
];

const FILE: usize = 1 << 20;
const PART: usize = 4 << 10;

/// A path of this process's own; the row removes what it made.
fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("shinkan-bench-{}-{name}", std::process::id()))
}

async fn read_parts(path: PathBuf, ops: u64) {
    let mut file = File::open(path).await.unwrap();
    let mut part = vec![0; PART];
    for nth in 0..ops {
        if nth % (FILE / PART) as u64 == 0 {
            file.rewind().await.unwrap();
        }
        assert_eq!(file.read(&mut part).await.unwrap(), PART);
    }
}

fn reads(ops: u64) -> Work {
    Box::pin(async move {
        let path = path("reads");
        fs::write(&path, vec![1; FILE]).await.unwrap();
        read_parts(path.clone(), ops).await;
        fs::remove_file(path).await.unwrap();
    })
}

fn reads_64(ops: u64) -> Work {
    Box::pin(async move {
        let path = path("reads-64");
        fs::write(&path, vec![1; FILE]).await.unwrap();
        let each = ops.div_ceil(64);
        let tasks: Vec<_> = (0..64).map(|_| rt::spawn(read_parts(path.clone(), each))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        fs::remove_file(path).await.unwrap();
    })
}

fn large_reads(ops: u64) -> Work {
    Box::pin(async move {
        let path = path("large-reads");
        fs::write(&path, vec![1; FILE]).await.unwrap();
        let mut file = File::open(&path).await.unwrap();
        let mut all = vec![0; FILE];
        for _ in 0..ops {
            file.rewind().await.unwrap();
            file.read_exact(&mut all).await.unwrap();
        }
        fs::remove_file(path).await.unwrap();
    })
}

fn seeks(ops: u64) -> Work {
    Box::pin(async move {
        let path = path("seeks");
        fs::write(&path, vec![1; FILE]).await.unwrap();
        let mut file = File::open(&path).await.unwrap();
        let mut part = [0; 512];
        for nth in 0..ops {
            let place = nth * 7919 % (FILE - part.len()) as u64;
            file.seek(std::io::SeekFrom::Start(place)).await.unwrap();
            file.read_exact(&mut part).await.unwrap();
        }
        fs::remove_file(path).await.unwrap();
    })
}

fn writes(ops: u64) -> Work {
    Box::pin(async move {
        let path = path("writes");
        let mut file = File::create(&path).await.unwrap();
        let part = vec![1; PART];
        for nth in 0..ops {
            if nth % (FILE / PART) as u64 == 0 {
                file.rewind().await.unwrap();
            }
            file.write_all(&part).await.unwrap();
            file.flush().await.unwrap();
        }
        fs::remove_file(path).await.unwrap();
    })
}

fn whole(ops: u64) -> Work {
    Box::pin(async move {
        let path = path("whole");
        fs::write(&path, vec![1; 1 << 10]).await.unwrap();
        for _ in 0..ops {
            assert_eq!(fs::read(&path).await.unwrap().len(), 1 << 10);
        }
        fs::remove_file(path).await.unwrap();
    })
}

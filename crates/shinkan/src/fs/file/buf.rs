//! The bytes between a file and its user: read and not yet asked for, or taken and not yet written.

use shinkan_driver::files;
use shinkan_io::ReadBuf;
use std::fs;
use std::io::{self, IoSlice};

/// Memory that an operation takes along to the pool's thread.
#[derive(Default)]
pub(super) struct Buf {
    // As long as the largest operation so far, so that no read has to fill it first.
    memory: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buf {
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Gives out what fits.
    pub(super) fn copy_to(&mut self, dst: &mut ReadBuf<'_>) {
        let n = dst.remaining().min(self.end - self.start);
        dst.put_slice(&self.memory[self.start..self.start + n]);
        self.start += n;
    }

    /// Forgets what was read and not asked for. Returns by how much the file's position is ahead
    /// of its user's, as an offset back.
    pub(super) fn discard(&mut self) -> i64 {
        let ahead = self.end - self.start;
        (self.start, self.end) = (0, 0);
        -(ahead as i64)
    }

    /// Takes from `parts`, in their order, at most `limit` bytes, and returns how many.
    pub(super) fn take_from(&mut self, parts: &[IoSlice<'_>], limit: usize) -> usize {
        debug_assert!(self.is_empty(), "bytes that were read would be written");
        // Emptied, so that memory which grows is not copied.
        self.memory.clear();
        for part in parts {
            let n = part.len().min(limit - self.memory.len());
            self.memory.extend_from_slice(&part[..n]);
        }
        (self.start, self.end) = (0, self.memory.len());
        self.end
    }

    /// Reads once from the file's position, at most `limit` bytes. Blocks.
    pub(super) fn read(&mut self, file: &fs::File, limit: usize) -> io::Result<()> {
        debug_assert!(self.is_empty(), "bytes that nobody has asked for yet would be lost");
        (self.start, self.end) = (0, 0);
        if self.memory.len() < limit {
            // New memory comes zeroed from the kernel, which is cheaper than to grow the old.
            self.memory = vec![0; limit];
        }
        self.end = files::read_some(file, &mut self.memory[..limit])?;
        Ok(())
    }

    /// Writes everything at the file's position. Blocks.
    pub(super) fn write(&self, file: &fs::File) -> io::Result<()> {
        files::write_all(file, &self.memory[self.start..self.end])
    }
}

//! The read that takes no thread: what the kernel has in memory.

use crate::fill;
use shinkan_driver::files;
use shinkan_io::ReadBuf;
use std::fs;
use std::io::ErrorKind;

/// Whether a file can be read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtOnce {
    Unknown,
    /// The kernel has read it at once, or said that it can't now. So it is no file of another
    /// machine, nor one of a program, and its position can be moved without waiting, too.
    Yes,
    /// The kernel can't tell; or the position is shared with a clone, and may be held by it.
    No,
}

impl AtOnce {
    /// Reads at most `limit` bytes into `dst`. False: it could not be done at once. However many they
    /// are, the worker is held no longer than by copying them out of a pool thread's memory.
    pub(super) fn read(&mut self, file: &fs::File, dst: &mut ReadBuf<'_>, limit: usize) -> bool {
        let room = dst.remaining().min(limit);
        if *self == AtOnce::No {
            return false;
        }
        if *self == AtOnce::Unknown && !files::is_cached(file) {
            *self = AtOnce::No;
            return false;
        }
        let before = dst.filled().len();
        let read =
            fill::read_buf(dst, |free| Ok((files::read_at_once(file, &mut free[..room])?, ())));
        *self = match &read {
            Ok(_) => AtOnce::Yes,
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted => AtOnce::Yes,
                _ => AtOnce::No,
            },
        };
        // Linux 5.9 and 5.10 answer 0 in mid-file where nothing is cached (readv(2), BUGS): that it
        // is the end is for a read that may wait to say.
        read.is_ok() && (dst.filled().len() > before || room == 0)
    }
}

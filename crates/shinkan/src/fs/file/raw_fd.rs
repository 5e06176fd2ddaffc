//! Files that are made from numbers.

#![allow(unsafe_code)]

use super::File;
use std::fs;
use std::os::fd::{FromRawFd, RawFd};

impl FromRawFd for File {
    /// Takes over a descriptor of any kind.
    #[track_caller]
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: open, and ours alone: the caller's word.
        File::from_std(unsafe { fs::File::from_raw_fd(fd) })
    }
}

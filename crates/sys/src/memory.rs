//! Memory of this process that may be gone or may change while it is read: another thread's stack.
//!
//! By process_vm_readv(2) on the own process, which answers with an error where a load would
//! fault. Both functions may be called in a signal's handler; they allocate nothing, take no lock,
//! and may leave an errno.

use core::ffi::c_void;
use core::ops::Range;
use core::sync::atomic::AtomicU64;
use libc::iovec;

/// The smallest page there is: a step of this size never lies in two pages of another size.
pub const PAGE: usize = 4096;

/// Steps in one call. Enough for 64 KiB; 544 bytes of stack.
const STEPS: usize = 17;

/// How many bytes a copy of a stack may have that starts at `sp`: up to the end of `stack`, or, where
/// it is on another one, of the page, which belongs to nothing else.
pub fn left_of(stack: &Range<u64>, sp: u64) -> usize {
    let page = PAGE as u64;
    let left = if stack.contains(&sp) { stack.end - sp } else { page - sp % page };
    usize::try_from(left).unwrap_or(usize::MAX)
}

/// Copies from `address` on, up to the first page that cannot be read. How many bytes it copied.
pub fn read(address: usize, to: &mut [u8]) -> usize {
    // SAFETY:
    // - `to` is ours to write for its whole length, and lives through the call.
    unsafe { read_raw(address, to.as_mut_ptr(), to.len()) }
}

/// As [`read`], into words that other threads may read meanwhile.
pub fn read_words(address: usize, to: &[AtomicU64]) -> usize {
    // SAFETY:
    // - atomics may be written behind a shared borrow, and by the kernel as well as by a thread; any
    //   bytes are a number.
    unsafe { read_raw(address, to.as_ptr().cast_mut().cast(), size_of_val(to)) }
}

/// # Safety
/// The `len` bytes at `to` may be written.
unsafe fn read_raw(address: usize, to: *mut u8, len: usize) -> usize {
    let mut done = 0;
    while done < len {
        // Room in `to` is not cut into pages: only what is read may be missing.
        let mut steps = [iovec { iov_base: core::ptr::null_mut(), iov_len: 0 }; STEPS];
        let (mut count, mut size) = (0, 0);
        while count < STEPS && done + size < len {
            let Some(from) = address.checked_add(done + size) else { break };
            let step = (PAGE - from % PAGE).min(len - done - size);
            steps[count] = iovec { iov_base: from as *mut c_void, iov_len: step };
            (count, size) = (count + 1, size + step);
        }
        // SAFETY:
        // - within the caller's room: `done` is below `len`.
        let room = unsafe { to.add(done) };
        let local = iovec { iov_base: room.cast(), iov_len: size };
        // SAFETY:
        // - takes nothing and always works.
        let pid = unsafe { libc::getpid() };
        // SAFETY:
        // - `local` is the caller's room, which may be written.
        // - the kernel checks what it reads, and answers EFAULT.
        let copied = unsafe {
            libc::process_vm_readv(pid, &raw const local, 1, steps.as_ptr(), count as _, 0)
        };
        let Ok(copied) = usize::try_from(copied) else { break };
        done += copied;
        if copied < size || size == 0 {
            break;
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::Ordering;
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

    #[test]
    fn what_is_there_is_copied_and_what_is_not_is_told() {
        let text = vec![7_u8; 300_000];
        let mut copy = vec![0; text.len()];
        assert_eq!(read(text.as_ptr().addr(), &mut copy), text.len());
        assert_eq!(copy, text);
        assert_eq!(read(8, &mut copy), 0, "nothing lies at the start of the address space");
        assert_eq!(read(usize::MAX - 9, &mut copy), 0);
    }

    #[test]
    fn words_are_copied_too() {
        let words = [1_u64, 2, 3];
        let to = [const { AtomicU64::new(0) }; 3];
        assert_eq!(read_words(words.as_ptr().addr(), &to), 24);
        assert_eq!(to[2].load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_copy_ends_where_the_pages_end() {
        let bytes = 4 * PAGE;
        let (rights, how) = (ProtFlags::READ, MapFlags::PRIVATE);
        // SAFETY:
        // - a new place of the kernel's choice: nothing that is in use is replaced.
        let map = unsafe { mmap_anonymous(core::ptr::null_mut(), bytes, rights, how) }.unwrap();
        let start = map.addr();
        let mut copy = vec![0; 4 * bytes];
        let read = read(start + 100, &mut copy);
        assert!(read >= bytes - 100 && (start + 100 + read).is_multiple_of(PAGE), "{read}");
        // SAFETY:
        // - ours, whole, and nobody borrows it.
        unsafe { munmap(map, bytes) }.unwrap();
    }
}

//! A block of slots, and the chain of them.
//!
//! `ready` has two bits a slot, each of which is set once in the block's life, so that both are
//! set by an addition (one instruction, where an `or` that returns what was there is a loop):
//! READY by the sender when the value is in, WAITS by the receiver when it waits for this slot. The
//! sender that finds WAITS owns the receiver's waker; the receiver that finds READY does not wait.

#![allow(unsafe_code)]

use crate::cap::BLOCK;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use shinkan_base::atomics::{AtomicPtr, AtomicU64, AtomicUsize, Ordering, UnsafeCell};
use shinkan_base::canary;

const WAITS: u32 = 32;
const ALL_READY: u64 = (1 << BLOCK) - 1;

/// A block that senders may still reach: see [`Block::release`].
const NOT_YET: usize = usize::MAX;

pub(super) struct Block<T> {
    head: Head<T>,
    slots: [UnsafeCell<MaybeUninit<T>>; BLOCK],
}

struct Head<T> {
    /// The index of the first slot. Changed only while nobody else knows the block.
    start: AtomicUsize,
    ready: AtomicU64,
    next: AtomicPtr<Block<T>>,
    observed: AtomicUsize,
}

/// Where in a block an index is.
#[inline]
pub(super) fn offset(index: usize) -> usize {
    index & (BLOCK - 1)
}

#[inline]
pub(super) fn start_of(index: usize) -> usize {
    index & !(BLOCK - 1)
}

impl<T> Block<T> {
    /// A block for the indices from `start` on, made in its place: it may be larger than a stack.
    pub(super) fn alloc(start: usize) -> NonNull<Self> {
        let mut memory = Box::<Self>::new_uninit();
        let block = memory.as_mut_ptr();
        // SAFETY: in the fresh allocation.
        let head = unsafe { &raw mut (*block).head };
        // SAFETY: as above.
        unsafe {
            head.write(Head {
                start: AtomicUsize::new(start),
                ready: AtomicU64::new(0),
                next: AtomicPtr::new(ptr::null_mut()),
                observed: AtomicUsize::new(NOT_YET),
            })
        };
        for i in 0..BLOCK {
            // SAFETY: as above.
            let slot = unsafe { &raw mut (*block).slots[i] };
            // SAFETY: as above.
            unsafe { slot.write(UnsafeCell::new(MaybeUninit::uninit())) };
        }
        // SAFETY: every field was written.
        let block = unsafe { memory.assume_init() };
        NonNull::from(Box::leak(block))
    }

    /// Frees the memory of a block, not the values in it.
    ///
    /// # Safety
    /// It was made by `alloc`, and nobody else reaches it.
    pub(super) unsafe fn free(block: NonNull<Self>) {
        // SAFETY: the caller's word.
        drop(unsafe { Box::from_raw(block.as_ptr()) });
    }

    #[inline]
    pub(super) fn start(&self) -> usize {
        self.head.start.load(Ordering::Relaxed)
    }

    /// The next block, if there is one.
    #[inline]
    pub(super) fn next(&self) -> Option<NonNull<Self>> {
        NonNull::new(self.head.next.load(Ordering::Acquire))
    }

    /// The next block, made if there is none. A block that another made meanwhile is kept for
    /// later, behind it.
    pub(super) fn next_or_alloc(&self) -> NonNull<Self> {
        if let Some(next) = self.next() {
            return next;
        }
        let new = Self::alloc(self.start() + BLOCK);
        match self.link(new) {
            Ok(()) => new,
            Err(next) => {
                // SAFETY: `next` follows a block that the caller may reach; `new` is ours.
                unsafe { Self::append(next, new) };
                next
            }
        }
    }

    /// Links `new` as the next, unless there is one.
    fn link(&self, new: NonNull<Self>) -> Result<(), NonNull<Self>> {
        let linked = self.head.next.compare_exchange(
            ptr::null_mut(),
            new.as_ptr(),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        match linked {
            Ok(_) => Ok(()),
            // SAFETY: the exchange failed since it was not null.
            Err(next) => Err(unsafe { NonNull::new_unchecked(next) }),
        }
    }

    /// Puts a spare block at the end of the chain, or frees it where that is far away.
    ///
    /// # Safety
    /// `at` is in the chain and stays there; `spare` is the caller's alone.
    unsafe fn append(mut at: NonNull<Self>, spare: NonNull<Self>) {
        for _ in 0..3 {
            // SAFETY: in the chain.
            let last = unsafe { at.as_ref() };
            // SAFETY: the caller's.
            unsafe { spare.as_ref() }.head.start.store(last.start() + BLOCK, Ordering::Relaxed);
            match last.link(spare) {
                Ok(()) => return,
                Err(next) => at = next,
            }
        }
        // SAFETY: it was not linked.
        unsafe { Self::free(spare) };
    }

    /// Makes a block that nobody reaches any more a spare one at the end of the chain.
    ///
    /// # Safety
    /// As [`Block::append`]; all values were taken out.
    pub(super) unsafe fn recycle(block: NonNull<Self>, at: NonNull<Self>) {
        // SAFETY: the caller's alone.
        let this = unsafe { block.as_ref() };
        this.head.ready.store(0, Ordering::Relaxed);
        this.head.next.store(ptr::null_mut(), Ordering::Relaxed);
        this.head.observed.store(NOT_YET, Ordering::Relaxed);
        // SAFETY: as our caller's.
        unsafe { Self::append(at, block) };
    }

    /// Whether every sender of this block has put its value in, and so found the block.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.head.ready.load(Ordering::Acquire) & ALL_READY == ALL_READY
    }

    /// Senders that come from now on start behind this block. Those that came before have indices
    /// below `tail`: once the receiver has had all of these, nobody reaches the block.
    pub(super) fn release(&self, tail: usize) {
        self.head.observed.store(tail, Ordering::Release);
    }

    /// Whether nobody but the receiver reaches it, which has had all messages below `index`.
    #[inline]
    pub(super) fn is_free(&self, index: usize) -> bool {
        // `NOT_YET` is above every index.
        self.head.observed.load(Ordering::Acquire) <= index
    }

    /// Puts a value in its slot.
    ///
    /// # Safety
    /// The caller claimed `index`, which is in this block, and has not written it.
    #[inline]
    pub(super) unsafe fn write(&self, index: usize, value: T) {
        self.slots[offset(index)].with_mut(|slot| {
            // SAFETY: a claimed slot is its sender's until it is published.
            unsafe { (*slot).write(value) };
        });
    }

    /// Takes a value out of its slot.
    ///
    /// # Safety
    /// The caller is the receiver, saw the slot published with a value, and takes it once.
    #[inline]
    pub(super) unsafe fn take(&self, index: usize) -> T {
        self.slots[offset(index)].with(|slot| {
            // SAFETY: published, so nobody writes it.
            let slot = unsafe { &*slot };
            // SAFETY: it holds a value, which is read once (the caller's word).
            unsafe { slot.assume_init_read() }
        })
    }

    #[inline]
    pub(super) fn is_ready(&self, index: usize) -> bool {
        self.head.ready.load(Ordering::Acquire) & 1 << offset(index) != 0
    }

    /// Publishes a slot: the sender's last access to the block. True: the receiver waits, and its
    /// waker is the caller's.
    #[inline]
    pub(super) fn publish(&self, index: usize) -> bool {
        let order =
            if canary("mpsc_publish_relaxed") { Ordering::Relaxed } else { Ordering::AcqRel };
        let bit = 1 << offset(index);
        self.head.ready.fetch_add(bit, order) & bit << WAITS != 0
    }

    /// The receiver has left its waker for this slot. False: it is published already, and nobody
    /// will take the waker.
    #[inline]
    pub(super) fn set_waits(&self, index: usize) -> bool {
        let bit = 1 << offset(index);
        self.head.ready.fetch_add(bit << WAITS, Ordering::AcqRel) & bit == 0
    }

    /// The receiver wants its waker back. False: it is the sender's.
    pub(super) fn clear_waits(&self, index: usize) -> bool {
        let bit = 1 << offset(index);
        self.head.ready.fetch_sub(bit << WAITS, Ordering::AcqRel) & bit == 0
    }
}

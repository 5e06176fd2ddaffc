//! The queue of a channel: many senders, one receiver, no lock.
//!
//! A sender claims an index (one read-modify-write on `tail`), finds its block, writes its slot
//! and publishes it (one on the block, which also says whether the receiver waits). The receiver
//! takes messages without any. What was tried and dropped: a waker behind an atomic state of its
//! own, which each send had to touch.
//!
//! Blocks. `tail_block` is the block at which senders start to look. A sender moves it on past a
//! block that is full (all of its senders have found it) and then reads `tail`: whoever claims an
//! index later starts behind the block, since both steps and the claim are read-modify-writes of
//! `tail`, in that order. So when the receiver has had all indices below, the block is its own.
//!
//! Waker. Its cell belongs to the receiver while `full` is false. The receiver fills it, sets
//! `full`, then sets WAITS in the slot it waits for; the sender of that slot takes the waker and
//! clears `full`. A receiver that finds `full` set by a sender that is still at it does not wait
//! for it: it has its task woken at once.
//!
//! End. When the last sender is dropped, or the last permit of a closed channel, there is one
//! more claim: a slot without a value, at index `end`.

#![allow(unsafe_code)]

use super::block::{Block, offset, start_of};
use crate::cap::BLOCK;
use core::mem::MaybeUninit;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;
use core::task::Waker;
use shinkan_base::atomics::{AtomicBool, AtomicPtr, AtomicUsize, Ordering, UnsafeCell};
use shinkan_base::canary;
use shinkan_base::pad::Padded;

const CLOSED: usize = 1;
const ONE: usize = 2;
const NONE: usize = usize::MAX;

/// The next index to be claimed, and whether the queue is closed to `push_open`.
pub(super) struct Tail(AtomicUsize);

impl Tail {
    #[inline]
    pub(super) fn index(&self) -> usize {
        self.0.load(Ordering::Acquire) / ONE
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Acquire) & CLOSED != 0
    }

    pub(super) fn close(&self) {
        self.0.fetch_or(CLOSED, Ordering::AcqRel);
    }

    #[inline]
    fn claim(&self) -> usize {
        self.0.fetch_add(ONE, Ordering::AcqRel) / ONE
    }

    #[inline]
    fn claim_open(&self) -> Option<usize> {
        let mut tail = self.0.load(Ordering::Relaxed);
        while tail & CLOSED == 0 {
            let next = tail + ONE;
            match self.0.compare_exchange_weak(tail, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Some(tail / ONE),
                Err(now) => tail = now,
            }
        }
        None
    }
}

struct SendSide<T> {
    tail: Tail,
    tail_block: AtomicPtr<Block<T>>,
}

struct WakeSide<T> {
    waker: UnsafeCell<MaybeUninit<Waker>>,
    full: AtomicBool,
    end: AtomicUsize,
    ended: AtomicBool,
    // Where the receiver stopped; written by its drop, read by the queue's.
    left: UnsafeCell<Cursor<T>>,
}

pub(super) struct Queue<T> {
    send: Padded<SendSide<T>>,
    wake: Padded<WakeSide<T>>,
}

/// Where the receiver is in the chain of blocks.
pub(super) struct Cursor<T> {
    /// The next index to be received.
    pub(super) index: usize,
    /// The block that holds it, or the one before where `index` is at the edge.
    head: NonNull<Block<T>>,
    /// The first block that is not freed.
    first: NonNull<Block<T>>,
    /// Whether WAITS is set in the slot of `index`.
    waits: bool,
}

/// What the receiver finds.
pub(super) enum Popped<T> {
    Value(T),
    /// There will be nothing any more.
    End,
    /// Nothing was published at this index.
    Nothing,
}

/// What became of the waker that the receiver left.
pub(super) enum Left {
    /// It is the receiver's again, if there was one.
    Waker(Option<Waker>),
    /// A sender has it.
    Taken,
}

/// What came of an attempt to wait.
#[derive(PartialEq, Eq)]
pub(super) enum Waits {
    /// The waker will be called.
    Yes,
    /// Something was published meanwhile.
    Published,
    /// A sender has not yet let go of the last waker: ask again soon.
    Busy,
}

// SAFETY:
// - values go from senders to the receiver; nobody gets a reference to one in the queue.
unsafe impl<T: Send> Send for Queue<T> {}
// SAFETY:
// - a slot has one writer, which claimed its index, and one reader, the receiver, which reads
//   what was published. The waker's cell has one owner at a time, as the head of this file says.
unsafe impl<T: Send> Sync for Queue<T> {}
// SAFETY:
// - it is the receiver's part of the queue.
unsafe impl<T: Send> Send for Cursor<T> {}
// SAFETY:
// - through `&` there is only the index to be read.
unsafe impl<T: Send> Sync for Cursor<T> {}

// Values are only moved through: whoever catches a panic finds none of them half changed.
impl<T> UnwindSafe for Cursor<T> {}
impl<T> RefUnwindSafe for Cursor<T> {}

impl<T> Queue<T> {
    pub(super) fn new() -> (Self, Cursor<T>) {
        let block = Block::alloc(0);
        let cursor = || Cursor { index: 0, head: block, first: block, waits: false };
        let queue = Self {
            send: Padded(SendSide {
                tail: Tail(AtomicUsize::new(0)),
                tail_block: AtomicPtr::new(block.as_ptr()),
            }),
            wake: Padded(WakeSide {
                waker: UnsafeCell::new(MaybeUninit::uninit()),
                full: AtomicBool::new(false),
                end: AtomicUsize::new(NONE),
                ended: AtomicBool::new(false),
                left: UnsafeCell::new(cursor()),
            }),
        };
        (queue, cursor())
    }

    #[inline]
    pub(super) fn tail(&self) -> &Tail {
        &self.send.tail
    }

    /// Sends a value.
    #[inline]
    pub(super) fn push(&self, value: T) {
        self.fill(self.send.tail.claim(), value);
    }

    /// Sends a value, unless the queue is closed.
    #[inline]
    pub(super) fn push_open(&self, value: T) -> Result<(), T> {
        match self.send.tail.claim_open() {
            Some(index) => {
                self.fill(index, value);
                Ok(())
            }
            None => Err(value),
        }
    }

    #[inline]
    fn fill(&self, index: usize, value: T) {
        let block = self.find(index);
        // SAFETY: the block of an index that is not published is not freed.
        let block = unsafe { block.as_ref() };
        // SAFETY: claimed by our caller.
        unsafe { block.write(index, value) };
        if block.publish(index) {
            self.wake_receiver();
        }
    }

    /// Tells the receiver that nothing comes any more. Only the first call counts; nobody sends
    /// after it.
    #[cold]
    pub(super) fn end(&self) {
        if self.wake.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        let index = self.send.tail.claim();
        let block = self.find(index);
        self.wake.end.store(index, Ordering::Release);
        // SAFETY: the block of an index that is not published is not freed.
        if unsafe { block.as_ref() }.publish(index) {
            self.wake_receiver();
        }
    }

    /// The caller owns the waker, by what `publish` returned.
    #[cold]
    fn wake_receiver(&self) {
        if canary("mpsc_full_early") {
            self.wake.full.store(false, Ordering::Release);
        }
        let waker = self.wake.waker.with(|waker| {
            // SAFETY: ours, and filled: WAITS was set.
            let waker = unsafe { &*waker };
            // SAFETY: read once, by the one sender of that slot.
            unsafe { waker.assume_init_read() }
        });
        self.wake.full.store(false, Ordering::Release);
        waker.wake();
    }

    /// The block of a claimed index, which is not freed before the index is published.
    #[inline]
    fn find(&self, index: usize) -> NonNull<Block<T>> {
        let block = self.send.tail_block.load(Ordering::Acquire);
        // SAFETY: never null; not freed: we claimed an index, and it is at or behind that block.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: as above.
        let distance = start_of(index) - unsafe { block.as_ref() }.start();
        if distance == 0 { block } else { self.find_slow(block, index, distance) }
    }

    #[cold]
    fn find_slow(
        &self,
        mut block: NonNull<Block<T>>,
        index: usize,
        distance: usize,
    ) -> NonNull<Block<T>> {
        // Of a block's senders the first ones move the tail on; the more there is to do, the more
        // of them.
        let mut moves = distance / BLOCK > offset(index);
        loop {
            // SAFETY: at or before the block of our index, and not freed (see `find`).
            let this = unsafe { block.as_ref() };
            if this.start() == start_of(index) {
                return block;
            }
            let next = this.next_or_alloc();
            moves = moves && this.is_full() && self.move_tail(block, next);
            block = next;
        }
    }

    fn move_tail(&self, from: NonNull<Block<T>>, to: NonNull<Block<T>>) -> bool {
        let moved = self.send.tail_block.compare_exchange(
            from.as_ptr(),
            to.as_ptr(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        if moved.is_ok() {
            // A read-modify-write, so that later claims see the move.
            let tail = self.send.tail.0.fetch_add(0, Ordering::AcqRel) / ONE;
            // SAFETY: not freed: it is not released yet.
            unsafe { from.as_ref() }.release(tail);
        }
        moved.is_ok()
    }

    /// Messages between `index` and the tail, and claims that are not published yet.
    pub(super) fn len(&self, index: usize) -> usize {
        let tail = self.send.tail.index();
        tail.min(self.wake.end.load(Ordering::Acquire)) - index
    }
}

impl<T> Cursor<T> {
    /// The block of `index`, if there is one yet.
    #[inline]
    fn block(&mut self, queue: &Queue<T>) -> Option<&Block<T>> {
        // SAFETY: the receiver frees blocks, and never the head.
        let head = unsafe { self.head.as_ref() };
        if head.start() != start_of(self.index) {
            self.head = head.next()?;
            self.reclaim(queue);
        }
        // SAFETY: as above.
        Some(unsafe { self.head.as_ref() })
    }

    /// Reuses the blocks before the head that no sender reaches.
    #[cold]
    fn reclaim(&mut self, queue: &Queue<T>) {
        while self.first != self.head {
            // SAFETY: not freed yet.
            let block = unsafe { self.first.as_ref() };
            let Some(next) = block.next().filter(|_| block.is_free(self.index)) else { return };
            let free = core::mem::replace(&mut self.first, next);
            let tail = queue.send.tail_block.load(Ordering::Acquire);
            // SAFETY: never null.
            let tail = unsafe { NonNull::new_unchecked(tail) };
            // SAFETY:
            // - free: no sender reaches it, and the receiver has had all of its messages.
            // - tail: behind every released block, so in the chain; only we free blocks.
            unsafe { Block::recycle(free, tail) };
        }
    }

    /// Takes the next message.
    ///
    /// # Safety
    /// `queue` is the one that the cursor was made with.
    #[inline]
    pub(super) unsafe fn pop(&mut self, queue: &Queue<T>) -> Popped<T> {
        let index = self.index;
        let Some(block) = self.block(queue) else { return Popped::Nothing };
        if !block.is_ready(index) {
            return Popped::Nothing;
        }
        if queue.wake.end.load(Ordering::Relaxed) == index {
            self.waits = false;
            return Popped::End;
        }
        // SAFETY: published; it is not the end, so it has a value; the index moves on.
        let value = unsafe { block.take(index) };
        self.index = index + 1;
        self.waits = false;
        Popped::Value(value)
    }

    /// Leaves the waker for whoever publishes the next message.
    ///
    /// # Safety
    /// As [`Cursor::pop`].
    pub(super) unsafe fn wait(&mut self, queue: &Queue<T>, waker: &Waker) -> Waits {
        let index = self.index;
        if self.waits {
            let held = queue.wake.waker.with(|held| {
                // SAFETY: nobody writes the cell while WAITS is set. Its sender may have moved
                // the waker out, which leaves its bytes: they are compared, never called.
                let held = unsafe { &*held };
                // SAFETY: filled when WAITS was set.
                unsafe { held.assume_init_ref() }.will_wake(waker)
            });
            if held {
                return Waits::Yes;
            }
            // SAFETY: as our caller's.
            match unsafe { self.forget_waker(queue) } {
                Left::Taken => return Waits::Published,
                Left::Waker(old) => drop(old),
            }
        }
        if queue.wake.full.load(Ordering::Acquire) {
            return Waits::Busy;
        }
        let waker = waker.clone();
        queue.wake.waker.with_mut(|cell| {
            // SAFETY: not full, so the cell is the receiver's.
            unsafe { (*cell).write(waker) };
        });
        queue.wake.full.store(true, Ordering::Relaxed);
        // SAFETY: the head, or the block before the one of `index`: never freed.
        let mut head = unsafe { self.head.as_ref() };
        if head.start() != start_of(index) {
            self.head = head.next_or_alloc();
            // SAFETY: as above.
            head = unsafe { self.head.as_ref() };
        }
        if head.set_waits(index) || canary("mpsc_no_recheck") {
            self.waits = true;
            return Waits::Yes;
        }
        // SAFETY: published before WAITS was set, so nobody takes the waker.
        drop(unsafe { self.take_waker(queue) });
        Waits::Published
    }

    /// Takes the waker back that was left.
    ///
    /// # Safety
    /// As [`Cursor::pop`].
    pub(super) unsafe fn forget_waker(&mut self, queue: &Queue<T>) -> Left {
        if !core::mem::take(&mut self.waits) {
            return Left::Waker(None);
        }
        // SAFETY: the block in which WAITS was set is the head, or its end was not reached.
        if !unsafe { self.head.as_ref() }.clear_waits(self.index) {
            return Left::Taken;
        }
        // SAFETY: the bit was ours, and no sender has seen it.
        Left::Waker(Some(unsafe { self.take_waker(queue) }))
    }

    /// # Safety
    /// The waker's cell is filled, and the receiver's.
    unsafe fn take_waker(&mut self, queue: &Queue<T>) -> Waker {
        let waker = queue.wake.waker.with(|cell| {
            // SAFETY: the receiver's.
            let cell = unsafe { &*cell };
            // SAFETY: filled, and read once.
            unsafe { cell.assume_init_read() }
        });
        queue.wake.full.store(false, Ordering::Relaxed);
        waker
    }

    /// Leaves the blocks to the queue, which frees them when the last sender is gone.
    ///
    /// # Safety
    /// As [`Cursor::pop`]; the cursor is not used again.
    pub(super) unsafe fn leave(&mut self, queue: &Queue<T>) {
        queue.wake.left.with_mut(|left| {
            let cursor =
                Self { index: self.index, head: self.head, first: self.first, waits: false };
            // SAFETY: written by the one receiver, once; read by the queue's drop.
            unsafe { *left = cursor };
        });
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        let left = self.wake.left.get_mut();
        let cursor = Cursor { index: left.index, head: left.head, first: left.first, waits: false };
        Rest { queue: self, cursor }.drain();
    }
}

/// What was sent by a permit after the receiver was gone; goes on after a value whose drop panics.
struct Rest<'a, T> {
    queue: &'a Queue<T>,
    cursor: Cursor<T>,
}

impl<T> Rest<'_, T> {
    fn drain(&mut self) {
        // SAFETY: made together.
        while let Popped::Value(value) = unsafe { self.cursor.pop(self.queue) } {
            drop(value);
        }
    }
}

impl<T> Drop for Rest<'_, T> {
    fn drop(&mut self) {
        self.drain();
        let mut next = Some(self.cursor.first);
        while let Some(block) = next {
            // SAFETY: not freed yet; nobody else is left.
            next = unsafe { block.as_ref() }.next();
            // SAFETY: as above.
            unsafe { Block::free(block) };
        }
    }
}

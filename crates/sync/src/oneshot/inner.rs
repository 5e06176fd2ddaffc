//! The memory of a oneshot channel and the steps of its two sides. All unsafe code of the channel
//! is here; `state` says why each step may do what it does.

#![allow(unsafe_code)]

use super::state::{Last, State};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::panic::Location;
use core::ptr::NonNull;
use core::task::Waker;
use shinkan_base::atomics::UnsafeCell;
use shinkan_base::canary;

struct Inner<T> {
    state: State,
    place: &'static Location<'static>,
    rx_waker: UnsafeCell<MaybeUninit<Waker>>,
    tx_waker: UnsafeCell<MaybeUninit<Waker>>,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// The sender's share of the memory.
pub(super) struct Tx<T>(Share<T>);

/// The receiver's share of the memory.
pub(super) struct Rx<T>(Share<T>);

struct Share<T> {
    inner: NonNull<Inner<T>>,
    _owns: PhantomData<Inner<T>>,
}

/// What the receiver finds.
pub(super) enum Found<T> {
    Value(T),
    /// There is none, and there will be none.
    Never,
    /// There may be one later.
    NotYet,
}

// SAFETY:
// - the value goes from one thread to the other; nobody gets a reference to it.
unsafe impl<T: Send> Send for Share<T> {}
// SAFETY:
// - through `&` there is only the word to be read.
unsafe impl<T: Send> Sync for Share<T> {}

pub(super) fn new<T>(place: &'static Location<'static>) -> (Tx<T>, Rx<T>) {
    let inner = NonNull::from(Box::leak(Box::new(Inner {
        state: State::new(),
        place,
        rx_waker: UnsafeCell::new(MaybeUninit::uninit()),
        tx_waker: UnsafeCell::new(MaybeUninit::uninit()),
        value: UnsafeCell::new(MaybeUninit::uninit()),
    })));
    (Tx(Share { inner, _owns: PhantomData }), Rx(Share { inner, _owns: PhantomData }))
}

impl<T> Share<T> {
    #[inline]
    fn get(&self) -> &Inner<T> {
        // SAFETY:
        // - alive: this side has not set its GONE bit, which takes the share by value.
        unsafe { self.inner.as_ref() }
    }

    /// Frees the memory; value and wakers were taken out before.
    ///
    /// # Safety
    /// Both sides are gone.
    unsafe fn free(self) {
        // SAFETY:
        // - made by `new` from a box; the last side frees it once.
        drop(unsafe { Box::from_raw(self.inner.as_ptr()) });
    }
}

/// Moves what is in a cell out of it.
///
/// # Safety
/// It is there, and is the caller's.
#[inline]
unsafe fn take<V>(cell: &UnsafeCell<MaybeUninit<V>>) -> V {
    cell.with(|value| {
        // SAFETY: the caller's, so nobody writes it meanwhile.
        let value = unsafe { &*value };
        // SAFETY: it is there, and is read once (the caller's word).
        unsafe { value.assume_init_read() }
    })
}

/// Fills a cell.
///
/// # Safety
/// The cell is empty and the caller's.
#[inline]
unsafe fn put<V>(cell: &UnsafeCell<MaybeUninit<V>>, new: V) {
    cell.with_mut(|value| {
        // SAFETY: the caller's alone.
        unsafe { (*value).write(new) };
    });
}

/// Whether the waker in a cell would wake the same task.
///
/// # Safety
/// The caller filled the cell. The other side may have moved the waker out since, which leaves
/// its bytes: they are compared, never called.
#[inline]
unsafe fn would_wake(cell: &UnsafeCell<MaybeUninit<Waker>>, waker: &Waker) -> bool {
    cell.with(|old| {
        // SAFETY: the other side does not write the cell.
        let old = unsafe { &*old };
        // SAFETY: it was filled.
        unsafe { old.assume_init_ref() }.will_wake(waker)
    })
}

impl<T> Tx<T> {
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.0.get().state.load().is_closed()
    }

    #[inline]
    pub(super) fn place(&self) -> &'static Location<'static> {
        self.0.get().place
    }

    /// The number by which both sides know the channel.
    #[inline]
    pub(super) fn address(&self) -> usize {
        self.0.inner.addr().get()
    }

    #[inline]
    pub(super) fn send(self, value: T) -> Result<(), T> {
        let inner = self.0.get();
        // SAFETY: rows 1 and 4: the value's cell is the sender's.
        unsafe { put(&inner.value, value) };
        match inner.state.finish_sender(true) {
            Some(last) => {
                self.leave(last);
                Ok(())
            }
            None => {
                // SAFETY: nothing was published, so what we put is still ours.
                let value = unsafe { take(&inner.value) };
                self.give_up();
                Err(value)
            }
        }
    }

    /// Ends without a value.
    pub(super) fn give_up(self) {
        if let Some(last) = self.0.get().state.finish_sender(false) {
            self.leave(last);
        }
    }

    #[inline]
    fn leave(self, last: Last) {
        match last {
            Last::Gone => {}
            // SAFETY: the receiver was gone, and so are we.
            Last::Free => unsafe { self.0.free() },
            Last::Take { rx, tx } => self.leave_slow(rx, tx),
        }
    }

    fn leave_slow(self, rx: bool, tx: bool) {
        let inner = self.0.get();
        // SAFETY: `finish_sender` cleared the bit, so the waker is ours.
        let rx = rx.then(|| unsafe { take(&inner.rx_waker) });
        // SAFETY: as above.
        let _tx = tx.then(|| unsafe { take(&inner.tx_waker) });
        if inner.state.sender_gone() {
            // SAFETY: the receiver was gone, and so are we.
            unsafe { self.0.free() };
        }
        if let Some(waker) = rx {
            waker.wake();
        }
    }

    /// Whether the receiver has closed the channel; else leaves the waker.
    pub(super) fn poll_closed(&self, waker: &Waker) -> bool {
        let inner = self.0.get();
        let seen = inner.state.load();
        if seen.is_closed() {
            return true;
        }
        if seen.has_tx_waker() {
            // SAFETY: the bit says that we filled the cell.
            if unsafe { would_wake(&inner.tx_waker, waker) } {
                return false;
            }
            if !inner.state.clear_tx_waker().has_tx_waker() {
                // The receiver took it, which it does when it closes.
                return true;
            }
            // SAFETY: we cleared the bit.
            drop(unsafe { take(&inner.tx_waker) });
        }
        // SAFETY: the bit is clear, so the cell is ours.
        unsafe { put(&inner.tx_waker, waker.clone()) };
        if inner.state.set_tx_waker().is_closed() {
            // Closed before the bit was set: the receiver did not see it.
            // It may still see the bit when it is dropped, and then the waker is its own.
            if inner.state.clear_tx_waker().has_tx_waker() {
                // SAFETY: we cleared the bit.
                drop(unsafe { take(&inner.tx_waker) });
            }
            return true;
        }
        false
    }
}

impl<T> Rx<T> {
    #[inline]
    pub(super) fn place(&self) -> &'static Location<'static> {
        self.0.get().place
    }

    /// The number by which both sides know the channel.
    #[inline]
    pub(super) fn address(&self) -> usize {
        self.0.inner.addr().get()
    }

    #[inline]
    pub(super) fn has_value(&self) -> bool {
        self.0.get().state.load().has_value()
    }

    pub(super) fn close(&self) {
        let inner = self.0.get();
        if inner.state.close() {
            // SAFETY: `close` cleared the bit, so the waker is ours.
            unsafe { take(&inner.tx_waker) }.wake();
        }
    }

    /// What there is now. Unless it is `NotYet`, the share is used up.
    #[inline]
    pub(super) fn try_recv(this: &mut Option<Self>) -> Found<T> {
        let Some(rx) = this.as_ref() else { return Found::Never };
        let seen = rx.0.get().state.load();
        if !seen.is_done() && !seen.is_closed() {
            return Found::NotYet;
        }
        match this.take().and_then(Self::finish) {
            Some(value) => Found::Value(value),
            None => Found::Never,
        }
    }

    /// As `try_recv`; leaves the waker where it is `NotYet`.
    #[inline]
    pub(super) fn poll_recv(this: &mut Option<Self>, waker: &Waker) -> Found<T> {
        match Self::try_recv(this) {
            Found::NotYet => match this.as_ref() {
                Some(rx) if rx.leave_waker(waker) => Found::NotYet,
                _ => Self::try_recv(this),
            },
            found => found,
        }
    }

    /// True: the waker is left, and will be called. False: the sender is done.
    fn leave_waker(&self, waker: &Waker) -> bool {
        let inner = self.0.get();
        let seen = inner.state.load();
        if seen.is_done() && !canary("oneshot_done_unseen") {
            // A clear bit would not say that the cell is ours: the sender may be emptying it.
            return false;
        }
        if seen.has_rx_waker() {
            // SAFETY: the bit says that we filled the cell.
            if unsafe { would_wake(&inner.rx_waker, waker) } {
                return true;
            }
            if !inner.state.clear_rx_waker().has_rx_waker() {
                // The sender took it, which it does when it is done.
                return false;
            }
            // SAFETY: we cleared the bit.
            drop(unsafe { take(&inner.rx_waker) });
        }
        if canary("oneshot_bit_first") {
            inner.state.set_rx_waker();
        }
        // SAFETY: the bit is clear, so the cell is ours.
        unsafe { put(&inner.rx_waker, waker.clone()) };
        if inner.state.set_rx_waker().is_done() && !canary("oneshot_no_recheck") {
            // Done before the bit was set: the sender did not see it.
            inner.state.clear_rx_waker();
            // SAFETY: a sender that is done never clears the bit, so we did.
            drop(unsafe { take(&inner.rx_waker) });
            return false;
        }
        true
    }

    /// Ends the receiver's part, with the value if one was sent.
    #[inline]
    pub(super) fn finish(self) -> Option<T> {
        let inner = self.0.get();
        let mut seen = inner.state.load();
        if !seen.is_done() {
            if let Some(last) = inner.state.finish_receiver() {
                self.leave_slow(last);
                return None;
            }
            seen = inner.state.load();
        }
        // SAFETY: row 2: a value that was sent is the receiver's; we are taken by value.
        let value = seen.has_value().then(|| unsafe { take(&inner.value) });
        if seen.is_sender_gone() || inner.state.receiver_gone() {
            // SAFETY: the sender was gone, and so are we.
            unsafe { self.0.free() };
        }
        value
    }

    fn leave_slow(self, last: Last) {
        let Last::Take { rx, tx } = last else { return };
        let inner = self.0.get();
        // SAFETY: `finish_receiver` cleared the bit, so the waker is ours.
        let _rx = rx.then(|| unsafe { take(&inner.rx_waker) });
        // SAFETY: as above.
        let tx = tx.then(|| unsafe { take(&inner.tx_waker) });
        if inner.state.receiver_gone() {
            // SAFETY: the sender was gone, and so are we.
            unsafe { self.0.free() };
        }
        if let Some(waker) = tx {
            waker.wake();
        }
    }
}

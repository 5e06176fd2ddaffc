//! What the handler marks, the readers tell and the listeners wait for. The protocol heads
//! `mod.rs`.

use core::fmt;
use core::task::{Context, Poll, Waker};
use shinkan_base::atomics::{Arc, AtomicBool, AtomicUsize, Mutex, Ordering};
use shinkan_base::canary;
use shinkan_base::wakers::Wakers;

/// One place for each signal, by its number.
pub struct Board {
    places: Box<[Place]>,
    readers: AtomicUsize,
    /// Held by whoever starts a reader, so that a runtime gets one.
    pub(super) starting: Mutex<()>,
}

struct Place {
    /// The handler ran, and no reader has told it yet.
    pending: AtomicBool,
    /// How often it was told. Written under the lock of `waiting`.
    told: AtomicUsize,
    waiting: Mutex<Waiting>,
}

/// The listeners of one signal, each at the index that it was given.
#[derive(Default)]
struct Waiting {
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

/// Someone who listens for one signal.
pub struct Listener {
    board: Arc<Board>,
    place: usize,
    index: usize,
    seen: usize,
}

impl Board {
    /// Places for the signals from 1 to `max`.
    pub fn new(max: i32) -> Self {
        let place = |_| Place {
            pending: AtomicBool::new(false),
            told: AtomicUsize::new(0),
            waiting: Mutex::default(),
        };
        Self {
            places: (0..max).map(place).collect(),
            readers: AtomicUsize::new(0),
            starting: Mutex::new(()),
        }
    }

    fn index(signal: i32) -> usize {
        usize::try_from(signal - 1).expect("signals are counted from 1")
    }

    /// The signal has arrived; `ring` tells the readers. Called by the handler: one atomic
    /// operation and no lock.
    #[inline]
    pub fn raise(&self, signal: i32, ring: impl FnOnce()) {
        let pending = &self.places[Self::index(signal)].pending;
        if canary("signal_ring_before_flag") {
            ring();
            pending.swap(true, Ordering::Release);
            return;
        }
        if canary("signal_flag_stored") {
            pending.store(true, Ordering::Release);
        } else {
            // A swap, since it continues what was raised and not yet told: its writes are seen too.
            pending.swap(true, Ordering::Release);
        }
        ring();
    }

    /// Someone listens from now on, and for what is pending.
    pub fn listen(board: &Arc<Self>, signal: i32) -> Listener {
        let place = Self::index(signal);
        let at = &board.places[place];
        let mut waiting = at.waiting.lock();
        let index = waiting.free.pop().unwrap_or_else(|| {
            waiting.wakers.push(None);
            waiting.wakers.len() - 1
        });
        let seen = at.told.load(Ordering::Relaxed);
        drop(waiting);
        Listener { board: board.clone(), place, index, seen }
    }

    /// Tells what has arrived since the last time and collects the wakers of those who listen.
    /// Called by readers, on any thread and several at once.
    pub fn tell(&self, out: &mut Wakers) {
        for place in &self.places {
            if place.pending.swap(false, Ordering::Acquire) {
                place.tell(out);
            }
        }
    }

    /// Collects the wakers of all, of whom none has anything to receive.
    pub fn disturb(&self, out: &mut Wakers) {
        for place in &self.places {
            place.waiting.lock().take(out);
        }
    }

    /// How many runtimes read signals.
    pub fn readers(&self) -> usize {
        self.readers.load(Ordering::Acquire)
    }

    pub(super) fn add_reader(&self) {
        self.readers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove_reader(&self) {
        self.readers.fetch_sub(1, Ordering::Release);
    }
}

impl Place {
    fn tell(&self, out: &mut Wakers) {
        if canary("signal_wakers_before_count") {
            self.waiting.lock().take(out);
        }
        let mut waiting = self.waiting.lock();
        let told = self.told.load(Ordering::Relaxed).wrapping_add(1);
        let order =
            if canary("signal_told_relaxed") { Ordering::Relaxed } else { Ordering::Release };
        self.told.store(told, order);
        if !canary("signal_wakers_before_count") {
            waiting.take(out);
        }
    }
}

impl Waiting {
    fn take(&mut self, out: &mut Wakers) {
        self.wakers.iter_mut().filter_map(Option::take).for_each(|waker| out.push(waker));
    }
}

impl Listener {
    #[inline]
    fn place(&self) -> &Place {
        &self.board.places[self.place]
    }

    /// Ready if the signal was told since the last time that this was; else `cx` is woken when it
    /// is. The last task that polled is.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(told) = self.news() {
            self.seen = told;
            return Poll::Ready(());
        }
        // Foreign code: not under the lock.
        let mut waker = Some(cx.waker().clone());
        let mut news = None;
        let mut waiting = self.place().waiting.lock();
        if !canary("signal_no_recheck") {
            news = self.news();
        }
        if news.is_none() {
            core::mem::swap(&mut waiting.wakers[self.index], &mut waker);
        }
        drop(waiting);
        match news {
            Some(told) => {
                self.seen = told;
                Poll::Ready(())
            }
            None => Poll::Pending,
        }
    }

    /// The count, where it has gone on.
    #[inline]
    fn news(&self) -> Option<usize> {
        let told = self.place().told.load(Ordering::Acquire);
        (told != self.seen).then_some(told)
    }

    /// The signal's number.
    pub fn signal(&self) -> i32 {
        i32::try_from(self.place + 1).expect("made of one")
    }

    /// Where it listens.
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut waiting = self.place().waiting.lock();
        let waker = waiting.wakers[self.index].take();
        waiting.free.push(self.index);
        drop(waiting);
        drop(waker);
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("readers", &self.readers()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("signal", &self.signal()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(shinkan_loom)))]
mod tests {
    use super::*;

    fn tell(board: &Board) {
        let mut out = Wakers::new();
        board.tell(&mut out);
        out.wake_all();
    }

    fn is_ready(listener: &mut Listener) -> bool {
        listener.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn several_are_one_until_somebody_looks() {
        let board = Arc::new(Board::new(3));
        let (mut one, mut other) = (Board::listen(&board, 2), Board::listen(&board, 2));
        let mut third = Board::listen(&board, 3);
        let mut rings = 0;
        (0..3).for_each(|_| board.raise(2, || rings += 1));
        assert_eq!((rings, is_ready(&mut one)), (3, false));
        tell(&board);
        assert!(is_ready(&mut one) && !is_ready(&mut one));
        board.raise(2, || {});
        tell(&board);
        tell(&board);
        assert!(is_ready(&mut one) && !is_ready(&mut one));
        assert!(is_ready(&mut other) && !is_ready(&mut other));
        assert!(!is_ready(&mut third));
    }

    #[test]
    fn what_is_pending_reaches_a_new_listener_and_what_was_told_does_not() {
        let board = Arc::new(Board::new(1));
        board.raise(1, || {});
        let mut early = Board::listen(&board, 1);
        tell(&board);
        let mut late = Board::listen(&board, 1);
        assert!(is_ready(&mut early) && !is_ready(&mut late));
    }

    #[test]
    fn places_of_listeners_are_used_again() {
        let board = Arc::new(Board::new(1));
        let kept = Board::listen(&board, 1);
        for _ in 0..100 {
            let mut again = Board::listen(&board, 1);
            assert!(!is_ready(&mut again));
            assert_eq!((kept.index, again.index), (0, 1));
        }
        assert_eq!(board.places[0].waiting.lock().wakers.len(), 2);
    }

    #[test]
    fn the_last_waker_is_called_and_none_is_kept() {
        let board = Arc::new(Board::new(1));
        let count = std::sync::Arc::new(());
        struct Held(#[expect(dead_code)] std::sync::Arc<()>);
        impl std::task::Wake for Held {
            fn wake(self: std::sync::Arc<Self>) {}
        }
        let mut listener = Board::listen(&board, 1);
        for _ in 0..3 {
            let waker = Waker::from(std::sync::Arc::new(Held(count.clone())));
            assert!(listener.poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(std::sync::Arc::strong_count(&count), 2);
        board.raise(1, || {});
        tell(&board);
        assert_eq!(std::sync::Arc::strong_count(&count), 1);
        let waker = Waker::from(std::sync::Arc::new(Held(count.clone())));
        assert!(is_ready(&mut listener));
        assert!(listener.poll(&mut Context::from_waker(&waker)).is_pending());
        drop((listener, waker));
        assert_eq!(std::sync::Arc::strong_count(&count), 1);
    }
}

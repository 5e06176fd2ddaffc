use super::{Item, Local, Pushed, new, new_at};
use core::ptr::NonNull;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Counts how often it was dropped.
struct Token(Box<(usize, Arc<Vec<AtomicU32>>)>);

impl Token {
    fn number(&self) -> usize {
        self.0.0
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.1[self.0.0].fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: a box's pointer, which is turned back into the box.
unsafe impl Item for Token {
    fn into_raw(self) -> NonNull<()> {
        let token = core::mem::ManuallyDrop::new(self);
        // SAFETY: `token` is never dropped, so the box is read once.
        let inner = unsafe { core::ptr::read(&token.0) };
        NonNull::from(Box::leak(inner)).cast()
    }

    unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: from `into_raw`, turned back once (the caller's word).
        Self(unsafe { Box::from_raw(raw.as_ptr().cast()) })
    }
}

/// Tokens `0..n`, and how often each was dropped.
fn tokens(n: usize) -> (impl Iterator<Item = Token>, Arc<Vec<AtomicU32>>) {
    let drops: Arc<Vec<AtomicU32>> = Arc::new((0..n).map(|_| AtomicU32::new(0)).collect());
    let of = drops.clone();
    ((0..n).map(move |number| Token(Box::new((number, of.clone())))), drops)
}

fn each_dropped_once(drops: &[AtomicU32]) {
    for (number, count) in drops.iter().enumerate() {
        assert_eq!(count.load(Ordering::Relaxed), 1, "token {number}");
    }
}

fn push<const N: usize>(local: &mut Local<Token, N>, token: Token) -> Pushed {
    local.push(token).map_err(|token| token.number()).expect("room for this token")
}

fn fill<const N: usize>(local: &mut Local<Token, N>, tokens: impl Iterator<Item = Token>) {
    for token in tokens {
        push(local, token);
    }
}

fn drain<const N: usize>(local: &mut Local<Token, N>) -> Vec<usize> {
    core::iter::from_fn(|| local.pop()).map(|token| token.number()).collect()
}

/// Start indices on both sides of the wrap.
const STARTS: [u32; 4] = [0, u32::MAX - 6, u32::MAX - 1, u32::MAX];

#[test]
fn first_in_first_out_and_full_at_its_capacity() {
    for start in STARTS {
        let (tokens, drops) = tokens(9);
        let (mut local, _) = new_at::<Token, 8>(start);
        for token in tokens {
            let number = token.number();
            match local.push(token) {
                Ok(pushed) => assert_eq!(pushed.was_empty, number == 0),
                Err(token) => assert_eq!((token.number(), number), (8, 8)),
            }
            assert_eq!(
                (local.len(), local.room()),
                ((number + 1).min(8), 7usize.saturating_sub(number))
            );
        }
        assert_eq!(drain(&mut local), (0..8).collect::<Vec<_>>());
        assert!(local.is_empty() && local.pop().is_none());
        each_dropped_once(&drops);
    }
}

#[test]
fn a_push_after_the_last_pop_finds_it_empty() {
    let (mut tokens, _drops) = tokens(3);
    let (mut local, _) = new::<Token, 4>();
    assert!(push(&mut local, tokens.next().unwrap()).was_empty);
    assert!(!push(&mut local, tokens.next().unwrap()).was_empty);
    drain(&mut local);
    assert!(push(&mut local, tokens.next().unwrap()).was_empty);
}

#[test]
fn overflow_takes_the_newer_half_and_leaves_the_older() {
    for start in STARTS {
        let (mut tokens, drops) = tokens(10);
        let (mut local, stealer) = new_at::<Token, 8>(start);
        assert_eq!(local.take_half(drop), 0, "an empty ring");
        fill(&mut local, tokens.by_ref().take(8));
        let mut taken = Vec::new();
        assert_eq!(local.take_half(|token| taken.push(token.number())), 4);
        assert_eq!(taken, [4, 5, 6, 7]);
        assert_eq!((local.len(), stealer.len()), (4, 4));
        fill(&mut local, tokens);
        assert_eq!(drain(&mut local), [0, 1, 2, 3, 8, 9]);
        each_dropped_once(&drops);
    }
}

#[test]
fn a_panic_in_the_overflow_loses_none() {
    let (tokens, drops) = tokens(8);
    let (mut local, _) = new::<Token, 8>();
    fill(&mut local, tokens);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        local.take_half(|token| assert_ne!(token.number(), 5));
    }));
    assert!(panic.is_err());
    assert_eq!(drain(&mut local), [0, 1, 2, 3]);
    each_dropped_once(&drops);
}

#[test]
fn a_thief_takes_the_older_half_in_order() {
    for start in STARTS {
        let (tokens, drops) = tokens(7);
        let (mut victim, stealer) = new_at::<Token, 8>(start);
        let (mut thief, _) = new_at::<Token, 8>(start ^ 5);
        assert!(stealer.steal_into(&mut thief).is_none());
        fill(&mut victim, tokens);
        assert_eq!(stealer.steal_into(&mut thief).map(|token| token.number()), Some(0));
        assert_eq!(drain(&mut thief), [1, 2, 3]);
        assert_eq!(drain(&mut victim), [4, 5, 6]);
        each_dropped_once(&drops);
    }
}

#[test]
fn a_thief_takes_no_more_than_it_has_room_for() {
    let (mut tokens, drops) = tokens(15);
    let (mut victim, stealer) = new::<Token, 8>();
    let (mut thief, _) = new::<Token, 8>();
    fill(&mut victim, tokens.by_ref().take(8));
    fill(&mut thief, tokens);
    assert_eq!(stealer.steal_into(&mut thief).map(|token| token.number()), Some(0));
    assert_eq!((thief.len(), victim.len()), (8, 6));
    assert_eq!(stealer.steal_into(&mut thief).map(|token| token.number()), Some(2));
    assert_eq!(drain(&mut thief), [8, 9, 10, 11, 12, 13, 14, 1]);
    assert_eq!(drain(&mut victim), [3, 4, 5, 6, 7]);
    each_dropped_once(&drops);
}

#[test]
fn what_is_filled_in_is_seen_when_it_is_finished_and_no_sooner() {
    for start in STARTS {
        let (mut tokens, drops) = tokens(5);
        let (mut local, stealer) = new_at::<Token, 8>(start);
        let (mut thief, _) = new::<Token, 8>();
        push(&mut local, tokens.next().unwrap());
        let mut filling = local.fill();
        for token in tokens {
            assert!(filling.push(token).is_ok());
        }
        assert_eq!((stealer.len(), stealer.first()), (1, Some(start)));
        assert_eq!(filling.finish(), Some(Pushed { was_empty: false }));
        assert_eq!((local.len(), local.room(), local.end()), (5, 3, start.wrapping_add(5)));
        assert_eq!(stealer.steal_into(&mut thief).map(|token| token.number()), Some(0));
        assert_eq!(drain(&mut thief), [1, 2]);
        assert_eq!(drain(&mut local), [3, 4]);
        each_dropped_once(&drops);
    }
}

#[test]
fn a_filling_that_is_dropped_is_finished() {
    for start in STARTS {
        let (tokens, drops) = tokens(4);
        let (mut local, stealer) = new_at::<Token, 4>(start);
        let filled = catch_unwind(AssertUnwindSafe(|| {
            let mut filling = local.fill();
            for token in tokens {
                let last = token.number() == 3;
                assert!(filling.push(token).is_ok());
                assert!(!last, "in the middle of it");
            }
        }));
        assert!(filled.is_err());
        assert_eq!((stealer.len(), local.end()), (4, start.wrapping_add(4)));
        drop(local.fill());
        assert_eq!(drain(&mut local), [0, 1, 2, 3]);
        each_dropped_once(&drops);
    }
}

#[test]
fn a_filling_has_the_room_that_there_was_when_it_began() {
    for start in STARTS {
        let (mut tokens, drops) = tokens(8);
        let (mut local, stealer) = new_at::<Token, 4>(start);
        let (mut thief, _) = new::<Token, 4>();
        fill(&mut local, tokens.by_ref().take(2));
        let mut filling = local.fill();
        let mut refused = Vec::new();
        for token in tokens.by_ref().take(3) {
            refused.extend(filling.push(token).err().map(|token| token.number()));
        }
        assert_eq!(refused, [4]);
        assert_eq!(stealer.steal_into(&mut thief).map(|token| token.number()), Some(0));
        let late = filling.push(tokens.next().unwrap());
        assert_eq!(late.err().map(|token| token.number()), Some(5), "room of a thief's making");
        assert_eq!(filling.finish(), Some(Pushed { was_empty: false }));
        assert_eq!((local.len(), local.room()), (3, 1));

        let mut filling = local.fill();
        assert!(filling.push(tokens.next().unwrap()).is_ok());
        drop(filling);
        assert_eq!(local.room(), 0);
        let mut filling = local.fill();
        let full = filling.push(tokens.next().unwrap());
        assert_eq!(full.err().map(|token| token.number()), Some(7));
        assert_eq!(filling.finish(), None);
        assert_eq!(drain(&mut local), [1, 2, 3, 6]);
        each_dropped_once(&drops);
    }
}

#[test]
fn a_filling_says_whether_nothing_else_was_left() {
    for start in STARTS {
        let (mut tokens, drops) = tokens(6);
        let (mut local, stealer) = new_at::<Token, 8>(start);
        let (mut thief, _) = new::<Token, 8>();
        let mut two = |local: &mut Local<Token, 8>, meanwhile: &mut dyn FnMut()| {
            let mut filling = local.fill();
            for token in tokens.by_ref().take(2) {
                assert!(filling.push(token).is_ok());
            }
            meanwhile();
            filling.finish().map(|pushed| pushed.was_empty)
        };
        assert_eq!(two(&mut local, &mut || ()), Some(true), "an empty ring");
        let one = &mut || drop(stealer.steal_into(&mut thief));
        assert_eq!(two(&mut local, one), Some(false), "a thief left one of two");
        let all = &mut || {
            while stealer.steal_into(&mut thief).is_some() {
                drain(&mut thief);
            }
        };
        assert_eq!(two(&mut local, all), Some(true), "a thief took all that was there");
        assert_eq!(drain(&mut local), [4, 5]);
        each_dropped_once(&drops);
    }
}

#[test]
fn a_filling_of_nothing_leaves_the_ring_as_it_was() {
    let (tokens, drops) = tokens(2);
    let (mut local, stealer) = new_at::<Token, 2>(u32::MAX);
    for _ in 0..2 {
        assert_eq!(local.fill().finish(), None);
        assert_eq!((local.start(), local.end(), stealer.first()), (u32::MAX, u32::MAX, None));
    }
    fill(&mut local, tokens);
    assert_eq!(local.fill().finish(), None);
    assert_eq!((local.start(), local.end(), stealer.len()), (u32::MAX, 1, 2));
    assert_eq!(drain(&mut local), [0, 1]);
    each_dropped_once(&drops);
}

#[test]
fn the_last_handle_drops_what_is_left() {
    let (tokens, drops) = tokens(5);
    let (mut local, stealer) = new_at::<Token, 8>(u32::MAX - 2);
    fill(&mut local, tokens);
    drop(local);
    assert_eq!(drops[0].load(Ordering::Relaxed), 0);
    let (mut thief, _) = new::<Token, 8>();
    assert_eq!(stealer.clone().steal_into(&mut thief).map(|token| token.number()), Some(0));
    drop(stealer);
    drop(thief);
    each_dropped_once(&drops);
}

#[test]
fn every_item_is_taken_once_under_two_threads() {
    const ITEMS: usize = if cfg!(miri) { 200 } else { 200_000 };
    let (tokens, drops) = tokens(ITEMS);
    let (mut local, stealer) = new_at::<Token, 8>(u32::MAX - 1_000);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut mine, _) = new_at::<Token, 8>(u32::MAX - 100);
            loop {
                // Looked at before the attempt: what was pushed before the end is found.
                let last = done.load(Ordering::Acquire);
                let stolen = stealer.steal_into(&mut mine);
                if stolen.is_none() && last {
                    break;
                }
                let mut before = stolen.map(|token| token.number());
                while let Some(token) = mine.pop() {
                    assert!(before < Some(token.number()), "out of order");
                    before = Some(token.number());
                }
            }
        });
        for token in tokens {
            let turn = token.number();
            let mut next = Some(token);
            while let Some(token) = next.take() {
                if let Err(token) = local.push(token) {
                    if turn % 3 == 0 {
                        local.take_half(drop);
                    } else {
                        drop(local.pop());
                    }
                    next = Some(token);
                }
            }
            if turn % 5 == 0 {
                drop(local.pop());
            }
        }
        drain(&mut local);
        done.store(true, Ordering::Release);
    });
    each_dropped_once(&drops);
}

#[test]
fn to_fetch_the_first_ahead_takes_nothing() {
    let (mut local, stealer) = new::<&'static u32, 2>();
    local.prefetch_first::<8>();
    for item in [&1, &2] {
        assert!(local.push(item).is_ok());
        local.prefetch_first::<8>();
    }
    assert_eq!((local.len(), stealer.len()), (2, 2));
    assert_eq!((local.pop(), local.pop(), local.pop()), (Some(&1), Some(&2), None));
    local.prefetch_first::<8>();
}

//! A thief reads slots while the owner fills them anew.
#![cfg(shinkan_loom)]

use loom::sync::atomic::{Ordering, fence};
use loom::thread;
use shinkan_base::ring;

static ITEMS: [u32; 5] = [0, 1, 2, 3, 4];

/// Every item is taken once, in a ring so small that each push needs the slot of one just taken.
#[test]
fn a_slot_is_filled_after_it_was_read() {
    loom::model(|| {
        let (mut local, stealer) = ring::new_at::<&'static u32, 2>(u32::MAX);
        let mut pushed = 0;
        let mut push = |local: &mut ring::Local<&'static u32, 2>| {
            if local.push(&ITEMS[pushed]).is_ok() {
                pushed += 1;
            }
        };
        push(&mut local);
        push(&mut local);
        let thief = thread::spawn(move || {
            let (mut mine, _) = ring::new::<&'static u32, 2>();
            let stolen = stealer.steal_into(&mut mine);
            assert!(mine.is_empty());
            stolen
        });
        let mut taken: Vec<u32> = local.pop().into_iter().copied().collect();
        push(&mut local);
        // A slot that the thief may be reading.
        local.prefetch_first::<1>();
        push(&mut local);
        taken.extend(thief.join().unwrap());
        taken.extend(core::iter::from_fn(|| local.pop()));
        taken.sort_unstable();
        assert_eq!(taken, ITEMS[..pushed]);
    });
}

/// What a thief finds was written before.
#[test]
fn a_pushed_item_is_there() {
    loom::model(|| {
        let (mut local, stealer) = ring::new::<&'static u32, 4>();
        let thief = thread::spawn(move || {
            let (mut mine, _) = ring::new::<&'static u32, 4>();
            let mut stolen: Vec<u32> = stealer.steal_into(&mut mine).into_iter().copied().collect();
            stolen.extend(mine.pop());
            stolen
        });
        for item in &ITEMS[..3] {
            assert!(local.push(item).is_ok());
        }
        let mut taken = thief.join().unwrap();
        taken.extend(core::iter::from_fn(|| local.pop()));
        assert_eq!(taken, ITEMS[..3], "lost, doubled, or out of order");
    });
}

/// A thief takes the last item and goes to sleep; the owner pushes another. Either the thief sees it
/// in its last look, or the push says that somebody has to be told.
#[test]
fn a_push_beside_a_thief_that_goes_to_sleep_is_announced() {
    loom::model(|| {
        let (mut local, stealer) = ring::new::<&'static u32, 4>();
        assert!(local.push(&ITEMS[0]).is_ok_and(|pushed| pushed.was_empty));
        let thief = thread::spawn(move || {
            let (mut mine, _) = ring::new::<&'static u32, 4>();
            let taken = stealer.steal_into(&mut mine).is_some();
            fence(Ordering::SeqCst);
            (taken, mine.is_empty(), !stealer.is_empty())
        });
        let told = local.push(&ITEMS[1]).is_ok_and(|pushed| pushed.was_empty);
        let (taken, only_one, seen) = thief.join().unwrap();
        if taken && only_one {
            assert!(told || seen, "the thief sleeps and nobody was told");
        }
    });
}

//! The owner fills in two items at once while a thief is there.
#![cfg(shinkan_loom)]

use loom::sync::atomic::{Ordering, fence};
use loom::thread;
use shinkan_base::ring::{self, Local, Pushed, Stealer};

static ITEMS: [u32; 4] = [0, 1, 2, 3];

/// Fills in what there is room for.
fn fill<const N: usize>(
    local: &mut Local<&'static u32, N>,
    items: &'static [u32],
) -> (usize, Option<Pushed>) {
    let mut filling = local.fill();
    let filled = items.iter().take_while(|&item| filling.push(item).is_ok()).count();
    (filled, filling.finish())
}

/// One theft.
fn steal<const N: usize>(stealer: &Stealer<&'static u32, N>) -> Vec<u32> {
    let (mut mine, _) = ring::new::<&'static u32, N>();
    let first = stealer.steal_into(&mut mine);
    first.into_iter().chain(core::iter::from_fn(|| mine.pop())).copied().collect()
}

fn drain<const N: usize>(local: &mut Local<&'static u32, N>) -> Vec<u32> {
    core::iter::from_fn(|| local.pop()).copied().collect()
}

/// What a thief finds was written before, and it finds both items or none.
#[test]
fn what_was_filled_in_is_there() {
    loom::model(|| {
        let (mut local, stealer) = ring::new_at::<&'static u32, 4>(u32::MAX);
        let thief = thread::spawn(move || (stealer.len(), steal(&stealer)));
        let told = Some(Pushed { was_empty: true });
        assert_eq!(fill(&mut local, &ITEMS[..2]), (2, told));
        let (seen, mut taken) = thief.join().unwrap();
        assert!((seen == 0 || seen == 2) && taken.len() <= 1, "{seen} seen, {taken:?} taken");
        taken.extend(drain(&mut local));
        assert_eq!(taken, ITEMS[..2], "lost, doubled, or out of order");
    });
}

/// The slots that are filled are those that a thief is reading, or was: none before it is done.
#[test]
fn a_slot_is_filled_after_it_was_read() {
    loom::model(|| {
        let (mut local, stealer) = ring::new_at::<&'static u32, 2>(u32::MAX);
        assert_eq!(fill(&mut local, &ITEMS[..2]).0, 2);
        let thief = thread::spawn(move || steal(&stealer));
        let mut taken: Vec<u32> = local.pop().into_iter().copied().collect();
        let (filled, _) = fill(&mut local, &ITEMS[2..]);
        taken.extend(thief.join().unwrap());
        taken.extend(drain(&mut local));
        taken.sort_unstable();
        assert_eq!(taken, ITEMS[..2 + filled]);
    });
}

/// A thief takes the last item and goes to sleep; the owner fills in two more. Either the thief sees
/// them in its last look, or the owner is told that somebody has to be woken.
#[test]
fn a_filling_beside_a_thief_that_goes_to_sleep_is_announced() {
    loom::model(|| {
        let (mut local, stealer) = ring::new::<&'static u32, 4>();
        assert!(local.push(&ITEMS[0]).is_ok_and(|pushed| pushed.was_empty));
        let thief = thread::spawn(move || {
            let taken = steal(&stealer);
            fence(Ordering::SeqCst);
            (taken, !stealer.is_empty())
        });
        let (filled, pushed) = fill(&mut local, &ITEMS[1..3]);
        assert_eq!(filled, 2);
        let (taken, seen) = thief.join().unwrap();
        if taken == ITEMS[..1] {
            let told = pushed.is_some_and(|pushed| pushed.was_empty);
            assert!(told || seen, "the thief sleeps and nobody was told");
        }
    });
}

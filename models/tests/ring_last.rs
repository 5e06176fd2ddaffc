//! A thief and the owner want the last item.
#![cfg(shinkan_loom)]

use loom::thread;
use shinkan_base::ring;

static ITEMS: [u32; 2] = [0, 1];

/// One of the two gets it, and the ring is empty and of use afterwards.
#[test]
fn the_last_item_goes_to_one() {
    loom::model(|| {
        let (mut local, stealer) = ring::new_at::<&'static u32, 4>(u32::MAX);
        assert_eq!(local.push(&ITEMS[0]).map(|pushed| pushed.was_empty), Ok(true));
        let thief = thread::spawn(move || {
            let (mut mine, _) = ring::new::<&'static u32, 4>();
            let stolen = stealer.steal_into(&mut mine);
            assert!(mine.is_empty());
            stolen
        });
        let popped = local.pop();
        let stolen = thief.join().unwrap();
        assert!(popped.is_some() != stolen.is_some(), "{popped:?} and {stolen:?}");
        assert!(local.is_empty() && local.room() == 4);
        assert_eq!(local.push(&ITEMS[1]).map(|pushed| pushed.was_empty), Ok(true));
        assert_eq!(local.pop(), Some(&ITEMS[1]));
    });
}

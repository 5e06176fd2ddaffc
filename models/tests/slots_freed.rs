//! An event that was harvested late, while the chunk of its slot is freed and made anew.
#![cfg(shinkan_loom)]

use loom::sync::Arc;
use loom::thread;
use shinkan_base::wakers::Wakers;
use shinkan_driver::{Driver, Interest, Ready};

#[test]
fn a_late_event_meets_no_chunk_or_no_next_owner() {
    loom::model(|| {
        let driver = Arc::new(Driver::sim(0));
        let register = |start| driver.io().register(0, Interest::READABLE, start).unwrap();
        // The second one's slot is in a chunk that goes with the last owner of all.
        let (first, second) = (register(Ready::EMPTY), register(Ready::EMPTY));
        let late = thread::spawn({
            let (driver, token) = (driver.clone(), second.token());
            move || driver.apply(token, Ready::READABLE, &mut Wakers::new())
        });
        drop((second, first));
        let (_first, second) = (register(Ready::EMPTY), register(Ready::WRITABLE));
        late.join().unwrap();
        let ready = second.ready_event(Interest::READABLE | Interest::WRITABLE).ready;
        assert_eq!(ready, Ready::WRITABLE, "what it started with, and nothing of another's event");
    });
}

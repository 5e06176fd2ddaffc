//! A signal that no reader has seen yet. Alone in its process: a runtime of another test would see
//! it first.

use rustix::process::{Signal as Raised, getpid, kill_process};
use shinkan::runtime::Builder;
use shinkan::signal::unix::{SignalKind, signal};

#[test]
fn it_reaches_a_listener_that_is_made_before_it_is_seen() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for _ in 0..10 {
            drop(signal(SignalKind::hangup()).unwrap());
            kill_process(getpid(), Raised::HUP).unwrap();
            let mut later = signal(SignalKind::hangup()).unwrap();
            assert_eq!(later.recv().await, Some(()));
        }
    });
}

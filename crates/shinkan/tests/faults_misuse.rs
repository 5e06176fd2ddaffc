//! Calls in the wrong place: each says what was called, where, and what to do instead; and the
//! runtime goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use shinkan::runtime::{Builder, Handle, Runtime};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The message and the file of the panic of `f`.
fn panic_of(f: impl FnOnce()) -> (String, String) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let file = Arc::new(Mutex::new(String::new()));
    let before = std::panic::take_hook();
    let seen = file.clone();
    let here = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        // Another test's worker may panic meanwhile.
        if std::thread::current().id() != here {
            return;
        }
        let place = info.location().map(|place| place.file().to_owned());
        *seen.lock().unwrap() = place.unwrap_or_default();
    }));
    let panic = catch_unwind(AssertUnwindSafe(f));
    std::panic::set_hook(before);
    let panic = panic.expect_err("it panics");
    let text = match panic.downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => panic.downcast_ref::<String>().expect("a text").clone(),
    };
    (text, file.lock().unwrap().clone())
}

#[track_caller]
fn says(words: &[&str], f: impl FnOnce()) {
    let (text, file) = panic_of(f);
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
    assert!(file.ends_with("faults_misuse.rs"), "the place is {file}, with: {text}");
}

#[test]
fn outside_a_runtime() {
    let remedy = &["runtime", "Handle::enter"][..];
    says(remedy, || drop(shinkan::spawn(async {})));
    says(remedy, || drop(shinkan::task::spawn_blocking(|| ())));
    says(remedy, || drop(shinkan::time::sleep(shinkan::time::Duration::ZERO)));
    says(remedy, || drop(shinkan::time::interval(shinkan::time::Duration::from_secs(1))));
    says(remedy, || drop(Handle::current()));
    says(&["LocalSet", "enter"], || drop(shinkan::task::spawn_local(async {})));
    let error = Handle::try_current().unwrap_err();
    assert!(error.is_missing_context() && !error.is_thread_local_destroyed());
}

#[test]
fn block_on_inside_a_runtime() {
    let runtime = Runtime::new().unwrap();
    says(&["block_on", "spawn_blocking"], || {
        runtime.block_on(async { Runtime::new().unwrap().block_on(async {}) });
    });
    says(&["block_on", "spawn_blocking"], || {
        runtime.block_on(async { Handle::current().block_on(async {}) });
    });
    assert_eq!(runtime.block_on(async { 1 }), 1);
}

#[test]
fn a_runtime_that_is_dropped_in_a_task() {
    let runtime = Runtime::new().unwrap();
    // A drop has no caller whose place it could name.
    let (text, _) = panic_of(|| runtime.block_on(async { drop(Runtime::new().unwrap()) }));
    assert!(text.contains("drop") && text.contains("shutdown_background"), "{text}");
    let inner = Runtime::new().unwrap();
    let task = runtime.spawn(async move { drop(inner) });
    assert!(runtime.block_on(task).unwrap_err().is_panic());
    assert_eq!(runtime.block_on(runtime.spawn(async { 1 })).unwrap(), 1);
}

#[test]
fn numbers_that_make_no_sense() {
    says(&["worker_threads"], || {
        Builder::new_multi_thread().worker_threads(0);
    });
    says(&["blocking"], || {
        Builder::new_multi_thread().max_blocking_threads(0);
    });
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    says(&["period", "zero"], || {
        runtime.block_on(async { drop(shinkan::time::interval(shinkan::time::Duration::ZERO)) });
    });
}

#[test]
fn what_was_not_enabled() {
    let runtime = Builder::new_current_thread().build().unwrap();
    says(&["enable_time"], || {
        runtime.block_on(async { drop(shinkan::time::sleep(shinkan::time::Duration::ZERO)) });
    });
    says(&["enable_io"], || {
        runtime.block_on(async { drop(shinkan::net::UnixDatagram::unbound()) });
    });
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async { shinkan::net::UnixDatagram::unbound() }).unwrap();
}

#[test]
fn a_clock_that_is_not_stopped_where_it_must_be() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    says(&["time::resume"], || runtime.block_on(async { shinkan::time::resume() }));
    says(&["time::pause"], || {
        runtime.block_on(async {
            shinkan::time::pause();
            shinkan::time::pause();
        });
    });
    let several = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    says(&["current_thread"], || several.block_on(async { shinkan::time::pause() }));
}

//! A task that waits for readiness against the thread that reports it: no edge is lost.
#![cfg(shinkan_loom)]

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use shinkan_base::wait::WaitKind;
use shinkan_base::wakers::Wakers;
use shinkan_driver::{Direction, Driver, Interest, Ready, Source};
use std::future::poll_fn;
use std::io;
use std::panic::Location;

struct World {
    driver: Driver,
    source: Source,
    // What the kernel holds for the reader.
    data: AtomicUsize,
}

fn world(start: Ready) -> Arc<World> {
    let driver = Driver::sim(0);
    let interest = Interest::READABLE | Interest::WRITABLE;
    let source = driver.io().register(0, interest, start).unwrap();
    Arc::new(World { driver, source, data: AtomicUsize::new(0) })
}

impl World {
    fn report(&self, ready: Ready) {
        let mut out = Wakers::new();
        self.driver.apply(self.source.token(), ready, &mut out);
        out.wake_all();
    }

    fn arrive(&self) {
        self.data.store(1, Relaxed);
        self.report(Ready::READABLE);
    }

    fn read(&self) -> io::Result<()> {
        if self.data.load(Relaxed) == 1 { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }
}

#[test]
fn a_clear_erases_no_newer_edge() {
    loom::model(|| {
        let world = world(Ready::READABLE);
        let kernel = thread::spawn({
            let world = world.clone();
            move || world.arrive()
        });
        block_on(poll_fn(|cx| world.source.poll_io(cx, Direction::Read, || world.read()))).unwrap();
        kernel.join().unwrap();
    });
}

#[test]
fn a_waker_that_is_left_meets_the_set() {
    loom::model(|| {
        let world = world(Ready::EMPTY);
        let kernel = thread::spawn({
            let world = world.clone();
            move || world.arrive()
        });
        block_on(poll_fn(|cx| world.source.poll_ready(cx, Direction::Read))).unwrap();
        // What the reporting thread saw happened before.
        world.read().unwrap();
        kernel.join().unwrap();
    });
}

#[test]
fn a_future_in_the_list_meets_the_set() {
    loom::model(|| {
        let world = world(Ready::EMPTY);
        let kernel = thread::spawn({
            let world = world.clone();
            move || world.arrive()
        });
        let place = Location::caller();
        let read =
            world.source.async_io(Interest::READABLE, WaitKind::Read, place, || world.read());
        block_on(read).unwrap();
        kernel.join().unwrap();
    });
}

#[test]
fn a_wait_meets_the_end_of_the_runtime() {
    loom::model(|| {
        let world = world(Ready::EMPTY);
        let end = thread::spawn({
            let world = world.clone();
            move || {
                let mut out = Wakers::new();
                world.driver.shutdown(&mut out);
                out.wake_all();
            }
        });
        block_on(poll_fn(|cx| world.source.poll_ready(cx, Direction::Write))).unwrap_err();
        end.join().unwrap();
    });
}

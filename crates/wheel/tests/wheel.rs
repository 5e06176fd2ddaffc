//! Shards and entries from outside: against a model, and by situation.

use shinkan_base::rng::Rng;
use shinkan_base::wakers::Wakers;
use shinkan_wheel::{Closed, Entry, Shard};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};

type Log = Arc<Mutex<Vec<usize>>>;

struct Note(usize, Log);

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

fn waker(number: usize, log: &Log) -> Waker {
    Waker::from(Arc::new(Note(number, log.clone())))
}

/// A shard that is never freed, and known to whoever looks for leaks.
fn new_shard(now: u64) -> &'static Shard {
    static ALL: Mutex<Vec<&'static Shard>> = Mutex::new(Vec::new());
    let shard: &'static Shard = Box::leak(Box::new(Shard::new(now, std::thread::yield_now)));
    ALL.lock().unwrap().push(shard);
    shard
}

/// Polls with a registration at `deadline`; the answer, and whether it is the earliest.
fn poll(
    entry: &mut Pin<Box<Entry>>,
    waker: &Waker,
    shard: &'static Shard,
    deadline: u64,
) -> (Poll<Result<(), Closed>>, bool) {
    let mut earliest = false;
    let answer = entry.as_mut().poll(waker, &mut earliest, || (shard, deadline));
    (answer, earliest)
}

fn fire(shard: &Shard, now: u64) {
    let mut out = Wakers::new();
    while shard.fire(now, &mut out) {
        assert!(out.is_full());
        out.wake_all();
    }
    out.wake_all();
}

/// A wheel and what it should do: deadlines in order, and numbers in order of registration.
struct Model {
    shard: &'static Shard,
    now: u64,
    entries: Vec<Pin<Box<Entry>>>,
    deadlines: Vec<Option<u64>>,
    order: BTreeMap<(u64, u64), usize>,
    keys: Vec<(u64, u64)>,
    registrations: u64,
    log: Log,
}

impl Model {
    fn new(now: u64, entries: usize) -> Self {
        Self {
            shard: new_shard(now),
            now,
            entries: (0..entries).map(|_| Box::pin(Entry::new())).collect(),
            deadlines: vec![None; entries],
            order: BTreeMap::new(),
            keys: vec![(0, 0); entries],
            registrations: 0,
            log: Log::default(),
        }
    }

    fn note(&mut self, number: usize, deadline: Option<u64>) {
        if self.deadlines[number].take().is_some() {
            self.order.remove(&self.keys[number]);
        }
        self.deadlines[number] = deadline;
        if let Some(deadline) = deadline {
            self.registrations += 1;
            self.keys[number] = (deadline, self.registrations);
            self.order.insert(self.keys[number], number);
        }
    }

    fn register(&mut self, number: usize, deadline: u64) {
        self.entries[number].as_mut().reset();
        self.note(number, None);
        let least = self.order.keys().next().map_or(u64::MAX, |key| key.0);
        let waker = waker(number, &self.log);
        let (answer, earliest) = poll(&mut self.entries[number], &waker, self.shard, deadline);
        match answer {
            Poll::Ready(answer) => {
                assert_eq!(answer, Ok(()));
                assert!(deadline <= self.now, "{deadline} is not over at {}", self.now);
            }
            Poll::Pending => {
                assert!(!earliest || deadline < least);
                self.note(number, Some(deadline));
                // With the same waker nothing changes.
                assert!(poll(&mut self.entries[number], &waker, self.shard, 0).0.is_pending());
            }
        }
    }

    fn remove(&mut self, number: usize) {
        self.entries[number].as_mut().reset();
        self.note(number, None);
    }

    fn move_to(&mut self, number: usize, deadline: u64) {
        let was = self.deadlines[number];
        self.entries[number].as_mut().move_to(deadline);
        if was.is_some() {
            let woken = self.log.lock().unwrap().pop();
            assert!(woken.is_none_or(|woken| woken == number && deadline <= self.now));
            assert_eq!(woken.is_some(), self.entries[number].is_fired());
            self.note(number, woken.is_none().then_some(deadline));
        }
    }

    fn advance(&mut self, now: u64) {
        self.now = now;
        fire(self.shard, now);
        let fired = std::mem::take(&mut *self.log.lock().unwrap());
        let mut due: Vec<usize> = Vec::new();
        while let Some((&(deadline, _), &number)) = self.order.first_key_value() {
            if deadline > now {
                break;
            }
            due.push(number);
            self.note(number, None);
            assert!(self.entries[number].is_fired());
        }
        // Equal deadlines: in any order, since a moved entry keeps its old place for a while.
        assert_eq!(fired.len(), due.len(), "at {now}");
        let (mut fired, mut due) = (fired, due);
        let key = |number: &usize| (self.keys[*number].0, *number);
        assert!(fired.is_sorted_by_key(|number| self.keys[*number].0), "out of order at {now}");
        fired.sort_by_key(key);
        due.sort_by_key(key);
        assert_eq!(fired, due, "at {now}");
    }

    fn check(&self) {
        let truth = self.order.keys().next().map_or(u64::MAX, |key| key.0);
        let said = self.shard.next_deadline();
        assert!(said <= truth, "{said} is after {truth}");
        assert!(truth != u64::MAX || self.order.is_empty());
        if self.order.is_empty() {
            assert_eq!(said, u64::MAX, "an empty wheel has a deadline");
        }
    }
}

/// A distance of any order of magnitude.
fn distance(rng: &mut Rng, bits: u32) -> u64 {
    let bits = rng.below(bits);
    rng.next_u64() >> (63 - bits)
}

fn against_a_model(seed: u64, start: u64, bits: u32) {
    const LAST: u64 = u64::MAX - 3;
    let mut rng = Rng::new(seed);
    let mut model = Model::new(start, 100);
    for _ in 0..20_000 {
        let number = rng.below(100) as usize;
        let deadline = model.now.saturating_add(distance(&mut rng, bits)).min(LAST);
        match rng.below(16) {
            0..=6 => model.register(number, deadline),
            7..=8 => model.remove(number),
            9 => model.move_to(number, deadline),
            10 => {
                let deadline = model.deadlines[number].unwrap_or(0).saturating_add(deadline % 100);
                model.move_to(number, deadline.min(LAST));
            }
            11 => model.register(number, model.now.saturating_sub(u64::from(rng.below(3)))),
            12..=13 => model.advance(model.now.saturating_add(u64::from(rng.below(3))).min(LAST)),
            14 if model.shard.next_deadline() < LAST => {
                model.advance(model.shard.next_deadline().max(model.now));
            }
            _ if start < 1 << 63 || rng.below(50) == 0 => {
                model.advance(model.now.saturating_add(distance(&mut rng, bits.min(50))));
            }
            _ => {}
        }
        model.check();
    }
    model.advance(LAST);
    assert!(model.order.is_empty());
    model.check();
}

#[test]
fn does_what_a_sorted_map_does_near_zero() {
    for seed in 0..8 {
        against_a_model(seed, 0, 20);
    }
}

#[test]
fn does_what_a_sorted_map_does_over_the_whole_range() {
    for seed in 10..18 {
        against_a_model(seed, Rng::new(seed).next_u64() >> (seed + 1), 64);
    }
}

#[test]
fn does_what_a_sorted_map_does_at_the_end_of_the_range() {
    for seed in 20..28 {
        against_a_model(seed, u64::MAX - (1 << 20), 24);
        against_a_model(seed, u64::MAX - 70_000, 64);
    }
}

#[test]
fn the_earliest_deadline_is_exact_without_removals() {
    let mut rng = Rng::new(5);
    for _ in 0..200 {
        let mut model = Model::new(rng.next_u64() >> 4, 40);
        for number in 0..40 {
            let distance = 1 + distance(&mut rng, 60);
            model.register(number, model.now + distance);
        }
        while let Some((&(truth, _), _)) = model.order.first_key_value() {
            assert_eq!(model.shard.next_deadline(), truth);
            model.advance(truth - 1);
            model.advance(truth);
        }
    }
}

#[test]
fn more_than_a_batch_is_fired_in_order() {
    let (shard, log) = (new_shard(7), Log::default());
    let mut entries: Vec<_> = (0..200).map(|_| Box::pin(Entry::new())).collect();
    for (number, entry) in entries.iter_mut().enumerate() {
        let deadline = 7 + 1 + (number as u64 / 70) * 1_000;
        assert!(poll(entry, &waker(number, &log), shard, deadline).0.is_pending());
    }
    fire(shard, 5_000);
    assert_eq!(*log.lock().unwrap(), (0..200).collect::<Vec<_>>());
    assert!(entries.iter().all(|entry| entry.is_fired()));
    assert_eq!(shard.next_deadline(), u64::MAX);
}

#[test]
fn a_full_queue_of_wakers_fires_nothing_more() {
    let (shard, log) = (new_shard(0), Log::default());
    let mut entry = Box::pin(Entry::new());
    assert!(poll(&mut entry, &waker(1, &log), shard, 5).0.is_pending());
    let mut out = Wakers::new();
    while !out.is_full() {
        out.push(Waker::noop().clone());
    }
    assert!(shard.fire(9, &mut out));
    assert!(!entry.is_fired() && shard.next_deadline() == 5);
    out.wake_all();
    assert!(!shard.fire(9, &mut out));
    assert!(entry.is_fired() && out.len() == 1);
}

#[test]
fn another_task_takes_the_timer_over() {
    let (shard, log) = (new_shard(0), Log::default());
    let mut entry = Box::pin(Entry::new());
    assert_eq!(poll(&mut entry, &waker(1, &log), shard, 5), (Poll::Pending, true));
    assert_eq!(poll(&mut entry, &waker(2, &log), shard, 5), (Poll::Pending, false));
    assert_eq!(Arc::strong_count(&log), 2, "the first waker was dropped");
    fire(shard, 5);
    assert_eq!(*log.lock().unwrap(), [2]);
    assert_eq!(poll(&mut entry, &waker(3, &log), shard, 5).0, Poll::Ready(Ok(())));
    assert_eq!(Arc::strong_count(&log), 1);
}

#[test]
fn a_later_deadline_keeps_the_waker_and_an_earlier_one_too() {
    let (shard, log) = (new_shard(0), Log::default());
    let mut entry = Box::pin(Entry::new());
    assert!(poll(&mut entry, &waker(1, &log), shard, 5).0.is_pending());
    assert!(!entry.as_mut().move_to(500));
    fire(shard, 499);
    assert!(log.lock().unwrap().is_empty());
    assert!(entry.as_mut().move_to(499 + 1) || shard.next_deadline() == 500);
    assert!(entry.as_mut().move_to(499 + 1) || !entry.is_fired());
    fire(shard, 500);
    assert_eq!(*log.lock().unwrap(), [1]);
    // It has fired: the next poll registers it.
    assert!(!entry.as_mut().move_to(700));
    assert_eq!(poll(&mut entry, &waker(2, &log), shard, 700), (Poll::Pending, true));
    assert!(entry.as_mut().move_to(600));
    assert_eq!(shard.next_deadline(), 600);
    assert!(!entry.as_mut().move_to(3));
    assert_eq!(*log.lock().unwrap(), [1, 2]);
    assert!(entry.is_fired() && shard.next_deadline() == u64::MAX);
}

#[test]
fn a_closed_shard_wakes_all_and_refuses() {
    let (shard, log) = (new_shard(0), Log::default());
    let mut entries: Vec<_> = (0..70).map(|_| Box::pin(Entry::new())).collect();
    for (number, entry) in entries.iter_mut().enumerate() {
        let deadline = 1 << (number % 60);
        assert!(poll(entry, &waker(number, &log), shard, deadline).0.is_pending());
    }
    let mut out = Wakers::new();
    while shard.close(&mut out) {
        out.wake_all();
    }
    out.wake_all();
    assert_eq!(log.lock().unwrap().len(), 70);
    let noop = Waker::noop();
    for entry in &mut entries {
        assert_eq!(poll(entry, noop, shard, 1).0, Poll::Ready(Err(Closed)));
        entry.as_mut().reset();
        assert_eq!(poll(entry, noop, shard, 1).0, Poll::Ready(Err(Closed)));
    }
    assert_eq!(shard.next_deadline(), u64::MAX);
}

#[test]
fn dropped_timers_leave_nothing_behind() {
    let (shard, log) = (new_shard(0), Log::default());
    let mut entries: Vec<_> = (0..10).map(|_| Box::pin(Entry::new())).collect();
    for (number, entry) in entries.iter_mut().enumerate() {
        let deadline = 10 + (number as u64 % 3) * 5_000;
        assert!(poll(entry, &waker(number, &log), shard, deadline).0.is_pending());
    }
    while let Some(entry) = entries.pop() {
        drop(entry);
    }
    assert_eq!(shard.next_deadline(), u64::MAX);
    assert_eq!(Arc::strong_count(&log), 1);
    fire(shard, 20_000);
}

#[test]
fn a_timer_may_be_sent_and_shared() {
    fn check<T: Send + Sync>() {}
    check::<Entry>();
    check::<Shard>();
    assert!(size_of::<Entry>() <= 64, "{}", size_of::<Entry>());
}

/// Each waker is called or dropped once, while a clock runs on another thread.
#[test]
fn timers_are_dropped_moved_and_taken_over_while_others_fire() {
    let (shard, calls) = (new_shard(0), Arc::new(AtomicUsize::new(0)));
    let (clock, done) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                fire(shard, clock.fetch_add(1, Ordering::Relaxed));
            }
        });
        let mut rng = Rng::new(9);
        let mut entries: Vec<_> = (0..8).map(|_| Box::pin(Entry::new())).collect();
        for turn in 0..if cfg!(miri) { 200 } else { 100_000 } {
            let entry = &mut entries[rng.below(8) as usize];
            let deadline = clock.load(Ordering::Relaxed) + u64::from(rng.below(100));
            let waker = Waker::from(Arc::new(Count(calls.clone())));
            match rng.below(6) {
                0 => *entry = Box::pin(Entry::new()),
                1 => entry.as_mut().reset(),
                2 => {
                    entry.as_mut().move_to(deadline);
                }
                _ if poll(entry, &waker, shard, deadline).0.is_ready() => {
                    // A timer that says so has no waker any more.
                    assert!(entry.is_fired(), "turn {turn}");
                    entry.as_mut().reset();
                }
                _ => {}
            }
        }
        // What is left fires in time.
        for entry in &mut entries {
            while poll(entry, Waker::noop(), shard, 0).0.is_pending() {
                std::thread::yield_now();
            }
        }
        done.store(true, Ordering::Release);
    });
    assert!(calls.load(Ordering::Relaxed) > 0);
    assert_eq!(Arc::strong_count(&calls), 1);
    assert_eq!(shard.next_deadline(), u64::MAX);
}

struct Count(Arc<AtomicUsize>);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

//! Several threads at one primitive, bounded by counts, each with a task that now and then gives
//! up; and what must hold for all of them together.

use ::futures::executor::block_on;
use shinkan_base::rng::Rng;
use shinkan_sync::*;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier as Start, Mutex as Lock};
use std::task::{Context, Poll, Waker};
use std::thread::{scope, yield_now};

const THREADS: usize = 4;

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Runs `f` on each thread, all at once, with a number and a sequence of its own.
fn together(f: impl Fn(usize, &mut Rng) + Sync) {
    let start = Start::new(THREADS);
    scope(|scope| {
        for thread in 0..THREADS {
            let (f, start) = (&f, &start);
            scope.spawn(move || {
                start.wait();
                f(thread, &mut Rng::new(thread as u64 + 1));
            });
        }
    });
}

#[test]
fn a_mutex_is_handed_over_in_the_order_in_which_tasks_asked() {
    const EACH: usize = 3_000;
    let lock = Mutex::new(Vec::new());
    let tickets = Lock::new(0);
    together(|_, rng| {
        for _ in 0..EACH {
            let mut wait = pin!(lock.lock());
            let (ticket, first) = {
                let mut next = tickets.lock().unwrap();
                // Who gives up in the queue has no ticket.
                if rng.below(4) == 0 {
                    drop(poll_once(pin!(lock.lock())));
                }
                *next += 1;
                (*next - 1, poll_once(wait.as_mut()))
            };
            let mut served = match first {
                Poll::Ready(guard) => guard,
                Poll::Pending => block_on(wait),
            };
            served.push(ticket);
            if rng.below(8) == 0 {
                yield_now();
            }
        }
    });
    assert_eq!(lock.into_inner(), (0..THREADS * EACH).collect::<Vec<_>>());
}

#[test]
fn a_semaphore_serves_requests_of_all_sizes_in_order_and_keeps_its_permits() {
    const EACH: usize = 3_000;
    const PERMITS: u32 = 3;
    let semaphore = Semaphore::new(PERMITS as usize);
    let tickets = Lock::new(0);
    let (served, used) = (AtomicUsize::new(0), AtomicUsize::new(0));
    together(|_, rng| {
        for _ in 0..EACH {
            let n = 1 + rng.below(PERMITS);
            let mut wait = pin!(semaphore.acquire_many(n));
            let (ticket, first) = {
                let mut next = tickets.lock().unwrap();
                if rng.below(4) == 0 {
                    let many = 1 + rng.below(PERMITS);
                    drop(poll_once(pin!(semaphore.acquire_many(many))));
                }
                *next += 1;
                (*next - 1, poll_once(wait.as_mut()))
            };
            let permit = match first {
                Poll::Ready(permit) => permit.unwrap(),
                Poll::Pending => block_on(wait).unwrap(),
            };
            let now = used.fetch_add(n as usize, Ordering::SeqCst) + n as usize;
            assert!(now <= PERMITS as usize, "{now} permits are in use");
            // All before this one were served: of those with permits now, at most so many have not
            // yet come to this line.
            let before = served.fetch_add(1, Ordering::SeqCst);
            assert!(before + THREADS > ticket, "{ticket} was served before its turn");
            used.fetch_sub(n as usize, Ordering::SeqCst);
            drop(permit);
        }
    });
    assert_eq!(semaphore.available_permits(), PERMITS as usize);
}

#[test]
fn writers_are_alone_and_readers_see_whole_values() {
    const EACH: usize = 4_000;
    let lock = RwLock::with_max_readers((0, 0), 3);
    let writes = AtomicUsize::new(0);
    together(|_, rng| {
        for _ in 0..EACH {
            match rng.below(8) {
                0 => drop(poll_once(pin!(lock.write()))),
                1 => drop(poll_once(pin!(lock.read()))),
                2 | 3 => {
                    let mut both = block_on(lock.write());
                    both.0 += 1;
                    yield_now();
                    both.1 += 1;
                    writes.fetch_add(1, Ordering::Relaxed);
                    let seen = both.0;
                    if rng.below(2) == 0 {
                        let both = both.downgrade();
                        assert_eq!(*both, (seen, seen), "somebody wrote in between");
                    }
                }
                _ => {
                    let both = block_on(lock.read());
                    assert_eq!(both.0, both.1);
                }
            }
        }
    });
    let writes = writes.into_inner();
    assert_eq!(lock.into_inner(), (writes, writes));
}

#[test]
fn no_notification_is_lost_among_tasks_that_give_up() {
    const ROUNDS: usize = 5_000;
    let (ping, pong) = (Notify::new(), Notify::new());
    let done = AtomicBool::new(false);
    scope(|scope| {
        // What these are given they must pass on.
        let quitters = [&ping, &pong].map(|notify| {
            let done = &done;
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let mut wait = pin!(notify.notified());
                    if poll_once(wait.as_mut()).is_ready() {
                        notify.notify_one();
                    }
                    yield_now();
                }
            })
        });
        let other = scope.spawn(|| {
            for _ in 0..ROUNDS {
                block_on(ping.notified());
                pong.notify_one();
            }
        });
        for _ in 0..ROUNDS {
            ping.notify_one();
            block_on(pong.notified());
        }
        other.join().unwrap();
        done.store(true, Ordering::Relaxed);
        quitters.into_iter().for_each(|quitter| quitter.join().unwrap());
    });
}

#[test]
fn every_message_that_was_sent_is_received_once_and_in_order() {
    const EACH: usize = 8_000;
    let (tx, mut rx) = mpsc::channel(5);
    let sent = AtomicUsize::new(0);
    let mut got = vec![Vec::new(); THREADS];
    scope(|scope| {
        for thread in 0..THREADS {
            let (tx, sent) = (tx.clone(), &sent);
            scope.spawn(move || {
                let rng = &mut Rng::new(thread as u64 + 1);
                for i in 0..EACH {
                    if send_somehow(&tx, (thread, i), rng) {
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        drop(tx);
        let rng = &mut Rng::new(9);
        let mut batch = Vec::new();
        loop {
            // It gives up, unless there is a message.
            if rng.below(3) == 0
                && let Poll::Ready(message) = poll_once(pin!(rx.recv()))
            {
                batch.extend(message);
            }
            if block_on(rx.recv_many(&mut batch, 1 + rng.below(4) as usize)) == 0 {
                break;
            }
            batch.drain(..).for_each(|(thread, i): (usize, usize)| got[thread].push(i));
        }
        batch.drain(..).for_each(|(thread, i)| got[thread].push(i));
    });
    assert!(got.iter().all(|of_one| of_one.is_sorted_by(|a, b| a < b)));
    assert_eq!(got.iter().map(Vec::len).sum::<usize>(), sent.into_inner());
    assert_eq!((rx.capacity(), rx.len()), (5, 0));
}

/// Whether it was sent.
fn send_somehow<T>(tx: &mpsc::Sender<T>, value: T, rng: &mut Rng) -> bool {
    match rng.below(7) {
        0 => tx.try_send(value).is_ok(),
        1 => poll_once(pin!(tx.send(value))).is_ready(),
        2 => {
            drop(poll_once(pin!(tx.reserve_many(4))));
            false
        }
        3 => {
            block_on(tx.reserve()).unwrap().send(value);
            true
        }
        4 => {
            let mut many = block_on(tx.reserve_many(2)).unwrap();
            many.next().unwrap().send(value);
            true
        }
        5 => {
            drop(block_on(tx.clone().reserve_owned()).unwrap().send(value));
            true
        }
        _ => block_on(tx.send(value)).is_ok(),
    }
}

#[test]
fn what_a_broadcast_receiver_gets_and_what_it_lost_add_up() {
    const SENDERS: usize = 2;
    const EACH: usize = 10_000;
    let (tx, _) = broadcast::channel(8);
    let mut receivers: Vec<_> = (0..THREADS).map(|_| tx.subscribe()).collect();
    scope(|scope| {
        for (thread, rx) in receivers.iter_mut().enumerate() {
            scope.spawn(move || {
                let rng = &mut Rng::new(thread as u64 + 1);
                let (mut got, mut lost) = (0, 0);
                let mut last = [None; SENDERS];
                loop {
                    let received = match rng.below(4) {
                        0 => match poll_once(pin!(rx.recv())) {
                            Poll::Ready(received) => received,
                            Poll::Pending => continue,
                        },
                        _ => block_on(rx.recv()),
                    };
                    match received {
                        Ok((sender, i)) => {
                            got += 1;
                            assert!(last[sender] < Some(i), "out of order");
                            last[sender] = Some(i);
                        }
                        Err(broadcast::error::RecvError::Lagged(n)) => lost += n as usize,
                        Err(broadcast::error::RecvError::Closed) => break,
                    }
                }
                assert_eq!(got + lost, SENDERS * EACH);
            });
        }
        for sender in 0..SENDERS {
            let tx = tx.clone();
            scope.spawn(move || {
                for i in 0..EACH {
                    assert_eq!(tx.send((sender, i)).unwrap(), THREADS);
                    if i % 64 == 0 {
                        yield_now();
                    }
                }
            });
        }
        drop(tx);
    });
}

#[test]
fn every_watcher_sees_the_last_value() {
    const EACH: usize = 5_000;
    let (tx, rx) = watch::channel(0);
    let unseen = AtomicUsize::new(THREADS);
    scope(|scope| {
        for thread in 0..THREADS {
            let (mut rx, unseen) = (rx.clone(), &unseen);
            scope.spawn(move || {
                let rng = &mut Rng::new(thread as u64 + 1);
                let mut seen = 0;
                while seen < 2 * EACH {
                    if rng.below(4) == 0 {
                        drop(poll_once(pin!(rx.changed())));
                        rx.mark_changed();
                    }
                    block_on(rx.changed()).unwrap();
                    let now = *rx.borrow_and_update();
                    assert!(now >= seen, "an older value came after a newer one");
                    seen = now;
                }
                unseen.fetch_sub(1, Ordering::Relaxed);
                assert!(block_on(rx.changed()).is_err());
            });
        }
        drop(rx);
        for _ in 0..2 {
            let tx = tx.clone();
            scope.spawn(move || {
                for _ in 0..EACH {
                    tx.send_modify(|n| *n += 1);
                }
            });
        }
        // The channel is open until all have seen the last value.
        while unseen.load(Ordering::Relaxed) > 0 {
            yield_now();
        }
        drop(tx);
    });
}

#[test]
fn each_of_many_oneshots_ends_on_both_sides() {
    const EACH: usize = 3_000;
    let (counted, kept) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let got = &counted;
    together(|_, rng| {
        for i in 0..EACH {
            let (mut tx, mut rx) = oneshot::channel();
            let how = rng.below(4);
            scope(|scope| {
                // A thread for some of them: most meet on one, in both orders.
                let send = move || match how {
                    0 => block_on(tx.closed()),
                    _ => drop(tx.send(i)),
                };
                let receive = move || match how {
                    0 => drop(poll_once(Pin::new(&mut rx))),
                    1 => rx.close(),
                    _ => {
                        assert_eq!(block_on(rx), Ok(i));
                        got.fetch_add(1, Ordering::Relaxed);
                    }
                };
                kept.fetch_add(usize::from(how > 1), Ordering::Relaxed);
                if i % 8 == 0 {
                    scope.spawn(send);
                    receive();
                } else if how > 1 {
                    send();
                    receive();
                } else {
                    receive();
                    send();
                }
            });
        }
    });
    assert_eq!(counted.into_inner(), kept.into_inner());
}

#[test]
fn a_barrier_lets_nobody_into_the_next_round_early() {
    const ROUNDS: usize = 2_000;
    let barrier = Barrier::new(THREADS);
    let (arrived, leaders) = (AtomicUsize::new(0), AtomicUsize::new(0));
    together(|_, _| {
        for round in 1..=ROUNDS {
            arrived.fetch_add(1, Ordering::SeqCst);
            let led = block_on(barrier.wait()).is_leader();
            assert!(arrived.load(Ordering::SeqCst) >= round * THREADS);
            leaders.fetch_add(usize::from(led), Ordering::Relaxed);
        }
    });
    assert_eq!(leaders.into_inner(), ROUNDS);
}

#[test]
fn a_cell_is_filled_once_though_fillers_fail_and_give_up() {
    const ROUNDS: usize = 500;
    for round in 0..ROUNDS {
        let cell = Arc::new(OnceCell::new());
        let (fills, once) = (AtomicUsize::new(0), SetOnce::new());
        together(|thread, rng| {
            if rng.below(2) == 0 {
                let pending = std::future::pending::<usize>;
                let _ = poll_once(pin!(cell.get_or_init(pending)));
            }
            let _ = block_on(cell.get_or_try_init(|| async {
                match thread {
                    0 => Err("this one fails"),
                    _ => Ok(fills.fetch_add(1, Ordering::Relaxed)),
                }
            }));
            if once.set(thread).is_ok() {
                assert_eq!(once.get(), Some(&thread));
            }
            let first = *block_on(once.wait());
            assert!(first < THREADS);
        });
        assert_eq!(fills.into_inner(), 1, "in round {round}");
        assert_eq!(cell.get(), Some(&0));
    }
}

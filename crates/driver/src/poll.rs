//! The backend that epoll gives.
//!
//! All idle workers that watch wait in the same epoll; the kernel hands an event to one of them. The
//! doorbell stands in it level-triggered, so that a worker that only looks can't take a ring away
//! from the ones that wait. Rejected: an edge-triggered bell, which lost 197 of 200 rings to a
//! concurrent look.
//!
//! Those that nap wait in another epoll, of the doorbell alone. It stands in both exclusively, so that
//! a ring wakes one thread of all: a napper, if there is one, for the others watch. (As long as the
//! unit is not taken, each thread that comes back from an epoll with it has the next one of that
//! epoll woken.) Rejected: poll(2) on the doorbell, from which each ring wakes all.
//!
//! Of a thousand connections nothing is left in the caches when their turn comes again. So what a batch
//! touches is fetched ahead, by address: its slots before the first event is applied, the tasks that
//! their wakers point to as these are collected (`base::wakers`), and each task's first lines while the
//! one before it is polled (`rt::worker`). Together that took a quarter of the user's time from an echo,
//! and a twentieth from all of it; the last part alone took nothing. An HTTP server's user time fell by
//! a seventh once 16 lines of a task were fetched for batches from 4 on, not 8 lines from 16 on. What is
//! left there are two misses of 110 ns each behind pointers that only hyper knows.
//!
//! Rejected: to serve first those who were served last, and are still in the caches (all events taken at
//! once, what was too much put behind, and a quarter or half of the polls for that): with a thousand
//! clients the throughput was the same, and the tails were up to twice as long.

use crate::driver::Turned;
use crate::ready::{Interest, Ready};
use crate::room;
use crate::slots::Slots;
use crate::token::Token;
use core::time::Duration;
use shinkan_base::wakers::Wakers;
use shinkan_sys::epoll::{Buffer, Epoll, Event, Wanted};
use shinkan_sys::eventfd::Eventfd;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

// No slot has this index, so no token is equal to it.
const BELL: u64 = u64::MAX;

/// With so many events in a turn, there is time to have the slots of the later ones fetched.
const MANY: usize = 4;

/// An epoll and the doorbell in it.
#[derive(Debug)]
pub(crate) struct Poll {
    epoll: Epoll,
    naps: Epoll,
    bell: Eventfd,
}

impl Poll {
    pub(crate) fn new() -> io::Result<Self> {
        room::at_start();
        let (epoll, naps, bell) = (Epoll::new()?, Epoll::new()?, Eventfd::new()?);
        // Whoever naps is woken first.
        for epoll in [&naps, &epoll] {
            let bells = |exclusive| {
                let wanted =
                    Wanted { read: true, write: false, priority: false, level: true, exclusive };
                epoll.add(bell.as_raw_fd(), BELL, wanted)
            };
            // Not every kernel's stand-in knows of it; then one more may wake for nothing.
            bells(true).or_else(|_| bells(false))?;
        }
        Ok(Self { epoll, naps, bell })
    }

    pub(crate) fn add(&self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        room::holds(fd);
        let wanted = Wanted {
            // Errors are reported unasked, but only where something else is asked for.
            read: interest.is_readable() || interest.is_error(),
            write: interest.is_writable(),
            priority: interest.is_priority(),
            level: false,
            exclusive: false,
        };
        self.epoll.add(fd, token.as_u64(), wanted)
    }

    pub(crate) fn delete(&self, fd: RawFd) -> io::Result<()> {
        self.epoll.delete(fd)
    }

    pub(crate) fn turn(
        &self,
        slots: &Slots,
        timeout: Option<Duration>,
        most: usize,
        out: &mut Wakers,
    ) -> Turned {
        let mut turned = Turned::default();
        let mut buffer = Buffer::new();
        let Ok(events) = self.epoll.wait(&mut buffer, timeout, most) else {
            // A signal: the caller looks around and comes again.
            return turned;
        };
        turned.timed_out = events.len() == 0;
        // Not for the bell alone.
        let mut applying = None;
        if events.len() >= MANY {
            let applying = applying.insert(slots.applying());
            events.clone().for_each(|event| applying.prefetch(Token::from_u64(event.data)));
        }
        for event in events {
            if event.data == BELL {
                turned.bell = true;
            } else {
                turned.events += 1;
                let applying = applying.get_or_insert_with(|| slots.applying());
                applying.set(Token::from_u64(event.data), ready(event), out);
            }
        }
        turned
    }

    /// Waits for the bell alone.
    pub(crate) fn nap(&self, time: Duration) -> Turned {
        let mut buffer = Buffer::new();
        // A signal ends it early.
        let bell = self.naps.wait(&mut buffer, Some(time), 1).is_ok_and(|rings| rings.len() > 0);
        Turned { bell, timed_out: !bell, events: 0 }
    }

    #[inline]
    pub(crate) fn ring(&self) {
        self.bell.ring();
    }

    #[inline]
    pub(crate) fn take_bell(&self) -> bool {
        self.bell.take()
    }
}

#[inline]
fn ready(event: Event) -> Ready {
    if event.is_room_and_data_alone() {
        return Ready::READABLE | Ready::WRITABLE;
    }
    let when = |is_set: bool, one: Ready| Ready::from_bits(u8::from(is_set) * one.bits());
    // An error alone (a datagram that was refused) is got by the next read; a wait for data would
    // last for ever.
    when(event.is_readable() || event.is_error(), Ready::READABLE)
        | when(event.is_writable(), Ready::WRITABLE)
        | when(event.is_read_closed(), Ready::READ_CLOSED)
        | when(event.is_write_closed(), Ready::WRITE_CLOSED)
        | when(event.is_priority(), Ready::PRIORITY)
        | when(event.is_error(), Ready::ERROR)
}

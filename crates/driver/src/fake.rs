//! The backend of simulations: a test says what becomes ready, and time passes when nothing else
//! is left to happen. It never blocks and never enters the kernel.

use crate::clock::Clock;
use crate::driver::Turned;
use crate::ready::Ready;
use crate::slots::Slots;
use crate::token::Token;
use core::time::Duration;
use shinkan_base::atomics::Mutex;
use shinkan_base::rng::Rng;
use shinkan_base::wakers::Wakers;

/// What is about to happen.
#[derive(Debug)]
pub(crate) struct Fake {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    injected: Vec<(Token, Ready)>,
    rings: u64,
}

impl Fake {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: Mutex::new(State { rng: Rng::new(seed), injected: Vec::new(), rings: 0 }) }
    }

    pub(crate) fn inject(&self, token: Token, ready: Ready) {
        self.state.lock().injected.push((token, ready));
    }

    /// Applies what was injected, in an order that the seed decides, at most `most` events of it,
    /// and one at least. `wait` is how long a real backend would wait where nothing happens.
    pub(crate) fn turn(
        &self,
        slots: &Slots,
        clock: &Clock,
        wait: Option<Duration>,
        most: usize,
        out: &mut Wakers,
    ) -> Turned {
        let mut turned = Turned::default();
        let mut events = {
            let mut state = self.state.lock();
            let mut events = core::mem::take(&mut state.injected);
            for left in (2..=events.len()).rev() {
                let drawn = state.rng.below(left as u32) as usize;
                events.swap(left - 1, drawn);
            }
            let later = events.split_off(events.len().min(most.max(1)));
            state.injected = later;
            turned.bell = state.rings > 0;
            events
        };
        turned.events = events.len() as u32;
        let applying = slots.applying();
        for (token, ready) in events.drain(..) {
            applying.set(token, ready, out);
        }
        drop(applying);
        if turned.events == 0
            && !turned.bell
            && let Some(wait) = wait
        {
            clock.advance(wait);
            turned.timed_out = true;
        }
        turned
    }

    pub(crate) fn ring(&self) {
        self.state.lock().rings += 1;
    }

    pub(crate) fn take_bell(&self) -> bool {
        let mut state = self.state.lock();
        let rang = state.rings > 0;
        state.rings -= u64::from(rang);
        rang
    }
}

//! Seeded runtimes: who drives one draws from a sequence that its seed decides.
//!
//! Each worker has one of its own, by its number and how many threads held its core before, and so
//! has each `block_on`, by how many there were before: which thread starts first changes nothing.

use crate::handle::Handle;
use crate::shared::Flavor;
use shinkan_base::atomics::plain::Ordering;
use shinkan_base::rng::Rng;
use shinkan_context as context;
use std::marker::PhantomData;

/// What decides a runtime's arbitrary choices: the first branch of a `select!`, the worker from
/// which another takes tasks.
///
/// # Examples
/// ```
/// use shinkan_rt::{Builder, RngSeed};
///
/// let seed = RngSeed::from_bytes(b"the same each time");
/// let runtime = Builder::new_current_thread().rng_seed(seed).build()?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
pub struct RngSeed(u64);

impl RngSeed {
    /// The same bytes give the same seed, with each version of this crate and of Rust.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        // FNV-1a: short, and fixed for good. The generator mixes it further.
        let mixed = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(mixed)
    }

    /// The number itself as the seed.
    #[doc(hidden)]
    pub fn from_u64(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn as_u64(&self) -> u64 {
        self.0
    }
}

/// This thread draws from a seeded sequence until it is dropped.
pub(crate) struct Seeded {
    before: Option<Rng>,
    // Of this thread.
    _stays: PhantomData<*const ()>,
}

impl Seeded {
    /// For the thread that works with core `index`. Notes also that it does.
    pub(crate) fn worker(handle: &Handle, index: usize) -> Option<Self> {
        let shared = handle.shared();
        let Flavor::Multi(multi) = &shared.flavor else { return None };
        let tenures = multi.slots[index].measures.take_over();
        Self::of(handle, (index as u64) << 32 | tenures)
    }

    /// For a thread inside `block_on`.
    #[inline]
    pub(crate) fn main(handle: &Handle) -> Option<Self> {
        if handle.shared().config.is_seeded { Self::main_slow(handle) } else { None }
    }

    #[cold]
    fn main_slow(handle: &Handle) -> Option<Self> {
        let nth = handle.shared().sequences.fetch_add(1, Ordering::Relaxed);
        Self::of(handle, 1 << 63 | nth)
    }

    fn of(handle: &Handle, number: u64) -> Option<Self> {
        let config = &handle.shared().config;
        if !config.is_seeded {
            return None;
        }
        let mut seeds = Rng::new(config.seed);
        let rng = Rng::new(seeds.next_u64() ^ Rng::new(number).next_u64());
        Some(Self { before: context::seed_random(Some(rng)), _stays: PhantomData })
    }
}

impl Drop for Seeded {
    fn drop(&mut self) {
        context::seed_random(self.before.take());
    }
}

//! Which pool's new thread this thread asks the user's function for a name. Called by the pool, whose end
//! must not wait there for a thread that this very one is to start.

use core::cell::Cell;

thread_local! {
    /// The address of the pool.
    static POOL: Cell<usize> = const { Cell::new(0) };
}

/// Says so until it is dropped.
pub(crate) struct Naming(usize);

impl Naming {
    /// Of the pool at this address.
    pub(crate) fn of(pool: usize) -> Self {
        Self(POOL.replace(pool))
    }
}

impl Drop for Naming {
    fn drop(&mut self) {
        POOL.set(self.0);
    }
}

/// Whether this thread is in the function of the pool at that address.
pub(crate) fn is_in(pool: usize) -> bool {
    POOL.get() == pool
}

//! What tunes a runtime, and what it does when a task panics. Some of it is Tokio's and changes
//! nothing here, where the runtime does so in any case.

use crate::builder::Builder;
use crate::fate::UnhandledPanic;
use crate::seed::RngSeed;

impl Builder {
    /// What the runtime does when a task panics; by default nothing, for the task's join handle
    /// gets the panic.
    ///
    /// With [`UnhandledPanic::ShutdownRuntime`] it ends: all its tasks are cancelled, those that are
    /// being polled after that poll, and what is spawned later is cancelled at once. Who is inside
    /// `Runtime::block_on`, or calls it later, panics instead of polling its future again. This
    /// holds for runtimes with several workers, too (Tokio's builder panics there).
    /// `Handle::block_on` goes on with what it awaits.
    ///
    /// # Examples
    /// ```should_panic
    /// use shinkan_rt::{Builder, UnhandledPanic};
    ///
    /// let runtime = Builder::new_multi_thread()
    ///     .unhandled_panic(UnhandledPanic::ShutdownRuntime)
    ///     .build()
    ///     .unwrap();
    /// runtime.spawn(async { panic!("nobody awaits this task") });
    /// runtime.block_on(std::future::pending::<()>());
    /// ```
    pub fn unhandled_panic(&mut self, behavior: UnhandledPanic) -> &mut Self {
        self.shutdown_on_panic = matches!(behavior, UnhandledPanic::ShutdownRuntime);
        self
    }

    /// Every task that is woken goes to the end of the queue, also where its waker is about to
    /// wait for it. Another worker may then take it at once, which helps where polls are long, and
    /// costs where tasks pass messages.
    ///
    /// # Examples
    /// ```
    /// let runtime = shinkan_rt::Builder::new_multi_thread().disable_lifo_slot().build()?;
    /// runtime.block_on(runtime.spawn(async {})).unwrap();
    /// # std::io::Result::Ok(())
    /// ```
    pub fn disable_lifo_slot(&mut self) -> &mut Self {
        self.lifo = false;
        self
    }

    /// Decides the runtime's arbitrary choices: which branch of a `select!` is looked at first, and
    /// whom an idle worker takes tasks from. Each worker draws from a sequence of its own, and so
    /// does each `block_on`.
    ///
    /// On one thread, what the program does then depends on its input alone. With several workers
    /// it depends also on who runs when.
    ///
    /// # Examples
    /// ```
    /// use shinkan_rt::{Builder, RngSeed};
    ///
    /// let seed = RngSeed::from_bytes(b"the same each time");
    /// let runtime = Builder::new_current_thread().rng_seed(seed).build()?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn rng_seed(&mut self, seed: RngSeed) -> &mut Self {
        self.seed = Some(seed);
        self
    }

    /// Timers, as [`Builder::enable_time`]. For programs that ask Tokio for its other timers: here
    /// each worker has timers of its own in any case.
    ///
    /// # Examples
    /// ```
    /// let runtime = shinkan_rt::Builder::new_multi_thread().enable_alt_timer().build()?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn enable_alt_timer(&mut self) -> &mut Self {
        self.enable_time()
    }

    /// Changes nothing: a worker that leaves the driver to poll a task always leaves others there,
    /// or wakes one, so sockets and timers are served while a task blocks its worker.
    ///
    /// # Examples
    /// ```
    /// let runtime = shinkan_rt::Builder::new_multi_thread().enable_eager_driver_handoff().build()?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn enable_eager_driver_handoff(&mut self) -> &mut Self {
        self
    }

    /// Changes nothing: a closure for the blocking pool is always handed to a waiting thread
    /// directly, and queued only where all threads that there may be are busy.
    ///
    /// # Examples
    /// ```
    /// let runtime = shinkan_rt::Builder::new_multi_thread().enable_sharded_blocking_queue().build()?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn enable_sharded_blocking_queue(&mut self) -> &mut Self {
        self
    }
}

//! The runtime: what runs tasks, timers, sockets and blocking closures.
//!
//! ```
//! use shinkan::runtime::Builder;
//!
//! let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
//! let seven = runtime.block_on(async { shinkan::spawn(async { 3 + 4 }).await });
//! assert_eq!(seven.unwrap(), 7);
//! # std::io::Result::Ok(())
//! ```

pub use shinkan_rt::local::{LocalOptions, LocalRuntime};
pub use shinkan_rt::{
    Builder, EnterGuard, Handle, HistogramConfiguration, HistogramScale, Id,
    InvalidHistogramConfiguration, LogHistogram, LogHistogramBuilder, RngSeed, Runtime,
    RuntimeFlavor, RuntimeMetrics, Stall, StallFrame, StallIn, StallKind, StallStack, TaskMeta,
    TryCurrentError, UnhandledPanic, is_rt_shutdown_err, worker_index,
};

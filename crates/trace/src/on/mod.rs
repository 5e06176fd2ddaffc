//! The face with the feature.

mod operation;
mod resource;
mod task;

pub use operation::{Operation, Polling, operation};
pub use resource::Resource;
pub use task::{Mark, TaskSpan};

use crate::kind::Stuck;
use core::cell::Cell;
use core::fmt;
use tracing::level_filters::LevelFilter;

/// Whether a subscriber may want to be told.
#[inline(always)]
pub fn is_on() -> bool {
    LevelFilter::current() == LevelFilter::TRACE
}

std::thread_local! {
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Ends a telling, also where the subscriber panics.
struct Told;

impl Drop for Told {
    fn drop(&mut self) {
        let _ = TELLING.try_with(|telling| telling.set(false));
    }
}

/// Runs `tell`, unless this thread is inside of one already: a subscriber that uses a lock or a
/// channel of the runtime would be told of that, and use it again, without end.
fn tell<R>(tell: impl FnOnce() -> R) -> Option<R> {
    // A thread whose locals are gone tells nothing.
    if TELLING.try_with(|telling| telling.replace(true)).unwrap_or(true) {
        return None;
    }
    let _told = Told;
    Some(tell())
}

/// Tells of a stuck poll, as an event of level WARN; whether a subscriber wants it. `report` is all
/// of it in words.
pub fn stall(report: &dyn fmt::Display, stuck: Stuck<'_>) -> bool {
    if !tracing::enabled!(target: "shinkan::stall", tracing::Level::WARN) {
        return false;
    }
    let place = stuck.place;
    tell(|| {
        tracing::warn!(
            target: "shinkan::stall",
            worker = stuck.worker,
            task.id = stuck.task,
            task.name = stuck.name,
            loc.file = place.map(|place| place.file()),
            loc.line = place.map(|place| place.line()),
            loc.col = place.map(|place| place.column()),
            duration_ms = u64::try_from(stuck.duration.as_millis()).unwrap_or(u64::MAX),
            kind = stuck.kind,
            "{report}",
        );
    })
    .is_some()
}

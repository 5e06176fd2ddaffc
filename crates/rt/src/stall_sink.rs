//! Where the report of a stuck poll goes: to `tracing`, where a subscriber wants it, else to
//! standard error. Called by the monitor on its own thread, under no lock.

use crate::stall::{Stall, StallKind};
use shinkan_sys::stdio;
use shinkan_trace::Stuck;

pub(crate) fn report(stall: &Stall) {
    let stuck = Stuck {
        task: stall.task.map(|id| id.as_u64()),
        name: None,
        place: stall.spawned_at,
        duration: stall.duration,
        kind: match stall.kind {
            StallKind::Blocked => "blocked",
            StallKind::Computing => "computing",
        },
        worker: stall.worker,
    };
    if !shinkan_trace::stall(&stall, stuck) {
        stdio::warn(&format!("shinkan: {stall}\n"));
    }
}

//! Where the report of a stuck poll goes: to `tracing`, where a subscriber wants it, else to
//! standard error. Called on the thread for reports, under no lock.

use crate::stall::{Stall, StallKind};
use shinkan_sys::stdio;
use shinkan_trace::Stuck;

pub(crate) fn report(stall: &Stall) {
    let stuck = Stuck {
        task: stall.task.map(|id| id.as_u64()),
        name: stall.name.as_deref(),
        place: stall.spawned_at,
        duration: stall.duration,
        kind: match stall.kind {
            StallKind::Blocked => "blocked",
            StallKind::Computing => "computing",
        },
        worker: stall.worker,
    };
    let words = stall.report();
    if !shinkan_trace::stall(&words, stuck) {
        stdio::warn(&format!("shinkan: {words}\n"));
    }
}

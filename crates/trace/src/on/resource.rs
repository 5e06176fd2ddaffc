//! What tasks wait for, and what is to be known of it.

use super::{is_on, tell};
use crate::kind::Kind;
use core::fmt;
use core::panic::{Location, RefUnwindSafe, UnwindSafe};
use core::time::Duration;
use std::sync::Arc;
use tracing::{Span, trace, trace_span};

/// The span of something that tasks wait for. One that was made while nobody listened, or in
/// a constant, has none and stays without.
#[derive(Clone)]
pub struct Resource(Option<Arc<Spans>>);

/// Dropped in this order.
#[derive(Debug)]
pub(super) struct Spans {
    pub(super) span: Span,
    pub(super) kind: Kind,
    amount: usize,
    // The semaphore under a lock, which Tokio tells of too.
    inner: Option<Span>,
}

// Told of nothing, a subscriber keeps no invariant that a panic could break here.
impl UnwindSafe for Resource {}
impl RefUnwindSafe for Resource {}

/// A span for a resource; the macro needs its target in the source.
macro_rules! resource_span {
    ($target:literal, $type:literal, $kind:literal, $place:ident $(, $field:ident)?) => {
        trace_span!(
            target: $target,
            parent: None,
            "runtime.resource",
            concrete_type = $type,
            kind = $kind,
            $($field = true,)?
            loc.file = $place.file(),
            loc.line = $place.line(),
            loc.col = $place.column(),
        )
    };
}

macro_rules! state {
    ($($field:tt)+) => {
        trace!(target: "runtime::resource::state_update", $($field)+)
    };
}

impl Resource {
    /// Without a span.
    #[inline]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Of a new resource that was made at `place`, with so many permits, readers or tasks.
    #[inline]
    pub fn new(kind: Kind, amount: usize, place: &'static Location<'static>) -> Self {
        if is_on() { Self::new_slow(kind, amount, place) } else { Self(None) }
    }

    #[cold]
    fn new_slow(kind: Kind, amount: usize, place: &'static Location<'static>) -> Self {
        let made = tell(|| {
            let span = span(kind, place);
            let inner = first_state(&span, kind, amount);
            (!span.is_disabled()).then(|| Arc::new(Spans { span, kind, amount, inner }))
        });
        Self(made.flatten())
    }

    pub(super) fn spans(&self) -> Option<&Arc<Spans>> {
        self.0.as_ref()
    }

    /// What has no span is never told of: so are the locks and channels that a subscriber itself is
    /// made of, and that it uses while it is told of something.
    #[inline]
    fn tell(&self, event: impl FnOnce(&Spans)) {
        if let Some(spans) = &self.0 {
            tell_slow(spans, event);
        }
    }

    /// Whether it has a span.
    #[inline]
    pub fn is_seen(&self) -> bool {
        self.0.is_some()
    }

    /// There are `available()` permits now; what that says of a lock follows from its kind.
    #[inline]
    pub fn permits(&self, available: impl FnOnce() -> usize) {
        self.tell(|spans| permits(spans, available()));
    }

    /// A task arrived at a barrier.
    #[inline]
    pub fn arrived(&self) {
        self.tell(|_| state!(arrived = 1, arrived.op = "add"));
    }

    /// All tasks have arrived at a barrier, which is as new.
    #[inline]
    pub fn complete(&self) {
        self.tell(|_| state!(arrived = 0, arrived.op = "override"));
    }

    /// The value of a channel was sent.
    #[inline]
    pub fn sent(&self) {
        self.tell(|_| state!(value_sent = true, value_sent.op = "override"));
    }

    /// The value of a channel was received.
    #[inline]
    pub fn received(&self) {
        self.tell(|_| state!(value_received = true, value_received.op = "override"));
    }

    /// The sender of a channel is gone.
    #[inline]
    pub fn sender_dropped(&self) {
        self.tell(|_| state!(tx_dropped = true, tx_dropped.op = "override"));
    }

    /// The receiver of a channel is gone.
    #[inline]
    pub fn receiver_dropped(&self) {
        self.tell(|_| state!(rx_dropped = true, rx_dropped.op = "override"));
    }

    /// A sleep ends after so long.
    #[inline]
    pub fn lasts(&self, duration: impl FnOnce() -> Duration) {
        self.tell(|_| lasts(duration()));
    }
}

#[cold]
fn tell_slow(spans: &Spans, event: impl FnOnce(&Spans)) {
    tell(|| spans.span.in_scope(|| event(spans)));
}

fn permits(spans: &Spans, available: usize) {
    match spans.kind {
        Kind::Mutex => state!(locked = available == 0),
        Kind::RwLock => {
            // As many readers as there may be look like a writer; nobody has so many.
            let readers = if available == 0 { 0 } else { spans.amount.saturating_sub(available) };
            state!(write_locked = available == 0, write_locked.op = "override");
            state!(current_readers = readers, current_readers.op = "override");
        }
        // Of the inner one, where there is one: the console shows attributes of both, and would
        // show two numbers.
        _ => spans
            .inner
            .as_ref()
            .unwrap_or(&spans.span)
            .in_scope(|| state!(permits = available, permits.op = "override")),
    }
}

/// A sleep ends after so long.
pub(super) fn lasts(duration: Duration) {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    state!(duration = ms, duration.unit = "ms", duration.op = "override");
}

fn span(kind: Kind, place: &Location<'_>) -> Span {
    match kind {
        Kind::Mutex => resource_span!("tokio::sync::mutex", "Mutex", "Sync", place),
        Kind::RwLock => resource_span!("tokio::sync::rwlock", "RwLock", "Sync", place),
        Kind::Semaphore => resource_span!(
            "tokio::sync::semaphore",
            "Semaphore",
            "Sync",
            place,
            inherits_child_attrs
        ),
        Kind::Channel => resource_span!("tokio::sync::mpsc", "Sender|Receiver", "Sync", place),
        Kind::Barrier => resource_span!("tokio::sync::barrier", "Barrier", "Sync", place),
        Kind::Oneshot => resource_span!("tokio::sync::oneshot", "Sender|Receiver", "Sync", place),
        Kind::Sleep => resource_span!("tokio::time::sleep", "Sleep", "timer", place),
        Kind::Interval => resource_span!("tokio::time::interval", "Interval", "timer", place),
    }
}

/// What a resource begins with, told one thing after the other as Tokio does, and the span of the
/// semaphore under it.
fn first_state(span: &Span, kind: Kind, amount: usize) -> Option<Span> {
    match kind {
        Kind::Mutex => span.in_scope(|| {
            state!(locked = false);
            Some(semaphore(1))
        }),
        Kind::RwLock => {
            span.in_scope(|| {
                state!(max_readers = amount);
                state!(write_locked = false);
                state!(current_readers = 0);
            });
            span.in_scope(|| Some(semaphore(amount)))
        }
        Kind::Semaphore => span.in_scope(|| Some(semaphore(amount))),
        Kind::Channel => {
            span.in_scope(|| state!(permits = amount, permits.op = "override"));
            None
        }
        Kind::Barrier => {
            span.in_scope(|| {
                state!(size = amount);
                state!(arrived = 0);
            });
            None
        }
        Kind::Oneshot => {
            span.in_scope(|| state!(tx_dropped = false, tx_dropped.op = "override"));
            span.in_scope(|| state!(rx_dropped = false, rx_dropped.op = "override"));
            span.in_scope(|| state!(value_sent = false, value_sent.op = "override"));
            span.in_scope(|| state!(value_received = false, value_received.op = "override"));
            None
        }
        Kind::Sleep | Kind::Interval => None,
    }
}

fn semaphore(permits: usize) -> Span {
    let span = trace_span!(
        target: "tokio::sync::batch_semaphore",
        parent: None,
        "runtime.resource",
        concrete_type = "Semaphore",
        kind = "Sync",
        is_internal = true,
    );
    span.in_scope(|| state!(permits = permits, permits.op = "override"));
    span
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resource")
    }
}

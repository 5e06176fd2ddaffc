//! One wait for a resource, and its polls.

use super::resource::{Resource, Spans, lasts};
use super::{is_on, tell};
use crate::kind::Kind;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use pin_project_lite::pin_project;
use std::sync::Arc;
use tracing::{Span, trace, trace_span};

/// The spans of one wait. It stands beside its resource, or in a future that borrows it.
#[derive(Debug)]
pub struct Operation {
    wait: Option<Arc<Wait>>,
    polled: bool,
}

/// Dropped in this order.
#[derive(Debug)]
struct Wait {
    span: Span,
    poll: Span,
}

// As for `Resource`.
impl UnwindSafe for Operation {}
impl RefUnwindSafe for Operation {}

/// The spans of a wait; the macro needs its target in the source.
macro_rules! wait {
    ($target:literal, $resource:expr, $source:expr) => {{
        let span = trace_span!(
            target: $target,
            parent: $resource,
            "runtime.resource.async_op",
            source = $source,
            inherits_child_attrs = false,
        );
        let poll = trace_span!(target: $target, parent: &span, "runtime.resource.async_op.poll");
        (span, poll)
    }};
}

impl Operation {
    /// A wait that was not polled yet.
    #[inline]
    pub const fn none() -> Self {
        Self { wait: None, polled: false }
    }

    /// A wait that is told of at once. `source` is the method that made it.
    #[inline]
    pub fn new(resource: &Resource, source: &'static str) -> Self {
        match resource.spans() {
            Some(spans) if is_on() => Self { wait: new_slow(spans, source), polled: false },
            _ => Self::none(),
        }
    }

    /// Its poll begins; told of at the first. `op` names what is polled.
    #[inline]
    pub fn poll(&mut self, resource: &Resource, source: &'static str, op: &'static str) -> Polling {
        if self.wait.is_none() {
            *self = Self::new(resource, source);
        }
        self.poll_made(resource, op).0
    }

    /// Its poll begins; says whether it is the first.
    #[inline]
    pub fn poll_made(&mut self, resource: &Resource, op: &'static str) -> (Polling, bool) {
        match (&self.wait, resource.spans()) {
            (Some(wait), Some(spans)) => {
                let first = !std::mem::replace(&mut self.polled, true);
                (Polling(Entered::new_slow(wait, spans, op)), first)
            }
            _ => (Polling(None), false),
        }
    }
}

#[cold]
fn new_slow(spans: &Arc<Spans>, source: &'static str) -> Option<Arc<Wait>> {
    let (span, poll) = tell(|| in_context(spans, source))?;
    (!span.is_disabled()).then(|| Arc::new(Wait { span, poll }))
}

/// `console-subscriber` finds the resource of a wait among the spans that this thread is in, not by
/// its parent, so it is entered; a timer's are made beside it as Tokio makes them.
fn in_context(spans: &Spans, source: &'static str) -> (Span, Span) {
    let resource = &spans.span;
    match spans.kind {
        Kind::Oneshot => oneshot(resource, source),
        Kind::Sleep => wait!("tokio::time::sleep", resource, source),
        Kind::Interval => resource.in_scope(|| wait!("tokio::time::interval", resource, source)),
        Kind::Mutex => resource.in_scope(|| wait!("tokio::sync::mutex", resource, source)),
        Kind::RwLock => resource.in_scope(|| wait!("tokio::sync::rwlock", resource, source)),
        Kind::Semaphore => resource.in_scope(|| wait!("tokio::sync::semaphore", resource, source)),
        Kind::Channel => resource.in_scope(|| wait!("tokio::sync::mpsc", resource, source)),
        Kind::Barrier => resource.in_scope(|| wait!("tokio::sync::barrier", resource, source)),
    }
}

fn oneshot(resource: &Span, source: &'static str) -> (Span, Span) {
    let span = resource.in_scope(|| {
        trace_span!(
            target: "tokio::sync::oneshot",
            "runtime.resource.async_op",
            source = source,
            inherits_child_attrs = false,
        )
    });
    let poll = span
        .in_scope(|| trace_span!(target: "tokio::sync::oneshot", "runtime.resource.async_op.poll"));
    (span, poll)
}

/// A poll of a wait: its spans, entered until this is dropped.
#[derive(Debug)]
pub struct Polling(Option<Entered>);

/// Entered by hand: a guard of `tracing`'s own would borrow what is polled, or clone each span.
#[derive(Debug)]
struct Entered {
    wait: Arc<Wait>,
    spans: Arc<Spans>,
    op: &'static str,
}

impl Entered {
    /// Nothing where a subscriber waits for something while it is told: telling it of that would
    /// have it wait again.
    #[cold]
    fn new_slow(wait: &Arc<Wait>, spans: &Arc<Spans>, op: &'static str) -> Option<Self> {
        tell(|| {
            for span in [&spans.span, &wait.span, &wait.poll] {
                span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
            }
        })?;
        Some(Self { wait: wait.clone(), spans: spans.clone(), op })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        tell(|| {
            for span in [&self.wait.poll, &self.wait.span, &self.spans.span] {
                span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
            }
        });
    }
}

impl Polling {
    /// Of no wait.
    #[inline]
    pub const fn none() -> Self {
        Self(None)
    }

    /// A sleep ends after so long.
    #[inline]
    pub fn lasts(&self, duration: impl FnOnce() -> Duration) {
        if self.0.is_some() {
            tell(|| lasts(duration()));
        }
    }

    /// How far the poll came.
    #[inline]
    pub fn note(&self, is_ready: bool) {
        if let Some(entered) = &self.0 {
            tell_slow(entered.op, is_ready);
        }
    }

    /// How the poll ended.
    #[inline]
    pub fn end(self, is_ready: bool) {
        self.note(is_ready);
    }
}

#[cold]
fn tell_slow(op: &'static str, is_ready: bool) {
    tell(|| {
        trace!(target: "runtime::resource::poll_op", op_name = op, is_ready = is_ready);
    });
}

pin_project! {
    /// The future of [`operation`].
    #[derive(Debug)]
    pub struct Traced<F> {
        #[pin]
        future: F,
        resource: Resource,
        operation: Operation,
        source: &'static str,
        op: &'static str,
    }
}

/// A future all of whose polls are a wait for `resource`.
#[inline]
pub fn operation<F: Future>(
    future: F,
    resource: &Resource,
    source: &'static str,
    op: &'static str,
) -> Traced<F> {
    Traced { future, resource: resource.clone(), operation: Operation::none(), source, op }
}

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polling = this.operation.poll(this.resource, this.source, this.op);
        let polled = this.future.poll(cx);
        polling.end(polled.is_ready());
        polled
    }
}

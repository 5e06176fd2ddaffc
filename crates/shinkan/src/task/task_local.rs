//! Values that belong to a task, or to one future inside it: set while it is polled, and gone
//! between its polls.
//!
//! The value lives in the future. Around each poll it is swapped with what the thread-local cell
//! holds, so that a read costs what a read of a thread-local costs, and scopes nest.

use core::cell::RefCell;
use core::error::Error;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;
use std::thread;

/// Declares task-local values, each a [`LocalKey`](crate::task::LocalKey).
///
/// # Examples
/// ```
/// shinkan::task_local! {
///     /// The number of the request that is served.
///     pub static REQUEST: u64;
///     static USER: String;
/// }
///
/// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
/// let seen = REQUEST.scope(7, async { REQUEST.get() }).await;
/// assert_eq!(seen, 7);
/// assert!(USER.try_with(|_| ()).is_err());
/// # });
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    (
        $(#[$attr:meta])* $vis:vis static $name:ident: $t:ty $(; $($rest:tt)*)?
    ) => {
        $(#[$attr])*
        $vis static $name: $crate::task::LocalKey<$t> = {
            ::std::thread_local! {
                static __KEY: ::std::cell::RefCell<::std::option::Option<$t>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }
            $crate::task::LocalKey { inner: __KEY }
        };
        $($crate::task_local! { $($rest)* })?
    };
}

/// A task-local value, which [`task_local!`](crate::task_local) declares.
///
/// It is set for a future by [`scope`](LocalKey::scope) or for a call by
/// [`sync_scope`](LocalKey::sync_scope). A task that is spawned inside a scope does not inherit
/// it.
pub struct LocalKey<T: 'static> {
    #[doc(hidden)]
    pub inner: thread::LocalKey<RefCell<Option<T>>>,
}

/// [`LocalKey::try_with`] was called where the value is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessError {
    _private: (),
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task-local value is not set here")
    }
}

impl Error for AccessError {}

enum Refused {
    Borrowed,
    Destroyed,
}

impl Refused {
    #[cold]
    #[track_caller]
    fn panic(self) -> ! {
        match self {
            Self::Borrowed => panic!(
                "a scope of a task-local value was entered inside `with` of the same value: leave \
                 the closure first, or clone the value with `get`"
            ),
            Self::Destroyed => panic!(
                "a scope of a task-local value was entered while its thread ends: the value's \
                 thread-local is gone already"
            ),
        }
    }
}

impl<T: 'static> LocalKey<T> {
    /// Sets the value for a future: `future` sees it in each of its polls and in its drop.
    ///
    /// # Panics
    /// The future panics if it is polled inside [`with`](LocalKey::with) of the same value.
    ///
    /// # Examples
    /// ```
    /// shinkan::task_local! { static DEPTH: u32; }
    ///
    /// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
    /// DEPTH.scope(1, async {
    ///     DEPTH.scope(2, async { assert_eq!(DEPTH.get(), 2) }).await;
    ///     assert_eq!(DEPTH.get(), 1);
    /// })
    /// .await;
    /// # });
    /// ```
    pub fn scope<F>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F>
    where
        F: Future,
    {
        TaskLocalFuture { key: self, slot: Some(value), future: Some(future), _pin: PhantomPinned }
    }

    /// Sets the value for one call of `f`.
    ///
    /// # Panics
    /// Inside [`with`](LocalKey::with) of the same value, or while the thread ends.
    ///
    /// # Examples
    /// ```
    /// shinkan::task_local! { static NAME: &'static str; }
    /// assert_eq!(NAME.sync_scope("mito", || NAME.get()), "mito");
    /// ```
    #[track_caller]
    pub fn sync_scope<F, R>(&'static self, value: T, f: F) -> R
    where
        F: FnOnce() -> R,
    {
        let mut slot = Some(value);
        match self.within(&mut slot, f) {
            Ok(result) => result,
            Err(refused) => refused.panic(),
        }
    }

    /// Swaps `slot` with the cell, calls `f`, and swaps back, also if `f` panics.
    fn within<R>(&'static self, slot: &mut Option<T>, f: impl FnOnce() -> R) -> Result<R, Refused> {
        struct Back<'a, T: 'static> {
            key: &'static LocalKey<T>,
            slot: &'a mut Option<T>,
        }
        impl<T: 'static> Drop for Back<'_, T> {
            fn drop(&mut self) {
                // The borrow is free: `f` gets no guard of the cell that it could have kept.
                self.key.inner.with(|cell| mem::swap(self.slot, &mut cell.borrow_mut()));
            }
        }
        let swapped = self.inner.try_with(|cell| match cell.try_borrow_mut() {
            Ok(mut value) => {
                mem::swap(slot, &mut value);
                true
            }
            Err(_) => false,
        });
        match swapped {
            Ok(true) => {}
            Ok(false) => return Err(Refused::Borrowed),
            Err(_) => return Err(Refused::Destroyed),
        }
        let _back = Back { key: self, slot };
        Ok(f())
    }

    /// Calls `f` with the value.
    ///
    /// # Panics
    /// Where the value is not set.
    ///
    /// # Examples
    /// ```
    /// shinkan::task_local! { static WORDS: Vec<&'static str>; }
    /// let n = WORDS.sync_scope(vec!["a", "b"], || WORDS.with(|words| words.len()));
    /// assert_eq!(n, 2);
    /// ```
    #[track_caller]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        match self.try_with(f) {
            Ok(result) => result,
            Err(_) => panic!(
                "a task-local value was read where it is not set: read it inside `scope` or \
                 `sync_scope`, which a spawned task does not inherit, or use `try_with`"
            ),
        }
    }

    /// Calls `f` with the value.
    ///
    /// # Errors
    /// Where the value is not set; `f` is then not called.
    ///
    /// # Examples
    /// ```
    /// shinkan::task_local! { static N: u32; }
    /// assert!(N.try_with(|n| *n).is_err());
    /// ```
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        // While the thread ends, its cells are gone, and so is every scope.
        match self.inner.try_with(|cell| cell.borrow().as_ref().map(f)) {
            Ok(Some(result)) => Ok(result),
            Ok(None) | Err(_) => Err(AccessError { _private: () }),
        }
    }
}

impl<T: Clone + 'static> LocalKey<T> {
    /// A clone of the value.
    ///
    /// # Panics
    /// Where the value is not set.
    ///
    /// # Examples
    /// ```
    /// shinkan::task_local! { static N: u32; }
    /// assert_eq!(N.sync_scope(3, || N.get()), 3);
    /// ```
    #[track_caller]
    pub fn get(&'static self) -> T {
        self.with(T::clone)
    }

    /// A clone of the value.
    ///
    /// # Errors
    /// Where the value is not set.
    ///
    /// # Examples
    /// ```
    /// shinkan::task_local! { static N: u32; }
    /// assert!(N.try_get().is_err());
    /// ```
    pub fn try_get(&'static self) -> Result<T, AccessError> {
        self.try_with(T::clone)
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`LocalKey::scope`].
    pub struct TaskLocalFuture<T, F>
    where
        T: 'static,
    {
        key: &'static LocalKey<T>,
        slot: Option<T>,
        #[pin]
        future: Option<F>,
        #[pin]
        _pin: PhantomPinned,
    }

    impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if mem::needs_drop::<F>() && this.future.is_some() {
                let mut future = this.future;
                // Where the value cannot be set any more, the future is dropped without it.
                let _ = this.key.within(this.slot, || future.set(None));
            }
        }
    }
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    /// Takes the value out. Later polls of the future see none.
    ///
    /// # Examples
    /// ```
    /// shinkan::task_local! { static N: u32; }
    ///
    /// # shinkan::runtime::Runtime::new().unwrap().block_on(async {
    /// let mut scope = std::pin::pin!(N.scope(42, async {}));
    /// scope.as_mut().await;
    /// assert_eq!(scope.take_value(), Some(42));
    /// # });
    /// ```
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().slot.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut future = this.future;
        let polled = this.key.within(this.slot, || {
            let poll = future.as_mut().as_pin_mut()?.poll(cx);
            if poll.is_ready() {
                // Its drop sees the value too.
                future.set(None);
            }
            Some(poll)
        });
        match polled {
            Ok(Some(poll)) => poll,
            Ok(None) => panic!("the future of `LocalKey::scope` was polled after it had ended"),
            Err(refused) => refused.panic(),
        }
    }
}

impl<T: fmt::Debug + 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocalFuture").field("value", &self.slot).finish_non_exhaustive()
    }
}

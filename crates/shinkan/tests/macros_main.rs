//! `#[main]`: what it builds and what it leaves as it was.
#![cfg(all(feature = "macros", feature = "rt-multi-thread"))]
#![forbid(unsafe_code)]
#![deny(warnings)]

use std::fmt::Display;
use std::rc::Rc;

/// A runtime that only notes how it was built, by the thread that called.
mod noting {
    pub(crate) mod runtime {
        use std::cell::RefCell;
        use std::future::Future;

        thread_local! {
            pub(crate) static CALLS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
        }

        #[derive(Debug)]
        pub(crate) enum UnhandledPanic {
            ShutdownRuntime,
            Ignore,
        }

        pub(crate) struct Builder;

        impl Builder {
            fn note(self, call: impl Into<String>) -> Self {
                CALLS.with_borrow_mut(|calls| calls.push(call.into()));
                self
            }

            pub(crate) fn new_multi_thread() -> Self {
                Self.note("multi_thread")
            }

            pub(crate) fn new_current_thread() -> Self {
                Self.note("current_thread")
            }

            pub(crate) fn worker_threads(self, n: usize) -> Self {
                self.note(format!("worker_threads {n}"))
            }

            pub(crate) fn start_paused(self, yes: bool) -> Self {
                self.note(format!("start_paused {yes}"))
            }

            pub(crate) fn unhandled_panic(self, policy: UnhandledPanic) -> Self {
                self.note(format!("unhandled_panic {policy:?}"))
            }

            pub(crate) fn name(self, name: &str) -> Self {
                self.note(format!("name {name}"))
            }

            pub(crate) fn enable_all(self) -> Self {
                self.note("enable_all")
            }

            pub(crate) fn build(self) -> Result<Self, ()> {
                Ok(self.note("build"))
            }

            pub(crate) fn build_local(self, (): ()) -> Result<Self, ()> {
                Ok(self.note("build_local"))
            }

            pub(crate) fn block_on<F: Future>(self, future: F) -> F::Output {
                futures::executor::block_on(future)
            }
        }
    }
}

fn calls() -> Vec<String> {
    noting::runtime::CALLS.take()
}

#[test]
fn the_flavor_decides_the_builder() {
    #[shinkan::main(crate = "noting")]
    async fn by_default() {}
    by_default();
    assert_eq!(calls(), ["multi_thread", "enable_all", "build"]);

    #[shinkan::main(crate = "noting", flavor = "current_thread")]
    async fn current_thread() {}
    current_thread();
    assert_eq!(calls(), ["current_thread", "enable_all", "build"]);

    #[shinkan::main(flavor = "local", crate = "crate::noting")]
    async fn local() {}
    local();
    assert_eq!(calls(), ["current_thread", "enable_all", "build_local"]);
}

#[test]
fn each_argument_reaches_the_builder() {
    #[shinkan::main(crate = "noting", worker_threads = 3, name = "web")]
    async fn many() {}
    many();
    assert_eq!(calls(), ["multi_thread", "worker_threads 3", "name web", "enable_all", "build"]);

    #[shinkan::main(
        crate = "self::noting",
        flavor = "current_thread",
        start_paused = true,
        unhandled_panic = "shutdown_runtime"
    )]
    async fn alone() {}
    alone();
    let expected = [
        "current_thread",
        "start_paused true",
        "unhandled_panic ShutdownRuntime",
        "enable_all",
        "build",
    ];
    assert_eq!(calls(), expected);

    #[shinkan::main(flavor = "current_thread", unhandled_panic = "ignore", crate = "noting")]
    async fn ignoring() {}
    ignoring();
    assert_eq!(calls()[1], "unhandled_panic Ignore");
}

#[test]
fn arguments_generics_and_returns_are_kept() {
    #[shinkan::main(crate = "noting")]
    async fn joined<T: Display, const N: usize>(body: &[T; N], last: impl Display) -> String
    where
        String: PartialEq,
    {
        let mut text = String::new();
        for part in body {
            text.push_str(&part.to_string());
        }
        text + &last.to_string()
    }
    assert_eq!(joined(&[1, 2, 3], '!'), "123!");

    #[shinkan::main(crate = "noting")]
    async fn early(yes: bool) -> Result<u8, std::num::ParseIntError> {
        if yes {
            return Ok(1);
        }
        let n: u8 = "x".parse()?;
        Ok(n)
    }
    assert_eq!((early(true), early(false).is_err()), (Ok(1), true));

    #[shinkan::main(crate = "noting")]
    async fn opaque() -> impl Iterator<Item = u8> {
        [1, 2].into_iter()
    }
    assert_eq!(opaque().count(), 2);

    #[shinkan::main(crate = "noting")]
    async fn not_send(rc: Rc<u8>) -> Rc<u8> {
        std::future::ready(()).await;
        rc
    }
    assert_eq!(*not_send(Rc::new(1)), 1);

    struct Counter(u8);
    impl Counter {
        #[shinkan::main(crate = "noting")]
        async fn add(&mut self, n: u8) -> &mut u8 {
            self.0 += n;
            &mut self.0
        }
    }
    assert_eq!(*Counter(1).add(2), 3);
}

#[test]
#[should_panic(expected = "never returns")]
fn a_body_that_never_returns_is_no_warning() {
    #[shinkan::main(crate = "noting")]
    async fn never() -> ! {
        panic!("never returns")
    }
    never();
}

#[test]
fn attributes_and_names_of_the_program_are_kept() {
    /// Documented.
    #[shinkan::main(crate = "noting")]
    #[allow(dead_code, clippy::unused_async)]
    pub(crate) async fn named(body: u8) -> u8 {
        #![allow(unused_variables)]
        let runtime = 1;
        let body = body + 1;
        std::future::ready(body).await
    }
    assert_eq!(named(1), 2);
}

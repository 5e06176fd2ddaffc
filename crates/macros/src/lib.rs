//! `main`, `test`, and what `select!`, `join!` and `try_join!` expand through.
//!
//! Called by the compiler alone. Programs use these macros from `shinkan` (or from `tokio`), which
//! re-exports them; the code that they write names only what that crate has in
//! `runtime::Builder` and `macros::support`.

#![deny(unsafe_code)]

use proc_macro::TokenStream;

mod args;
mod entry;
mod function;
mod futures;
mod join;
mod select;

use entry::{Entry, Package};

/// Makes an `async fn main` an ordinary one, which builds a runtime and runs the body on it.
///
/// By default the runtime has as many workers as the machine has cores; the body itself runs on
/// the main thread. May stand on any `async fn`; each call builds a runtime then.
///
/// Arguments:
/// - `flavor = "multi_thread"` (the default), `"current_thread"` or `"local"`;
/// - `worker_threads = 4`, with `multi_thread`;
/// - `start_paused = true`: the clock stands still at the start, not with `multi_thread`;
/// - `unhandled_panic = "shutdown_runtime"` or `"ignore"`;
/// - `name = "web"`: of the runtime;
/// - `crate = "path"`: where the package is re-exported from.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    Entry::main(Package::Shinkan, true).expand(args, item)
}

/// `main` where only the feature `rt` is on: the flavor must be given.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn main_rt(args: TokenStream, item: TokenStream) -> TokenStream {
    Entry::main(Package::Shinkan, false).expand(args, item)
}

/// Makes an `async fn` a test, which builds a runtime of its own and runs the body on it.
///
/// By default the runtime is of the flavor `current_thread`. The arguments are those of `main`.
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    Entry::test(Package::Shinkan, true).expand(args, item)
}

/// `test` where only the feature `rt` is on.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn test_rt(args: TokenStream, item: TokenStream) -> TokenStream {
    Entry::test(Package::Shinkan, false).expand(args, item)
}

/// `main` for programs that know the package as `tokio`.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn tokio_main(args: TokenStream, item: TokenStream) -> TokenStream {
    Entry::main(Package::Tokio, true).expand(args, item)
}

/// `tokio_main` where only the feature `rt` is on.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn tokio_main_rt(args: TokenStream, item: TokenStream) -> TokenStream {
    Entry::main(Package::Tokio, false).expand(args, item)
}

/// `test` for programs that know the package as `tokio`.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn tokio_test(args: TokenStream, item: TokenStream) -> TokenStream {
    Entry::test(Package::Tokio, true).expand(args, item)
}

/// `tokio_test` where only the feature `rt` is on.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn tokio_test_rt(args: TokenStream, item: TokenStream) -> TokenStream {
    Entry::test(Package::Tokio, false).expand(args, item)
}

/// `main` where the feature `rt` is off: an error that says so.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn main_fail(_: TokenStream, _: TokenStream) -> TokenStream {
    entry::without_runtime("main")
}

/// `test` where the feature `rt` is off: an error that says so.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn test_fail(_: TokenStream, _: TokenStream) -> TokenStream {
    entry::without_runtime("test")
}

/// What `select!` expands to.
#[doc(hidden)]
#[proc_macro]
pub fn select_internal(input: TokenStream) -> TokenStream {
    select::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// What `join!` expands to.
#[doc(hidden)]
#[proc_macro]
pub fn join_internal(input: TokenStream) -> TokenStream {
    join::expand(input.into(), false).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// What `try_join!` expands to.
#[doc(hidden)]
#[proc_macro]
pub fn try_join_internal(input: TokenStream) -> TokenStream {
    join::expand(input.into(), true).unwrap_or_else(syn::Error::into_compile_error).into()
}

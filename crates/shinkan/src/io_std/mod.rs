//! Standard input, output and error. They appear in `io`.

mod input;
mod stderr;
mod stdin;
mod stdout;
mod writer;

pub use stderr::{Stderr, stderr};
pub use stdin::{Stdin, stdin};
pub use stdout::{Stdout, stdout};

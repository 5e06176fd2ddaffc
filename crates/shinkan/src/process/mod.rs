//! Child processes.
//!
//! [`Command`] is the standard library's, with futures: a child's end is waited for as a socket is,
//! and its pipes are read and written without blocking a thread.
//!
//! # Dropping
//!
//! Dropping a [`Child`] lets it run on, unless [`Command::kill_on_drop`] was set. Its status is taken
//! when it has ended, also after the runtime, so that no zombie stays; but it is then lost.
//!
//! Dropping a future of this module loses nothing: another one may wait for the same child.
//!
//! # Examples
//! ```
//! use shinkan::process::Command;
//!
//! # #[shinkan::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let output = Command::new("echo").arg("hello").output().await?;
//! assert!(output.status.success());
//! assert_eq!(output.stdout, b"hello\n");
//! # Ok(())
//! # }
//! ```

mod child;
mod command;
mod start;
mod stdio;

pub use child::Child;
pub use command::Command;
pub use stdio::{ChildStderr, ChildStdin, ChildStdout};

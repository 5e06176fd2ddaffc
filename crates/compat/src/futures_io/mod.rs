//! shinkan's streams with the traits of the crate `futures-io` (which `futures` and `async-std`'s
//! descendants use), and the other way round: reading, writing, buffered reading and seeking.
//!
//! # Examples
//! A function of futures' world reads a file of shinkan's:
//!
//! ```
//! use futures::io::AsyncReadExt as _;
//! use shinkan_compat::futures_io::ToFutures;
//!
//! # #[shinkan::main]
//! # async fn main() -> std::io::Result<()> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("greeting");
//! shinkan::fs::write(&path, "hello").await?;
//! let mut text = String::new();
//! let mut file = ToFutures::new(shinkan::fs::File::open(&path).await?);
//! file.read_to_string(&mut text).await?;
//! assert_eq!(text, "hello");
//! # Ok(())
//! # }
//! ```
//!
//! And a method of shinkan's takes lines from a stream of futures':
//!
//! ```
//! use shinkan::io::AsyncBufReadExt as _;
//! use shinkan_compat::futures_io::FromFutures;
//!
//! # #[shinkan::main]
//! # async fn main() -> std::io::Result<()> {
//! let mut lines = FromFutures::new(futures::io::Cursor::new("one\ntwo\n")).lines();
//! assert_eq!(lines.next_line().await?.as_deref(), Some("one"));
//! assert_eq!(lines.next_line().await?.as_deref(), Some("two"));
//! assert_eq!(lines.next_line().await?, None);
//! # Ok(())
//! # }
//! ```

mod from_futures;
mod to_futures;

pub use from_futures::FromFutures;
pub use to_futures::ToFutures;

//! Programs to start from: each folder beside this one is one, `fetch` the first to read. This
//! library is empty.

#![deny(unsafe_code)]

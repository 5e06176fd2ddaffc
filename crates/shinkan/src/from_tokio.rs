#![doc = include_str!("../../../docs/from-tokio.md")]

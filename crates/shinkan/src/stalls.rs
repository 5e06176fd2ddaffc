#![doc = include_str!("../../../docs/stalls.md")]

//! A small service as one would write it: notes over a JSON API, a WebSocket, streams, gRPC and a
//! line protocol, with SQLite in the process and PostgreSQL and Redis where they are configured.
//!
//! Read it in this order: [`config`] (what can be set), [`server`] (what is started, and how it
//! ends), [`routes`] (the HTTP side), [`grpc`], [`lines`]. [`drive`] is a client of all of it.

#![forbid(unsafe_code)]

pub mod config;
pub mod drive;
pub mod error;
pub mod grpc;
pub mod hits;
pub mod ledger;
pub mod lines;
pub mod notes;
pub mod routes;
pub mod server;
pub mod shutdown;
pub mod state;
pub mod tls;

//! Why a page was not fetched.

use hyper::StatusCode;
use std::fmt;
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) enum Failure {
    BadUrl(String),
    Lookup(String),
    Connect(String),
    Certificate(String),
    Tls(String),
    Status(StatusCode),
    Broken(String),
    Timeout(Duration),
}

impl Failure {
    /// What the table counts it under.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Failure::BadUrl(_) => "bad URL",
            Failure::Lookup(_) => "no such host",
            Failure::Connect(_) => "connection failed",
            Failure::Certificate(_) => "certificate not trusted",
            Failure::Tls(_) => "TLS failed",
            Failure::Status(status) if status.is_server_error() => "status 5xx",
            Failure::Status(_) => "status 4xx",
            Failure::Broken(_) => "broken off",
            Failure::Timeout(_) => "timeout",
        }
    }

    /// Whether another attempt may fare better.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Failure::BadUrl(_) | Failure::Certificate(_) => false,
            Failure::Status(status) => status.is_server_error(),
            _ => true,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Status(status) => write!(f, "the server answered {status}"),
            Failure::Timeout(limit) => write!(f, "timeout: no complete answer within {limit:?}"),
            Failure::BadUrl(why)
            | Failure::Lookup(why)
            | Failure::Connect(why)
            | Failure::Certificate(why)
            | Failure::Tls(why)
            | Failure::Broken(why) => write!(f, "{}: {why}", self.kind()),
        }
    }
}

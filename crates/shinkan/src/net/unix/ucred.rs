//! Who is at the other end.

use super::{gid_t, pid_t, uid_t};

/// Who made the other end of a Unix stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UCred {
    pid: Option<pid_t>,
    uid: uid_t,
    gid: gid_t,
}

impl UCred {
    pub(super) fn new((pid, uid, gid): (Option<pid_t>, uid_t, gid_t)) -> Self {
        Self { pid, uid, gid }
    }

    /// The number of its user.
    pub fn uid(&self) -> uid_t {
        self.uid
    }

    /// The number of its group.
    pub fn gid(&self) -> gid_t {
        self.gid
    }

    /// The number of its process, where the kernel knows it.
    pub fn pid(&self) -> Option<pid_t> {
        self.pid
    }
}

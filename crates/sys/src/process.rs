//! Processes: starting them, ending them, and learning that they have ended.

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus};

/// The number of this process: another one in a child of fork(2), where the threads are missing that
/// its parent had.
pub fn own_id() -> u32 {
    std::process::id()
}

/// Starts a process. Returns once the program runs, or cannot.
///
/// # Errors
/// Those of fork(2) and execve(2); no descriptors left for the pipes.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    command.spawn()
}

/// Takes the status of a child that has ended, and with it the child out of the system's table.
///
/// # Errors
/// Somebody else has taken it.
pub fn try_wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    child.try_wait()
}

/// Ends a child by its number, which is its own until its status was taken.
///
/// # Errors
/// Those of kill(2).
pub fn kill(child: &mut Child) -> io::Result<()> {
    child.kill()
}

/// Ends a child by its descriptor, which never means another process.
///
/// # Errors
/// Somebody has taken its status.
pub fn kill_by(pidfd: impl AsFd) -> io::Result<()> {
    Ok(rustix::process::pidfd_send_signal(pidfd, Signal::KILL)?)
}

/// A descriptor that is readable once the child has ended.
///
/// # Errors
/// No descriptors left, or a kernel or a sandbox that has no such call.
pub fn pidfd(child: &Child) -> io::Result<OwnedFd> {
    Ok(rustix::process::pidfd_open(pid(child.id())?, PidfdFlags::empty())?)
}

/// Blocks until a child has ended, and leaves its status to be taken.
///
/// # Errors
/// It is no child of ours, or its status was taken.
pub fn wait_for_end(id: u32) -> io::Result<()> {
    let pid = pid(id)?;
    loop {
        match rustix::process::waitid(WaitId::Pid(pid), ENDED_AND_STAYS) {
            Err(rustix::io::Errno::INTR) => {}
            result => return Ok(result.map(drop)?),
        }
    }
}

const ENDED_AND_STAYS: WaitIdOptions = WaitIdOptions::EXITED.union(WaitIdOptions::NOWAIT);

fn pid(id: u32) -> io::Result<Pid> {
    let raw = i32::try_from(id).ok().and_then(Pid::from_raw);
    raw.ok_or_else(|| rustix::io::Errno::SRCH.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_the_end_leaves_the_status() {
        let mut child = spawn(Command::new("sh").args(["-c", "exit 3"])).unwrap();
        wait_for_end(child.id()).unwrap();
        wait_for_end(child.id()).unwrap();
        assert_eq!(try_wait(&mut child).unwrap().unwrap().code(), Some(3));
        assert!(wait_for_end(child.id()).is_err());
    }

    #[test]
    fn a_kill_by_descriptor_meets_no_other_process() {
        let mut child = spawn(Command::new("sleep").arg("3600")).unwrap();
        let pidfd = pidfd(&child).unwrap();
        kill_by(&pidfd).unwrap();
        wait_for_end(child.id()).unwrap();
        // It has ended, and is still there.
        kill_by(&pidfd).unwrap();
        assert_eq!(try_wait(&mut child).unwrap().unwrap().code(), None);
        assert!(kill_by(&pidfd).is_err());
    }

    #[test]
    fn numbers_that_are_no_process() {
        assert!(wait_for_end(0).is_err());
        assert!(wait_for_end(u32::MAX).is_err());
    }
}

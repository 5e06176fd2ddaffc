//! Where in the kernel a thread waits, from proc(5): `task/TID/syscall` and `task/TID/status`.
//! Readable for threads of the own process without any right.

use std::fs;

/// A thread at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// On a processor, or about to be.
    Running,
    /// In a system call.
    Call(Call),
    /// In the kernel without a call: it waits for a page, or was stopped.
    Elsewhere {
        /// The lowest address of its stack that is in use.
        sp: u64,
        /// The instruction that it goes on with.
        ip: u64,
    },
}

/// A system call that a thread is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number, on this processor.
    pub number: i64,
    /// Its arguments.
    pub arguments: [u64; 6],
    /// The lowest address of the caller's stack that is in use.
    pub sp: u64,
    /// The instruction after the call.
    pub ip: u64,
}

/// Where the thread of that number is; nothing where it has ended, or the kernel does not say.
pub fn at(thread: i32) -> Option<At> {
    parse(&fs::read_to_string(format!("/proc/self/task/{thread}/syscall")).ok()?)
}

/// Whether the thread holds this signal off; nothing where the kernel does not say.
pub fn blocks(thread: i32, signal: i32) -> Option<bool> {
    let status = fs::read_to_string(format!("/proc/self/task/{thread}/status")).ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    Some(mask >> signal.checked_sub(1)? & 1 == 1)
}

/// Whether any thread of the process but these and the caller's is outside a system call, or
/// about to be: it computes, or waits for a processor or a page.
pub fn another_runs(but: &[i32]) -> bool {
    let me = crate::threads::kernel_id();
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return true };
    let numbers = tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok());
    numbers.filter(|number| !but.contains(number) && *number != me).any(|number| {
        // One that has ended meanwhile runs no more.
        at(number).is_some_and(|at| !matches!(at, At::Call(_)))
    })
}

fn parse(line: &str) -> Option<At> {
    let mut words = line.split_ascii_whitespace();
    let number = match words.next()? {
        "running" => return Some(At::Running),
        number => number.parse().ok()?,
    };
    let mut hex = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    if number < 0 {
        return Some(At::Elsewhere { sp: hex()?, ip: hex()? });
    }
    let mut arguments = [0; 6];
    for argument in &mut arguments {
        *argument = hex()?;
    }
    Some(At::Call(Call { number, arguments, sp: hex()?, ip: hex()? }))
}

impl Call {
    /// Its name, of those that a thread blocks in often.
    pub fn name(&self) -> Option<&'static str> {
        let mut all = NAMES.iter().chain(crate::arch::NAMES);
        all.find(|(number, _)| *number == self.number).map(|(_, name)| *name)
    }

    /// The word that the thread waits for by futex(2), without a time limit.
    pub fn futex(&self) -> Option<u64> {
        // FUTEX_WAIT and FUTEX_WAIT_BITSET, private or not, by whatever clock.
        let operation = self.arguments[1] & 0x7f;
        let waits = self.number == libc::SYS_futex && (operation == 0 || operation == 9);
        (waits && self.arguments[3] == 0).then_some(self.arguments[0])
    }

    /// Whether it sleeps, or waits for what comes from elsewhere: none of the kernel's locks would
    /// end it, and no futex. Of a thread in an interruptible sleep: one that waits for a descriptor's
    /// own lock, as a receive may, is in another.
    pub fn waits_for_an_event(&self) -> bool {
        EVENTS.contains(&self.number) || crate::arch::EVENTS.contains(&self.number)
    }

    /// Whether a signal with a handler leaves it as it is: the kernel starts it again
    /// (`SA_RESTART`), or ends it first. See signal(7): all others may end with EINTR, or, where a
    /// part was transferred already, with that part: each that writes, and those that receive with
    /// `MSG_WAITALL`. Called from the process of that thread.
    pub fn survives_a_signal(&self) -> bool {
        if self.futex().is_some() {
            return true;
        }
        let on_descriptor = [
            libc::SYS_read,
            libc::SYS_readv,
            libc::SYS_recvfrom,
            libc::SYS_recvmsg,
            libc::SYS_accept,
            libc::SYS_accept4,
        ];
        let flags = match self.number {
            libc::SYS_recvfrom => self.arguments[3],
            libc::SYS_recvmsg => self.arguments[2],
            _ => 0,
        };
        if on_descriptor.contains(&self.number) {
            if flags & libc::MSG_WAITALL as u64 != 0 {
                return false;
            }
            return is_started_again(self.arguments[0] as i32).unwrap_or(false);
        }
        self.number == libc::SYS_wait4 || self.number == libc::SYS_flock
    }
}

/// Whether a call that waits for this descriptor is started again after a signal: for pipes, and
/// for sockets without a time limit. A file may lie on a file system that a program serves, which
/// may answer EINTR.
fn is_started_again(fd: i32) -> std::io::Result<bool> {
    use rustix::net::sockopt::{Timeout, socket_timeout};
    let fd = crate::fd::borrow(fd)?;
    if crate::fd::is_pipe(fd)? {
        return Ok(true);
    }
    Ok(socket_timeout(fd, Timeout::Recv)?.is_none() && socket_timeout(fd, Timeout::Send)?.is_none())
}

const EVENTS: &[i64] = &[
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_pwait,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_wait4,
    libc::SYS_waitid,
];

const NAMES: &[(i64, &str)] = &[
    (libc::SYS_read, "read"),
    (libc::SYS_write, "write"),
    (libc::SYS_readv, "readv"),
    (libc::SYS_writev, "writev"),
    (libc::SYS_pread64, "pread64"),
    (libc::SYS_pwrite64, "pwrite64"),
    (libc::SYS_openat, "openat"),
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_fdatasync, "fdatasync"),
    (libc::SYS_getdents64, "getdents64"),
    (libc::SYS_futex, "futex"),
    (libc::SYS_nanosleep, "nanosleep"),
    (libc::SYS_clock_nanosleep, "clock_nanosleep"),
    (libc::SYS_ppoll, "ppoll"),
    (libc::SYS_epoll_pwait, "epoll_pwait"),
    (libc::SYS_pselect6, "pselect6"),
    (libc::SYS_recvfrom, "recvfrom"),
    (libc::SYS_sendto, "sendto"),
    (libc::SYS_recvmsg, "recvmsg"),
    (libc::SYS_sendmsg, "sendmsg"),
    (libc::SYS_connect, "connect"),
    (libc::SYS_accept, "accept"),
    (libc::SYS_accept4, "accept4"),
    (libc::SYS_wait4, "wait4"),
    (libc::SYS_waitid, "waitid"),
    (libc::SYS_flock, "flock"),
    (libc::SYS_fcntl, "fcntl"),
    (libc::SYS_ioctl, "ioctl"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threads;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    #[test]
    fn the_kernel_s_words_are_understood() {
        assert_eq!(parse("running\n"), Some(At::Running));
        assert_eq!(parse("-1 0x10 0x20\n"), Some(At::Elsewhere { sp: 16, ip: 32 }));
        let call = parse("202 0x1 0x80 0x2 0x0 0x0 0x0 0x7ff0 0x7f00\n").unwrap();
        let At::Call(call) = call else { panic!("{call:?}") };
        assert_eq!((call.number, call.sp, call.ip), (202, 0x7ff0, 0x7f00));
        for text in ["", "x", "1 0x1", "-1 1 2", "202 0x1 0x2 0x3 0x4 0x5 0x6 0x7"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_may_end_with_a_part_is_not_interrupted() {
        use std::os::fd::AsRawFd;
        let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let (pipe, _writer) = std::io::pipe().unwrap();
        let call = |number, fd: i32, at: usize, flags: i32| {
            let mut arguments = [fd as u64, 0, 0, 0, 0, 0];
            arguments[at] = flags as u64;
            Call { number, arguments, sp: 0, ip: 0 }.survives_a_signal()
        };
        let fd = socket.as_raw_fd();
        let all = libc::MSG_WAITALL;
        assert!(call(libc::SYS_recvfrom, fd, 3, 0) && !call(libc::SYS_recvfrom, fd, 3, all));
        assert!(call(libc::SYS_recvmsg, fd, 2, 0) && !call(libc::SYS_recvmsg, fd, 2, all));
        assert!(call(libc::SYS_read, pipe.as_raw_fd(), 5, 0));
        for number in [libc::SYS_write, libc::SYS_writev, libc::SYS_sendto, libc::SYS_sendmsg] {
            assert!(!call(number, fd, 5, 0) && !call(number, pipe.as_raw_fd(), 5, 0));
        }
    }

    #[test]
    fn a_thread_that_waits_for_a_lock_is_in_a_futex_and_may_be_interrupted() {
        let (release, released) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let waiter = std::thread::spawn(move || {
            tell.send(threads::kernel_id()).unwrap();
            let _ = released.recv();
        });
        let tid = told.recv().unwrap();
        let call = loop {
            match at(tid).unwrap() {
                At::Call(call) if call.futex().is_some() => break call,
                _ => threads::yield_now(),
            }
        };
        assert!(call.survives_a_signal() && !call.waits_for_an_event());
        assert_eq!(call.name(), Some("futex"));
        assert_eq!(blocks(tid, 40), Some(false));
        drop(release);
        waiter.join().unwrap();
        assert_eq!(at(0), None);
    }

    #[test]
    fn a_thread_that_sleeps_waits_for_an_event() {
        let (tell, told) = mpsc::channel();
        let (stop, stops) = (std::sync::Arc::new(AtomicBool::new(false)), Ordering::Relaxed);
        let its = stop.clone();
        let sleeper = std::thread::spawn(move || {
            tell.send(threads::kernel_id()).unwrap();
            while !its.load(stops) {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
        });
        let tid = told.recv().unwrap();
        let sleeps = |at| matches!(at, At::Call(call) if call.waits_for_an_event());
        while !sleeps(at(tid).unwrap()) || !crate::usage::of_thread(tid).unwrap().interruptible {
            threads::yield_now();
        }
        stop.store(true, stops);
        sleeper.join().unwrap();
    }
}

//! What the kernel says of a thread: whether it runs, and what it has used. From proc(5):
//! `task/TID/stat` and `task/TID/schedstat`.
//!
//! Both are read at one moment each, a few microseconds apart, and the kernel adds up the times of a
//! running thread only at its own ticks (1 to 10 ms): what is read may lag by one of them.

use std::fs::{self, File};
use std::io::{self, Read};

/// A thread at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// It runs, or would if a processor were free. Else it waits for something in the kernel.
    pub runnable: bool,
    /// It waits, and a signal would end the wait: for no lock within the kernel.
    pub interruptible: bool,
    /// Nanoseconds on a processor since it started.
    pub cpu_ns: u64,
    /// Nanoseconds for which it could have run and had no processor, up to when it last got one.
    pub delay_ns: u64,
    /// How often it got one.
    pub runs: u64,
}

/// All threads of this process at one moment.
#[derive(Debug)]
pub struct Threads(Vec<(i32, Usage)>);

/// The thread with that number in this process.
///
/// # Errors
/// `NotFound` where it has ended, or there is no proc(5); `Unsupported` where the kernel keeps no
/// scheduler statistics, or the thread never ran; else those of open(2) and read(2), as for want of a
/// descriptor.
pub fn of_thread(tid: i32) -> io::Result<Usage> {
    let mut buffer = [0; 512];
    let stat = read(&format!("/proc/self/task/{tid}/stat"), &mut buffer)?;
    // The name in parentheses is the program's choice and may hold anything.
    let behind = stat.rfind(')').and_then(|at| stat.get(at + 2..));
    let state = behind.and_then(|words| words.chars().next());
    let mut buffer = [0; 128];
    let times = read(&format!("/proc/self/task/{tid}/schedstat"), &mut buffer)?;
    let mut times = times.split_ascii_whitespace().map_while(|word| word.parse().ok());
    let mut next = || times.next().ok_or(io::ErrorKind::Unsupported);
    let (cpu_ns, delay_ns, runs) = (next()?, next()?, next()?);
    // Without statistics the kernel says that it never ran.
    let state = state.filter(|_| runs > 0).ok_or(io::ErrorKind::Unsupported)?;
    Ok(Usage { runnable: state == 'R', interruptible: state == 'S', cpu_ns, delay_ns, runs })
}

/// How many threads this process has.
///
/// # Errors
/// There is no proc(5), or no descriptor left.
pub fn thread_count() -> io::Result<u32> {
    let mut buffer = [0; 512];
    let stat = read("/proc/self/stat", &mut buffer)?;
    let behind = stat.rfind(')').and_then(|at| stat.get(at + 2..));
    // The 20th field; the state, behind the name, is the third.
    let count = behind.and_then(|words| words.split_ascii_whitespace().nth(17)?.parse().ok());
    count.ok_or_else(|| io::ErrorKind::Unsupported.into())
}

impl Threads {
    /// Those of this process of which the kernel says something, without the thread of the number
    /// `but`.
    ///
    /// # Errors
    /// Those of open(2) and read(2): some would be missing.
    pub fn now(but: i32) -> io::Result<Self> {
        let mut all = Vec::new();
        for entry in fs::read_dir("/proc/self/task")? {
            let Some(tid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if tid == but {
                continue;
            }
            match of_thread(tid) {
                Ok(usage) => all.push((tid, usage)),
                Err(error) if is_of_one(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self::of(all))
    }

    /// These, of which each number stands once.
    pub fn of(threads: impl IntoIterator<Item = (i32, Usage)>) -> Self {
        let mut threads: Vec<_> = threads.into_iter().collect();
        threads.sort_by_key(|(tid, _)| *tid);
        Self(threads)
    }

    /// Whether a thread could run and has not had a processor since `before`.
    pub fn any_kept_waiting_since(&self, before: &Self) -> bool {
        self.0.iter().filter(|(_, now)| now.runnable).any(|(tid, now)| {
            let at = before.0.binary_search_by_key(tid, |(tid, _)| *tid);
            at.is_ok_and(|at| {
                let before = before.0[at].1;
                (before.runs, before.cpu_ns) == (now.runs, now.cpu_ns)
            })
        })
    }
}

/// Whether nothing can be said of one thread, though of others: it has ended, or never ran.
fn is_of_one(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported)
}

fn read<'a>(path: &str, buffer: &'a mut [u8]) -> io::Result<&'a str> {
    let mut file = File::open(path)?;
    let mut len = 0;
    loop {
        match file.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(n) => len += n,
            // It has ended since the file was opened.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
                return Err(io::ErrorKind::NotFound.into());
            }
            Err(error) => return Err(error),
        }
    }
    // A name that is no UTF-8 is cut in front of the state: that thread is not judged.
    core::str::from_utf8(&buffer[..len]).map_err(|_| io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::{Threads, Usage, of_thread};
    use crate::threads;
    use std::sync::mpsc;

    #[test]
    fn a_thread_that_asks_runs_and_uses_time() {
        let me = threads::kernel_id();
        let first = of_thread(me).expect("proc(5) is there");
        assert!(first.runnable);
        let mut x = 1_u64;
        while of_thread(me).expect("it still is").cpu_ns < first.cpu_ns + 5_000_000 {
            for _ in 0..100_000 {
                x = std::hint::black_box(x.wrapping_mul(3));
            }
        }
    }

    #[test]
    fn a_thread_that_waits_is_seen_to_wait() {
        let (release, released) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let waiter = std::thread::spawn(move || {
            tell.send(threads::kernel_id()).unwrap();
            let _ = released.recv();
        });
        let tid = told.recv().unwrap();
        while of_thread(tid).expect("it lives").runnable {
            threads::yield_now();
        }
        drop(release);
        waiter.join().unwrap();
        assert_eq!(of_thread(0).unwrap_err().kind(), std::io::ErrorKind::NotFound);
    }

    #[test]
    fn who_ran_was_not_kept_waiting() {
        let me = threads::kernel_id();
        let others = Threads::now(me).unwrap();
        assert!(others.0.iter().all(|(tid, _)| *tid != me));
        let all = Threads::now(0).unwrap();
        assert!(all.0.iter().any(|(tid, usage)| *tid == me && usage.runnable));
        let usage = of_thread(me).expect("proc(5) is there");
        let before = Threads::of([(me, usage), (1, usage)]);
        assert!(Threads::of([(me, usage)]).any_kept_waiting_since(&before));
        for changed in [
            Usage { runs: usage.runs + 1, ..usage },
            Usage { cpu_ns: usage.cpu_ns + 1, ..usage },
            Usage { runnable: false, ..usage },
        ] {
            assert!(!Threads::of([(me, changed)]).any_kept_waiting_since(&before));
        }
        assert!(!Threads::of([(2, usage)]).any_kept_waiting_since(&before), "it is new");
    }
}

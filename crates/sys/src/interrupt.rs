//! Interrupting one thread of this process by a signal, to learn where it is.
//!
//! The handler of [`install`] is given registers and may copy the stack; it has to be what
//! signal-safety(7) allows. Signals of the same number from elsewhere go to the handler that was
//! there before.

mod number;

use crate::memory;
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ops::Range;
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
pub use number::{free, is_ours};
use std::io;

/// Where a thread is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// The next instruction.
    pub ip: u64,
    /// The lowest address of its stack that is in use.
    pub sp: u64,
    /// The frame pointer, or whatever the program keeps in that register.
    pub fp: u64,
    /// Where its function returns to, on processors that keep it in a register; else 0.
    pub lr: u64,
}

/// What a handler is told.
pub struct Interruption<'a> {
    info: &'a libc::siginfo_t,
    context: &'a libc::ucontext_t,
}

impl Interruption<'_> {
    /// The word that [`send`] was given; nothing where the signal came from elsewhere.
    pub fn word(&self) -> Option<u64> {
        if self.info.si_code != libc::SI_QUEUE {
            return None;
        }
        // SAFETY:
        // - a signal with `SI_QUEUE` has a sender and a value.
        let pid = unsafe { self.info.si_pid() };
        // SAFETY:
        // - getpid(2) takes nothing, always works, and may be called in a handler.
        if pid != unsafe { libc::getpid() } {
            return None;
        }
        // SAFETY:
        // - as above.
        let value = unsafe { self.info.si_value() };
        Some(value.sival_ptr.addr() as u64)
    }

    /// Where the thread was.
    pub fn registers(&self) -> Registers {
        crate::arch::registers(self.context)
    }

    /// Copies the stack from the interrupted function's end on, where that is within `stack` or
    /// the thread's alternative stack up to the end of that, elsewhere up to the end of the page.
    /// How many bytes.
    pub fn copy_stack(&self, stack: &Range<u64>, to: &[AtomicU64]) -> usize {
        let sp = self.registers().sp;
        // All zeroes where there is none.
        let other = &self.context.uc_stack;
        let start = other.ss_sp.addr() as u64;
        let other = start..start.saturating_add(other.ss_size as u64);
        let stack = if stack.contains(&sp) { stack } else { &other };
        let words = memory::left_of(stack, sp) / 8;
        memory::read_words(sp as usize, &to[..to.len().min(words)])
    }
}

/// Whether the signal was meant for this handler.
pub type Handler = fn(&Interruption<'_>) -> bool;

// Set before the signal's disposition is, and never changed after: `install` works once.
static HANDLER: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
static PREVIOUS: AtomicUsize = AtomicUsize::new(libc::SIG_DFL);
static PREVIOUS_FLAGS: AtomicUsize = AtomicUsize::new(0);

/// Has `handler` called for `signal`, for the life of the process. Once a process.
///
/// # Errors
/// Those of sigaction(2); it was called before; nobody handles the signal, and it is one that does
/// something by default, as SIGTERM does: that would be lost.
///
/// # Safety
/// `handler` interrupts other code at any place. It only does what signal-safety(7) allows: no
/// lock, no allocation, no panic.
pub unsafe fn install(signal: c_int, handler: Handler) -> io::Result<()> {
    // Known before ours can run. Who changes it in between the two is not called.
    let previous = number::action(signal)?;
    if !number::may_be_taken(signal, &previous) {
        let why = "nobody handles it, and what it does by default would be lost";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let new = handler as *mut ();
    let free = core::ptr::null_mut();
    if HANDLER.compare_exchange(free, new, Ordering::AcqRel, Ordering::Relaxed).is_err() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    PREVIOUS.store(previous.sa_sigaction, Ordering::Relaxed);
    PREVIOUS_FLAGS.store(previous.sa_flags as usize, Ordering::Relaxed);
    let mut action = number::no_action();
    action.sa_sigaction = entry as *const () as usize;
    // On the alternative stack, where the thread has one: its own may be at its end. RESTART, for
    // calls that can be; those that cannot are not interrupted in the first place.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY:
    // - `action` is whole, its mask is empty, and its function has the signature of `SA_SIGINFO`.
    // - the function is safe in a handler: see `entry`; what it calls is the caller's word.
    match unsafe { libc::sigaction(signal, &raw const action, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// What the kernel calls. Each line is allowed in a handler: loads of atomics, errno through its
/// thread-local (which libc has in the static block), and calls of the same kind.
extern "C" fn entry(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY:
    // - the C library's own place for this thread; read and written while no other code of the
    //   thread runs.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY:
    // - as above.
    let saved = unsafe { *errno };
    if !handled(info, context) {
        previous(signal, info, context);
    }
    // SAFETY:
    // - as above.
    unsafe { *errno = saved };
}

fn handled(info: *mut libc::siginfo_t, context: *mut c_void) -> bool {
    let handler = HANDLER.load(Ordering::Acquire);
    // SAFETY:
    // - null, or stored by `install` from a `Handler`; both are one pointer.
    let handler = unsafe { core::mem::transmute::<*mut (), Option<Handler>>(handler) };
    // SAFETY:
    // - the kernel gives both to a handler with `SA_SIGINFO`, for the time of the call.
    let info = unsafe { info.as_ref() };
    // SAFETY:
    // - as above.
    let context = unsafe { context.cast::<libc::ucontext_t>().as_ref() };
    let (Some(handler), Some(info), Some(context)) = (handler, info, context) else { return false };
    handler(&Interruption { info, context })
}

/// A signal that was not ours goes to who had it before.
fn previous(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let previous = PREVIOUS.load(Ordering::Relaxed);
    if previous == libc::SIG_DFL || previous == libc::SIG_IGN {
        return;
    }
    if PREVIOUS_FLAGS.load(Ordering::Relaxed) & libc::SA_SIGINFO as usize != 0 {
        type Long = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
        // SAFETY:
        // - the previous handler's address, which its flags say takes three arguments.
        let call = unsafe { core::mem::transmute::<usize, Long>(previous) };
        call(signal, info, context);
    } else {
        // SAFETY:
        // - the previous handler's address, which its flags say takes the signal alone.
        let call = unsafe { core::mem::transmute::<usize, extern "C" fn(c_int)>(previous) };
        call(signal);
    }
}

/// Sends `signal` with a word to one thread of this process.
///
/// # Errors
/// The thread has ended, or too many signals wait to be delivered.
pub fn send(thread: i32, signal: c_int, word: u64) -> io::Result<()> {
    // SAFETY:
    // - a record of the kernel's, of which all zeroes is a value.
    let mut info: libc::siginfo_t = unsafe { MaybeUninit::zeroed().assume_init() };
    info.si_signo = signal;
    info.si_code = libc::SI_QUEUE;
    // SAFETY:
    // - takes nothing and always works.
    let pid = unsafe { libc::getpid() };
    let queued = Queued { pid, uid: rustix::process::getuid().as_raw(), word };
    let fields = (&raw mut info).cast::<u8>().wrapping_add(QUEUED_AT).cast::<Queued>();
    // SAFETY:
    // - within `info`, whose 128 bytes have the sender and the value at this place (sigaction(2)).
    // - aligned: `info` is to 8 bytes, and so is the place.
    unsafe { fields.write(queued) };
    // SAFETY:
    // - reads `info`, and delivers to a thread of this process or to none: the kernel checks.
    match unsafe {
        libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid, thread, signal, &raw const info)
    } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Where a record of a queued signal has its sender, on processors of 64 bits.
const QUEUED_AT: usize = 16;

#[repr(C)]
struct Queued {
    pid: libc::pid_t,
    uid: libc::uid_t,
    word: u64,
}

//! All live tasks of one runtime: who is cancelled when it ends, and what a dump lists.
//!
//! Sharded by the block of the task's number: a thread takes numbers in blocks, so its spawns meet
//! the same uncontended lock for a while, and two threads seldom the same one. A task knows the
//! number of the registry that holds it, so one of another registry is told from its own.
//!
//! No lock is held while futures, outputs or other code of the caller runs.

use crate::header::Header;
use crate::id::{BLOCK, Id};
use crate::task_ref::TaskRef;
use core::fmt;
use shinkan_base::atomics::Mutex;
use shinkan_base::atomics::plain::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use shinkan_base::canary;
use shinkan_base::list::List;
use shinkan_base::pad::Padded;

/// The set.
pub struct Registry {
    number: u32,
    shards: Box<[Padded<Shard>]>,
}

struct Shard {
    tasks: Mutex<Tasks>,
    // Both are written under the lock, and read without it.
    len: AtomicUsize,
    inserted: AtomicU64,
}

struct Tasks {
    list: List<Header>,
    closed: bool,
}

// SAFETY:
// - the list's nodes are tasks of which it holds a `TaskRef`, which is `Send`, as a bare pointer.
unsafe impl Send for Tasks {}

static NUMBERS: AtomicU32 = AtomicU32::new(1);

impl Registry {
    /// An empty set in `shards` parts, rounded up to a power of two; as many as there are workers
    /// will do.
    ///
    /// # Panics
    /// After 2³² − 1 registries in one process.
    pub fn new(shards: usize) -> Self {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        assert!(
            number != 0,
            "this process has made as many registries of tasks as it can tell apart"
        );
        let shard = || {
            let tasks = Mutex::new(Tasks { list: List::new(), closed: false });
            Padded(Shard { tasks, len: AtomicUsize::new(0), inserted: AtomicU64::new(0) })
        };
        Self { number, shards: (0..shards.max(1).next_power_of_two()).map(|_| shard()).collect() }
    }

    /// Adds a task.
    ///
    /// # Errors
    /// The task itself, if the registry is closed: the caller cancels it.
    ///
    /// # Panics
    /// If it stands in a registry already.
    #[inline]
    pub fn insert(&self, task: TaskRef) -> Result<(), TaskRef> {
        // The one `TaskRef` that exists of a task was given to us, so nobody else inserts it.
        assert!(task.header().frame.owner() == 0, "a task was put into a second registry");
        let shard = self.shard(&task);
        let mut tasks = shard.tasks.lock();
        if tasks.closed {
            drop(tasks);
            return Err(task);
        }
        task.header().frame.set_owner(self.number);
        // SAFETY: alive by the reference that the list keeps; in no list, by its owner.
        unsafe { tasks.list.push_back(task.into_ptr()) };
        shard.count(1);
        let inserted = shard.inserted.load(Ordering::Relaxed);
        shard.inserted.store(inserted.wrapping_add(1), Ordering::Relaxed);
        Ok(())
    }

    /// Takes a task out, and gives back the reference that was kept. Nothing, if it is not here.
    #[inline]
    pub fn remove(&self, task: &TaskRef) -> Option<TaskRef> {
        let frame = &task.header().frame;
        if frame.owner() != self.number {
            return None;
        }
        let shard = self.shard(task);
        let mut tasks = shard.tasks.lock();
        // Again under the lock: `close_and_shutdown` may have been faster.
        if frame.owner() != self.number && !canary("task_remove_without_recheck") {
            return None;
        }
        frame.set_owner(0);
        // SAFETY: alive (the borrow), and in this list, by its owner.
        let removed = unsafe { tasks.list.remove(task.ptr()) };
        debug_assert!(removed, "a task's owner and its links disagree");
        shard.count(-1);
        drop(tasks);
        // SAFETY: the reference that the list kept.
        Some(unsafe { TaskRef::from_ptr(task.ptr()) })
    }

    /// Refuses new tasks and ends all that are here: see [`TaskRef::shutdown`]. One that is being
    /// polled elsewhere ends after that poll.
    pub fn close_and_shutdown(&self) {
        for shard in &self.shards {
            shard.tasks.lock().closed = true;
            while let Some(task) = shard.pop() {
                task.shutdown();
            }
        }
    }

    /// How many tasks are in it; the sum of counts that change meanwhile.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len.load(Ordering::Relaxed)).sum()
    }

    /// How many tasks were ever put into it; a sum as `len`.
    pub fn inserted(&self) -> u64 {
        self.shards.iter().map(|shard| shard.inserted.load(Ordering::Relaxed)).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| shard.len.load(Ordering::Relaxed) == 0)
    }

    /// Calls `f` for each task that was in the set at the time its shard was looked at. No lock is
    /// held meanwhile.
    pub fn for_each(&self, f: &mut dyn FnMut(&TaskRef)) {
        for shard in &self.shards {
            for task in shard.all() {
                f(&task);
            }
        }
    }

    /// The task of that number, if it is here. Looks through the tasks of one shard, under its lock.
    pub fn find(&self, id: Id) -> Option<TaskRef> {
        self.shard_of(id).find(|task| task.id() == id)
    }

    #[inline]
    fn shard(&self, task: &TaskRef) -> &Shard {
        self.shard_of(task.id())
    }

    #[inline]
    fn shard_of(&self, id: Id) -> &Shard {
        let block = id.as_u64() / BLOCK;
        &self.shards[block as usize & (self.shards.len() - 1)]
    }
}

impl Shard {
    #[inline]
    fn count(&self, by: isize) {
        let len = self.len.load(Ordering::Relaxed);
        self.len.store(len.wrapping_add_signed(by), Ordering::Relaxed);
    }

    fn pop(&self) -> Option<TaskRef> {
        let mut tasks = self.tasks.lock();
        let task = tasks.list.pop_front()?;
        // SAFETY: the reference that the list kept.
        let task = unsafe { TaskRef::from_ptr(task) };
        task.header().frame.set_owner(0);
        self.count(-1);
        Some(task)
    }

    fn all(&self) -> Vec<TaskRef> {
        let mut all = Vec::with_capacity(self.len.load(Ordering::Relaxed));
        let none = self.find(|task| {
            all.push(task.duplicate());
            false
        });
        debug_assert!(none.is_none(), "none was asked for");
        all
    }

    /// The first task for which `is_it` holds, which is no code of the caller's crate: the lock is
    /// held meanwhile.
    fn find(&self, mut is_it: impl FnMut(&TaskRef) -> bool) -> Option<TaskRef> {
        let tasks = self.tasks.lock();
        let mut next = tasks.list.front();
        while let Some(task) = next {
            // SAFETY: linked, so the list's reference keeps it alive; it is lent, not dropped.
            let lent = core::mem::ManuallyDrop::new(unsafe { TaskRef::from_ptr(task) });
            if is_it(&lent) {
                return Some(lent.duplicate());
            }
            // SAFETY: linked here.
            next = unsafe { tasks.list.next(task) };
        }
        None
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.close_and_shutdown();
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("len", &self.len()).finish()
    }
}

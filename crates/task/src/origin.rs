//! Where a task comes from: one word in its header.
//!
//! Nearly all tasks have a place alone, so the word is that place's address. What only some have (a
//! name, the time at which they were queued last) stands in a tag of its own, whose address has the
//! lowest bit set: who asks for nothing of it pays no memory for it.

use core::fmt;
use core::marker::PhantomData;
use core::panic::Location;
use core::ptr;
use shinkan_base::atomics::plain::{AtomicU64, Ordering};
use shinkan_base::place::{PlaceWord, TAGGED};
use shinkan_trace::Mark;

/// The place that spawned a task, and its tag, if it has one.
pub struct Origin {
    word: *const (),
    mark: Mark,
    _owns: PhantomData<Option<Box<Tag>>>,
}

/// What only some tasks have.
#[derive(Debug)]
pub struct Tag {
    place: &'static Location<'static>,
    name: Option<Box<str>>,
    // 0 where it is not queued, or nobody measures.
    queued_at: AtomicU64,
}

const _: () = assert!(align_of::<Tag>() > TAGGED);

// SAFETY:
// - it is a shared reference to a `Location`, or a `Box<Tag>`; both are `Send` and `Sync`.
unsafe impl Send for Origin {}
// SAFETY: as above.
unsafe impl Sync for Origin {}

impl From<&'static Location<'static>> for Origin {
    #[inline(always)]
    fn from(place: &'static Location<'static>) -> Self {
        Self { word: ptr::from_ref(place).cast(), mark: Mark::NONE, _owns: PhantomData }
    }
}

impl Origin {
    /// A place with a tag: a second allocation for the task.
    pub fn tagged(place: &'static Location<'static>, name: Option<&str>) -> Self {
        let tag = Tag { place, name: name.map(Box::from), queued_at: AtomicU64::new(0) };
        let word = Box::into_raw(Box::new(tag)).cast_const().cast::<()>();
        let word = word.map_addr(|address| address | TAGGED);
        Self { word, mark: Mark::NONE, _owns: PhantomData }
    }

    /// With what its wakers name the task by, where `tracing` is told of it.
    #[inline]
    #[must_use]
    pub fn marked(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self
    }

    #[inline(always)]
    pub(crate) fn mark(&self) -> Mark {
        self.mark
    }

    /// The place, or tagged.
    #[inline(always)]
    pub(crate) fn word(&self) -> PlaceWord {
        // SAFETY: what `from` or `tagged` made: a place's address, or one with the bit set.
        unsafe { PlaceWord::from_raw(self.word) }
    }

    /// The place.
    #[inline]
    pub fn place(&self) -> &'static Location<'static> {
        match self.tag() {
            Some(tag) => tag.place,
            // SAFETY:
            // - no tag, so `from` made it, of a reference that lives for ever.
            None => unsafe { &*self.word.cast::<Location<'static>>() },
        }
    }

    /// The tag.
    #[inline]
    pub fn tag(&self) -> Option<&Tag> {
        if self.word.addr() & TAGGED == 0 {
            return None;
        }
        // SAFETY:
        // - the bit says that `tagged` made it, of a box that `drop` alone takes back.
        Some(unsafe { &*self.untagged() })
    }

    fn untagged(&self) -> *const Tag {
        self.word.map_addr(|address| address & !TAGGED).cast()
    }

    #[cold]
    fn drop_tag_slow(&mut self) {
        // SAFETY: as in `tag`; it is dropped once, and not used again.
        drop(unsafe { Box::from_raw(self.untagged().cast_mut()) });
    }
}

impl Drop for Origin {
    #[inline]
    fn drop(&mut self) {
        if self.word.addr() & TAGGED != 0 {
            self.drop_tag_slow();
        }
    }
}

impl Tag {
    /// The task's name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Notes when the task was queued, as a number above 0 of the scheduler's choice.
    pub fn set_queued_at(&self, at: u64) {
        // The queue orders this before the look of whoever takes the task out of it.
        self.queued_at.store(at, Ordering::Relaxed);
    }

    /// When the task was queued last.
    pub fn queued_at(&self) -> u64 {
        self.queued_at.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.tag().and_then(Tag::name);
        f.debug_struct("Origin").field("place", self.place()).field("name", &name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;
    use core::panic::Location;

    #[test]
    fn a_place_alone_has_no_tag() {
        let here = Location::caller();
        let origin = Origin::from(here);
        assert!(origin.tag().is_none());
        assert_eq!(origin.place(), here);
    }

    #[test]
    fn a_tag_keeps_place_name_and_time() {
        let here = Location::caller();
        let origin = Origin::tagged(here, Some("named"));
        assert_eq!(origin.place(), here);
        let tag = origin.tag().expect("tagged");
        assert_eq!((tag.name(), tag.queued_at()), (Some("named"), 0));
        tag.set_queued_at(7);
        assert_eq!(tag.queued_at(), 7);
        assert_eq!(Origin::tagged(here, None).tag().map(|tag| tag.name().is_none()), Some(true));
    }
}

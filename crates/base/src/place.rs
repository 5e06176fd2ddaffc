//! A place in the source that one thread writes and others read, as one word.

use crate::atomics::plain::{AtomicPtr, Ordering};
use core::fmt;
use core::panic::Location;

/// In a word's lowest bit: it is the address of something else, which its maker knows to read.
pub const TAGGED: usize = 1;

const _: () = assert!(align_of::<Location<'static>>() > TAGGED);

/// The address of a place, or nothing, or what its maker has tagged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PlaceWord(*const ());

// SAFETY:
// - what it is read through is a `&'static Location`, which all threads may have.
unsafe impl Send for PlaceWord {}
// SAFETY: as above.
unsafe impl Sync for PlaceWord {}

impl PlaceWord {
    /// No place.
    pub const NONE: Self = Self(core::ptr::null());

    /// A place.
    #[inline]
    pub const fn of(place: &'static Location<'static>) -> Self {
        Self(core::ptr::from_ref(place).cast())
    }

    /// A word as it is.
    ///
    /// # Safety
    /// It is null, or the address of a `&'static Location`, or its lowest bit is set.
    #[inline(always)]
    pub const unsafe fn from_raw(word: *const ()) -> Self {
        Self(word)
    }

    /// The place, if the word is one's.
    #[inline]
    pub fn place(self) -> Option<&'static Location<'static>> {
        if self.is_tagged() {
            return None;
        }
        // SAFETY:
        // - null, or a `&'static Location`: whoever made the word said so, and it is not tagged.
        unsafe { self.0.cast::<Location<'static>>().as_ref() }
    }

    /// Whether it is the address of something else.
    #[inline]
    pub fn is_tagged(self) -> bool {
        self.0.addr() & TAGGED != 0
    }

    /// Whether it is neither a place nor tagged.
    #[inline]
    pub fn is_none(self) -> bool {
        self.0.is_null()
    }
}

impl fmt::Debug for PlaceWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_tagged() {
            true => f.write_str("Tagged"),
            false => self.place().fmt(f),
        }
    }
}

/// A word that one thread writes and others read. What was written before a word, its reader sees
/// after an Acquire fence.
#[derive(Default)]
pub struct PlaceCell(AtomicPtr<()>);

impl PlaceCell {
    /// Without a place.
    pub const fn new() -> Self {
        Self(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// Sets the word.
    #[inline(always)]
    pub fn set(&self, word: PlaceWord) {
        self.0.store(word.0.cast_mut(), Ordering::Release);
    }

    /// The word that was set last.
    #[inline]
    pub fn get(&self) -> PlaceWord {
        // Of no other word than `set` has stored, or `new`.
        PlaceWord(self.0.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for PlaceCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{PlaceCell, PlaceWord};
    use core::panic::Location;

    #[test]
    fn the_place_that_was_set_last_is_read() {
        let cell = PlaceCell::new();
        assert!(cell.get().is_none());
        assert_eq!(cell.get().place(), None);
        let here = Location::caller();
        cell.set(PlaceWord::of(here));
        assert_eq!(cell.get().place(), Some(here));
        cell.set(PlaceWord::NONE);
        assert_eq!(cell.get().place(), None);
    }

    #[test]
    fn what_is_tagged_is_no_place() {
        let other = 7u64;
        let word = core::ptr::from_ref(&other).map_addr(|address| address | super::TAGGED);
        // SAFETY: its lowest bit is set.
        let word = unsafe { PlaceWord::from_raw(word.cast()) };
        assert!(word.is_tagged() && !word.is_none());
        assert_eq!(word.place(), None);
    }
}

//! A place in the source that one thread writes and others read.

use crate::atomics::plain::{AtomicPtr, Ordering};
use core::fmt;
use core::panic::Location;

/// A place, or nothing. Relaxed: it orders nothing else.
pub struct PlaceCell(AtomicPtr<Location<'static>>);

impl PlaceCell {
    /// Without a place.
    pub const fn new() -> Self {
        Self(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// Sets or takes away the place.
    #[inline(always)]
    pub fn set(&self, place: Option<&'static Location<'static>>) {
        let place = place.map_or(core::ptr::null(), core::ptr::from_ref);
        self.0.store(place.cast_mut(), Ordering::Relaxed);
    }

    /// The place that was set last.
    #[inline]
    pub fn get(&self) -> Option<&'static Location<'static>> {
        let place = self.0.load(Ordering::Relaxed);
        // SAFETY:
        // - null, or only ever stored by `set` from a `&'static Location`.
        unsafe { place.as_ref() }
    }
}

impl Default for PlaceCell {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PlaceCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::PlaceCell;
    use core::panic::Location;

    #[test]
    fn the_place_that_was_set_last_is_read() {
        let cell = PlaceCell::new();
        assert_eq!(cell.get(), None);
        let here = Location::caller();
        cell.set(Some(here));
        assert_eq!(cell.get(), Some(here));
        cell.set(None);
        assert_eq!(cell.get(), None);
    }
}

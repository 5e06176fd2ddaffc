//! A value that is only ever used through `&mut`, and so may be shared by anybody.

#![allow(unsafe_code)]

/// Makes a value `Sync` by giving no access through `&`.
pub(crate) struct Exclusive<T>(T);

// SAFETY:
// - `&Exclusive` gives access to nothing.
unsafe impl<T> Sync for Exclusive<T> {}

impl<T> Exclusive<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

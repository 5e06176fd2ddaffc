//! What is to be written, as a value that a thread of the pool can own: taken over where it is a
//! vector, a string or `Bytes`, since a copy would cost the program its memory twice; else copied.

#![allow(unsafe_code)]

use bytes::Bytes;
use std::any::TypeId;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, transmute, transmute_copy};

pub(super) enum Contents {
    Vec(Vec<u8>),
    Bytes(Bytes),
}

impl Contents {
    pub(super) fn of(given: impl AsRef<[u8]>) -> Self {
        take(given)
            .map(Contents::Vec)
            .or_else(|given| take(given).map(|text: String| Contents::Vec(text.into_bytes())))
            .or_else(|given| take(given).map(Contents::Bytes))
            .unwrap_or_else(|given| Contents::Vec(given.as_ref().to_owned()))
    }
}

impl AsRef<[u8]> for Contents {
    fn as_ref(&self) -> &[u8] {
        match self {
            Contents::Vec(bytes) => bytes,
            Contents::Bytes(bytes) => bytes,
        }
    }
}

/// `value` as a `T`, where it is one.
fn take<S, T: 'static>(value: S) -> Result<T, S> {
    if type_of::<S>() != TypeId::of::<T>() {
        return Err(value);
    }
    let value = ManuallyDrop::new(value);
    // SAFETY:
    // - the same type: they have the same number, which is blind to lifetimes; `T` has none.
    // - moved, not copied: `value` is not dropped.
    Ok(unsafe { transmute_copy::<S, T>(&value) })
}

/// The number of a type, also of one that borrows: with any lifetime in it.
fn type_of<T>() -> TypeId {
    trait Typed {
        fn type_id(&self) -> TypeId
        where
            Self: 'static;
    }
    impl<T> Typed for PhantomData<T> {
        fn type_id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }
    let marker = PhantomData::<T>;
    // SAFETY:
    // - nothing outlives what it borrows: the marker has no data, and lives in this call.
    // - the same layout: only the lifetime of the object differs.
    let marker = unsafe { transmute::<&dyn Typed, &(dyn Typed + 'static)>(&marker) };
    marker.type_id()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_owns_its_memory_is_not_copied() {
        let vec = b"a vector".to_vec();
        let at = vec.as_ptr();
        assert_eq!(Contents::of(vec).as_ref().as_ptr(), at);
        let text = "a string".to_owned();
        let at = text.as_ptr();
        assert_eq!(Contents::of(text).as_ref().as_ptr(), at);
        let bytes = Bytes::from(b"bytes".to_vec());
        let at = bytes.as_ptr();
        assert_eq!(Contents::of(bytes).as_ref().as_ptr(), at);
    }

    #[test]
    fn what_is_borrowed_is_copied() {
        let vec = b"a vector".to_vec();
        let copied = Contents::of(&vec);
        assert_eq!(copied.as_ref(), b"a vector");
        assert_ne!(copied.as_ref().as_ptr(), vec.as_ptr());
        assert_eq!(Contents::of(vec.as_slice()).as_ref(), b"a vector");
        assert_eq!(Contents::of("text").as_ref(), b"text");
        assert_eq!(Contents::of(*b"array").as_ref(), b"array");
        assert_eq!(Contents::of(vec.into_boxed_slice()).as_ref(), b"a vector");
    }
}

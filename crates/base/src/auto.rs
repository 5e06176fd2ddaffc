//! Checks at compile time that a type may be sent or shared. Called beside an explicit `unsafe impl`
//! of `Send` or `Sync`, on the fields on which its argument rests: the compiler no longer looks at
//! them there, and a later field that may not be sent would go unseen.

/// Compiles where `T` may be sent.
pub const fn sent<T: ?Sized + Send>() {}

/// Compiles where `T` may be shared.
pub const fn shared<T: ?Sized + Sync>() {}

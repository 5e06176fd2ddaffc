//! `pin!`, which needs no feature.

/// Pins values to the stack: `pin!(future)` makes the variable `future` a `Pin<&mut _>` to what it
/// was, and `pin! { let future = work(); }` declares it so.
///
/// # Examples
/// ```
/// # shinkan::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let work = async { 1 };
/// shinkan::pin!(work);
/// assert_eq!((&mut work).await, 1);
/// # });
/// ```
#[macro_export]
macro_rules! pin {
    ($($variable:ident),* $(,)?) => {
        $(
            #[allow(unused_mut)]
            let mut $variable = ::core::pin::pin!($variable);
        )*
    };
    ($(let $variable:ident = $value:expr;)*) => {
        $(
            #[allow(unused_mut)]
            let mut $variable = ::core::pin::pin!($value);
        )*
    };
}

//! The futures that a macro holds: a tree of pairs, pinned once.
//!
//! A pin for each, or a local for each, would take room in the caller's state for as long as it
//! waits; a tuple could not be pinned without unsafe code in the program; and a list of 64 would
//! bring the compiler near its limit of nesting. The tree is 6 deep and dropped in order.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use std::ops::Range;

/// A name of the macro's own.
pub(crate) fn name(prefix: &str, index: usize) -> Ident {
    Ident::new(&format!("{prefix}{index}"), Span::mixed_site())
}

pub(crate) struct Futures {
    /// Declares `futures`, the pinned tree.
    pub(crate) pinned: TokenStream,
    /// Declares `future0` and so on, pinned, inside the closure that owns `futures`.
    pub(crate) projected: TokenStream,
}

impl Futures {
    /// Each of `initial` makes one of the futures; they are evaluated in order.
    pub(crate) fn new(support: &TokenStream, initial: &[TokenStream]) -> Self {
        let site = Span::mixed_site();
        let names = (0..initial.len()).map(|i| name("future", i));
        let tree = tree(support, 0..initial.len());
        // Each is moved as a whole, so that what it was moved from takes no room.
        let pinned = quote_spanned! {site=>
            #( let #names = #initial; )*
            let mut futures = ::core::pin::pin!(#tree);
        };
        let mut projected = TokenStream::new();
        project(0..initial.len(), &quote_spanned!(site=> futures.as_mut()), &mut projected);
        Self { pinned, projected }
    }
}

/// Runs each of `polls` once, in a circle that begins with number `first`, a variable in scope.
pub(crate) fn in_a_circle(polls: &[TokenStream]) -> TokenStream {
    let count = polls.len() as u32;
    let indices = 0..count;
    quote_spanned! {Span::mixed_site()=>
        for step in 0..#count {
            let turn = if first + step < #count { first + step } else { first + step - #count };
            match turn {
                #( #indices => { #polls } )*
                _ => ::core::unreachable!(),
            }
        }
    }
}

fn halves(range: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let middle = range.start + range.len() / 2;
    (range.start..middle, middle..range.end)
}

fn tree(support: &TokenStream, range: Range<usize>) -> TokenStream {
    let site = Span::mixed_site();
    if range.len() == 1 {
        let name = name("future", range.start);
        return quote_spanned!(site=> #name);
    }
    let (first, second) = halves(&range);
    let (first, second) = (tree(support, first), tree(support, second));
    quote_spanned!(site=> #support::pair(#first, #second))
}

fn project(range: Range<usize>, pinned: &TokenStream, into: &mut TokenStream) {
    let site = Span::mixed_site();
    if range.len() == 1 {
        let name = name("future", range.start);
        into.extend(quote_spanned!(site=> let mut #name = #pinned;));
        return;
    }
    let (first, second) = halves(&range);
    // A pair is known by where its second half begins.
    let (left, right) = (name("left", second.start), name("right", second.start));
    into.extend(quote_spanned!(site=> let (#left, #right) = #pinned.split();));
    project(first, &quote_spanned!(site=> #left), into);
    project(second, &quote_spanned!(site=> #right), into);
}

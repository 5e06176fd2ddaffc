//! `join!` and `try_join!`: wait for all of several futures on one task.
//!
//! Each poll polls those that are not done, from the next one on, so that one that uses up the
//! task's budget does not keep the last ones from running; with `biased;` from the first on.

use crate::futures::{Futures, in_a_circle, name};
use crate::select::biased;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Result, Token};

struct Join {
    package: TokenTree,
    biased: bool,
    futures: Punctuated<Expr, Token![,]>,
}

impl Parse for Join {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let package = input.parse()?;
        input.parse::<Token![;]>()?;
        Ok(Self { package, biased: biased(input)?, futures: Punctuated::parse_terminated(input)? })
    }
}

fn made(support: &TokenStream, future: &Expr) -> TokenStream {
    // What is no future is told at its place.
    let here = Span::mixed_site().located_at(future.span());
    let future = quote_spanned!(here=> #support::IntoFuture::into_future(#future));
    quote_spanned!(here=> #support::maybe_done(#future))
}

pub(crate) fn expand(input: TokenStream, is_try: bool) -> Result<TokenStream> {
    let Join { package, biased, futures } = syn::parse2(input)?;
    let site = Span::mixed_site();
    let support = quote_spanned!(site=> #package::macros::support);
    let ok = if is_try { quote_spanned!(site=> #support::Result::Ok) } else { TokenStream::new() };
    let Some(count) = u32::try_from(futures.len()).ok().filter(|n| *n > 0) else {
        return Ok(quote_spanned!(site=> async { #ok(()) }.await));
    };
    let made: Vec<_> = futures.iter().map(|future| made(&support, future)).collect();
    let Futures { pinned, projected } = Futures::new(&support, &made);
    let names: Vec<_> = (0..futures.len()).map(|i| name("future", i)).collect();
    let polls: Vec<_> = names
        .iter()
        .map(|future| {
            let poll = quote_spanned!(site=> #support::Future::poll(#future.as_mut(), cx));
            let fail = is_try.then(|| {
                quote_spanned! {site=>
                    else if let #support::Option::Some(error) = #future.as_mut().take_error() {
                        return #support::Poll::Ready(error);
                    }
                }
            });
            quote_spanned!(site=> if #poll.is_pending() { pending = true; } #fail)
        })
        .collect();
    let (start, polls) = if biased {
        (None, quote_spanned!(site=> #(#polls)*))
    } else {
        let circle = in_a_circle(&polls);
        let polls = quote_spanned! {site=>
            let first = next;
            next = if next + 1 < #count { next + 1 } else { 0 };
            #circle
        };
        (Some(quote_spanned!(site=> let mut next = 0u32;)), polls)
    };
    let take = Ident::new(if is_try { "take_ok" } else { "take_output" }, site);
    Ok(quote_spanned! {site=> {
        #pinned
        #start
        let output = #support::poll_fn(move |cx| {
            #projected
            let mut pending = false;
            #polls
            if pending {
                return #support::Poll::Pending;
            }
            // Nobody gets here where an output has no values.
            #[allow(unreachable_code)]
            {
                #support::Poll::Ready(#ok((#(#names.as_mut().#take(),)*)))
            }
        })
        .await;
        output
    }})
}

//! `select!`: waits for the first of several futures.
//!
//! ```text
//! enum Output<T0, T1> { B0(T0), B1(T1), Disabled }
//! let mut disabled = /* a bit for each branch whose condition is false */;
//! let output = {
//!     /* the futures, pinned; dropped at the end of this block */
//!     poll_fn(|cx| /* each that is not disabled, from a random one on */).await
//! };
//! match output { Output::B0(pattern) => handler, …, Output::Disabled => else }
//! ```
//!
//! Names that this writes are hygienic (`mixed_site`); paths begin at the `$crate` that the caller
//! hands over, so that the macro works wherever it is re-exported from.

use crate::futures::{Futures, in_a_circle, name};
use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, Pat, Result, Token, token};

const SHAPE: &str = "a branch of `select!` reads `pattern = future => handler`, or `pattern = future, \
                     if condition => handler`";

/// Bits of the widest mask.
const MOST: usize = 64;

struct Select {
    package: TokenTree,
    biased: bool,
    branches: Vec<Branch>,
    otherwise: Option<Expr>,
}

struct Branch {
    pattern: Pat,
    future: Expr,
    condition: Option<Expr>,
    handler: TokenStream,
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let package = input.parse()?;
        input.parse::<Token![;]>()?;
        let biased = biased(input)?;
        let (mut branches, mut otherwise) = (Vec::new(), None);
        while !input.is_empty() {
            if input.peek(Token![else]) {
                input.parse::<Token![else]>()?;
                input.parse::<Token![=>]>()?;
                otherwise = Some(input.parse()?);
                input.parse::<Option<Token![,]>>()?;
                if !input.is_empty() {
                    return Err(input.error("`else` is the last branch of `select!`"));
                }
            } else if branches.len() == MOST {
                return Err(input.error("`select!` has at most 64 branches"));
            } else {
                branches.push(input.parse()?);
            }
        }
        if branches.is_empty() && otherwise.is_none() {
            return Err(Error::new(Span::call_site(), "`select!` needs a branch or more"));
        }
        Ok(Self { package, biased, branches, otherwise })
    }
}

/// Whether the input begins with `biased;`, which is taken.
pub(crate) fn biased(input: ParseStream<'_>) -> Result<bool> {
    let ahead = input.fork();
    let found = ahead.parse::<Ident>().is_ok_and(|ident| ident == "biased")
        && ahead.parse::<Token![;]>().is_ok();
    if found {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    Ok(found)
}

impl Parse for Branch {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        if !input.peek(Token![=]) || input.peek(Token![=>]) || input.peek(Token![==]) {
            return Err(input.error(SHAPE));
        }
        input.parse::<Token![=]>()?;
        let future = input.parse()?;
        let condition = if input.peek(Token![,]) && input.peek2(Token![if]) {
            input.parse::<Token![,]>()?;
            input.parse::<Token![if]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        if !input.peek(Token![=>]) {
            return Err(input.error(SHAPE));
        }
        input.parse::<Token![=>]>()?;
        let handler = handler(input)?;
        Ok(Self { pattern, future, condition, handler })
    }
}

/// A block, behind which the comma may be left out, or another expression. A block is not looked
/// into: it may be long.
fn handler(input: ParseStream<'_>) -> Result<TokenStream> {
    if input.peek(token::Brace) {
        let block: TokenTree = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        return Ok(block.into());
    }
    let handler: Expr = input.parse()?;
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(handler.into_token_stream())
}

pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let select: Select = syn::parse2(input)?;
    let Some(count) = u32::try_from(select.branches.len()).ok().filter(|n| *n > 0) else {
        let otherwise = select.otherwise;
        return Ok(quote!({ #otherwise }));
    };
    let (site, package) = (Span::mixed_site(), &select.package);
    let support = quote_spanned!(site=> #package::macros::support);
    let mask = Ident::new(&format!("u{}", count.next_power_of_two().max(8)), site);
    let indices = 0..select.branches.len();
    let types: Vec<_> = indices.clone().map(|i| name("T", i)).collect();
    let variants: Vec<_> = indices.map(|i| name("B", i)).collect();
    let conditions = select.branches.iter().enumerate().filter_map(|(i, branch)| {
        let (condition, bit) = (branch.condition.as_ref()?, bit(i));
        Some(quote_spanned!(site=> if !(#condition) { disabled |= #bit; }))
    });
    let wait = wait(&select, &support, count);
    let patterns = select.branches.iter().map(|branch| &branch.pattern);
    let handlers = select.branches.iter().map(|branch| &branch.handler);
    let otherwise = match &select.otherwise {
        Some(otherwise) => quote!(#otherwise),
        None => quote_spanned!(site=> #support::no_branch_is_left()),
    };
    Ok(quote_spanned! {site=> {
        #[doc(hidden)]
        enum __SelectOutput<#(#types),*> { #(#variants(#types),)* Disabled }
        #[allow(unused_mut)]
        let mut disabled: #mask = 0;
        #(#conditions)*
        #[allow(unused_mut)]
        let mut output = #wait;
        match output {
            #( __SelectOutput::#variants(#patterns) => #handlers, )*
            __SelectOutput::Disabled => #otherwise,
            #[allow(unreachable_patterns)]
            _ => ::core::unreachable!(),
        }
    }})
}

/// The block that makes the futures, waits for the first that fits, and drops them.
fn wait(select: &Select, support: &TokenStream, count: u32) -> TokenStream {
    let site = Span::mixed_site();
    let made: Vec<_> = (0..select.branches.len()).map(|i| name("future", i)).collect();
    // As expressions of their own, temporaries in them live as long as the futures do.
    let expressions = select.branches.iter().map(|branch| &branch.future);
    let initial: Vec<_> = made
        .iter()
        .zip(&select.branches)
        .map(|(made, branch)| {
            // What is no future is told at its place.
            let here = site.located_at(branch.future.span());
            let mut made = made.clone();
            made.set_span(here);
            quote_spanned!(here=> #support::IntoFuture::into_future(#made))
        })
        .collect();
    let Futures { pinned, projected } = Futures::new(support, &initial);
    let polls = polls(select, support, count);
    quote_spanned! {site=> {
        #( let #made = #expressions; )*
        #pinned
        let output = #support::poll_fn(move |cx| {
            if #support::poll_budget_available(cx).is_pending() {
                return #support::Poll::Pending;
            }
            #projected
            let mut pending = false;
            #polls
            if pending {
                #support::Poll::Pending
            } else {
                #support::Poll::Ready(__SelectOutput::Disabled)
            }
        })
        .await;
        output
    }}
}

/// The branches one after the other, or in a circle from a random one on.
fn polls(select: &Select, support: &TokenStream, count: u32) -> TokenStream {
    let site = Span::mixed_site();
    let polls: Vec<_> =
        select.branches.iter().enumerate().map(|(i, branch)| poll(i, branch, support)).collect();
    if select.biased || count == 1 {
        return quote_spanned!(site=> #(#polls)*);
    }
    let circle = in_a_circle(&polls);
    quote_spanned! {site=>
        let first = #support::thread_rng_n(#count);
        #circle
    }
}

fn poll(index: usize, branch: &Branch, support: &TokenStream) -> TokenStream {
    let (site, bit) = (Span::mixed_site(), bit(index));
    let (future, variant) = (name("future", index), name("B", index));
    let looked_at = without_binding_modes(branch.pattern.to_token_stream());
    quote_spanned! {site=>
        #[allow(unreachable_code, unused_variables, unused_mut)]
        'branch: {
            if disabled & #bit != 0 {
                break 'branch;
            }
            let output = match #support::Future::poll(#future.as_mut(), cx) {
                #support::Poll::Ready(output) => output,
                #support::Poll::Pending => {
                    pending = true;
                    break 'branch;
                }
            };
            disabled |= #bit;
            match &output {
                #looked_at => {}
                #[allow(unreachable_patterns)]
                _ => break 'branch,
            }
            return #support::Poll::Ready(__SelectOutput::#variant(output));
        }
    }
}

fn bit(index: usize) -> Literal {
    Literal::u64_unsuffixed(1 << index)
}

/// The pattern as it fits a reference to what it is for: without `ref` and `mut`, which a pattern
/// behind a reference must not have and does not need.
fn without_binding_modes(pattern: TokenStream) -> TokenStream {
    pattern
        .into_iter()
        .filter_map(|token| match token {
            TokenTree::Ident(ident) if ident == "ref" || ident == "mut" => None,
            TokenTree::Group(group) => {
                let mut inner =
                    Group::new(group.delimiter(), without_binding_modes(group.stream()));
                inner.set_span(group.span());
                Some(TokenTree::Group(inner))
            }
            token => Some(token),
        })
        .collect()
}

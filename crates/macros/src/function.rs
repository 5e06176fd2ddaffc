//! A function whose body nobody looks into: parsing it would cost every build time.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{AttrStyle, Attribute, Signature, Visibility};

pub(crate) struct Function {
    /// Inner attributes of the body are among them: a block can't have any.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The body in its braces.
    pub(crate) body: Group,
    /// Of the last statement: where the compiler is to say that the type is wrong.
    pub(crate) last: Span,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let (vis, sig) = (input.parse()?, input.parse()?);
        let whole: Group = input.parse()?;
        if whole.delimiter() != Delimiter::Brace || !input.is_empty() {
            return Err(syn::Error::new(whole.span(), "a function has its body in braces"));
        }
        let split = |content: ParseStream<'_>| {
            Ok((Attribute::parse_inner(content)?, content.parse::<TokenStream>()?))
        };
        let (inner, statements) = split.parse2(whole.stream())?;
        attrs.extend(inner.into_iter().map(|attr| Attribute { style: AttrStyle::Outer, ..attr }));
        let last = last_statement(statements.clone()).unwrap_or_else(|| whole.span());
        let mut body = Group::new(Delimiter::Brace, statements);
        body.set_span(whole.span());
        Ok(Self { attrs, vis, sig, body, last })
    }
}

/// The first token of the last statement.
fn last_statement(statements: TokenStream) -> Option<Span> {
    let (mut last, mut starts) = (None, true);
    for token in statements {
        if starts {
            last = Some(token.span());
        }
        starts = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ';');
    }
    last
}

//! `main` and `test`: a runtime around a body.

use crate::args::{self, Args, Flavor, UnhandledPanic};
use crate::function::Function;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Meta, Result, ReturnType, Token, Type};

/// By which name the program knows the package.
#[derive(Clone, Copy)]
pub(crate) enum Package {
    Shinkan,
    Tokio,
}

/// Which of the attributes was written.
pub(crate) struct Entry {
    package: Package,
    is_test: bool,
    /// Whether the feature `rt-multi-thread` is on.
    pub(crate) multi_thread_on: bool,
}

/// What stands for an attribute in a build that has no runtime.
pub(crate) fn without_runtime(name: &str) -> proc_macro::TokenStream {
    let text = format!("`#[{name}]` needs the feature `rt` or `rt-multi-thread`, and both are off");
    Error::new(Span::call_site(), text).into_compile_error().into()
}

impl Entry {
    pub(crate) const fn main(package: Package, multi_thread_on: bool) -> Self {
        Self { package, is_test: false, multi_thread_on }
    }

    pub(crate) const fn test(package: Package, multi_thread_on: bool) -> Self {
        Self { package, is_test: true, multi_thread_on }
    }

    /// As a program writes it.
    pub(crate) fn attribute(&self) -> String {
        format!("{}::{}", self.package(), if self.is_test { "test" } else { "main" })
    }

    pub(crate) const fn default_flavor(&self) -> Flavor {
        if self.is_test { Flavor::CurrentThread } else { Flavor::MultiThread }
    }

    const fn package(&self) -> &'static str {
        match self.package {
            Package::Shinkan => "shinkan",
            Package::Tokio => "tokio",
        }
    }

    /// The function, and an error behind it if there is one: what can be checked is checked, and
    /// editors keep their help.
    pub(crate) fn expand(
        &self,
        args: proc_macro::TokenStream,
        item: proc_macro::TokenStream,
    ) -> proc_macro::TokenStream {
        let function: Function = match syn::parse(item.clone()) {
            Ok(function) => function,
            Err(error) => {
                return [item, error.into_compile_error().into()].into_iter().collect();
            }
        };
        let read = self.check(&function).and_then(|()| {
            let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse(args)?;
            args::read(self, metas)
        });
        let (args, error) = match read {
            Ok(args) => (args, None),
            Err(error) => (Args::default(), Some(error.into_compile_error())),
        };
        let function = self.function(function, &args);
        quote!(#function #error).into()
    }

    fn check(&self, function: &Function) -> Result<()> {
        let sig = &function.sig;
        if sig.asyncness.is_none() {
            let text = format!(
                "`#[{}]` stands on an `async fn`: write `async fn {}`",
                self.attribute(),
                sig.ident
            );
            return Err(Error::new_spanned(sig.fn_token, text));
        }
        if !self.is_test && sig.ident == "main" && !sig.inputs.is_empty() {
            return Err(Error::new_spanned(&sig.inputs, "`main` has no arguments"));
        }
        match function.attrs.iter().find(|attr| self.is_test && is_test(attr)) {
            Some(attr) => {
                let text = format!(
                    "the function would be two tests: `#[{}]` already makes it one",
                    self.attribute()
                );
                Err(Error::new_spanned(attr, text))
            }
            None => Ok(()),
        }
    }

    fn function(&self, function: Function, args: &Args) -> TokenStream {
        let Function { attrs, vis, mut sig, body, last } = function;
        sig.asyncness = None;
        // Names resolve where the program stands; errors are shown at its last statement.
        let here = Span::mixed_site().located_at(last);
        let package = match &args.package {
            Some(path) => quote!(#path),
            // Not `::tokio`: a program may have the package in scope through another.
            None => {
                let name = Ident::new(self.package(), Span::call_site().located_at(last));
                quote!(#name)
            }
        };
        let runtime = runtime(&package, args, here);
        let test = self.is_test.then(|| quote!(#[::core::prelude::v1::test]));
        let future = quote_spanned!(here=> body);
        let typed = self.typed(&sig.output, &future, here);
        let run = quote_spanned! {here=>
            let #future = async #body;
            #typed
            #[allow(
                clippy::expect_used,
                clippy::diverging_sub_expression,
                clippy::needless_return,
                clippy::unwrap_in_result
            )]
            {
                return #runtime
                    .expect("the runtime of this function can't be built")
                    .block_on(#future);
            }
        };
        quote!(#(#attrs)* #test #vis #sig { #run })
    }

    /// Tells the compiler the output of the body before it looks at how it is run: only then do
    /// errors point into the body.
    fn typed(&self, output: &ReturnType, future: &TokenStream, here: Span) -> Option<TokenStream> {
        let output = match output {
            ReturnType::Default => quote!(()),
            // These can't be named in a type of a variable.
            ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)) || has_impl(ty) => {
                return None;
            }
            ReturnType::Type(_, ty) => quote!(#ty),
        };
        Some(if self.is_test {
            // Of all tests of a program only one `block_on` is compiled.
            quote_spanned! {here=>
                let #future: ::core::pin::Pin<
                    &mut dyn ::core::future::Future<Output = #output>
                > = ::core::pin::pin!(#future);
            }
        } else {
            quote_spanned! {here=>
                if false {
                    let _: &dyn ::core::future::Future<Output = #output> = &#future;
                }
            }
        })
    }
}

fn runtime(package: &TokenStream, args: &Args, here: Span) -> TokenStream {
    let flavor = args.flavor.unwrap_or(Flavor::CurrentThread);
    let builder = match flavor {
        Flavor::MultiThread => quote_spanned!(here=> new_multi_thread()),
        Flavor::CurrentThread | Flavor::Local => quote_spanned!(here=> new_current_thread()),
    };
    let build = match flavor {
        Flavor::Local => quote_spanned!(here=> build_local(::core::default::Default::default())),
        Flavor::CurrentThread | Flavor::MultiThread => quote_spanned!(here=> build()),
    };
    let threads = args.worker_threads.map(|n| quote_spanned!(here=> .worker_threads(#n)));
    let paused = args.start_paused.map(|yes| quote_spanned!(here=> .start_paused(#yes)));
    let name = args.name.as_ref().map(|name| quote_spanned!(here=> .name(#name)));
    let panics = args.unhandled_panic.map(|policy| {
        let policy = match policy {
            UnhandledPanic::Ignore => quote!(Ignore),
            UnhandledPanic::ShutdownRuntime => quote!(ShutdownRuntime),
        };
        quote_spanned!(here=> .unhandled_panic(#package::runtime::UnhandledPanic::#policy))
    });
    quote_spanned! {here=>
        #package::runtime::Builder::#builder #threads #paused #panics #name .enable_all().#build
    }
}

/// Whether an attribute makes a function a test of std's: `#[test]`, or by its full path.
fn is_test(attr: &Attribute) -> bool {
    let Meta::Path(path) = &attr.meta else { return false };
    let names: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => path.leading_colon.is_none(),
        ["core" | "std", "prelude", _, "test"] => true,
        _ => false,
    }
}

/// Whether `impl Trait` occurs in a type.
fn has_impl(ty: &Type) -> bool {
    fn in_tokens(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => ident == "impl",
            proc_macro2::TokenTree::Group(group) => in_tokens(group.stream()),
            _ => false,
        })
    }
    in_tokens(quote!(#ty))
}

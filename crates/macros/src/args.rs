//! The arguments of `main` and `test`.

use crate::entry::Entry;
use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, Lit, Meta, Path, Result, Token};

const KNOWN: &str =
    "`flavor`, `worker_threads`, `start_paused`, `unhandled_panic`, `name` and `crate`";

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Flavor {
    CurrentThread,
    MultiThread,
    Local,
}

#[derive(Clone, Copy)]
pub(crate) enum UnhandledPanic {
    Ignore,
    ShutdownRuntime,
}

/// What the runtime is to be. The default is what a wrong argument leaves, so that the rest of
/// the function is still checked.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) flavor: Option<Flavor>,
    pub(crate) worker_threads: Option<usize>,
    pub(crate) start_paused: Option<bool>,
    pub(crate) unhandled_panic: Option<UnhandledPanic>,
    pub(crate) name: Option<String>,
    pub(crate) package: Option<Path>,
}

/// A value and where it stands.
struct Given<T>(Option<(T, Span)>);

impl<T> Given<T> {
    fn set(&mut self, name: &str, value: T, span: Span) -> Result<()> {
        if self.0.replace((value, span)).is_some() {
            return Err(Error::new(span, format!("`{name}` is given twice")));
        }
        Ok(())
    }

    fn value(self) -> Option<T> {
        self.0.map(|(value, _)| value)
    }
}

/// Reads the arguments and checks that they go together.
pub(crate) fn read(entry: &Entry, metas: Punctuated<Meta, Token![,]>) -> Result<Args> {
    let mut flavor = Given(None);
    let mut worker_threads = Given(None);
    let mut start_paused = Given(None);
    let mut unhandled_panic = Given(None);
    let mut name = Given(None);
    let mut package = Given(None);
    for meta in metas {
        let (key, value) = key_and_value(entry, &meta)?;
        let at = value.span();
        match key.as_str() {
            "flavor" => flavor.set(&key, parse_flavor(value)?, at)?,
            "worker_threads" => worker_threads.set(&key, parse_count(value)?, at)?,
            "start_paused" => start_paused.set(&key, parse_bool(value)?, at)?,
            "unhandled_panic" => unhandled_panic.set(&key, parse_unhandled_panic(value)?, at)?,
            "name" => name.set(&key, parse_text(&key, value)?, at)?,
            "crate" => package.set(&key, parse_path(value)?, at)?,
            _ => return Err(unknown(&meta, &key)),
        }
    }
    let chosen = flavor.value();
    let effective = chosen.unwrap_or(entry.default_flavor());
    if effective == Flavor::MultiThread {
        if !entry.multi_thread_on {
            return Err(Error::new(Span::call_site(), no_multi_thread(entry, chosen.is_none())));
        }
        if let Some(at) = span(&start_paused) {
            return Err(wrong_flavor(entry, "start_paused", at, "current_thread"));
        }
    } else if let Some(at) = span(&worker_threads) {
        return Err(wrong_flavor(entry, "worker_threads", at, "multi_thread"));
    }
    Ok(Args {
        flavor: Some(effective),
        worker_threads: worker_threads.value(),
        start_paused: start_paused.value(),
        unhandled_panic: unhandled_panic.value(),
        name: name.value(),
        package: package.value(),
    })
}

fn span<T>(given: &Given<T>) -> Option<Span> {
    given.0.as_ref().map(|(_, span)| *span)
}

fn no_multi_thread(entry: &Entry, by_default: bool) -> String {
    let attribute = entry.attribute();
    if by_default {
        format!(
            "the flavor of `#[{attribute}]` is `multi_thread` unless another is given, and the \
             feature `rt-multi-thread` is off: turn it on, or write \
             `#[{attribute}(flavor = \"current_thread\")]`"
        )
    } else {
        String::from("the flavor `multi_thread` needs the feature `rt-multi-thread`, which is off")
    }
}

fn wrong_flavor(entry: &Entry, key: &str, at: Span, flavor: &str) -> Error {
    let attribute = entry.attribute();
    let text = format!(
        "`{key}` needs the flavor `{flavor}`: write `#[{attribute}(flavor = \"{flavor}\", {key} = …)]`"
    );
    Error::new(at, text)
}

fn unknown(meta: &Meta, key: &str) -> Error {
    let text = match key {
        "core_threads" => String::from("`core_threads` is called `worker_threads`"),
        _ => format!("`{key}` is not an argument that is known here; those are {KNOWN}"),
    };
    Error::new_spanned(meta, text)
}

fn key_and_value<'m>(entry: &Entry, meta: &'m Meta) -> Result<(String, &'m Expr)> {
    let shape = format!("arguments are written `name = value`; known are {KNOWN}");
    match meta {
        Meta::NameValue(pair) => match pair.path.get_ident() {
            Some(key) => Ok((key.to_string(), &pair.value)),
            None => Err(Error::new_spanned(&pair.path, shape)),
        },
        Meta::Path(path) => {
            let key = path.get_ident().map(ToString::to_string).unwrap_or_default();
            let attribute = entry.attribute();
            let text = match key.as_str() {
                "current_thread" | "multi_thread" | "local" => {
                    format!("write `#[{attribute}(flavor = \"{key}\")]`")
                }
                "basic_scheduler" | "single_threaded" => {
                    format!("write `#[{attribute}(flavor = \"current_thread\")]`")
                }
                "threaded_scheduler" => {
                    format!("write `#[{attribute}(flavor = \"multi_thread\")]`")
                }
                _ => shape,
            };
            Err(Error::new_spanned(path, text))
        }
        Meta::List(list) => Err(Error::new_spanned(list, shape)),
    }
}

fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(literal) => Some(&literal.lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

fn parse_text(key: &str, value: &Expr) -> Result<String> {
    match literal(value) {
        Some(Lit::Str(text)) => Ok(text.value()),
        _ => Err(Error::new_spanned(value, format!("`{key}` is given as a text: `{key} = \"…\"`"))),
    }
}

fn parse_flavor(value: &Expr) -> Result<Flavor> {
    let text = match parse_text("flavor", value)?.as_str() {
        "current_thread" => return Ok(Flavor::CurrentThread),
        "multi_thread" => return Ok(Flavor::MultiThread),
        "local" => return Ok(Flavor::Local),
        "single_thread" | "basic_scheduler" => {
            String::from("the flavor with one thread is called `current_thread`")
        }
        "threaded_scheduler" => {
            String::from("the flavor with many threads is called `multi_thread`")
        }
        other => format!(
            "there is no flavor `{other}`; there are `current_thread`, `multi_thread` and `local`"
        ),
    };
    Err(Error::new_spanned(value, text))
}

fn parse_unhandled_panic(value: &Expr) -> Result<UnhandledPanic> {
    match parse_text("unhandled_panic", value)?.as_str() {
        "ignore" => Ok(UnhandledPanic::Ignore),
        "shutdown_runtime" => Ok(UnhandledPanic::ShutdownRuntime),
        other => {
            let text = format!(
                "`unhandled_panic` can't be `{other}`; it is `ignore` or `shutdown_runtime`"
            );
            Err(Error::new_spanned(value, text))
        }
    }
}

fn parse_count(value: &Expr) -> Result<usize> {
    let count = match literal(value) {
        Some(Lit::Int(number)) => number.base10_parse().ok(),
        _ => None,
    };
    match count {
        Some(0) => Err(Error::new_spanned(value, "a runtime needs 1 worker thread or more")),
        Some(count) => Ok(count),
        None => Err(Error::new_spanned(value, "`worker_threads` is a number such as 4")),
    }
}

fn parse_bool(value: &Expr) -> Result<bool> {
    match literal(value) {
        Some(Lit::Bool(answer)) => Ok(answer.value),
        _ => Err(Error::new_spanned(value, "`start_paused` is `true` or `false`")),
    }
}

fn parse_path(value: &Expr) -> Result<Path> {
    let path = match (value, literal(value)) {
        (Expr::Path(path), _) => Some(path.path.clone()),
        (_, Some(Lit::Str(text))) => text.parse().ok(),
        _ => None,
    };
    path.ok_or_else(|| {
        Error::new_spanned(
            value,
            "`crate` is the path of a package, such as `crate = \"facade::tokio\"`",
        )
    })
}

//! What the tests of redis are marked with: the package of this name is not published.

use proc_macro::{Delimiter, TokenStream, TokenTree};

/// Makes tests of an async function, which run by `block_on_all` of the tests' own `support` module.
/// A function that takes a connection is a test with each kind of connection to a server of its own;
/// one that takes a `bool`, with both.
#[proc_macro_attribute]
pub fn async_test(_: TokenStream, item: TokenStream) -> TokenStream {
    let trees: Vec<TokenTree> = item.clone().into_iter().collect();
    let at = trees.iter().position(|tree| tree.to_string() == "fn").expect("a function");
    let name = trees[at + 1].to_string();
    let arguments = trees[at + 2..]
        .iter()
        .find_map(|tree| match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                Some(group.stream().to_string())
            }
            _ => None,
        })
        .expect("a function's arguments");
    let attributes: TokenStream =
        trees.iter().take_while(|tree| is_attribute(tree)).cloned().collect();
    let ways: &[(&str, &str, &str)] = if arguments.is_empty() {
        &[("", "", "")]
    } else if arguments.contains("bool") {
        &[("_true", "", "true"), ("_false", "", "false")]
    } else {
        &[
            ("_multiplexed", "", "context.async_connection().await.unwrap()"),
            (
                "_manager",
                "#[cfg(feature = \"connection-manager\")]",
                "context.client.get_connection_manager().await.unwrap()",
            ),
        ]
    };
    let tests = ways.iter().map(|(end, only, argument)| {
        let context = match argument.starts_with("context") {
            true => "let context = crate::support::TestContext::new();",
            false => "",
        };
        let test = format!(
            "{attributes} {only} #[test] fn {name}{end}() -> impl ::std::process::Termination {{
                {item}
                let test = async {{ {context} {name}({argument}).await }};
                crate::support::block_on_all(test, crate::support::RuntimeType::Tokio)
            }}"
        );
        test.parse::<TokenStream>().expect("a function around a function")
    });
    tests.collect()
}

/// `#` or `[…]`.
fn is_attribute(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Punct(punct) => punct.as_char() == '#',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Bracket,
        _ => false,
    }
}

//! A difference between the two runtimes, which `cargo xtask ecosystem --ci` must find: a checker
//! that cannot fail proves nothing.

#[tokio::test]
async fn on_both() {
    tokio::task::yield_now().await;
}

#[tokio::test]
async fn only_on_tokio() {
    let name = std::any::type_name_of_val(&tokio::runtime::Handle::current());
    assert!(name.starts_with("tokio::"), "{name}");
}

//! Each route, driven by a client, on a service of its own.

mod support;

use service::config::{ServeArgs, Stores};
use service::drive::{Target, grpc, http, lines, stores, ws};
use support::{get, start, start_with};

macro_rules! over_http_and_https {
    ($($check:path as $name:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let running = start().await;
            $check(&running.http).await.unwrap();
            $check(&running.https).await.unwrap();
            running.stop().await;
        }
    )*};
}

over_http_and_https! {
    http::answers as answers,
    http::notes as notes,
    http::refusals as refusals,
    http::export as export,
    http::events as events,
    http::numbers as numbers,
    http::measure as measure,
    http::slow as slow,
    http::panic as a_panic,
    ws::echo as ws_echo,
    ws::room as ws_room,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_calls() {
    let running = start().await;
    let client = running.grpc().await;
    grpc::add(client.clone()).await.unwrap();
    grpc::list(client.clone()).await.unwrap();
    grpc::add_many(client.clone()).await.unwrap();
    grpc::add_each(client.clone()).await.unwrap();
    drop(client);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn line_protocol() {
    let running = start().await;
    let address = running.args.lines.clone().unwrap();
    lines::commands(&address).await.unwrap();
    lines::refusals(&address).await.unwrap();
    running.stop().await;
}

/// Everything on one thread: nothing may wait for another.
#[tokio::test]
async fn all_on_a_current_thread_runtime() {
    let running = start().await;
    let report = service::drive::run(&running.args).await.unwrap();
    assert_eq!(report.wrong(), 0, "{report:?}");
    running.stop().await;
}

#[tokio::test]
async fn without_servers_beside_it() {
    let running = start().await;
    for check in [stores::ledger(&running.http).await, stores::hits(&running.http).await] {
        assert_eq!(check.unwrap(), "not configured, and it says so");
    }
    running.stop().await;
}

/// Runs where `DATABASE_URL` names a PostgreSQL server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ledger_on_postgres() {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        return eprintln!("not run: DATABASE_URL is not set");
    };
    let stores = Stores { postgres: Some(url), ..Stores::default() };
    let running = start_with(ServeArgs::on_free_ports(stores)).await;
    for target in [&running.http, &running.https] {
        let seen = stores::ledger(target).await.unwrap();
        assert!(seen.contains("balance kept"), "{seen}");
    }
    running.stop().await;
}

/// Runs where `REDIS_URL` names a Redis server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hits_on_redis() {
    let Ok(url) = std::env::var("REDIS_URL") else {
        return eprintln!("not run: REDIS_URL is not set");
    };
    let stores = Stores { redis: Some(url), ..Stores::default() };
    let running = start_with(ServeArgs::on_free_ports(stores)).await;
    for target in [&running.http, &running.https] {
        let seen = stores::hits(target).await.unwrap();
        assert!(seen.contains("50 counted"), "{seen}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let stores = Stores { postgres: Some("postgres://127.0.0.1:1/x".into()), ..Stores::default() };
    let Err(error) = service::server::Server::start(ServeArgs::on_free_ports(stores)).await else {
        panic!("it started without its ledger");
    };
    let error = format!("{error:#}");
    assert!(error.starts_with("cannot open the ledger: PostgreSQL"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_requests_than_it_takes() {
    let mut args = ServeArgs::on_free_ports(Stores::default());
    args.requests_max = 2;
    let running = start_with(args).await;
    let asked = (0..10).map(|_| get(&running.http, "/slow?ms=300"));
    let answers = futures_util::future::try_join_all(asked).await.unwrap();
    assert!(answers.iter().all(|(status, _)| [200, 503].contains(status)), "{answers:?}");
    // Ten that are asked at once need longer than 300 ms only on a machine that stands still.
    assert!(answers.iter().any(|(status, _)| *status == 200), "{answers:?}");
    assert_eq!(get(&running.http, "/plaintext").await.unwrap().0, 200);
    assert_eq!(running.server.app().accepted(), 11);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_at_once() {
    let running = start().await;
    let base = running.http.base.clone();
    let clients = (0..200).map(|n| {
        let base = base.clone();
        tokio::spawn(async move {
            // A client of its own has a connection of its own.
            let target = Target::new(&base, None).unwrap();
            for _ in 0..20 {
                let path = if n % 2 == 0 { "/plaintext" } else { "/json" };
                assert_eq!(get(&target, path).await.unwrap().0, 200);
            }
        })
    });
    futures_util::future::try_join_all(clients).await.unwrap();
    assert_eq!(running.server.app().accepted(), 4000);
    running.stop().await;
}

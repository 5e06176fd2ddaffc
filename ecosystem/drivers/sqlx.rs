//! A pool of connections to SQLite, each with a thread of its own behind channels: queries, streams,
//! transactions that are committed, dropped and contended for, and a pool that is closed. Then
//! PostgreSQL over sockets: the same, and notifications, copies, locks that others hold, queries that
//! are given up, and connections that the server ends.

use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::{PgListener, PgPoolCopyExt, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Row, SqlitePool};
use tempfile::TempDir;

async fn pool(connections_max: u32) -> (SqlitePool, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(60));
    let pool = SqlitePoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(Duration::from_secs(60))
        .connect_with(options)
        .await
        .unwrap();
    sqlx::query("CREATE TABLE numbers (n INTEGER NOT NULL, word TEXT)")
        .execute(&pool)
        .await
        .unwrap();
    (pool, folder)
}

async fn count(pool: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM numbers").fetch_one(pool).await.unwrap()
}

async fn insert(pool: &SqlitePool, n: i64) {
    sqlx::query("INSERT INTO numbers VALUES (?, ?)")
        .bind(n)
        .bind(format!("word {n}"))
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn rows_come_back() {
    let (pool, _folder) = pool(2).await;
    insert(&pool, 7).await;
    let row = sqlx::query("SELECT n, word FROM numbers").fetch_one(&pool).await.unwrap();
    assert_eq!((row.get::<i64, _>(0), row.get::<String, _>(1)), (7, "word 7".to_string()));
    let none = sqlx::query("SELECT n FROM numbers WHERE n = 8").fetch_optional(&pool).await;
    assert!(none.unwrap().is_none());
    assert!(sqlx::query("SELECT nothing FROM nowhere").execute(&pool).await.is_err());
}

#[tokio::test]
async fn a_stream_that_is_dropped_gives_its_connection_back() {
    let (pool, _folder) = pool(1).await;
    for n in 0..500 {
        insert(&pool, n).await;
    }
    let mut sum = 0;
    let mut rows = sqlx::query_scalar::<_, i64>("SELECT n FROM numbers").fetch(&pool);
    while let Some(n) = rows.try_next().await.unwrap() {
        sum += n;
    }
    drop(rows);
    assert_eq!(sum, (0..500).sum::<i64>());
    let mut rows = sqlx::query("SELECT n FROM numbers").fetch(&pool);
    rows.try_next().await.unwrap().unwrap();
    drop(rows);
    // There is only one connection.
    assert_eq!(count(&pool).await, 500);
}

#[tokio::test]
async fn transactions_are_kept_or_undone() {
    let (pool, _folder) = pool(2).await;
    let mut kept = pool.begin().await.unwrap();
    sqlx::query("INSERT INTO numbers VALUES (1, 'kept')").execute(&mut *kept).await.unwrap();
    kept.commit().await.unwrap();
    let mut undone = pool.begin().await.unwrap();
    sqlx::query("INSERT INTO numbers VALUES (2, 'undone')").execute(&mut *undone).await.unwrap();
    undone.rollback().await.unwrap();
    let mut dropped = pool.begin().await.unwrap();
    sqlx::query("INSERT INTO numbers VALUES (3, 'dropped')").execute(&mut *dropped).await.unwrap();
    drop(dropped);
    assert_eq!(count(&pool).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_share_few_connections() {
    let (pool, _folder) = pool(3).await;
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move { insert(&pool, n).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(count(&pool).await, 100);
    assert!(pool.size() <= 3);
}

#[tokio::test]
async fn who_waits_for_a_connection_gets_it_when_it_is_free() {
    let (pool, _folder) = pool(1).await;
    let held = pool.acquire().await.unwrap();
    let waiter = tokio::spawn({
        let pool = pool.clone();
        async move { count(&pool).await }
    });
    tokio::task::yield_now().await;
    assert!(pool.try_acquire().is_none());
    drop(held);
    assert_eq!(waiter.await.unwrap(), 0);
}

#[tokio::test]
async fn who_waits_too_long_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        SqliteConnectOptions::new().filename(folder.path().join("db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(50))
        .connect_with(options)
        .await
        .unwrap();
    let held = pool.acquire().await.unwrap();
    assert!(matches!(pool.acquire().await, Err(sqlx::Error::PoolTimedOut)));
    drop(held);
    pool.acquire().await.unwrap();
}

#[tokio::test]
async fn a_closed_pool_refuses_and_lets_waiters_go() {
    let (pool, _folder) = pool(1).await;
    let held = pool.acquire().await.unwrap();
    let waiter = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire().await.map(drop) }
    });
    tokio::task::yield_now().await;
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close().await }
    });
    assert!(matches!(waiter.await.unwrap(), Err(sqlx::Error::PoolClosed)));
    drop(held);
    closing.await.unwrap();
    assert!(pool.is_closed() && pool.acquire().await.is_err());
}

#[tokio::test]
async fn a_query_that_is_aborted_leaves_the_pool_usable() {
    let (pool, _folder) = pool(1).await;
    let slow = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000000) \
                SELECT count(*) FROM c";
    let query = tokio::spawn({
        let pool = pool.clone();
        async move { sqlx::query(slow).fetch_one(&pool).await.map(drop) }
    });
    tokio::task::yield_now().await;
    query.abort();
    drop(query.await);
    assert_eq!(count(&pool).await, 0);
}

/// Where ecosystem/servers/postgres.sh listens.
const POSTGRES: &str = "postgres://postgres@127.0.0.1:5433/postgres";

/// A pool, and a table of the test's own.
async fn postgres(connections_max: u32, table: &str) -> PgPool {
    let pool = PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(Duration::from_secs(60))
        .connect(POSTGRES)
        .await
        .unwrap();
    for statement in [
        format!("DROP TABLE IF EXISTS {table}"),
        format!("CREATE TABLE {table} (n BIGINT, word TEXT)"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await.unwrap();
    }
    pool
}

#[tokio::test]
async fn postgres_rows_come_back() {
    let pool = postgres(2, "come_back").await;
    sqlx::query("INSERT INTO come_back VALUES ($1, $2), ($3, NULL)")
        .bind(7_i64)
        .bind("seven")
        .bind(8_i64)
        .execute(&pool)
        .await
        .unwrap();
    let rows = sqlx::query("SELECT n, word FROM come_back ORDER BY n").fetch_all(&pool).await;
    let rows: Vec<(i64, Option<String>)> =
        rows.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(rows, [(7, Some("seven".to_string())), (8, None)]);
    let wrong = sqlx::query("SELECT 1 / 0").fetch_one(&pool).await.unwrap_err();
    assert_eq!(wrong.as_database_error().unwrap().code().unwrap(), "22012");
    sqlx::query("SELECT 1").fetch_one(&pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_tasks_share_few_connections() {
    let pool = postgres(4, "share").await;
    let tasks: Vec<_> = (0..200_i64)
        .map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query("INSERT INTO share VALUES ($1, 'x')")
                    .bind(n)
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                // Every other one is undone when it is dropped.
                if n % 2 == 0 {
                    transaction.commit().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let sum: Option<i64> =
        sqlx::query_scalar("SELECT sum(n)::BIGINT FROM share").fetch_one(&pool).await.unwrap();
    assert_eq!(sum, Some((0..200).filter(|n| n % 2 == 0).sum()));
    assert!(pool.size() <= 4);
}

#[tokio::test]
async fn postgres_a_stream_that_is_dropped_gives_its_connection_back() {
    let pool = postgres(1, "streamed").await;
    let all = "SELECT generate_series(1, 50000)::BIGINT";
    let mut sum = 0;
    let mut rows = sqlx::query_scalar::<_, i64>(all).fetch(&pool);
    while let Some(n) = rows.try_next().await.unwrap() {
        sum += n;
    }
    drop(rows);
    assert_eq!(sum, (1..=50_000).sum::<i64>());
    let mut rows = sqlx::query(all).fetch(&pool);
    rows.try_next().await.unwrap().unwrap();
    drop(rows);
    let one: i64 = sqlx::query_scalar("SELECT 1::BIGINT").fetch_one(&pool).await.unwrap();
    assert_eq!(one, 1);
}

#[tokio::test]
async fn postgres_notifications_come_in_order() {
    let pool = postgres(2, "notified").await;
    let mut listener = PgListener::connect_with(&pool).await.unwrap();
    listener.listen("news").await.unwrap();
    let sender = tokio::spawn({
        let pool = pool.clone();
        async move {
            for n in 0..100 {
                sqlx::query("SELECT pg_notify('news', $1)")
                    .bind(n.to_string())
                    .execute(&pool)
                    .await
                    .unwrap();
            }
        }
    });
    for n in 0..100 {
        assert_eq!(listener.recv().await.unwrap().payload(), n.to_string());
    }
    sender.await.unwrap();
}

#[tokio::test]
async fn postgres_copies_in_and_out() {
    let pool = postgres(2, "copied").await;
    let mut copy = pool.copy_in_raw("COPY copied FROM STDIN (FORMAT csv)").await.unwrap();
    for n in 0..1000 {
        copy.send(format!("{n},word {n}\n").as_bytes()).await.unwrap();
    }
    assert_eq!(copy.finish().await.unwrap(), 1000);
    let mut copy = pool.copy_out_raw("COPY copied TO STDOUT (FORMAT csv)").await.unwrap();
    let mut text = Vec::new();
    while let Some(part) = copy.try_next().await.unwrap() {
        text.extend_from_slice(&part);
    }
    let text = String::from_utf8(text).unwrap();
    assert!(text.lines().enumerate().all(|(n, line)| line == format!("{n},word {n}")));
    assert_eq!(text.lines().count(), 1000);
}

#[tokio::test]
async fn postgres_who_waits_for_a_lock_of_the_server_gets_it() {
    let pool = postgres(2, "locked").await;
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE locked").execute(&mut *holder).await.unwrap();
    let waiter = tokio::spawn({
        let pool = pool.clone();
        async move { sqlx::query("INSERT INTO locked VALUES (1, 'x')").execute(&pool).await }
    });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'locked'::REGCLASS";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut *holder).await.unwrap() == 0 {}
    assert!(!waiter.is_finished());
    holder.commit().await.unwrap();
    assert_eq!(waiter.await.unwrap().unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn postgres_a_query_that_is_given_up_leaves_the_pool_usable() {
    let pool = postgres(1, "given_up").await;
    for _ in 0..10 {
        let slow = sqlx::query("SELECT pg_sleep(0.1)").execute(&pool);
        assert!(tokio::time::timeout(Duration::from_millis(10), slow).await.is_err());
        let one: i64 = sqlx::query_scalar("SELECT 1::BIGINT").fetch_one(&pool).await.unwrap();
        assert_eq!(one, 1);
    }
}

#[tokio::test]
async fn postgres_a_connection_that_the_server_ends_is_replaced() {
    let pool = postgres(1, "ended").await;
    let id: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&pool).await.unwrap();
    let mut other = PgConnection::connect(POSTGRES).await.unwrap();
    sqlx::query("SELECT pg_terminate_backend($1, 60000)")
        .bind(id)
        .execute(&mut other)
        .await
        .unwrap();
    let new: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&pool).await.unwrap();
    assert_ne!(new, id);
    other.close().await.unwrap();
    pool.close().await;
    assert!(pool.acquire().await.is_err());
}

#[tokio::test]
async fn postgres_nobody_there_is_an_error() {
    let nobody = "postgres://postgres@127.0.0.1:1/postgres";
    let error = PgConnection::connect(nobody).await.err().unwrap();
    assert!(matches!(error, sqlx::Error::Io(_)), "{error}");
}

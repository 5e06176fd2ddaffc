//! A pool of connections to SQLite, each with a thread of its own behind channels: queries, streams,
//! transactions that are committed, dropped and contended for, and a pool that is closed.

use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Row, SqlitePool};
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
    assert_eq!(sum, (0..500).sum());
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

//! Notes, in an SQLite database inside the process.

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Executor, Row, Sqlite, SqlitePool};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::error::ApiError;

const TEXT_BYTES_MAX: usize = 4096;
/// A listener of events that is further behind than this is told that it missed some.
const EVENTS_MAX: usize = 256;
/// How many rows are read before somebody takes them.
const ROWS_AHEAD: usize = 64;

/// One note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Counts up from 1; never used twice.
    pub id: i64,
    /// What was noted.
    pub text: String,
}

/// The store of notes.
#[derive(Debug)]
pub struct Notes {
    pool: SqlitePool,
    added: broadcast::Sender<Note>,
}

impl Notes {
    /// Opens the database at `path`, which is made if it is not there.
    pub async fn open(path: &Path) -> sqlx::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS notes (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                text TEXT NOT NULL
            ) STRICT",
        )
        .execute(&pool)
        .await?;
        Ok(Self { pool, added: broadcast::channel(EVENTS_MAX).0 })
    }

    /// Stores a note and tells who listens.
    pub async fn add(&self, text: &str) -> Result<Note, ApiError> {
        check(text)?;
        let note = insert(&self.pool, text).await?;
        self.tell(&note);
        Ok(note)
    }

    /// Stores all or, if one of them cannot be stored, none.
    pub async fn add_all(&self, texts: &[String]) -> Result<Vec<Note>, ApiError> {
        let mut transaction = self.pool.begin().await?;
        let mut notes = Vec::with_capacity(texts.len());
        for text in texts {
            check(text)?;
            notes.push(insert(&mut *transaction, text).await?);
        }
        transaction.commit().await?;
        notes.iter().for_each(|note| self.tell(note));
        Ok(notes)
    }

    /// The note with this number.
    pub async fn find(&self, id: i64) -> Result<Note, ApiError> {
        let row = sqlx::query("SELECT text FROM notes WHERE id = ?").bind(id);
        let row = row.fetch_optional(&self.pool).await?.ok_or_else(|| none_such(id))?;
        Ok(Note { id, text: row.try_get("text")? })
    }

    /// Notes in the order of their numbers, from the first after `after`.
    pub async fn page(&self, after: i64, limit: u32) -> Result<Vec<Note>, ApiError> {
        let rows = sqlx::query("SELECT id, text FROM notes WHERE id > ? ORDER BY id LIMIT ?")
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(note_of).collect::<sqlx::Result<_>>()?)
    }

    /// Removes a note.
    pub async fn remove(&self, id: i64) -> Result<(), ApiError> {
        let gone = sqlx::query("DELETE FROM notes WHERE id = ?").bind(id).execute(&self.pool);
        if gone.await?.rows_affected() == 0 { Err(none_such(id)) } else { Ok(()) }
    }

    /// All notes, read from the database while they are taken; that holds a connection meanwhile.
    pub fn all(&self) -> ReceiverStream<Result<Note, ApiError>> {
        let pool = self.pool.clone();
        let (sender, receiver) = mpsc::channel(ROWS_AHEAD);
        // A task of its own, since the rows borrow the pool and an answer borrows nothing.
        tokio::spawn(async move {
            let mut rows = sqlx::query("SELECT id, text FROM notes ORDER BY id").fetch(&pool);
            while let Some(row) = rows.next().await {
                let note = row.and_then(|row| note_of(&row)).map_err(ApiError::from);
                if sender.send(note).await.is_err() {
                    return;
                }
            }
        });
        ReceiverStream::new(receiver)
    }

    /// Hears of every note that is added from now on.
    pub fn listen(&self) -> broadcast::Receiver<Note> {
        self.added.subscribe()
    }

    /// Ends the connections, after what they are doing.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn tell(&self, note: &Note) {
        // An error says that nobody listens, which is nobody's loss.
        let _ = self.added.send(note.clone());
    }
}

async fn insert<'a>(
    database: impl Executor<'a, Database = Sqlite>,
    text: &str,
) -> Result<Note, ApiError> {
    let done = sqlx::query("INSERT INTO notes (text) VALUES (?)").bind(text).execute(database);
    Ok(Note { id: done.await?.last_insert_rowid(), text: text.to_string() })
}

fn note_of(row: &SqliteRow) -> sqlx::Result<Note> {
    Ok(Note { id: row.try_get("id")?, text: row.try_get("text")? })
}

fn none_such(id: i64) -> ApiError {
    ApiError::NotFound(format!("note {id}"))
}

fn check(text: &str) -> Result<(), ApiError> {
    match text.len() {
        0 => Err(ApiError::Invalid("a note needs a text".into())),
        1..=TEXT_BYTES_MAX => Ok(()),
        long => {
            Err(ApiError::Invalid(format!("{long} bytes; a note has at most {TEXT_BYTES_MAX}")))
        }
    }
}

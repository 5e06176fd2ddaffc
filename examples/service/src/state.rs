//! What every request can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tempfile::TempDir;
use tokio::sync::broadcast;

use crate::config::Stores;
use crate::error::ApiError;
use crate::hits::Counts;
use crate::ledger::Ledger;
use crate::notes::Notes;
use crate::shutdown::Stop;

/// A message to a room that is further behind than this is lost for that listener.
const ROOM_MAX: usize = 256;

/// One for the whole service, behind an `Arc`.
pub struct App {
    /// The notes.
    pub notes: Notes,
    /// What is said in the WebSocket's room.
    pub room: broadcast::Sender<String>,
    /// How the service ends.
    pub stop: Stop,
    ledger: Option<Ledger>,
    counts: Option<Counts>,
    accepted: AtomicU64,
    // The database's folder where none was named: it goes with the service.
    _temporary: Option<TempDir>,
}

/// As handlers have it.
pub type Shared = Arc<App>;

impl App {
    /// Opens what is configured.
    pub async fn open(stores: &Stores) -> anyhow::Result<Shared> {
        use anyhow::Context;
        let (path, temporary) = match &stores.sqlite {
            Some(path) => (path.clone(), None),
            None => {
                let folder = TempDir::with_prefix("service-").context("no temporary folder")?;
                (folder.path().join("notes.db"), Some(folder))
            }
        };
        let notes = Notes::open(&path).await;
        let notes = notes.with_context(|| format!("cannot open {}", path.display()))?;
        let ledger = match &stores.postgres {
            Some(url) => Some(Ledger::connect(url).await.context("cannot open the ledger")?),
            None => None,
        };
        let counts = match &stores.redis {
            Some(url) => Some(Counts::connect(url).await.context("cannot open the hit counts")?),
            None => None,
        };
        Ok(Arc::new(Self {
            notes,
            room: broadcast::channel(ROOM_MAX).0,
            stop: Stop::default(),
            ledger,
            counts,
            accepted: AtomicU64::new(0),
            _temporary: temporary,
        }))
    }

    /// The ledger, if there is one.
    pub fn ledger(&self) -> Result<&Ledger, ApiError> {
        self.ledger.as_ref().ok_or(ApiError::NotConfigured("PostgreSQL"))
    }

    /// The hit counts, if there are any.
    pub fn counts(&self) -> Result<&Counts, ApiError> {
        self.counts.as_ref().ok_or(ApiError::NotConfigured("Redis"))
    }

    /// A request has come; called before anything else looks at it.
    pub fn accept(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    /// How many requests have come over HTTP.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }
}

//! How often pages were seen, in Redis; who counts is told to all by publish and subscribe.

use futures_util::{Stream, StreamExt};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::error::ApiError;

const CHANNEL: &str = "service:hits";

/// One page's count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hits {
    /// The page's name.
    pub page: String,
    /// How often it was seen.
    pub hits: u64,
}

/// The counts.
#[derive(Clone)]
pub struct Counts {
    client: Client,
    // Shared by all requests, which it sends without waiting for each other's answers.
    connection: ConnectionManager,
}

impl Counts {
    /// Connects.
    pub async fn connect(url: &str) -> Result<Self, ApiError> {
        let client = Client::open(url)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(5)))
            .set_response_timeout(Some(Duration::from_secs(5)));
        let connection = client.get_connection_manager_with_config(config).await?;
        Ok(Self { client, connection })
    }

    /// Counts one more.
    pub async fn count(&self, page: &str) -> Result<Hits, ApiError> {
        let mut connection = self.connection.clone();
        let hits: u64 = connection.incr(key(page), 1).await?;
        let hits = Hits { page: page.to_string(), hits };
        let () = connection.publish(CHANNEL, format!("{}={}", hits.page, hits.hits)).await?;
        Ok(hits)
    }

    /// What was counted so far.
    pub async fn read(&self, page: &str) -> Result<Hits, ApiError> {
        let hits: Option<u64> = self.connection.clone().get(key(page)).await?;
        Ok(Hits { page: page.to_string(), hits: hits.unwrap_or(0) })
    }

    /// Hears of what is counted from now on, as `page=hits`.
    pub async fn watch(&self) -> Result<impl Stream<Item = String> + Send + use<>, ApiError> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(CHANNEL).await?;
        Ok(subscription
            .into_on_message()
            .filter_map(|message| async move { message.get_payload::<String>().ok() }))
    }
}

fn key(page: &str) -> String {
    format!("service:hits:{page}")
}

//! Accounts with a balance, in PostgreSQL: moving money needs a transaction that spans two rows.

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, IsolationLevel, NoTls, Row};

use crate::error::ApiError;

/// How often a transaction that met another one is tried again.
const TRIES_MAX: usize = 10;

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub cents: i64,
}

/// Moves `cents` from one account to another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transfer {
    /// Loses the money; an account that was never seen has none.
    pub from: String,
    /// Gets the money.
    pub to: String,
    /// How much, above zero.
    pub cents: i64,
}

/// The accounts.
pub struct Ledger {
    url: String,
    // A transaction needs the client for itself; one that is closed is replaced at the next use.
    client: Mutex<Client>,
}

impl Ledger {
    /// Connects, and makes the table if it is not there.
    pub async fn connect(url: &str) -> Result<Self, ApiError> {
        let client = connect(url).await?;
        let made = client.batch_execute(
            "CREATE TABLE IF NOT EXISTS accounts (
                name TEXT PRIMARY KEY,
                cents BIGINT NOT NULL CHECK (cents >= 0)
            )",
        );
        made.await?;
        Ok(Self { url: url.to_string(), client: Mutex::new(client) })
    }

    /// Puts money into an account from outside.
    pub async fn deposit(&self, name: &str, cents: i64) -> Result<Account, ApiError> {
        positive(cents)?;
        let mut client = self.client.lock().await;
        self.reconnect(&mut client).await?;
        account_of(&client.query_one(ADD, &[&name, &cents]).await?)
    }

    /// The account of this name.
    pub async fn account(&self, name: &str) -> Result<Account, ApiError> {
        let mut client = self.client.lock().await;
        self.reconnect(&mut client).await?;
        match client.query_opt(FIND, &[&name]).await? {
            Some(row) => account_of(&row),
            None => Err(ApiError::NotFound(format!("account {name}"))),
        }
    }

    /// Moves money, all or nothing; answers with both accounts after it.
    pub async fn transfer(&self, transfer: &Transfer) -> Result<[Account; 2], ApiError> {
        positive(transfer.cents)?;
        let mut client = self.client.lock().await;
        self.reconnect(&mut client).await?;
        for _ in 1..TRIES_MAX {
            match try_transfer(&mut client, transfer).await {
                Err(ApiError::Postgres(e))
                    if e.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) => {}
                done => return done,
            }
        }
        try_transfer(&mut client, transfer).await
    }

    async fn reconnect(&self, client: &mut Client) -> Result<(), ApiError> {
        if client.is_closed() {
            *client = connect(&self.url).await?;
        }
        Ok(())
    }
}

const FIND: &str = "SELECT name, cents FROM accounts WHERE name = $1";
const ADD: &str = "INSERT INTO accounts (name, cents) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET cents = accounts.cents + excluded.cents
    RETURNING name, cents";
const TAKE: &str = "UPDATE accounts SET cents = cents - $2
    WHERE name = $1 AND cents >= $2 RETURNING name, cents";

async fn connect(url: &str) -> Result<Client, ApiError> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends when the client is dropped or the server goes away.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!("PostgreSQL: {error}");
        }
    });
    Ok(client)
}

async fn try_transfer(client: &mut Client, transfer: &Transfer) -> Result<[Account; 2], ApiError> {
    let transaction = client.build_transaction().isolation_level(IsolationLevel::Serializable);
    // Dropped before its commit, it is rolled back.
    let transaction = transaction.start().await?;
    let from = transaction.query_opt(TAKE, &[&transfer.from, &transfer.cents]).await?;
    let Some(from) = from else {
        return Err(ApiError::Conflict(format!("{} has too little", transfer.from)));
    };
    let to = transaction.query_one(ADD, &[&transfer.to, &transfer.cents]).await?;
    let accounts = [account_of(&from)?, account_of(&to)?];
    transaction.commit().await?;
    Ok(accounts)
}

fn account_of(row: &Row) -> Result<Account, ApiError> {
    Ok(Account { name: row.try_get("name")?, cents: row.try_get("cents")? })
}

fn positive(cents: i64) -> Result<(), ApiError> {
    if cents > 0 { Ok(()) } else { Err(ApiError::Invalid("cents must be above zero".into())) }
}

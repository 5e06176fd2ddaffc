//! Checks of the four kinds of gRPC calls.

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use super::Seen;
use crate::grpc::v1::notes_client::NotesClient;
use crate::grpc::v1::{AddRequest, ListRequest};

/// One connection; clones share it.
pub type Client = NotesClient<Channel>;

/// Connects to `url`.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    Ok(NotesClient::new(Endpoint::from_shared(url.to_string())?.connect().await?))
}

/// One request, one answer; many at once over one connection.
pub async fn add(client: Client) -> Seen {
    let calls = (0..20).map(|n| {
        let mut client = client.clone();
        async move { client.add(request(n)).await.map(|note| note.into_inner()) }
    });
    let notes = futures_util::future::try_join_all(calls).await?;
    for (n, note) in notes.iter().enumerate() {
        ensure!(note.text == format!("called {n}"), "call {n} is answered with {note:?}");
    }
    let refused = client.clone().add(AddRequest { text: String::new() }).await;
    let status = refused.err().context("a note without text was taken")?;
    ensure!(status.code() == Code::InvalidArgument, "refused with {status}");
    Ok("20 at once, one refused".into())
}

/// A stream of answers.
pub async fn list(mut client: Client) -> Seen {
    client.add(request(0)).await?;
    let mut notes = client.list(ListRequest {}).await?.into_inner();
    let (mut count, mut last) = (0, 0);
    while let Some(note) = notes.message().await? {
        ensure!(note.id > last, "note {} after {last}", note.id);
        (count, last) = (count + 1, note.id);
    }
    ensure!(count > 0, "no notes");
    Ok(format!("{count} notes"))
}

/// A stream of requests.
pub async fn add_many(mut client: Client) -> Seen {
    let requests = tokio_stream::iter((0..500).map(request));
    let reply = client.add_many(requests).await?.into_inner();
    ensure!(reply.added == 500, "{} of 500 were added", reply.added);
    Ok("500 in one transaction".into())
}

/// Both at once: the next request leaves when the answer before has come.
pub async fn add_each(mut client: Client) -> Seen {
    let (sender, requests) = mpsc::channel(1);
    let mut notes = client.add_each(ReceiverStream::new(requests)).await?.into_inner();
    for n in 0..100 {
        sender.send(request(n)).await?;
        let note = notes.next().await.context("the answers ended")??;
        ensure!(note.text == format!("called {n}"), "request {n} is answered with {note:?}");
    }
    drop(sender);
    ensure!(notes.next().await.is_none(), "an answer to no request");
    Ok("100 there and back".into())
}

fn request(n: usize) -> AddRequest {
    AddRequest { text: format!("called {n}") }
}

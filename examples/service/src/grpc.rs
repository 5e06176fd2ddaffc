//! Notes over gRPC, with each of its four kinds of call.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::notes::Note;
use crate::state::Shared;

/// What `proto/notes.proto` says, as Rust.
#[allow(missing_docs, clippy::all)]
pub mod v1 {
    tonic::include_proto!("notes.v1");
}

use v1::notes_server::{Notes, NotesServer};
use v1::{AddManyReply, AddRequest, ListRequest};

type Answers = Pin<Box<dyn Stream<Item = Result<v1::Note, Status>> + Send>>;

/// More than this many notes in one transaction are refused.
const MANY_MAX: usize = 10_000;

/// The service, to be added to a server.
pub fn service(app: Shared) -> NotesServer<impl Notes> {
    NotesServer::new(Calls { app })
}

struct Calls {
    app: Shared,
}

#[tonic::async_trait]
impl Notes for Calls {
    async fn add(&self, request: Request<AddRequest>) -> Result<Response<v1::Note>, Status> {
        let note = self.app.notes.add(&request.into_inner().text).await?;
        Ok(Response::new(note.into()))
    }

    type ListStream = Answers;

    async fn list(&self, _: Request<ListRequest>) -> Result<Response<Answers>, Status> {
        let notes = self.app.notes.all().map(|note| Ok(note?.into()));
        Ok(Response::new(notes.boxed()))
    }

    async fn add_many(
        &self,
        request: Request<Streaming<AddRequest>>,
    ) -> Result<Response<AddManyReply>, Status> {
        let mut requests = request.into_inner();
        let mut texts = Vec::new();
        while let Some(request) = requests.message().await? {
            if texts.len() == MANY_MAX {
                return Err(Status::resource_exhausted(format!("at most {MANY_MAX} at once")));
            }
            texts.push(request.text);
        }
        let added = self.app.notes.add_all(&texts).await?.len() as u64;
        Ok(Response::new(AddManyReply { added }))
    }

    type AddEachStream = Answers;

    async fn add_each(
        &self,
        request: Request<Streaming<AddRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let mut requests = request.into_inner();
        let (sender, receiver) = tokio::sync::mpsc::channel(16);
        let app = self.app.clone();
        self.app.stop.spawn(async move {
            while let Some(request) = requests.next().await {
                let answer = match request {
                    Ok(request) => app.notes.add(&request.text).await.map_err(Status::from),
                    Err(status) => Err(status),
                };
                let last = answer.is_err();
                if sender.send(answer.map(v1::Note::from)).await.is_err() || last {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver).boxed()))
    }
}

impl From<Note> for v1::Note {
    fn from(note: Note) -> Self {
        Self { id: note.id, text: note.text }
    }
}

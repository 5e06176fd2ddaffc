//! `join!` runs several futures in turns on one task, `try_join!` stops at the first error, and
//! `select!` takes the first that is ready and drops the others at once.
#![cfg(all(feature = "macros", feature = "rt", feature = "sync"))]

use shinkan::sync::oneshot;
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<&'static str>>>;

/// Writes its text when it is dropped.
struct Dropped(Log, &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(self.1);
    }
}

#[shinkan::test]
async fn join_goes_on_with_one_while_another_waits() {
    let (ask, question) = oneshot::channel();
    let (reply, answer) = oneshot::channel();
    // Neither could end without the other.
    let (asked, answered) = shinkan::join!(
        async {
            ask.send(20).unwrap();
            answer.await.unwrap()
        },
        async {
            let n: u32 = question.await.unwrap();
            reply.send(n + 1).unwrap();
            n
        }
    );
    assert_eq!((asked, answered), (21, 20));
}

#[shinkan::test]
async fn try_join_stops_at_the_first_error() {
    let log = Log::default();
    let guard = Dropped(log.clone(), "the other was dropped");
    let result = shinkan::try_join!(
        async move {
            let _guard = guard;
            std::future::pending::<Result<(), String>>().await
        },
        async { Err::<(), _>(String::from("no such file")) }
    );
    assert_eq!(result.unwrap_err(), "no such file");
    assert_eq!(*log.lock().unwrap(), ["the other was dropped"]);
}

#[shinkan::test]
async fn select_takes_the_first_and_drops_the_others_at_once() {
    let log = Log::default();
    let guard = Dropped(log.clone(), "the slow one was dropped");
    let (send, receive) = oneshot::channel();
    send.send("fast").unwrap();
    let first = shinkan::select! {
        text = async { receive.await.unwrap() } => {
            log.lock().unwrap().push("the handler runs");
            text
        }
        _ = async move {
            let _guard = guard;
            std::future::pending::<()>().await
        } => unreachable!(),
    };
    assert_eq!(first, "fast");
    assert_eq!(*log.lock().unwrap(), ["the slow one was dropped", "the handler runs"]);
}

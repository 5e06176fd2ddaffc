//! A few tasks that never end, with names, which wait for each other in different ways. To look
//! into it, from this folder:
//!
//! ```sh
//! RUSTFLAGS="--cfg tokio_unstable" cargo run
//! tokio-console               # in another terminal; `cargo install --locked tokio-console`
//! ```
//!
//! It listens on 127.0.0.1:6669, or on the address that it is given.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio::task;
use tokio::time::{interval, sleep};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address: SocketAddr = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => "127.0.0.1:6669".parse()?,
    };
    console_subscriber::ConsoleLayer::builder()
        .server_addr(address)
        .publish_interval(Duration::from_millis(100))
        .init();

    // Only what is spawned from here on is seen.
    let (sender, receiver) = mpsc::channel(2);
    task::Builder::new().name("producer").spawn(produce(sender))?;
    task::Builder::new().name("consumer").spawn(consume(receiver))?;

    let lock = Arc::new(Mutex::new(0));
    for name in ["left", "right"] {
        task::Builder::new().name(name).spawn(take_turns(lock.clone()))?;
    }

    let asks = task::Builder::new().name("asker").spawn(ask())?;
    asks.await?;
    Ok(())
}

async fn produce(sender: mpsc::Sender<u64>) {
    let mut ticks = interval(Duration::from_millis(50));
    for n in 0.. {
        ticks.tick().await;
        if sender.send(n).await.is_err() {
            return;
        }
    }
}

async fn consume(mut receiver: mpsc::Receiver<u64>) {
    while let Some(n) = receiver.recv().await {
        let digest = task::spawn_blocking(move || n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        drop(digest.await);
    }
}

/// Holds the lock while it waits, so that there is always one more who waits for it.
async fn take_turns(lock: Arc<Mutex<u64>>) {
    loop {
        let mut turns = lock.lock().await;
        *turns += 1;
        sleep(Duration::from_millis(20)).await;
    }
}

/// Asks tasks of its own, two at a time.
async fn ask() {
    let limit = Arc::new(Semaphore::new(2));
    loop {
        let Ok(permit) = limit.clone().acquire_owned().await else { return };
        let (sender, answer) = oneshot::channel();
        task::spawn(async move {
            sleep(Duration::from_millis(30)).await;
            let _ = sender.send(42);
            drop(permit);
        });
        drop(answer.await);
    }
}

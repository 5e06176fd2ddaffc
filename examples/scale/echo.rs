//! Many connections at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use shinkan::io::{AsyncReadExt, AsyncWriteExt};
use shinkan::net::{TcpListener, TcpStream};
use shinkan::sync::{Semaphore, mpsc};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

const ROUND_TRIPS: u64 = 10;

/// Two descriptors a connection, and some for the runtime and the standard streams.
pub(crate) fn raise_descriptor_limit(connections: u64) -> Result<(), String> {
    let needed = 2 * connections + 100;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // None stands for no limit.
    if current.is_none_or(|limit| limit >= needed) {
        return Ok(());
    }
    if let Some(limit) = maximum.filter(|limit| *limit < needed) {
        return Err(format!(
            "{connections} connections take {needed} descriptors and the hard limit is {limit}: \
             raise it (ulimit -Hn) or ask for fewer (--percent)"
        ));
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum }).map_err(|error| {
        format!("the limit of descriptors could not be raised to {needed}: {error}")
    })
}

/// Opens all connections, then lets all clients loose at the same time.
pub(crate) async fn all_at_once(connections: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let server = shinkan::spawn(serve(listener, connections));

    // The clients wait for a permit of this one, and all permits come at once.
    let gun = Arc::new(Semaphore::new(0));
    let (ready, mut all_ready) = mpsc::channel(1);
    // The kernel keeps a thousand or so that were not accepted yet, and makes the others wait for a
    // second.
    let door = Arc::new(Semaphore::new(500));
    let clients: Vec<_> = (0..connections)
        .map(|n| shinkan::spawn(client(n, address, door.clone(), ready.clone(), gun.clone())))
        .collect();
    drop(ready);
    while all_ready.recv().await.is_some() {}

    let start = Instant::now();
    gun.add_permits(connections as usize);
    for client in clients {
        client.await.expect("every client got back what it sent");
    }
    let rate = (connections * ROUND_TRIPS) as f64 / start.elapsed().as_secs_f64();
    server.await.expect("the server ends when all clients have");
    format!(
        "echo: {connections} connections at once, {ROUND_TRIPS} round trips each, {rate:.0} a second"
    )
}

async fn serve(listener: TcpListener, connections: u64) {
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (mut stream, _) = listener.accept().await.expect("descriptors were counted");
        tasks.push(shinkan::spawn(async move {
            let mut buffer = [0; 64];
            while stream.read_exact(&mut buffer).await.is_ok() {
                stream.write_all(&buffer).await.expect("the client reads");
            }
        }));
    }
    for task in tasks {
        task.await.expect("an echo does not panic");
    }
}

async fn client(
    number: u64,
    address: SocketAddr,
    door: Arc<Semaphore>,
    ready: mpsc::Sender<()>,
    gun: Arc<Semaphore>,
) {
    let permit = door.acquire().await.expect("nobody closes it");
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.set_nodelay(true).expect("it is a TCP socket");
    drop(permit);
    drop(ready);
    gun.acquire().await.expect("nobody closes it").forget();

    for trip in 0..ROUND_TRIPS {
        let mut sent = [0; 64];
        sent[..8].copy_from_slice(&(number * ROUND_TRIPS + trip).to_be_bytes());
        stream.write_all(&sent).await.expect("the server reads");
        let mut back = [0; 64];
        stream.read_exact(&mut back).await.expect("the server answers");
        assert_eq!(sent, back);
    }
}

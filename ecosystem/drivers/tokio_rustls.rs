//! TLS over loopback by rustls: handshakes that succeed and that fail, much data both ways at once,
//! closing with and without a last word, and a server that picks its answer by the client's greeting.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor, TlsConnector, TlsStream, client};

/// A certificate for `localhost`: what a server needs, and what a client needs to trust it.
fn configs() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).unwrap();
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

/// Sends back what one client after the other sends, `clients` in all; answers how many bytes.
async fn echo(config: Arc<ServerConfig>, clients: usize) -> (SocketAddr, JoinHandle<u64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut served = JoinSet::new();
        for _ in 0..clients {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = TlsAcceptor::from(config.clone());
            served.spawn(async move {
                let stream = acceptor.accept(stream).await.unwrap();
                let (mut read, mut write) = tokio::io::split(stream);
                let copied = tokio::io::copy(&mut read, &mut write).await.unwrap();
                write.shutdown().await.unwrap();
                copied
            });
        }
        served.join_all().await.into_iter().sum()
    });
    (address, server)
}

async fn connect(to: SocketAddr, config: &Arc<ClientConfig>) -> client::TlsStream<TcpStream> {
    let stream = TcpStream::connect(to).await.unwrap();
    TlsConnector::from(config.clone()).connect(localhost(), stream).await.unwrap()
}

#[tokio::test]
async fn a_greeting_comes_back() {
    let (server, client) = configs();
    let (address, echoed) = echo(server, 1).await;
    let mut stream = connect(address, &client).await;
    stream.write_all(b"hello").await.unwrap();
    stream.flush().await.unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"hello");
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut back).await.unwrap(), 0);
    assert_eq!(echoed.await.unwrap(), 5);
}

#[tokio::test]
async fn byte_by_byte() {
    let (server, client) = configs();
    let (address, echoed) = echo(server, 1).await;
    let mut stream = connect(address, &client).await;
    for byte in 0..=255u8 {
        stream.write_u8(byte).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), byte);
    }
    stream.shutdown().await.unwrap();
    assert_eq!(echoed.await.unwrap(), 256);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_all_buffers_both_ways_at_once() {
    const SIZE: usize = 4 << 20;
    let (server, client) = configs();
    let (address, echoed) = echo(server, 1).await;
    let (mut read, mut write) = tokio::io::split(connect(address, &client).await);
    let sent: Vec<u8> = (0..SIZE).map(|n| (n % 251) as u8).collect();
    let expected = sent.clone();
    let writer = tokio::spawn(async move {
        write.write_all(&sent).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let mut back = Vec::new();
    read.read_to_end(&mut back).await.unwrap();
    writer.await.unwrap();
    assert!(back == expected);
    assert_eq!(echoed.await.unwrap(), SIZE as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_at_once() {
    const CLIENTS: usize = 50;
    let (server, client) = configs();
    let (address, echoed) = echo(server, CLIENTS).await;
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        let client = client.clone();
        clients.spawn(async move {
            let mut stream = connect(address, &client).await;
            stream.write_all(&[n as u8; 1000]).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut back = Vec::new();
            stream.read_to_end(&mut back).await.unwrap();
            assert_eq!(back, [n as u8; 1000]);
        });
    }
    assert_eq!(clients.join_all().await.len(), CLIENTS);
    assert_eq!(echoed.await.unwrap(), 1000 * CLIENTS as u64);
}

#[tokio::test]
async fn a_second_connection_resumes_the_first() {
    let (server, client) = configs();
    let (address, echoed) = echo(server, 2).await;
    for kind in ["Full", "Resumed"] {
        let mut stream = connect(address, &client).await;
        stream.write_all(b"x").await.unwrap();
        stream.flush().await.unwrap();
        // What the server gives for the next time comes with its first answer.
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
        let found = format!("{:?}", stream.get_ref().1.handshake_kind().unwrap());
        assert_eq!(found, kind);
        stream.shutdown().await.unwrap();
    }
    assert_eq!(echoed.await.unwrap(), 2);
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_refused_on_both_sides() {
    let (server, _) = configs();
    let (_, client) = configs();
    let (near, far) = duplex(1 << 16);
    let accepted = tokio::spawn(async move { TlsAcceptor::from(server).accept(far).await });
    let refused = TlsConnector::from(client).connect(localhost(), near).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidData);
    assert_eq!(accepted.await.unwrap().unwrap_err().kind(), ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_handshake() {
    let (server, _) = configs();
    let (near, far) = duplex(1 << 16);
    let accepted = tokio::spawn(async move { TlsAcceptor::from(server).accept(far).await });
    drop(near);
    assert_eq!(accepted.await.unwrap().unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn an_end_without_a_last_word_is_an_error() {
    let (server, client) = configs();
    let (near, far) = duplex(1 << 16);
    let accepted = tokio::spawn(async move {
        let mut stream = TlsAcceptor::from(server).accept(far).await.unwrap();
        stream.read_u8().await.unwrap();
        // The transport ends; TLS does not say goodbye.
        drop(stream.into_inner());
    });
    let mut stream = TlsConnector::from(client).connect(localhost(), near).await.unwrap();
    stream.write_u8(1).await.unwrap();
    stream.flush().await.unwrap();
    accepted.await.unwrap();
    let end = stream.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_transport_with_room_for_seven_bytes() {
    let (server, client) = configs();
    let (near, far) = duplex(7);
    let accepted = tokio::spawn(async move {
        let mut stream = TlsStream::from(TlsAcceptor::from(server).accept(far).await.unwrap());
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        stream.shutdown().await.unwrap();
        text
    });
    let stream = TlsConnector::from(client).connect(localhost(), near).await.unwrap();
    let (mut read, mut write) = tokio::io::split(stream);
    // What the server gives for the next time fills the way back, so both directions must move.
    let write = async {
        write.write_all(b"through the eye of a needle").await.unwrap();
        write.shutdown().await.unwrap();
    };
    let mut back = Vec::new();
    let (_, read) = tokio::join!(write, read.read_to_end(&mut back));
    assert_eq!(read.unwrap(), 0);
    assert_eq!(accepted.await.unwrap(), "through the eye of a needle");
}

#[tokio::test]
async fn a_server_chooses_by_the_greeting() {
    let (server, client) = configs();
    let (near, far) = duplex(1 << 16);
    let accepted = tokio::spawn(async move {
        let start = LazyConfigAcceptor::new(Acceptor::default(), far).await.unwrap();
        let name = start.client_hello().server_name().unwrap().to_string();
        let mut stream = start.into_stream(server).await.unwrap();
        stream.write_all(name.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let mut stream = TlsConnector::from(client).connect(localhost(), near).await.unwrap();
    let mut name = String::new();
    stream.read_to_string(&mut name).await.unwrap();
    assert_eq!(name, "localhost");
    accepted.await.unwrap();
}

//! TLS over loopback by the system's library: handshakes that succeed and that fail, much data both
//! ways at once, closing, and a transport with little room.

use std::net::SocketAddr;

use native_tls::{Certificate, Identity};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_native_tls::{TlsAcceptor, TlsConnector, TlsStream};

/// A certificate for `localhost`: what a server needs, and what a client needs to trust it.
fn both() -> (TlsAcceptor, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).unwrap();
    let certificate = made.cert.pem();
    let key = made.signing_key.serialize_pem();
    let identity = Identity::from_pkcs8(certificate.as_bytes(), key.as_bytes()).unwrap();
    let acceptor = native_tls::TlsAcceptor::new(identity).unwrap();
    let root = Certificate::from_pem(certificate.as_bytes()).unwrap();
    let connector = native_tls::TlsConnector::builder()
        .disable_built_in_roots(true)
        .add_root_certificate(root)
        .build()
        .unwrap();
    (acceptor.into(), connector.into())
}

/// Sends back what each of so many clients sends; answers how many bytes.
async fn echo(acceptor: TlsAcceptor, clients: usize) -> (SocketAddr, JoinHandle<u64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut served = JoinSet::new();
        for _ in 0..clients {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
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

async fn connect(to: SocketAddr, connector: &TlsConnector) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(to).await.unwrap();
    connector.connect("localhost", stream).await.unwrap()
}

#[tokio::test]
async fn byte_by_byte() {
    let (acceptor, connector) = both();
    let (address, echoed) = echo(acceptor, 1).await;
    let mut stream = connect(address, &connector).await;
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
    let (acceptor, connector) = both();
    let (address, echoed) = echo(acceptor, 1).await;
    let (mut read, mut write) = tokio::io::split(connect(address, &connector).await);
    let sent: Vec<u8> = (0..SIZE).map(|n| (n % 251) as u8).collect();
    let expected = sent.clone();
    let writer = tokio::spawn(async move {
        write.write_all(&sent).await.unwrap();
        write.flush().await.unwrap();
        write
    });
    let mut back = vec![0; SIZE];
    read.read_exact(&mut back).await.unwrap();
    assert!(back == expected);
    writer.await.unwrap().shutdown().await.unwrap();
    assert_eq!(read.read(&mut back).await.unwrap(), 0);
    assert_eq!(echoed.await.unwrap(), SIZE as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_at_once() {
    const CLIENTS: usize = 50;
    let (acceptor, connector) = both();
    let (address, echoed) = echo(acceptor, CLIENTS).await;
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        let connector = connector.clone();
        clients.spawn(async move {
            let mut stream = connect(address, &connector).await;
            stream.write_all(&[n as u8; 1000]).await.unwrap();
            stream.flush().await.unwrap();
            let mut back = [0; 1000];
            stream.read_exact(&mut back).await.unwrap();
            assert_eq!(back, [n as u8; 1000]);
            stream.shutdown().await.unwrap();
        });
    }
    assert_eq!(clients.join_all().await.len(), CLIENTS);
    assert_eq!(echoed.await.unwrap(), 1000 * CLIENTS as u64);
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_refused_on_both_sides() {
    let (acceptor, _) = both();
    let (_, connector) = both();
    let (near, far) = duplex(1 << 16);
    let accepted = tokio::spawn(async move { acceptor.accept(far).await.is_err() });
    assert!(connector.connect("localhost", near).await.is_err());
    assert!(accepted.await.unwrap());
}

#[tokio::test]
async fn a_name_that_the_certificate_does_not_have_is_refused() {
    let (acceptor, connector) = both();
    let (near, far) = duplex(1 << 16);
    let accepted = tokio::spawn(async move { acceptor.accept(far).await.is_err() });
    assert!(connector.connect("elsewhere", near).await.is_err());
    assert!(accepted.await.unwrap());
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_handshake() {
    let (acceptor, _) = both();
    let (near, far) = duplex(1 << 16);
    let accepted = tokio::spawn(async move { acceptor.accept(far).await.is_err() });
    drop(near);
    assert!(accepted.await.unwrap());
}

#[tokio::test]
async fn a_transport_with_room_for_seven_bytes() {
    let (acceptor, connector) = both();
    let (near, far) = duplex(7);
    let accepted = tokio::spawn(async move {
        let mut stream = acceptor.accept(far).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    });
    let mut stream = connector.connect("localhost", near).await.unwrap();
    stream.write_all(b"through the eye of a needle").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(accepted.await.unwrap(), "through the eye of a needle");
}

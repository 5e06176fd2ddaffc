//! What TLS must refuse, and that one client's handshake is no other's concern.

mod support;

use service::drive::Target;
use service::tls::Identity;
use support::{get, start, start_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_somebody_else() {
    let running = start().await;
    let other = Identity::make().unwrap();
    let target = Target::new(&running.https.base, other.pem()).unwrap();
    let error = get(&target, "/plaintext").await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    assert_eq!(get(&running.https, "/plaintext").await.unwrap().0, 200);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_speaks_no_tls() {
    let running = start().await;
    let address = running.server.addresses().https.unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET /plaintext HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // The connection may also end by a reset.
    let _ = socket.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert_eq!(running.server.app().accepted(), 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_never_shake_hands() {
    let running = start().await;
    let address = running.server.addresses().https.unwrap();
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(get(&running.https, "/plaintext").await.unwrap().0, 200);
    // Nor do they hold up the end.
    running.stop().await;
    drop(silent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_from_files() {
    use service::config::{ServeArgs, Stores};
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_string()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut args = ServeArgs::on_free_ports(Stores::default());
    (args.cert, args.key) = (Some(cert), Some(key));
    let running = start_with(args).await;
    let target = Target::new(&running.https.base, Some(&made.cert.pem())).unwrap();
    assert_eq!(get(&target, "/plaintext").await.unwrap().0, 200);
    running.stop().await;
}

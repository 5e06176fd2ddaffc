//! Runs the built example against servers of this file, which stand on plain threads and blocking
//! sockets, so that they share nothing with what is tested. `cargo test` builds the examples before
//! it runs the tests of a package.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use socket2::{Domain, Socket, Type};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the program left: exit code, standard output and error.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    /// The value of a row of the table.
    fn row(&self, name: &str) -> &str {
        let line = self.out.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("no row {name:?} in\n{}", self.out))[name.len()..].trim()
    }

    /// The one line about this URL.
    fn line_of(&self, url: &str) -> &str {
        let lines: Vec<_> = self.err.lines().filter(|line| line.starts_with(url)).collect();
        assert_eq!(lines.len(), 1, "lines about {url} in\n{}", self.err);
        lines[0]
    }
}

fn fetch(args: &[&str]) -> Ran {
    let here = std::env::current_exe().expect("a test knows its file");
    let program: PathBuf =
        here.parent().and_then(|deps| deps.parent()).unwrap().join("examples/fetch");
    // Its lines are compared, and whether a poll took long is the machine's affair.
    let mut command = Command::new(&program);
    command.args(args).env("SHINKAN_STALL", "report=off");
    let output = command.output().unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo test -p shinkan-examples` builds it", program.display())
    });
    Ran {
        code: output.status.code().expect("it was not killed"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Serves each connection on a thread of its own, for as long as the test process lives.
fn serve(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (answer, stream) = (answer.clone(), stream.unwrap());
            thread::spawn(move || answer(stream));
        }
    });
    address
}

/// Reads a request up to its empty line and returns its path.
fn request(stream: &mut impl Read) -> String {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    first.split(' ').nth(1).unwrap().to_owned()
}

fn respond(stream: &mut impl Write, status: &str, body: &str) {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    stream.flush().unwrap();
}

/// A server that answers every path with ten bytes.
fn ten_bytes() -> SocketAddr {
    serve(|mut stream| {
        request(&mut stream);
        respond(&mut stream, "200 OK", "0123456789");
    })
}

/// An https server for the name `localhost`, and a file with the root that signed its certificate.
fn https(name: &str) -> (SocketAddr, tempfile::NamedTempFile) {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_certificate = root.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(root, root_key);

    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let config = Arc::new(config);
    let address = serve(move |stream| {
        let session = ServerConnection::new(config.clone()).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        // A client that does not trust us ends the handshake: then there is nothing to answer.
        while stream.conn.is_handshaking() {
            if stream.conn.complete_io(&mut stream.sock).is_err() {
                return;
            }
        }
        request(&mut stream);
        respond(&mut stream, "200 OK", "secret");
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(root_certificate.pem().as_bytes()).unwrap();
    (address, file)
}

#[test]
fn without_arguments_the_demo_ends_as_it_was_made_to() {
    let ran = fetch(&[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(ran.row("pages"), "114 of 120");
    assert_eq!(ran.row("failures"), "6");
    for (kind, count) in
        [("broken off", "1"), ("status 4xx", "1"), ("status 5xx", "2"), ("timeout", "2")]
    {
        assert_eq!(ran.row(&format!("  {kind}")), count);
    }
    for row in ["bytes", "latency p50", "latency p99", "latency max", "requests a second"] {
        ran.row(row);
    }
    assert_eq!(ran.err.lines().count(), 6, "a line for each failure:\n{}", ran.err);
}

#[test]
fn the_demo_exits_with_1_when_a_page_ends_otherwise() {
    // Without a retry, the three pages that fail once are not fetched.
    let ran = fetch(&["--retries", "0"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert_eq!(ran.row("pages"), "111 of 120");
}

#[test]
fn pages_are_counted() {
    let address = ten_bytes();
    let ran = fetch(&[&format!("http://{address}/a"), &format!("http://{address}")]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.row("pages"), "2 of 2");
    assert_eq!(ran.row("bytes"), "20 B");
    assert_eq!(ran.row("requests"), "2");
    assert_eq!(ran.err, "", "no bar where there is no terminal");
}

#[test]
fn the_path_and_the_query_reach_the_server() {
    let address = serve(|mut stream| {
        let path = request(&mut stream);
        respond(&mut stream, "200 OK", &path);
    });
    let ran = fetch(&[&format!("http://{address}/a/b?c=d#e")]);
    assert_eq!(ran.row("bytes"), format!("{} B", "/a/b?c=d".len()));
}

#[test]
fn https_with_its_root() {
    let (address, root) = https("localhost");
    let root = root.path().to_str().unwrap();
    let ran = fetch(&["--ca", root, &format!("https://localhost:{}/", address.port())]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.row("bytes"), "6 B");
}

#[test]
fn an_untrusted_certificate_fails_alone() {
    let (address, _root) = https("localhost");
    let untrusted = format!("https://localhost:{}/", address.port());
    let good = format!("http://{}/", ten_bytes());
    let ran = fetch(&[&untrusted, &good]);
    assert_eq!(ran.code, 1);
    assert!(ran.line_of(&untrusted).contains("certificate not trusted"), "{}", ran.err);
    assert!(ran.line_of(&untrusted).contains("UnknownIssuer"), "{}", ran.err);
    assert_eq!(ran.row("pages"), "1 of 2");
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let (address, root) = https("elsewhere.example");
    let url = format!("https://localhost:{}/", address.port());
    let ran = fetch(&["--ca", root.path().to_str().unwrap(), &url]);
    assert_eq!(ran.code, 1);
    assert!(ran.line_of(&url).contains("certificate not trusted"), "{}", ran.err);
}

#[test]
fn https_to_a_server_that_does_not_speak_it() {
    let address = serve(|mut stream| {
        let _ = stream.write_all(b"I speak something else\r\n");
    });
    let url = format!("https://localhost:{}/", address.port());
    let ran = fetch(&["--retries", "0", &url]);
    assert_eq!(ran.code, 1);
    assert!(ran.line_of(&url).contains("TLS failed"), "{}", ran.err);
}

#[test]
fn a_refused_connection_fails_alone() {
    // Bound and not listening: nobody else gets the port, and who connects to it is refused.
    let taken = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    taken.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let refused = format!("http://{}/", taken.local_addr().unwrap().as_socket().unwrap());
    let good = format!("http://{}/", ten_bytes());
    let ran = fetch(&["--retries", "1", &refused, &good]);
    assert_eq!(ran.code, 1);
    assert!(ran.line_of(&refused).contains("Connection refused"), "{}", ran.err);
    assert!(ran.line_of(&refused).ends_with("(2 attempts)"), "{}", ran.err);
    assert_eq!(ran.row("pages"), "1 of 2");
}

#[test]
fn bad_urls_fail_alone_and_without_a_retry() {
    let good = format!("http://{}/", ten_bytes());
    for bad in
        ["nonsense", "http://", "ftp://localhost/", "http://me@localhost/", "http://[::1/", "/path"]
    {
        let ran = fetch(&[bad, &good]);
        assert_eq!(ran.code, 1, "{bad}");
        assert!(ran.line_of(bad).starts_with(&format!("{bad}: bad URL: ")), "{}", ran.err);
        assert_eq!(ran.row("pages"), "1 of 2");
        assert_eq!(ran.row("requests"), "2");
    }
}

#[test]
fn a_server_that_does_not_answer_times_out() {
    let address = serve(|mut stream| {
        request(&mut stream);
        // Until the client hangs up.
        let _ = stream.read(&mut [0]);
    });
    let url = format!("http://{address}/");
    let ran = fetch(&["--timeout", "0.1", "--retries", "1", &url]);
    assert_eq!(ran.code, 1);
    assert!(ran.line_of(&url).contains("timeout"), "{}", ran.err);
    assert_eq!(ran.row("requests"), "2");
}

#[test]
fn what_fails_once_is_fetched_by_a_retry() {
    let asked = AtomicUsize::new(0);
    let address = serve(move |mut stream| {
        request(&mut stream);
        match asked.fetch_add(1, Ordering::Relaxed) {
            0 => respond(&mut stream, "503 Service Unavailable", ""),
            _ => respond(&mut stream, "200 OK", "now"),
        }
    });
    let ran = fetch(&[&format!("http://{address}/")]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.row("requests"), "2");
}

#[test]
fn what_is_missing_is_not_asked_for_again() {
    let address = serve(|mut stream| {
        request(&mut stream);
        respond(&mut stream, "404 Not Found", "nothing here");
    });
    let url = format!("http://{address}/");
    let ran = fetch(&[&url]);
    assert_eq!(ran.code, 1);
    assert!(ran.line_of(&url).contains("404 Not Found"), "{}", ran.err);
    assert_eq!(ran.row("requests"), "1");
}

#[test]
fn an_answer_that_ends_too_early_is_broken_off() {
    let address = serve(|mut stream| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nten bytes.").unwrap();
    });
    let url = format!("http://{address}/");
    let ran = fetch(&["--retries", "0", &url]);
    assert_eq!(ran.code, 1);
    assert!(ran.line_of(&url).contains("broken off"), "{}", ran.err);
}

#[test]
fn no_more_connections_at_a_time_than_allowed() {
    let open = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (counted, highest) = (open.clone(), most.clone());
    let address = serve(move |mut stream| {
        highest.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        request(&mut stream);
        // The count falls before the client can know that this page is done.
        counted.fetch_sub(1, Ordering::SeqCst);
        respond(&mut stream, "200 OK", "page");
    });
    let url = format!("http://{address}/");
    let mut args = vec!["--parallel", "4"];
    args.extend(std::iter::repeat_n(url.as_str(), 100));
    let ran = fetch(&args);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.row("pages"), "100 of 100");
    assert!((1..=4).contains(&most.load(Ordering::SeqCst)));
}

#[test]
fn what_can_not_be_started_exits_with_2() {
    let cases: [&[&str]; 4] = [
        &["--ca", "/nonexistent/root.pem", "http://localhost/"],
        &["--ca", "/dev/null", "http://localhost/"],
        &["--parallel", "0"],
        &["--timeout", "0"],
    ];
    for args in cases {
        let ran = fetch(args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert_eq!(ran.out, "");
        assert!(ran.err.contains(args[0]), "{args:?}: {}", ran.err);
    }
}

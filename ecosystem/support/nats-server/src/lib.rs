//! What the tests of async-nats call to have a server: the package of this name is not published.
//! Runs Debian's `nats-server`, a process of its own for each call, with its files in a folder that
//! goes with it.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Where the servers of a cluster listen for each other; each test has a network of its own.
const ROUTES: [u16; 3] = [6222, 6223, 6224];

/// A server; it ends when this is dropped.
pub struct Server {
    child: Child,
    args: Vec<String>,
    folder: PathBuf,
    port: u16,
}

/// Servers that know of each other.
pub struct Cluster {
    servers: Vec<Server>,
}

/// Without a configuration.
pub fn run_basic_server() -> Server {
    run_server("")
}

/// With the configuration in `config`, on a port that was free.
pub fn run_server(config: &str) -> Server {
    run_server_with_port(config, None)
}

/// With the configuration in `config`, if that names a file; on `port`, or on one that was free.
pub fn run_server_with_port(config: &str, port: Option<&str>) -> Server {
    Server::start(config, port, &[])
}

/// Three servers with the configuration in `config`, when all know of all.
pub fn run_cluster(config: &str) -> Cluster {
    let routes = ROUTES.map(|port| format!("nats://127.0.0.1:{port}")).join(",");
    let start = |(n, port): (usize, u16)| {
        let more = [
            format!("--server_name=n{n}"),
            "--cluster_name=all".into(),
            format!("--cluster=nats://127.0.0.1:{port}"),
            format!("--routes={routes}"),
        ];
        Server::start(config, None, &more)
    };
    let cluster = Cluster { servers: ROUTES.into_iter().enumerate().map(start).collect() };
    // A cluster that stores needs a leader before it answers.
    if fs::read_to_string(config).is_ok_and(|text| text.contains("jetstream")) {
        let leads = |server: &Server| server.log().contains("new metadata leader");
        while !cluster.servers.iter().any(leads) {
            sleep(LOOK_EVERY);
        }
    }
    cluster
}

/// The server tells its clients to go elsewhere.
pub fn set_lame_duck_mode(server: &Server) {
    signal(&server.child, "-USR2");
}

impl Cluster {
    /// The address of the first.
    pub fn client_url(&self) -> String {
        self.servers[0].client_url()
    }
}

impl Server {
    fn start(config: &str, port: Option<&str>, more: &[String]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nats-server-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // What a process of the same number has left behind.
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a folder for the server");
        let mut args = vec![
            format!("--store_dir={}", folder.join("store").display()),
            format!("--ports_file_dir={}", folder.display()),
            format!("--log={}", folder.join("log").display()),
        ];
        if !config.is_empty() {
            let text = fs::read_to_string(config).expect("a configuration that can be read");
            // Debian's server is older than this word.
            let known = text.replace("strict: true,", "");
            let copy = folder.join("config");
            fs::write(&copy, known).expect("a folder to write in");
            args.push(format!("--config={}", copy.display()));
        }
        args.extend_from_slice(more);
        let (child, port) = spawn(&args, port.unwrap_or("-1"), &folder);
        Self { child, args, folder, port }
    }

    /// Ends it, and starts it again on the same port with what it has stored.
    pub fn restart(&mut self) {
        self.end();
        let (child, _) = spawn(&self.args, &self.port.to_string(), &self.folder);
        self.child = child;
    }

    /// Where clients connect to.
    pub fn client_url(&self) -> String {
        format!("nats://localhost:{}", self.port)
    }

    /// The port of [`client_url`](Self::client_url).
    pub fn client_port(&self) -> u16 {
        self.port
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn end(&mut self) {
        signal(&self.child, "-KILL");
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// The server when it accepts, and its port.
fn spawn(args: &[String], port: &str, folder: &Path) -> (Child, u16) {
    let mut child = Command::new("nats-server")
        .args(args)
        .arg(format!("--port={port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server: apt-get install nats-server");
    // It writes there where it listens.
    let ports = folder.join(format!("nats-server_{}.ports", child.id()));
    loop {
        let text = fs::read_to_string(&ports).unwrap_or_default();
        if let Some(port) = client_port(&text) {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (child, port);
            }
        }
        if let Some(status) = child.try_wait().expect("a child to ask") {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            panic!("nats-server {args:?} ended with {status}: {log}");
        }
        sleep(LOOK_EVERY);
    }
}

/// The port of the first client address in what the server writes: `"nats": ["nats://HOST:PORT", …`.
fn client_port(text: &str) -> Option<u16> {
    let (_, from) = text.split_once("\"nats\"")?;
    let address = from.split('"').find(|part| part.contains("://"))?;
    // The file is complete.
    let whole = text.trim_end().ends_with('}');
    address.rsplit(':').next()?.parse().ok().filter(|_| whole)
}

fn signal(child: &Child, signal: &str) {
    // Fails only where the server has ended already.
    drop(Command::new("kill").args([signal, &child.id().to_string()]).status());
}

//! PostgreSQL and Redis from Debian's packages: processes of this program's own, with their files
//! in a folder that goes with them. PostgreSQL listens on loopback, Redis on a Unix socket.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_MAX: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A port that was free may be taken by somebody else before the server has it.
const PORTS_MAX: usize = 5;

/// Both servers; they end when this is dropped, and where this program is killed.
pub(super) struct Servers {
    postgres: Server,
    redis: Server,
    folder: PathBuf,
    urls: [(&'static str, String); 2],
}

impl Servers {
    pub(super) fn start() -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("service-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let (postgres, port) = start_postgres(&folder)?;
        let socket = folder.join("redis.sock");
        let redis = start_redis(&folder, &socket)?;
        let urls = [
            ("DATABASE_URL", format!("postgres://service@127.0.0.1:{port}/postgres")),
            ("REDIS_URL", format!("redis+unix://{}", socket.display())),
        ];
        Ok(Self { postgres, redis, folder, urls })
    }

    /// The variables by which the service finds them.
    pub(super) fn environment(&self) -> [(&'static str, String); 2] {
        self.urls.clone()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // PostgreSQL's fast shutdown: it does not wait for clients.
        self.postgres.end("-INT");
        self.redis.end("-TERM");
        drop(fs::remove_dir_all(&self.folder));
    }
}

struct Server(Child);

impl Server {
    fn end(&mut self, signal: &str) {
        drop(Command::new("kill").args([signal, &self.0.id().to_string()]).status());
        drop(self.0.wait());
    }
}

fn start_postgres(folder: &Path) -> Result<(Server, u16), String> {
    let programs = postgres_programs()?;
    let data = folder.join("postgres");
    fs::create_dir_all(&data).map_err(|e| format!("{}: {e}", data.display()))?;
    // PostgreSQL refuses to be run by root; its package has made a user for it.
    let as_root = crate::output(Command::new("id").arg("-u"))?.trim() == "0";
    if as_root {
        crate::output(Command::new("chown").arg("postgres:").arg(&data))?;
    }
    let mut initdb = command(&programs.join("initdb"), as_root);
    initdb.args(["--auth=trust", "--username=service", "--no-sync", "--pgdata"]).arg(&data);
    crate::output(&mut initdb)?;
    for _ in 0..PORTS_MAX {
        let port = free_port()?;
        let mut postgres = command(&programs.join("postgres"), as_root);
        postgres.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string(), "-F"]);
        // No Unix socket: its usual folder belongs to the package's own server.
        postgres.args(["-k", ""]);
        let mut server = spawn(&mut postgres, &folder.join("postgres.log"))?;
        let mut ready = Command::new(programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", "service"]);
        if wait(&mut server, || ready.status().is_ok_and(|status| status.success()))? {
            return Ok((server, port));
        }
    }
    let log = fs::read_to_string(folder.join("postgres.log")).unwrap_or_default();
    Err(format!("PostgreSQL does not start:\n{log}"))
}

fn start_redis(folder: &Path, socket: &Path) -> Result<Server, String> {
    let mut redis = command(Path::new("redis-server"), false);
    redis.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(socket);
    let mut server = spawn(redis.arg("--dir").arg(folder), &folder.join("redis.log"))?;
    let answers = || {
        let Ok(mut stream) = UnixStream::connect(socket) else { return false };
        let mut answer = [0; 5];
        stream.write_all(b"PING\r\n").and_then(|()| stream.read_exact(&mut answer)).is_ok()
            && &answer == b"+PONG"
    };
    if wait(&mut server, answers)? {
        return Ok(server);
    }
    let log = fs::read_to_string(folder.join("redis.log")).unwrap_or_default();
    Err(format!("Redis does not start:\n{log}"))
}

/// Dies with this program, also where that is killed.
fn command(program: &Path, as_postgres: bool) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM"]);
    if as_postgres {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.arg("--").arg(program).current_dir("/");
    command
}

fn spawn(command: &mut Command, log: &Path) -> Result<Server, String> {
    let log = fs::File::create(log).map_err(|e| e.to_string())?;
    let twin = log.try_clone().map_err(|e| e.to_string())?;
    let child = command.stdin(Stdio::null()).stdout(log).stderr(twin).spawn();
    child.map(Server).map_err(|e| format!("cannot start {command:?}: {e}"))
}

/// Whether the server answers before it ends.
fn wait(server: &mut Server, mut answers: impl FnMut() -> bool) -> Result<bool, String> {
    let before = Instant::now();
    while before.elapsed() < START_MAX {
        if server.0.try_wait().map_err(|e| e.to_string())?.is_some() {
            return Ok(false);
        }
        if answers() {
            return Ok(true);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    server.end("-KILL");
    Ok(false)
}

/// Debian keeps them apart by version; the newest is taken.
fn postgres_programs() -> Result<PathBuf, String> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let programs = versions.map(|version| version.path().join("bin"));
    let mut programs: Vec<PathBuf> =
        programs.filter(|folder| folder.join("initdb").is_file()).collect();
    programs.sort();
    programs.pop().ok_or_else(|| "install PostgreSQL: apt-get install postgresql".to_string())
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|e| e.to_string())
}

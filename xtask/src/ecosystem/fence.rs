//! Each test has a network of its own where the kernel allows it: nothing leaves the machine, and no
//! two tests want the same port. Tests that need a server share the network in which it runs.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::run::Job;

const WAYS: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
const SCRIPT: &str = "ip link set lo up && exec \"$0\" \"$@\"";
/// What a server's script prints when tests may start.
const READY: &str = "ready";

/// How programs are kept from the network.
pub(super) struct Fence {
    way: Option<&'static [&'static str]>,
    server: Option<Server>,
}

/// A script under ecosystem/servers that runs until it is told to end.
struct Server(Child);

impl Fence {
    /// The first way that works here.
    pub(super) fn find() -> Self {
        let works = |way: &&&[&str]| {
            let mut unshare = Command::new("unshare");
            unshare.args(**way).args(["sh", "-c", SCRIPT, "true"]);
            unshare.stdout(Stdio::null()).stderr(Stdio::null());
            unshare.status().is_ok_and(|status| status.success())
        };
        Self { way: WAYS.iter().find(works).copied(), server: None }
    }

    pub(super) fn words(&self) -> &'static str {
        match self.way {
            Some(_) => "each test has a network of its own",
            None => "tests share this machine's network",
        }
    }

    /// One network for all tests, with what `script` starts in it.
    pub(super) fn with_server(&self, script: &Path) -> Result<Self, String> {
        let say = |e| format!("{}: {e}", script.display());
        let mut command = match self.way {
            None => Command::new("sh"),
            Some(way) => {
                let mut unshare = Command::new("unshare");
                unshare.args(way).args(["sh", "-c", SCRIPT, "sh"]);
                unshare
            }
        };
        command.arg(script).stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(say)?;
        let out = child.stdout.take();
        let server = Server(child);
        let lines = out.into_iter().flat_map(|out| BufReader::new(out).lines());
        if lines.map_while(Result::ok).any(|line| line == READY) {
            return Ok(Self { way: self.way, server: Some(server) });
        }
        Err(format!("{} ended before its server was ready", script.display()))
    }

    /// The same job inside the fence.
    pub(super) fn around(&self, job: Job) -> Job {
        let Some(way) = self.way else { return job };
        let mut args: Vec<String> = Vec::new();
        let program = match &self.server {
            Some(Server(child)) => {
                args.push(format!("--target={}", child.id()));
                // The folder and the mounts are the same; `--map-root-user` is done already.
                args.extend(
                    way.iter().filter(|arg| **arg != "--map-root-user").map(|arg| arg.to_string()),
                );
                args.push("--".into());
                "nsenter"
            }
            None => {
                args.extend(way.iter().map(|arg| arg.to_string()));
                args.extend(["sh", "-c", SCRIPT].map(String::from));
                "unshare"
            }
        };
        args.push(job.program.display().to_string());
        args.extend(job.args);
        Job { program: PathBuf::from(program), args, ..job }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The script ends its server and removes its files when it is told to end. Both calls fail
        // only where it has ended already.
        drop(Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status());
        drop(self.0.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{End, run};
    use std::time::Duration;

    fn job(script: &str) -> Job {
        Job {
            program: "sh".into(),
            args: vec!["-c".into(), script.into()],
            env: Vec::new(),
            folder: "/".into(),
            log: std::env::temp_dir().join(format!("xtask-fence-{}", std::process::id())),
            limit: Duration::from_secs(60),
        }
    }

    #[test]
    fn tests_reach_their_server_and_it_ends_with_them() {
        let name = |what: &str| {
            std::env::temp_dir().join(format!("xtask-fence-{what}-{}", std::process::id()))
        };
        let (script, ended) = (name("script"), name("ended"));
        let text = format!(
            "trap 'echo > {}; exit' TERM\necho ready\nwhile :; do sleep 0.01; done\n",
            ended.display()
        );
        std::fs::write(&script, text).unwrap();
        let fence = Fence::find().with_server(&script).unwrap();
        let done = run(&fence.around(job("exit 3"))).unwrap();
        assert_eq!(done.end, End::Exit(Some(3)), "{}", done.output());
        assert!(!ended.exists());
        drop(fence);
        for path in [script, ended, done.log] {
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_server_that_does_not_start_is_told() {
        let script = std::env::temp_dir().join(format!("xtask-no-server-{}", std::process::id()));
        std::fs::write(&script, "exit 1\n").unwrap();
        assert!(Fence::find().with_server(&script).is_err());
        std::fs::remove_file(script).unwrap();
    }
}

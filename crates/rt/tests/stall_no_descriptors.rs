//! A process without a descriptor left, of which nothing can be judged: it says so. The test binary
//! runs itself as that process.

use shinkan_rt::Builder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, Stdio};

const PART: &str = "SHINKAN_TEST_PART";

#[test]
fn a_process_without_descriptors_says_that_it_finds_nothing_and_what_helps() {
    let this = std::env::current_exe().unwrap();
    let mut child = Command::new("sh")
        .arg("-c")
        .arg("ulimit -n 64; exec \"$0\" --exact the_child --nocapture")
        .arg(this)
        .env(PART, "stuck")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let errors = BufReader::new(child.stderr.take().unwrap());
    let mut lines = errors.lines().map(Result::unwrap);
    let told = lines.find(|line| line.starts_with("shinkan: ")).expect("it is told");
    assert!(told.contains("stuck polls are not found") && told.contains("ulimit -n"), "{told}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(lines.find(|line| line.starts_with("shinkan: ")), None, "once");
}

#[test]
fn the_child() {
    if std::env::var_os(PART).is_none() {
        return;
    }
    // A core that was seized has nobody stuck on it.
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().no_seizing().build().unwrap();
    let mut all = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        all.push(file);
    }
    // Stuck until the parent has read its line.
    let reads = || io::stdin().lock().read(&mut [0; 8]).unwrap();
    let stuck = runtime.spawn(async move { reads() });
    assert_eq!(runtime.block_on(stuck).unwrap(), 0);
    drop(all);
    drop(runtime);
}

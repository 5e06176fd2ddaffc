//! No descriptors left. The test runs itself again under a low limit, which is the whole
//! process's.

mod support;

use shinkan::process::Command;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use support::{current_thread, multi_thread};

const INSIDE: &str = "SHINKAN_TEST_FEW_DESCRIPTORS";

fn use_all() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

fn under_a_low_limit(name: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let this = std::env::current_exe().unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" --exact \"$1\" --nocapture"])
        .args([this.as_os_str(), name.as_ref()])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    false
}

#[test]
fn a_spawn_without_descriptors_is_an_error_and_the_next_one_works() {
    if !under_a_low_limit("a_spawn_without_descriptors_is_an_error_and_the_next_one_works") {
        return;
    }
    current_thread().block_on(async {
        let all = use_all();
        let error = Command::new("true").stdin(Stdio::piped()).spawn().unwrap_err();
        // EMFILE
        assert_eq!(error.raw_os_error(), Some(24));
        drop(all);
        assert!(Command::new("true").stdin(Stdio::piped()).status().await.unwrap().success());
    });
}

#[test]
fn a_child_without_a_descriptor_is_waited_for_killed_and_reaped() {
    if !under_a_low_limit("a_child_without_a_descriptor_is_waited_for_killed_and_reaped") {
        return;
    }
    for runtime in [current_thread(), multi_thread()] {
        runtime.block_on(async {
            let all = use_all();
            // It needs none for itself.
            let mut sleep = Command::new("sleep").arg("3600").spawn().unwrap();
            let mut ends = Command::new("true").spawn().unwrap();
            let orphan = Command::new("true").spawn().unwrap();
            drop(all);
            assert!(ends.wait().await.unwrap().success());
            assert!(ends.wait().await.unwrap().success());
            assert!(sleep.try_wait().unwrap().is_none());
            sleep.kill().await.unwrap();
            assert_eq!(sleep.wait().await.unwrap().signal(), Some(9));
            let id = orphan.id().unwrap();
            drop(orphan);
            while Path::new(&format!("/proc/{id}")).exists() {
                shinkan::task::yield_now().await;
            }
        });
    }
}

//! The end of a child: waiting for it from anywhere, not waiting for it, and what is left of it.

mod support;

use shinkan::io::AsyncReadExt;
use shinkan::process::{Child, Command};
use shinkan_rt::{Builder, Handle, Runtime};
use std::future::Future;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use support::{current_thread, is_pending, multi_thread, on_both};

const SIGKILL: i32 = 9;

/// Whether the system knows the process no more, not even as a zombie.
fn is_gone(id: u32) -> bool {
    !Path::new(&format!("/proc/{id}")).exists()
}

/// Waits on this thread, so that no runtime is driven by it.
fn block_until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        shinkan::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Runs until its input ends.
fn cat() -> Command {
    let mut cat = Command::new("cat");
    cat.stdin(Stdio::piped()).stdout(Stdio::null());
    cat
}

/// A child that runs until the returned end of its input is dropped.
fn held() -> (Child, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    (cat().stdin(reader).spawn().unwrap(), writer)
}

#[derive(Default)]
struct Counted(AtomicU32);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn two_hundred_at_once_are_waited_for_and_leave_no_zombie() {
    on_both(|| async {
        let children: Vec<Child> =
            (0..200).map(|_| Command::new("true").spawn().unwrap()).collect();
        let ids: Vec<u32> = children.iter().map(|child| child.id().unwrap()).collect();
        let waits: Vec<_> = children
            .into_iter()
            .map(|mut child| shinkan::spawn(async move { child.wait().await.unwrap() }))
            .collect();
        for wait in waits {
            assert!(wait.await.unwrap().success());
        }
        assert!(ids.into_iter().all(is_gone));
    });
}

#[test]
fn two_hundred_that_nobody_waits_for_leave_no_zombie() {
    on_both(|| async {
        let ids: Vec<u32> =
            (0..200).map(|_| Command::new("true").spawn().unwrap().id().unwrap()).collect();
        for id in ids {
            until(|| is_gone(id)).await;
        }
    });
}

#[test]
fn an_orphan_runs_on_and_is_reaped_at_its_end() {
    on_both(|| async {
        let (child, input) = held();
        let id = child.id().unwrap();
        drop(child);
        assert!(!is_gone(id));
        drop(input);
        until(|| is_gone(id)).await;
    });
}

#[test]
fn an_orphan_that_was_waited_for_is_reaped_and_its_waiter_forgotten() {
    on_both(|| async {
        let (mut child, input) = held();
        let id = child.id().unwrap();
        let counted = Arc::new(Counted::default());
        let waker = Waker::from(counted.clone());
        assert!(pin!(child.wait()).poll(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        assert_eq!(Arc::strong_count(&counted), 2);
        drop(child);
        assert_eq!(Arc::strong_count(&counted), 1);
        drop(input);
        until(|| is_gone(id)).await;
        assert_eq!(counted.0.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn an_orphan_that_outlives_its_runtime_is_reaped() {
    for runtime in [current_thread(), multi_thread()] {
        let (id, input) = runtime.block_on(async {
            let (child, input) = held();
            (child.id().unwrap(), input)
        });
        drop(runtime);
        assert!(!is_gone(id));
        drop(input);
        block_until(|| is_gone(id));
    }
}

#[test]
fn an_orphan_is_reaped_however_its_runtime_ends() {
    let ends: [fn(Runtime); 3] =
        [drop, Runtime::shutdown_background, |runtime| runtime.shutdown_timeout(Duration::ZERO)];
    for make in [current_thread, multi_thread] {
        for end in ends {
            let runtime = make();
            let (id, input) = runtime.block_on(async {
                let (child, input) = held();
                (child.id().unwrap(), input)
            });
            // A closure that goes on keeps the runtime's threads for longer.
            let (release, wait) = std::sync::mpsc::channel::<()>();
            let blocks = runtime.spawn_blocking(move || wait.recv());
            drop(blocks);
            let ended = std::thread::spawn(move || end(runtime));
            drop(input);
            block_until(|| is_gone(id));
            drop(release);
            ended.join().unwrap();
        }
    }
}

#[test]
fn a_runtime_dropped_while_a_task_waits_lets_the_child_run_and_reaps_it() {
    for runtime in [current_thread(), multi_thread()] {
        let (id, input) = runtime.block_on(async {
            let (mut child, input) = held();
            let id = child.id().unwrap();
            let (waits, is_waiting) = shinkan::sync::oneshot::channel();
            shinkan::spawn(async move {
                assert!(is_pending(child.wait()).await);
                waits.send(()).unwrap();
                child.wait().await
            });
            is_waiting.await.unwrap();
            (id, input)
        });
        drop(runtime);
        assert!(!is_gone(id));
        drop(input);
        block_until(|| is_gone(id));
    }
}

#[test]
fn a_drop_after_the_runtime_kills_and_reaps_where_it_was_asked_for() {
    for runtime in [current_thread(), multi_thread()] {
        let (reader, _input) = std::io::pipe().unwrap();
        let child =
            runtime.block_on(async { cat().stdin(reader).kill_on_drop(true).spawn().unwrap() });
        let id = child.id().unwrap();
        drop(runtime);
        assert!(!is_gone(id));
        drop(child);
        block_until(|| is_gone(id));
    }
}

#[test]
fn a_drop_kills_only_where_it_was_asked_for_and_after_no_wait() {
    on_both(|| async {
        let child = Command::new("sleep").arg("3600").kill_on_drop(true).spawn().unwrap();
        let id = child.id().unwrap();
        drop(child);
        until(|| is_gone(id)).await;

        let (child, input) = held();
        let id = child.id().unwrap();
        drop(child);
        until(|| Path::new(&format!("/proc/{id}/cmdline")).exists()).await;
        drop(input);
        until(|| is_gone(id)).await;

        let mut child = Command::new("true").kill_on_drop(true).spawn().unwrap();
        assert!(child.wait().await.unwrap().success());
        drop(child);
    });
}

#[test]
fn a_future_of_status_that_is_dropped_kills_where_it_was_asked_for() {
    on_both(|| async {
        let mut command = Command::new("sh");
        let (mut echo, writer) = std::io::pipe().unwrap();
        command.args(["-c", "echo $$; exec sleep 3600"]).stdout(writer).kill_on_drop(true);
        let status = command.status();
        let mut text = [0; 16];
        let n = std::io::Read::read(&mut echo, &mut text).unwrap();
        let id: u32 = std::str::from_utf8(&text[..n]).unwrap().trim().parse().unwrap();
        assert!(is_pending(status).await);
        until(|| is_gone(id)).await;
    });
}

#[test]
fn a_wait_that_is_dropped_loses_nothing_but_the_input() {
    on_both(|| async {
        let mut child = cat().spawn().unwrap();
        drop(child.wait());
        assert!(child.stdin.is_some(), "it was never polled");
        assert!(child.try_wait().unwrap().is_none());
        assert!(child.stdin.is_some());
        assert!(is_pending(child.wait()).await || child.id().is_none());
        assert!(child.stdin.is_none());
        assert!(child.wait().await.unwrap().success());
        assert!(child.wait().await.unwrap().success());
        assert!(child.try_wait().unwrap().unwrap().success());
    });
}

#[test]
fn a_kill_that_is_dropped_has_killed() {
    on_both(|| async {
        let (mut child, _input) = held();
        drop(child.kill());
        assert!(child.try_wait().unwrap().is_none(), "it was never polled");
        let _ = is_pending(child.kill()).await;
        assert_eq!(child.wait().await.unwrap().signal(), Some(SIGKILL));
        child.kill().await.unwrap();
        child.start_kill().unwrap();
    });
}

#[test]
fn an_output_that_is_dropped_lets_the_child_run_or_kills_it() {
    on_both(|| async {
        for kill in [false, true] {
            let (reader, input) = std::io::pipe().unwrap();
            let child =
                cat().stdin(reader).stdout(Stdio::piped()).kill_on_drop(kill).spawn().unwrap();
            let id = child.id().unwrap();
            assert!(is_pending(child.wait_with_output()).await);
            let input = kill.then_some(input);
            until(|| is_gone(id)).await;
            drop(input);
        }
    });
}

#[test]
fn the_last_task_to_poll_is_woken() {
    on_both(|| async {
        let (mut child, input) = held();
        let [first, second] = [(); 2].map(|()| Arc::new(Counted::default()));
        for counted in [&first, &second] {
            let waker = Waker::from(counted.clone());
            assert!(pin!(child.wait()).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        drop(input);
        until(|| second.0.load(Ordering::SeqCst) > 0).await;
        assert_eq!(first.0.load(Ordering::SeqCst), 0);
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn a_child_is_waited_for_in_another_runtime() {
    let (mut child, input) = current_thread().block_on(async { held() });
    drop(input);
    assert!(multi_thread().block_on(child.wait()).unwrap().success());

    // This one lives, and nobody drives it.
    let idle = current_thread();
    let (mut child, input) = idle.block_on(async { held() });
    current_thread().block_on(async {
        assert!(is_pending(child.wait()).await);
        drop(input);
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn a_child_is_waited_for_outside_of_every_runtime() {
    let mut runtime = Some(multi_thread());
    for is_last in [false, true] {
        let (mut child, input) = runtime.as_ref().unwrap().block_on(async { held() });
        let id = child.id().unwrap();
        if is_last {
            runtime = None;
        }
        let counted = Arc::new(Counted::default());
        let waker = Waker::from(counted.clone());
        let mut cx = Context::from_waker(&waker);
        assert!(pin!(child.wait()).poll(&mut cx).is_pending());
        drop(input);
        block_until(|| counted.0.load(Ordering::SeqCst) > 0);
        let Poll::Ready(status) = pin!(child.wait()).poll(&mut cx) else {
            panic!("it was woken by the end")
        };
        assert!(status.unwrap().success());
        assert!(is_gone(id));
    }
}

#[test]
fn a_child_that_a_thread_waits_for_is_reaped_also_by_nobody() {
    let (mut child, input) = current_thread().block_on(async { held() });
    let id = child.id().unwrap();
    // Its runtime is gone, and there is no other: from here on a thread waits.
    assert!(pin!(child.wait()).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(child);
    assert!(!is_gone(id));
    drop(input);
    block_until(|| is_gone(id));
}

#[test]
fn a_child_is_waited_for_in_a_runtime_without_io() {
    let (mut child, input) = current_thread().block_on(async { held() });
    drop(input);
    let without = Builder::new_current_thread().build().unwrap();
    assert!(without.block_on(child.wait()).unwrap().success());
}

#[test]
fn outside_of_a_runtime_with_io_nothing_is_started() {
    let mut command = Command::new("true");
    let spawn = |command: &mut Command| {
        catch_unwind(AssertUnwindSafe(|| command.spawn_with(|_| panic!("it was started"))))
    };
    let text = |panic: Box<dyn std::any::Any + Send>| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().unwrap()).to_string(),
    };
    assert!(text(spawn(&mut command).unwrap_err()).contains("no reactor running"));
    let without = Builder::new_current_thread().build().unwrap();
    let _inside = without.enter();
    assert!(text(spawn(&mut command).unwrap_err()).contains("enable_io"));
}

#[test]
fn a_runtime_that_has_ended_gives_an_error_and_leaves_no_child() {
    let runtime = multi_thread();
    let handle = runtime.handle().clone();
    drop(runtime);
    let _inside = Handle::enter(&handle);
    let mut id = 0;
    let error = Command::new("sleep").arg("3600").spawn_with(|command| {
        let child = command.spawn()?;
        id = child.id();
        Ok(child)
    });
    assert!(error.unwrap_err().to_string().contains("shut down"));
    block_until(|| is_gone(id));
}

#[test]
fn more_than_both_pipes_hold_is_read_while_the_child_runs() {
    on_both(|| async {
        let script = "for i in 1 2 3 4 5 6 7 8 9 10; do \
            head -c 100000 /dev/zero; head -c 100000 /dev/zero >&2; done; exit 3";
        let output = Command::new("sh").args(["-c", script]).output().await.unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!((output.stdout.len(), output.stderr.len()), (1_000_000, 1_000_000));
    });
}

#[test]
fn the_output_ends_when_the_childs_own_children_have_closed_it() {
    on_both(|| async {
        let (reader, input) = std::io::pipe().unwrap();
        let mut command = Command::new("sh");
        // The input of a job in the background is empty, unless it is asked for by number.
        command.args(["-c", "exec 3<&0; (cat <&3; echo late) & echo early"]).stdin(reader);
        let output = shinkan::spawn(command.output());
        drop(command);
        shinkan::task::yield_now().await;
        drop(input);
        let output = output.await.unwrap().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        // Whichever of the two is faster.
        assert!(["early\nlate\n", "late\nearly\n"].contains(&&*text), "{text}");
    });
}

#[test]
fn a_status_closes_the_pipes_that_nobody_would_read() {
    on_both(|| async {
        let status = Command::new("sh")
            .args(["-c", "cat; yes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .status()
            .await
            .unwrap();
        assert!(!status.success());
    });
}

#[test]
fn the_pipes_outlive_the_child() {
    on_both(|| async {
        let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn().unwrap();
        child.wait().await.unwrap();
        let mut stdout = child.stdout.take().unwrap();
        drop(child);
        let mut text = String::new();
        stdout.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello\n");
    });
}

#[test]
fn auto_traits() {
    fn has<T: Send + Sync + Unpin + std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    fn is_send_and_sync(_: impl Send + Sync) {}
    has::<Child>();
    has::<shinkan::process::ChildStdin>();
    has::<shinkan::process::ChildStdout>();
    has::<shinkan::process::ChildStderr>();
    let _: fn(&mut Child) = |child| is_send_and_sync(child.wait());
    let _: fn(&mut Child) = |child| is_send_and_sync(child.kill());
    let _: fn(Child) = |child| is_send_and_sync(child.wait_with_output());
    let _: fn(&mut Command) = |command| is_send_and_sync(command.status());
    let _: fn(&mut Command) = |command| is_send_and_sync(command.output());
}

//! Standard input, output and error, in a child process: the test binary runs itself, with the
//! name of the part that it plays.

use shinkan::io::{AsyncReadExt, AsyncWriteExt, stderr, stdin, stdout};
use shinkan::runtime::{Builder, Runtime};
use std::future::Future;
use std::io::{BufRead, BufReader, Read, Write};
use std::pin::pin;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::task::{Context, Waker};

const PART: &str = "SHINKAN_TEST_PART";

/// Starts this binary again, to play a part.
fn play(part: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_child", "--nocapture"])
        .env(PART, part)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The pipes of a part, whose lines begin with `> `: the rest is the test runner's.
struct Dialogue {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Dialogue {
    fn new(part: &str) -> Self {
        let mut child = play(part);
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().unwrap());
        Self { child, to, from }
    }

    /// The next line that the part says.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.from.read_line(&mut line).unwrap(), 0, "the child has ended");
            if let Some(at) = line.find("> ") {
                return line[at + 2..].trim_end().to_owned();
            }
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        self.to.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn hang_up(&mut self) {
        self.to = None;
    }

    fn end(mut self) {
        self.hang_up();
        let output = self.child.wait().unwrap();
        let mut rest = String::new();
        self.from.read_to_string(&mut rest).unwrap();
        assert!(output.success(), "{rest}");
    }
}

/// Says a line, past every capture.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n> {line}").unwrap();
    out.flush().unwrap();
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Every part. Outside a child it is no test.
#[test]
fn the_child() {
    let Ok(part) = std::env::var(PART) else { return };
    match part.as_str() {
        "end_while_reading" => end_while_reading(),
        "share" => share(),
        "in_turn" => in_turn(),
        "write_much" => write_much(),
        "write_and_end" => write_and_end(),
        "write_when_busy" => write_when_busy(),
        "write_to_nobody" => write_to_nobody(),
        "both" => both(),
        other => panic!("no part is called {other}"),
    }
}

fn end_while_reading() {
    for _ in 0..3 {
        let first = runtime();
        first.block_on(async {
            let (mut input, mut bytes) = (stdin(), [0; 4]);
            let mut read = pin!(input.read(&mut bytes));
            let mut nobody = Context::from_waker(Waker::noop());
            assert!(read.as_mut().poll(&mut nobody).is_pending());
            shinkan::spawn(async { stdin().read_u8().await });
            shinkan::task::yield_now().await;
        });
        drop(first);
    }
    say("ended");
    let mut all = Vec::new();
    runtime().block_on(stdin().read_to_end(&mut all)).unwrap();
    say(std::str::from_utf8(&all).unwrap());
}

#[test]
fn a_runtime_ends_although_a_read_hangs_and_nothing_is_lost() {
    let mut child = Dialogue::new("end_while_reading");
    assert_eq!(child.hear(), "ended");
    child.say(b"all that was written ");
    child.say(b"for those who are gone");
    child.hang_up();
    assert_eq!(child.hear(), "all that was written for those who are gone");
    child.end();
}

fn share() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let readers: Vec<_> = (0..3)
        .map(|at| {
            runtime.spawn(async move {
                let (mut input, mut mine) = (stdin(), Vec::new());
                let mut some = vec![0; 1 + 2 * at];
                loop {
                    let n = input.read(&mut some).await.unwrap();
                    if n == 0 {
                        return mine;
                    }
                    mine.extend_from_slice(&some[..n]);
                    // Some reads are given up.
                    let _ = shinkan::time::timeout(std::time::Duration::ZERO, input.read(&mut []))
                        .await;
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for reader in readers {
        all.extend(runtime.block_on(reader).unwrap());
    }
    all.sort_unstable();
    let expected: Vec<u8> = (0..=255).flat_map(|byte| [byte; 64]).collect();
    say(if all == expected { "same" } else { "other" });
    // The end of a pipe is said again.
    runtime.block_on(async { assert_eq!(stdin().read(&mut [0; 9]).await.unwrap(), 0) });
}

#[test]
fn each_byte_goes_to_one_of_those_who_read() {
    let mut child = Dialogue::new("share");
    let bytes: Vec<u8> = (0..64).flat_map(|_| 0..=255).collect();
    child.say(&bytes);
    child.hang_up();
    assert_eq!(child.hear(), "same");
    child.end();
}

fn in_turn() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    say(line.trim_end());
    let second = runtime().block_on(async {
        let (mut input, mut line) = (stdin(), Vec::new());
        assert_eq!(input.read(&mut []).await.unwrap(), 0);
        while line.last() != Some(&b'\n') {
            line.push(input.read_u8().await.unwrap());
        }
        String::from_utf8(line).unwrap()
    });
    say(second.trim_end());
    line.clear();
    std::io::stdin().read_line(&mut line).unwrap();
    say(line.trim_end());
}

#[test]
fn the_standard_library_and_this_one_read_in_turn() {
    let mut child = Dialogue::new("in_turn");
    child.say(b"one\ntwo\nthree\n");
    assert_eq!([child.hear(), child.hear(), child.hear()], ["one", "two", "three"]);
    child.end();
}

const MUCH: usize = 5 << 20;

fn write_much() {
    runtime().block_on(async {
        let bytes: Vec<u8> = (0..MUCH).map(|at| 128 + (at % 127) as u8).collect();
        let mut out = stdout();
        // A part is taken at once, and the rest when it is written.
        assert_eq!(out.write(&bytes).await.unwrap(), 2 << 20);
        out.write_all(&bytes[2 << 20..]).await.unwrap();
        out.flush().await.unwrap();
        out.flush().await.unwrap();
        out.shutdown().await.unwrap();
    });
}

#[test]
fn a_long_write_arrives_whole_and_in_order() {
    let child = play("write_much");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let bytes: Vec<u8> = output.stdout.into_iter().filter(|byte| *byte >= 128).collect();
    assert_eq!(bytes.len(), MUCH);
    assert!(bytes.iter().enumerate().all(|(at, byte)| *byte == 128 + (at % 127) as u8));
}

fn write_and_end() {
    let first = runtime();
    first.block_on(async { stdout().write_all(b"\n> unfinished").await.unwrap() });
    drop(first);
    let handle = runtime().handle().clone();
    let refused = {
        let _inside = handle.enter();
        pin!(stdout().write_all(b"\n> never")).poll(&mut Context::from_waker(Waker::noop()))
    };
    assert!(matches!(refused, std::task::Poll::Ready(Err(_))));
    runtime().block_on(async {
        let mut out = stdout();
        out.write_all(b"\n> flushed\n").await.unwrap();
        out.flush().await.unwrap();
    });
    std::process::exit(0);
}

#[test]
fn what_was_taken_is_written_though_the_runtime_ends() {
    let mut child = Dialogue::new("write_and_end");
    assert_eq!([child.hear(), child.hear()], ["unfinished", "flushed"]);
    child.end();
}

fn write_when_busy() {
    let runtime =
        Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (begun, begins) = std::sync::mpsc::channel();
    runtime.spawn_blocking(move || {
        begun.send(()).unwrap();
        wait.recv()
    });
    begins.recv().unwrap();
    runtime.block_on(async { stdout().write_all(b"\n> queued\n").await.unwrap() });
    runtime.shutdown_background();
    drop(release);
    // The pool's thread is not waited for, so this waits for the parent.
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn a_write_that_waits_for_a_thread_is_done_at_the_end() {
    let mut child = Dialogue::new("write_when_busy");
    assert_eq!(child.hear(), "queued");
    child.end();
}

fn write_to_nobody() {
    say("ready");
    let mut byte = [0];
    std::io::stdin().read_exact(&mut byte).unwrap();
    let error = runtime().block_on(async {
        let mut out = stdout();
        loop {
            // Taken, and its error comes with the next.
            if let Err(error) = out.write_all(b"is anybody there?\n").await {
                out.flush().await.map_or_else(drop, drop);
                return error;
            }
        }
    });
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    std::process::exit(77);
}

#[test]
fn an_error_comes_with_the_next_operation() {
    let mut dialogue = Dialogue::new("write_to_nobody");
    assert_eq!(dialogue.hear(), "ready");
    let Dialogue { mut child, to, from } = dialogue;
    drop(from);
    to.unwrap().write_all(b"!").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(77));
}

fn both() {
    runtime().block_on(async {
        let (mut out, mut err) = (stdout(), stderr());
        for at in 0..200 {
            out.write_all(format!("\n> out {at}\n").as_bytes()).await.unwrap();
            err.write_all(format!("\n> err {at}\n").as_bytes()).await.unwrap();
        }
        out.flush().await.unwrap();
        err.flush().await.unwrap();
    });
    std::process::exit(0);
}

#[test]
fn output_and_error_go_to_their_own_places() {
    let output = play("both").wait_with_output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
    for (text, name) in [(out.unwrap(), "out"), (err.unwrap(), "err")] {
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with("> ")).collect();
        let expected: Vec<_> = (0..200).map(|at| format!("> {name} {at}")).collect();
        assert_eq!(lines, expected);
    }
}

#[test]
fn a_write_outside_a_runtime_panics() {
    let panic = std::panic::catch_unwind(|| {
        let mut err = stderr();
        let _ = pin!(err.write_all(b"never")).poll(&mut Context::from_waker(Waker::noop()));
    });
    assert!(panic.is_err());
}

#[test]
fn descriptors_are_those_of_the_process() {
    use std::os::fd::{AsFd, AsRawFd};
    assert_eq!([stdin().as_raw_fd(), stdout().as_raw_fd(), stderr().as_raw_fd()], [0, 1, 2]);
    let (out, err) = (stdout(), stderr());
    assert_eq!((out.as_fd().as_raw_fd(), err.as_fd().as_raw_fd()), (1, 2));
    fn is_shared<T: Send + Sync + Unpin + std::fmt::Debug>(_: T) {}
    is_shared((stdin(), stdout(), stderr()));
}

//! A server whose descriptors run out, in a process of its own: the limit is the process's.

mod support;

use shinkan::net::{TcpListener, TcpStream};
use shinkan_io::{AsyncReadExt, AsyncWriteExt};
use std::fs::File;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::on_both;

const CHILD: &str = "SHINKAN_TEST_EXHAUSTION_CHILD";

#[test]
fn the_listener_goes_on_after_descriptors_ran_out() {
    in_a_small_process("the_listener_goes_on_after_descriptors_ran_out", runs_out);
}

#[test]
fn those_who_wait_are_served_once_descriptors_are_back() {
    in_a_small_process("those_who_wait_are_served_once_descriptors_are_back", runs_out_under_load);
}

fn in_a_small_process(test: &str, child: fn()) {
    if std::env::var_os(CHILD).is_some() {
        return child();
    }
    let limit = format!(
        "ulimit -n 64; exec '{}' --exact {test} --nocapture",
        std::env::current_exe().unwrap().display()
    );
    let output = Command::new("sh").args(["-c", &limit]).env(CHILD, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn runs_out() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(addr).await.unwrap();
        let mut held = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            held.push(file);
        }
        const TOO_MANY: i32 = 24;
        for _ in 0..3 {
            let error = listener.accept().await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(TOO_MANY));
        }
        let error = TcpStream::connect(addr).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(TOO_MANY));
        held.clear();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"1").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'1');
    });
}

fn runs_out_under_load() {
    const CLIENTS: usize = 8;
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(TcpStream::connect(addr).await.unwrap());
        }
        let mut held = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            held.push(file);
        }
        let failed = Arc::new(AtomicUsize::new(0));
        // It never yields by itself, and takes what it can.
        let server = shinkan_rt::spawn({
            let failed = failed.clone();
            async move {
                let mut streams = Vec::new();
                while streams.len() < CLIENTS {
                    match listener.accept().await {
                        Ok((stream, _)) => streams.push(stream),
                        Err(_) => drop(failed.fetch_add(1, Ordering::SeqCst)),
                    }
                }
                for mut stream in streams {
                    let byte = stream.read_u8().await.unwrap();
                    stream.write_all(&[byte]).await.unwrap();
                }
            }
        });
        while failed.load(Ordering::SeqCst) < 1_000 {
            shinkan::task::yield_now().await;
        }
        // One by one, so that accepting succeeds and fails in turns.
        while held.pop().is_some() {
            shinkan::task::yield_now().await;
        }
        for (n, client) in clients.iter_mut().enumerate() {
            client.write_all(&[n as u8]).await.unwrap();
        }
        for (n, client) in clients.iter_mut().enumerate() {
            assert_eq!(client.read_u8().await.unwrap(), n as u8);
        }
        server.await.unwrap();
    });
}

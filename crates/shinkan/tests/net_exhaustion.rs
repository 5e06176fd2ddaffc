//! A server whose descriptors run out, in a process of its own: the limit is the process's.

mod support;

use shinkan::net::{TcpListener, TcpStream};
use shinkan_io::{AsyncReadExt, AsyncWriteExt};
use std::fs::File;
use std::process::Command;
use support::on_both;

const CHILD: &str = "SHINKAN_TEST_EXHAUSTION_CHILD";

#[test]
fn the_listener_goes_on_after_descriptors_ran_out() {
    if std::env::var_os(CHILD).is_some() {
        return child();
    }
    let limit = format!(
        "ulimit -n 64; exec '{}' --exact the_listener_goes_on_after_descriptors_ran_out --nocapture",
        std::env::current_exe().unwrap().display()
    );
    let output = Command::new("sh").args(["-c", &limit]).env(CHILD, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn child() {
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

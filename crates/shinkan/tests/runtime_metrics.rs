//! What a runtime counts of sockets, of budgets and of its blocking pool.

use shinkan::io::{AsyncReadExt, AsyncWriteExt};
use shinkan::net::{TcpListener, TcpStream};
use shinkan::runtime::{Builder, Runtime};
use std::sync::mpsc;

fn runtimes() -> [Runtime; 2] {
    let multi = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    [multi.unwrap(), Builder::new_current_thread().enable_all().build().unwrap()]
}

#[test]
fn descriptors_are_counted_as_they_come_and_go() {
    for runtime in runtimes() {
        let metrics = runtime.metrics();
        assert_eq!(metrics.io_driver_fd_registered_count(), 0);
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (near, far) = shinkan::join!(TcpStream::connect(address), listener.accept());
            let (mut near, (mut far, _)) = (near.unwrap(), far.unwrap());
            near.write_all(b"x").await.unwrap();
            assert_eq!(far.read_u8().await.unwrap(), b'x');
            assert_eq!(metrics.io_driver_fd_registered_count(), 3);
            assert_eq!(metrics.io_driver_fd_deregistered_count(), 0);
        });
        assert_eq!(metrics.io_driver_fd_deregistered_count(), 3);
        assert!(metrics.io_driver_ready_count() > 0);
    }
}

#[test]
fn a_poll_that_used_its_budget_up_is_counted_once_for_its_runtime() {
    let [runtime, other] = runtimes();
    runtime.block_on(async {
        let uses_up = || async {
            for _ in 0..200 {
                shinkan::task::coop::consume_budget().await;
            }
        };
        shinkan::join!(uses_up(), uses_up());
    });
    // 400 units, 128 a poll.
    assert_eq!(runtime.metrics().budget_forced_yield_count(), 3);
    assert_eq!(other.metrics().budget_forced_yield_count(), 0);
}

#[test]
fn closures_wait_for_the_only_thread() {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let metrics = runtime.metrics();
    let (release, released) = mpsc::channel::<()>();
    let first = runtime.spawn_blocking(move || released.recv());
    let second = runtime.spawn_blocking(|| {});
    assert_eq!((metrics.num_blocking_threads(), metrics.blocking_queue_depth()), (1, 1));
    release.send(()).unwrap();
    runtime.block_on(async {
        first.await.unwrap().unwrap();
        second.await.unwrap();
    });
    assert_eq!(metrics.blocking_queue_depth(), 0);
    drop(runtime);
    assert_eq!((metrics.num_blocking_threads(), metrics.num_idle_blocking_threads()), (0, 0));
}

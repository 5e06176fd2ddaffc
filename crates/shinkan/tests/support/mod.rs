//! What the tests of several files need.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod pool;

use shinkan::net::UdpSocket;
use shinkan::sync::Notify;
use shinkan_rt::{Builder, Runtime};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake};

pub(crate) fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub(crate) fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs the test on a runtime of each flavour; on the second as a task, so on a worker.
pub(crate) fn on_both<F>(test: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    current_thread().block_on(test());
    let runtime = multi_thread();
    let task = runtime.spawn(test());
    runtime.block_on(task).unwrap();
}

/// Two datagram sockets, each connected to the other.
pub(crate) async fn udp_pair() -> (UdpSocket, UdpSocket) {
    let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    a.connect(b.local_addr().unwrap()).await.unwrap();
    b.connect(a.local_addr().unwrap()).await.unwrap();
    (a, b)
}

/// Polls once, and says whether the future still waits.
pub(crate) async fn is_pending(future: impl Future) -> bool {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// A waker that says when it was called.
pub(crate) struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

impl Woken {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Woken(Notify::new()))
    }

    /// Polls once; this waker is left, not the task's.
    pub(crate) fn poll<F: Future>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.clone().into()))
    }

    pub(crate) async fn wait(&self) {
        self.0.notified().await;
    }
}

/// Makes and drops a future in each state that it can be left in: never polled, waiting, and woken
/// but not polled again. It must wait until `$ready`.
#[macro_export]
macro_rules! drop_in_each_state {
    ($make:expr, $ready:expr) => {{
        drop($make);
        assert!($crate::support::is_pending($make).await, "waits: {}", stringify!($make));
        let woken = $crate::support::Woken::new();
        {
            let mut future = std::pin::pin!($make);
            assert!(woken.poll(future.as_mut()).is_pending(), "waits: {}", stringify!($make));
            $ready;
            woken.wait().await;
        }
    }};
}

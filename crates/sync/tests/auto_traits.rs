//! Which types and futures are Send, Sync and Unpin, for values that are both (YY), Send only (YN)
//! and neither (NN).

use shinkan_sync::*;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

type YY = u8;
type YN = Cell<u8>;
type NN = Rc<u8>;

trait IsNot<A> {
    fn ambiguous() {}
}
struct Marker;

/// Fails to compile where the type has the trait: two implementations apply then.
macro_rules! not {
    ($t:ty, $tr:ident) => {
        const _: fn() = || {
            impl<T: ?Sized> IsNot<()> for Is<T> {}
            impl<T: ?Sized + $tr> IsNot<Marker> for Is<T> {}
            struct Is<T: ?Sized>(std::marker::PhantomData<T>);
            let _ = <Is<$t> as IsNot<_>>::ambiguous;
        };
    };
}

macro_rules! yes {
    ($t:ty, $tr:ident) => {
        const _: fn() = || {
            fn is<T: ?Sized + $tr>() {}
            is::<$t>();
        };
    };
}

macro_rules! both {
    ($($t:ty),* $(,)?) => {$( yes!($t, Send); yes!($t, Sync); yes!($t, Unpin); )*};
}
macro_rules! send {
    ($($t:ty),* $(,)?) => {$( yes!($t, Send); not!($t, Sync); yes!($t, Unpin); )*};
}
macro_rules! neither {
    ($($t:ty),* $(,)?) => {$( not!($t, Send); not!($t, Sync); yes!($t, Unpin); )*};
}

both!(AcquireError, Barrier, BarrierWaitResult, Notify, OwnedSemaphorePermit, Semaphore);
both!(SemaphorePermit<'static>, TryAcquireError, TryLockError);
both!(MappedMutexGuard<'static, YY>, Mutex<YN>, Mutex<YY>, MutexGuard<'static, YY>);
send!(MappedMutexGuard<'static, YN>, MutexGuard<'static, YN>);
neither!(MappedMutexGuard<'static, NN>, Mutex<NN>, MutexGuard<'static, NN>);
both!(OnceCell<YY>, SetOnce<YY>, OwnedMutexGuard<YY>, OwnedMappedMutexGuard<YY, YY>);
send!(OnceCell<YN>, SetOnce<YN>, OwnedMutexGuard<YN>, OwnedMappedMutexGuard<YN, YY>);
send!(OwnedMappedMutexGuard<YN, YN>, OwnedMappedMutexGuard<YY, YN>);
neither!(OnceCell<NN>, SetOnce<NN>, OwnedMutexGuard<NN>, OwnedMappedMutexGuard<NN, YY>);
neither!(OwnedMappedMutexGuard<YY, NN>);
both!(RwLock<YY>, RwLockReadGuard<'static, YY>, RwLockWriteGuard<'static, YY>);
both!(RwLockMappedWriteGuard<'static, YY>, OwnedRwLockReadGuard<YY>, OwnedRwLockWriteGuard<YY>);
both!(OwnedRwLockMappedWriteGuard<YY>);
send!(RwLock<YN>);
neither!(RwLock<NN>, RwLockReadGuard<'static, YN>, RwLockWriteGuard<'static, YN>);
neither!(RwLockMappedWriteGuard<'static, YN>, OwnedRwLockReadGuard<YN>);
neither!(OwnedRwLockWriteGuard<YN>, OwnedRwLockMappedWriteGuard<YN>);
both!(broadcast::Receiver<YN>, broadcast::Sender<YN>, broadcast::WeakSender<YN>);
neither!(broadcast::Receiver<NN>, broadcast::Sender<NN>, broadcast::WeakSender<NN>);
both!(mpsc::OwnedPermit<YN>, mpsc::Permit<'static, YN>, mpsc::Receiver<YN>, mpsc::Sender<YN>);
both!(mpsc::UnboundedReceiver<YN>, mpsc::UnboundedSender<YN>, mpsc::WeakSender<YN>);
both!(mpsc::WeakUnboundedSender<YN>, mpsc::PermitIterator<'static, YN>);
neither!(mpsc::OwnedPermit<NN>, mpsc::Permit<'static, NN>, mpsc::Receiver<NN>, mpsc::Sender<NN>);
neither!(mpsc::UnboundedReceiver<NN>, mpsc::UnboundedSender<NN>, mpsc::WeakSender<NN>);
both!(oneshot::Receiver<YN>, oneshot::Sender<YN>);
neither!(oneshot::Receiver<NN>, oneshot::Sender<NN>);
both!(watch::Receiver<YY>, watch::Sender<YY>);
neither!(watch::Receiver<YN>, watch::Sender<YN>, watch::Ref<'static, YN>);
not!(watch::Ref<'static, YY>, Send);
yes!(watch::Ref<'static, YY>, Sync);
yes!(futures::Notified<'static>, Send);
yes!(futures::Notified<'static>, Sync);
not!(futures::Notified<'static>, Unpin);
yes!(futures::OwnedNotified, Send);
yes!(futures::OwnedNotified, Sync);
not!(futures::OwnedNotified, Unpin);

fn send_sync<F: Future + Send + Sync>(_: F) {}
fn only_send<F: Future + Send>(_: F) {}

#[test]
fn futures_are_what_their_values_allow() {
    let mutex = std::sync::Arc::new(Mutex::new(Cell::new(0)));
    send_sync(mutex.lock());
    send_sync(mutex.clone().lock_owned());
    let lock = std::sync::Arc::new(RwLock::new(0));
    send_sync(lock.read());
    send_sync(lock.write());
    send_sync(lock.clone().read_owned());
    send_sync(lock.clone().write_owned());
    send_sync(Barrier::new(1).wait());
    send_sync(SetOnce::<YY>::new().wait());
    type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
    let cell = OnceCell::<YY>::new();
    only_send(cell.get_or_init(|| -> Boxed<YY> { Box::pin(async { 1 }) }));
    send_sync(cell.get_or_init(|| async { 1 }));
    let second = std::time::Duration::from_secs(1);
    let (tx, mut rx) = mpsc::channel::<YN>(1);
    send_sync(tx.closed());
    send_sync(tx.reserve());
    send_sync(tx.reserve_many(1));
    send_sync(tx.clone().reserve_owned());
    only_send(tx.send(Cell::new(1)));
    only_send(tx.send_timeout(Cell::new(1), second));
    send_sync(rx.recv());
    let (tx, mut rx) = mpsc::channel::<YY>(1);
    send_sync(tx.send(1));
    send_sync(tx.send_timeout(1, second));
    send_sync(rx.recv_many(&mut Vec::new(), 1));
    let (tx, mut rx) = mpsc::unbounded_channel::<YN>();
    send_sync(tx.closed());
    send_sync(rx.recv());
    let (mut tx, _rx) = oneshot::channel::<YN>();
    send_sync(tx.closed());
    let (tx, mut rx) = watch::channel(1);
    send_sync(tx.closed());
    send_sync(rx.changed());
    send_sync(rx.wait_for(|_| true));
    let (tx, mut rx) = broadcast::channel::<YN>(1);
    send_sync(tx.closed());
    send_sync(rx.recv());
}

/// Whatever the messages are: they are moved through, and none is found half changed.
#[allow(dead_code, reason = "it is the compiler that checks it, for every type")]
fn the_ends_of_a_channel_are_unwind_safe<T: 'static>() {
    fn is<S: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    is::<mpsc::Receiver<T>>();
    is::<mpsc::Sender<T>>();
    is::<mpsc::WeakSender<T>>();
    is::<mpsc::OwnedPermit<T>>();
    is::<mpsc::Permit<'static, T>>();
    is::<mpsc::PermitIterator<'static, T>>();
    is::<mpsc::UnboundedReceiver<T>>();
    is::<mpsc::UnboundedSender<T>>();
    is::<mpsc::WeakUnboundedSender<T>>();
}

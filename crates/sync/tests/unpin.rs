//! Handles of channels and locks may be moved whatever they carry: the value stands behind a pointer.
//! Packages rely on it (hyper keeps a oneshot's sender of an unnameable type in a pinned future).

use shinkan_sync::*;
use std::marker::PhantomPinned;

fn moves<T: Unpin>() {}

#[test]
fn handles_are_unpin_whatever_they_carry() {
    type P = PhantomPinned;
    moves::<oneshot::Sender<P>>();
    moves::<oneshot::Receiver<P>>();
    moves::<mpsc::Sender<P>>();
    moves::<mpsc::Receiver<P>>();
    moves::<mpsc::WeakSender<P>>();
    moves::<mpsc::Permit<'_, P>>();
    moves::<mpsc::PermitIterator<'_, P>>();
    moves::<mpsc::OwnedPermit<P>>();
    moves::<mpsc::UnboundedSender<P>>();
    moves::<mpsc::UnboundedReceiver<P>>();
    moves::<mpsc::WeakUnboundedSender<P>>();
    moves::<broadcast::Sender<P>>();
    moves::<broadcast::Receiver<P>>();
    moves::<broadcast::WeakSender<P>>();
    moves::<watch::Sender<P>>();
    moves::<watch::Receiver<P>>();
    moves::<watch::Ref<'_, P>>();
    moves::<MutexGuard<'_, P>>();
    moves::<MappedMutexGuard<'_, P>>();
    moves::<OwnedMutexGuard<P>>();
    moves::<OwnedMappedMutexGuard<P, P>>();
    moves::<RwLockReadGuard<'_, P>>();
    moves::<RwLockWriteGuard<'_, P>>();
    moves::<RwLockMappedWriteGuard<'_, P>>();
    moves::<OwnedRwLockReadGuard<P>>();
    moves::<OwnedRwLockWriteGuard<P>>();
    moves::<OwnedRwLockMappedWriteGuard<P, P>>();
}

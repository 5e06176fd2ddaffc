//! A doubly linked list through nodes that live in their owners' futures.
//!
//! Waiters, timers and the task registry are such nodes: linking one allocates nothing, and a
//! future that is dropped unlinks itself in constant time. The list owns no node; it never reads
//! one that was not linked by its caller, and it has no lock: whoever holds the lock that guards
//! the list holds all links in it.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomPinned;
use core::ptr::NonNull;

/// The two links of a node, as a field of it.
pub struct Links<T: ?Sized> {
    inner: UnsafeCell<Inner<T>>,
    // A linked node is pointed to by its neighbours, so it must not be moved.
    _pin: PhantomPinned,
}

struct Inner<T: ?Sized> {
    prev: Option<NonNull<T>>,
    next: Option<NonNull<T>>,
}

/// A type that can be linked.
///
/// # Safety
/// `links` returns the same field of the same node each time, and nothing but [`List`] reads or
/// writes it.
pub unsafe trait Node: Sized {
    /// The links inside the node.
    ///
    /// # Safety
    /// `node` points to a live node.
    unsafe fn links(node: NonNull<Self>) -> NonNull<Links<Self>>;
}

/// A list of nodes that others own.
pub struct List<T: Node> {
    head: Option<NonNull<T>>,
    tail: Option<NonNull<T>>,
}

// SAFETY:
// - the list only holds pointers; what may be done through them is decided by each caller of the
//   unsafe methods, under the lock that guards list and nodes alike.
unsafe impl<T: Node + Send> Send for List<T> {}
// SAFETY: as above; `&List` gives out pointers, never references.
unsafe impl<T: Node + Send> Sync for List<T> {}

// SAFETY:
// - links are only touched through `List`, under the lock of the list that holds the node.
unsafe impl<T> Send for Links<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Links<T> {}

impl<T> Links<T> {
    /// Links of a node that is in no list.
    pub const fn new() -> Self {
        Self { inner: UnsafeCell::new(Inner { prev: None, next: None }), _pin: PhantomPinned }
    }
}

impl<T> Default for Links<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Links<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Links")
    }
}

impl<T: Node> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("empty", &self.is_empty()).finish()
    }
}

impl<T: Node> Default for List<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Node> List<T> {
    /// An empty list.
    pub const fn new() -> Self {
        Self { head: None, tail: None }
    }

    /// Whether no node is linked.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// The first node, which stays linked.
    #[inline]
    pub fn front(&self) -> Option<NonNull<T>> {
        self.head
    }

    /// The last node, which stays linked.
    #[inline]
    pub fn back(&self) -> Option<NonNull<T>> {
        self.tail
    }

    /// The node behind `node`, which both stay linked.
    ///
    /// # Safety
    /// `node` is linked in this list.
    #[inline]
    pub unsafe fn next(&self, node: NonNull<T>) -> Option<NonNull<T>> {
        // SAFETY: linked, so alive (the caller's word).
        let inner = unsafe { Self::inner(node) };
        // SAFETY: `&self` excludes a concurrent change of the links.
        unsafe { (*inner).next }
    }

    /// Links `node` as the last.
    ///
    /// # Safety
    /// `node` is alive, in no list, and stays where it is until it is popped or removed.
    #[inline]
    pub unsafe fn push_back(&mut self, node: NonNull<T>) {
        // SAFETY: alive (the caller's word).
        let inner = unsafe { Self::inner(node) };
        // SAFETY: in no list, so nobody else uses these links.
        unsafe { *inner = Inner { prev: self.tail, next: None } };
        match self.tail {
            None => self.head = Some(node),
            Some(tail) => {
                // SAFETY: `tail` is linked here, so alive.
                let tail = unsafe { Self::inner(tail) };
                // SAFETY: `&mut self` makes the links of all linked nodes ours.
                unsafe { (*tail).next = Some(node) };
            }
        }
        self.tail = Some(node);
    }

    /// Links `node` as the first.
    ///
    /// # Safety
    /// As [`List::push_back`].
    #[inline]
    pub unsafe fn push_front(&mut self, node: NonNull<T>) {
        // SAFETY: alive (the caller's word).
        let inner = unsafe { Self::inner(node) };
        // SAFETY: in no list, so nobody else uses these links.
        unsafe { *inner = Inner { prev: None, next: self.head } };
        match self.head {
            None => self.tail = Some(node),
            Some(head) => {
                // SAFETY: `head` is linked here, so alive.
                let head = unsafe { Self::inner(head) };
                // SAFETY: `&mut self` makes the links of all linked nodes ours.
                unsafe { (*head).prev = Some(node) };
            }
        }
        self.head = Some(node);
    }

    /// Unlinks and returns the first node.
    #[inline]
    pub fn pop_front(&mut self) -> Option<NonNull<T>> {
        let node = self.head?;
        // SAFETY: the head is linked here.
        unsafe { self.remove(node) };
        Some(node)
    }

    /// Unlinks and returns the last node.
    #[inline]
    pub fn pop_back(&mut self) -> Option<NonNull<T>> {
        let node = self.tail?;
        // SAFETY: the tail is linked here.
        unsafe { self.remove(node) };
        Some(node)
    }

    /// Unlinks `node`. A node that is in no list at all is left alone; the answer is whether it
    /// was linked.
    ///
    /// # Safety
    /// `node` is alive, and is either linked in this list or in none.
    #[inline]
    pub unsafe fn remove(&mut self, node: NonNull<T>) -> bool {
        // SAFETY: alive (the caller's word).
        let inner = unsafe { Self::inner(node) };
        // SAFETY: linked here or nowhere, so the links are ours.
        let Inner { prev, next } =
            unsafe { core::ptr::replace(inner, Inner { prev: None, next: None }) };
        match prev {
            Some(prev) => {
                // SAFETY: a neighbour of a linked node is linked here, so alive.
                let prev = unsafe { Self::inner(prev) };
                // SAFETY: `&mut self` makes the links of all linked nodes ours.
                unsafe { (*prev).next = next };
            }
            None if self.head == Some(node) => self.head = next,
            None => return false,
        }
        match next {
            Some(next) => {
                // SAFETY: a neighbour of a linked node is linked here, so alive.
                let next = unsafe { Self::inner(next) };
                // SAFETY: `&mut self` makes the links of all linked nodes ours.
                unsafe { (*next).prev = prev };
            }
            None => {
                debug_assert_eq!(self.tail, Some(node), "a node of another list was removed");
                self.tail = prev;
            }
        }
        true
    }

    /// Empties the list into a new one.
    #[inline]
    pub fn take(&mut self) -> Self {
        core::mem::take(self)
    }

    /// The links of a live node, as a pointer to write through.
    ///
    /// # Safety
    /// `node` is alive.
    #[inline(always)]
    unsafe fn inner(node: NonNull<T>) -> *mut Inner<T> {
        // SAFETY: alive (the caller's word).
        let links = unsafe { T::links(node) };
        // SAFETY: the links are a field of the live node; a shared borrow of an `UnsafeCell`
        // claims nothing about its content.
        unsafe { links.as_ref() }.inner.get()
    }
}

#[cfg(test)]
mod tests {
    use super::{Links, List, Node};
    use core::ptr::NonNull;
    use std::collections::VecDeque;

    struct Item {
        links: Links<Item>,
        value: u32,
    }

    // SAFETY: always the one field.
    unsafe impl Node for Item {
        unsafe fn links(node: NonNull<Self>) -> NonNull<Links<Self>> {
            // SAFETY: alive (the caller's word); no reference is made.
            let links = unsafe { &raw mut (*node.as_ptr()).links };
            // SAFETY: a field of a live node is not null.
            unsafe { NonNull::new_unchecked(links) }
        }
    }

    fn items(n: u32) -> Vec<NonNull<Item>> {
        (0..n)
            .map(|value| NonNull::from(Box::leak(Box::new(Item { links: Links::new(), value }))))
            .collect()
    }

    fn free(items: Vec<NonNull<Item>>) {
        for item in items {
            // SAFETY: made by `items` from a box, freed once.
            drop(unsafe { Box::from_raw(item.as_ptr()) });
        }
    }

    fn value(item: NonNull<Item>) -> u32 {
        // SAFETY: the tests free items last.
        unsafe { item.as_ref().value }
    }

    #[test]
    fn does_what_a_deque_does_under_random_steps() {
        let nodes = items(16);
        let mut rng = crate::rng::Rng::new(3);
        let mut list = List::<Item>::new();
        let mut deque = VecDeque::new();
        for _ in 0..20_000 {
            let node = nodes[rng.below(16) as usize];
            let at = deque.iter().position(|&v| v == value(node));
            match (rng.below(5), at) {
                (0, None) => {
                    // SAFETY: alive, and the deque says that it is in no list.
                    unsafe { list.push_back(node) };
                    deque.push_back(value(node));
                }
                (1, None) => {
                    // SAFETY: as above.
                    unsafe { list.push_front(node) };
                    deque.push_front(value(node));
                }
                (2, _) => assert_eq!(list.pop_front().map(value), deque.pop_front()),
                (3, _) => assert_eq!(list.pop_back().map(value), deque.pop_back()),
                (_, at) => {
                    // SAFETY: alive, and linked here or nowhere.
                    let removed = unsafe { list.remove(node) };
                    assert_eq!(removed, at.is_some());
                    at.map(|at| deque.remove(at));
                }
            }
            assert_eq!(list.front().map(value), deque.front().copied());
            assert_eq!(list.back().map(value), deque.back().copied());
            assert_eq!(list.is_empty(), deque.is_empty());
        }
        free(nodes);
    }
}

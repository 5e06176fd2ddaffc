//! Each test has one bug that only a sanitizer sees.

#[test]
fn use_after_free() {
    let freed = Box::into_raw(Box::new(7_u64));
    // SAFETY:
    // - the box is ours; it is freed here so that the read below is the bug.
    drop(unsafe { Box::from_raw(freed) });
    // SAFETY:
    // - there is none; this is the bug.
    assert_ne!(unsafe { std::ptr::read_volatile(freed) }, 0x1122_3344);
}

#[test]
fn leak() {
    let lost = std::hint::black_box(Box::new([7_u64; 64]));
    std::mem::forget(lost);
}

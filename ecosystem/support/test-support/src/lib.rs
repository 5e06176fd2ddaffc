//! What the tests of hickory-net and hickory-server call: the package of this name is not published.

/// Would print what the test traces. Nothing is lost: no test looks at it.
pub fn subscribe() {}

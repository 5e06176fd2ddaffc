//! Constructors for statics. In a file of their own since the model checker's atomics cannot be
//! made in a constant.

use crate::request::Request;
use shinkan_base::atomics::AtomicU64;

impl Request {
    pub(crate) const fn const_new() -> Self {
        Self { word: AtomicU64::new(0) }
    }
}

//! Standard error, for what the runtime itself has to say.

use std::io::Write;

/// Writes one line. Where nobody can read it, it is gone.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

//! What ends a read into a `String`: the only place where bytes become text.

use std::io;

/// Gives `output` its memory back: `bytes`, of which the last `read` are new. A string that would
/// not be UTF-8 gets what it held before, and so does one whose reading failed, unless
/// `keep_partial`.
pub(crate) fn finish_text(
    output: &mut String,
    bytes: Vec<u8>,
    read: usize,
    result: io::Result<usize>,
    keep_partial: bool,
) -> io::Result<usize> {
    debug_assert!(output.is_empty(), "the string's memory was lent to the read");
    let before = bytes.len() - read;
    let (text, valid) = match String::from_utf8(bytes) {
        Ok(text) => (text, Ok(())),
        Err(error) => {
            let not_text = io::Error::new(io::ErrorKind::InvalidData, error.utf8_error());
            let mut bytes = error.into_bytes();
            bytes.truncate(before);
            (String::from_utf8(bytes).expect("a string held it before"), Err(not_text))
        }
    };
    *output = text;
    if result.is_err() && !keep_partial {
        output.truncate(before);
    }
    // That the source failed says more than that its bytes broke off inside a character.
    let read = result?;
    valid.map(|()| read)
}

//! A page of which programs write parts: each stands between two comments that name it.

use std::path::Path;
use std::{fs, io};

/// Puts `text` where the page has `part`.
pub(crate) fn put(path: &Path, part: &str, text: &str) -> io::Result<()> {
    let page = fs::read_to_string(path)?;
    let page = replaced(&page, part, text)
        .ok_or_else(|| io::Error::other(format!("the page has no part `{part}`")))?;
    fs::write(path, page)
}

fn replaced(page: &str, part: &str, text: &str) -> Option<String> {
    let (start, end) = (format!("<!-- {part} -->\n"), format!("<!-- end of {part} -->"));
    let (before, rest) = page.split_once(&start)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{start}\n{text}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_is_replaced_and_the_rest_stays() {
        let page = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
        let new = replaced(page, "x", "new").unwrap();
        assert_eq!(new, "a\n<!-- x -->\n\nnew\n<!-- end of x -->\nb\n");
        assert_eq!(replaced(&new, "x", "new"), Some(new.clone()));
        assert_eq!(replaced(page, "y", "new"), None);
    }
}

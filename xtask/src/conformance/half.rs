//! The two ways in which Tokio's tests are built: as they stand, and with the cfg behind which
//! Tokio keeps part of its API, which is stable API here.

/// One of them.
#[derive(Debug)]
pub(super) struct Half {
    /// What it is called in messages.
    pub(super) name: &'static str,
    /// The generated package's folder.
    pub(super) folder: &'static str,
    pub(super) features: &'static [&'static str],
    /// Set for the generated package alone, by its build script.
    pub(super) cfg: Option<&'static str>,
    /// What must pass.
    pub(super) passing: &'static str,
    /// What need not, beside what need not in either half.
    pub(super) exceptions: Option<&'static str>,
}

pub(super) const STABLE: Half = Half {
    name: "stable",
    folder: "suite",
    features: &["full", "test-util"],
    cfg: None,
    passing: "conformance/passing.txt",
    exceptions: None,
};

pub(super) const UNSTABLE: Half = Half {
    name: "tokio_unstable",
    folder: "suite-unstable",
    features: &["full", "test-util", "schedule-latency", "tracing"],
    cfg: Some("tokio_unstable"),
    passing: "conformance/passing-unstable.txt",
    exceptions: Some("conformance/exceptions-unstable.txt"),
};

/// Files behind the cfg that are not built, by how their names start, and why.
pub(super) const LEFT_OUT: [(&str, &str); 3] = [
    ("dump", "asks for Tokio's own kind of task dumps (feature `taskdump`); ours are others"),
    ("fs_uring", "asks how Tokio's ring for files works inside (feature `io-uring`)"),
    ("task_trace_", "asks for Tokio's own kind of task dumps (feature `taskdump`)"),
];

impl Half {
    /// Whether a test file belongs to this half.
    pub(super) fn has(&self, file: &str, text: &str) -> bool {
        match self.cfg {
            None => true,
            Some(cfg) => left_out(file).is_none() && text.contains(cfg),
        }
    }
}

/// Why a file is not built with the cfg.
pub(super) fn left_out(file: &str) -> Option<&'static str> {
    LEFT_OUT.iter().find(|(start, _)| file.starts_with(start)).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::{STABLE, UNSTABLE};

    #[test]
    fn files_that_name_the_cfg_are_built_with_it() {
        let text = "#![cfg(tokio_unstable)]";
        assert!(STABLE.has("time_alt", text) && STABLE.has("time_sleep", ""));
        assert!(UNSTABLE.has("time_alt", text) && !UNSTABLE.has("time_sleep", ""));
        assert!(!UNSTABLE.has("fs_uring_read", text));
    }
}

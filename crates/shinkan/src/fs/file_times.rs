//! When a file was used.

use std::fs;
use std::time::SystemTime;

/// The times that [`File::set_times`](super::File::set_times) is to set; what is not named stays.
///
/// # Examples
/// ```
/// # #[shinkan::main]
/// # async fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("a");
/// use shinkan::fs::{File, FileTimes};
/// use std::time::{Duration, SystemTime};
///
/// let file = File::create(&path).await?;
/// let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
/// file.set_times(FileTimes::new().set_accessed(long_ago).set_modified(long_ago)).await?;
/// assert_eq!(file.metadata().await?.modified()?, long_ago);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "times change nothing until `File::set_times` is given them"]
pub struct FileTimes(fs::FileTimes);

impl FileTimes {
    /// No times.
    ///
    /// # Examples
    /// ```
    /// let times = shinkan::fs::FileTimes::new();
    /// # drop(times);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets when the file was read last.
    ///
    /// # Examples
    /// ```
    /// use std::time::SystemTime;
    ///
    /// let times = shinkan::fs::FileTimes::new().set_accessed(SystemTime::UNIX_EPOCH);
    /// # drop(times);
    /// ```
    pub fn set_accessed(self, t: SystemTime) -> Self {
        Self(self.0.set_accessed(t))
    }

    /// Sets when the file's contents were changed last.
    ///
    /// # Examples
    /// ```
    /// use std::time::SystemTime;
    ///
    /// let times = shinkan::fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
    /// # drop(times);
    /// ```
    pub fn set_modified(self, t: SystemTime) -> Self {
        Self(self.0.set_modified(t))
    }

    pub(super) fn into_std(self) -> fs::FileTimes {
        self.0
    }
}

//! Whether the machine has anything else to do: figures of a busy one are not to be kept.

use std::fs;
use std::time::Duration;

/// The part of all processors' time that may be busy before the comparison starts.
const BUSY_MAX: f64 = 0.1;
const LOOK: Duration = Duration::from_secs(3);

/// An error says how busy it is.
pub(crate) fn check() -> Result<(), String> {
    let before = times()?;
    std::thread::sleep(LOOK);
    let after = times()?;
    let busy = share(before, after);
    if busy <= BUSY_MAX {
        return Ok(());
    }
    Err(format!("the machine is {:.0}% busy: figures of it are not worth keeping", busy * 100.0))
}

/// Busy and all ticks since the start.
fn times() -> Result<(u64, u64), String> {
    let stat = fs::read_to_string("/proc/stat").map_err(|error| format!("/proc/stat: {error}"))?;
    parse(&stat).ok_or_else(|| "/proc/stat: its first line is not known".to_string())
}

fn parse(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_whitespace().map_while(|field| field.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal, and two that are counted in the first.
    let all: u64 = ticks.iter().take(8).sum();
    Some((all - ticks.get(3)? - ticks.get(4)?, all))
}

fn share(before: (u64, u64), after: (u64, u64)) -> f64 {
    (after.0 - before.0) as f64 / (after.1 - before.1).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_proc_stat() {
        assert_eq!(parse("cpu  10 1 5 80 4 0 0 0 9 9\ncpu0 1"), Some((16, 100)));
        assert_eq!(parse("intr 5"), None);
        assert_eq!(share((10, 100), (60, 200)), 0.5);
    }
}

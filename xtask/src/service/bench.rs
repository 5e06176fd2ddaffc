//! The HTTP benchmark: wrk from Debian's packages against the service on both runtimes. Rounds take
//! turns, and the side that goes first changes each round; each round has a process of its own.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::side::Built;
use super::stops::Running;
use crate::run::say;

const CONNECTIONS: [usize; 2] = [64, 1000];
const ROUTES: [&str; 2] = ["/plaintext", "/json"];
const PAGE: &str = "docs/service.md";
const BEGIN: &str = "<!-- figures: cargo xtask service --bench --write -->\n";
const END: &str = "<!-- end of figures -->\n";

/// How much is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) rounds: usize,
    /// Of each cell in each round, after a second of warm-up.
    pub(super) seconds: usize,
    pub(super) write: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { rounds: 7, seconds: 8, write: false }
    }
}

/// What one run of wrk says.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    per_second: f64,
    cpu_s_per_million: f64,
    /// Milliseconds: p50, p99, p99.9.
    latency_ms: [f64; 3],
    errors: u64,
}

/// A route, a number of connections, and the side's place in the list.
type Cell = (usize, &'static str, usize);

/// Measures and prints; true if no request failed.
pub(super) fn run(root: &Path, built: &[Built], plan: &Plan) -> Result<bool, String> {
    descriptors()?;
    let script = super::side::target(root)?.join("report.lua");
    crate::write(&script, include_str!("report.lua"))?;
    let ticks: f64 = crate::output(Command::new("getconf").arg("CLK_TCK"))?
        .trim()
        .parse()
        .map_err(|_| "getconf CLK_TCK is no number")?;
    let mut samples: BTreeMap<Cell, Vec<Sample>> = BTreeMap::new();
    for round in 0..plan.rounds {
        for turn in 0..built.len() {
            let side = (turn + round) % built.len();
            say(&format!("round {} of {} on {}", round + 1, plan.rounds, built[side].side));
            let running = Running::start(&built[side])?;
            for connections in CONNECTIONS {
                for route in ROUTES {
                    let wrk = |seconds| wrk(&running, &script, route, connections, seconds, ticks);
                    wrk(1)?;
                    let sample = wrk(plan.seconds)?;
                    samples.entry((connections, route, side)).or_default().push(sample);
                }
            }
            running.ask_to_end()?;
            if let (_, code @ (None | Some(1..))) = running.ended()? {
                return Err(format!("the service on {} ended with {code:?}", built[side].side));
            }
        }
    }
    let table = table(built, &samples);
    say(&table);
    if plan.write {
        write(root, plan, &table)?;
    }
    Ok(samples.values().flatten().all(|sample| sample.errors == 0))
}

/// Both programs need a descriptor for each connection, and inherit how many they may have.
fn descriptors() -> Result<(), String> {
    let limits = fs::read_to_string("/proc/self/limits").map_err(|e| e.to_string())?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()).unwrap_or_default();
    match soft.parse::<u64>() {
        Ok(few) if few < 2048 => Err(format!("{few} descriptors are too few: ulimit -n 4096")),
        // More, or `unlimited`.
        _ => Ok(()),
    }
}

fn wrk(
    running: &Running,
    script: &Path,
    route: &str,
    connections: usize,
    seconds: usize,
    ticks: f64,
) -> Result<Sample, String> {
    let before = cpu_ticks(running.pid())?;
    let mut command = Command::new("wrk");
    command.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--latency"]);
    command.arg("-s").arg(script).arg(format!("http://{}{route}", running.address));
    let said = crate::output(&mut command).map_err(|e| format!("{e} (apt-get install wrk)"))?;
    let cpu_s = (cpu_ticks(running.pid())? - before) / ticks;
    sample(&said, cpu_s).ok_or_else(|| format!("wrk said:\n{said}"))
}

fn sample(said: &str, cpu_s: f64) -> Option<Sample> {
    let report = said.lines().find_map(|line| line.strip_prefix("report "))?;
    let numbers: Vec<f64> = report.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    let &[requests, duration_us, p50, p99, p999, errors] = &numbers[..] else { return None };
    if requests == 0.0 || duration_us == 0.0 {
        return None;
    }
    Some(Sample {
        per_second: requests / duration_us * 1e6,
        cpu_s_per_million: cpu_s / requests * 1e6,
        latency_ms: [p50, p99, p999].map(|us| us / 1e3),
        errors: errors as u64,
    })
}

/// What all threads of a process have used, those that ended too (proc(5), `stat`, 14 and 15).
fn cpu_ticks(pid: u32) -> Result<f64, String> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    let after_name = stat.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
    let used = after_name.split(' ').skip(11).take(2).map(str::parse::<f64>);
    used.sum::<Result<f64, _>>().map_err(|e| format!("{path}: {e}"))
}

fn table(built: &[Built], samples: &BTreeMap<Cell, Vec<Sample>>) -> String {
    let mut table = String::from(
        "| route | connections | runtime | requests a second | CPU s a million | p50 ms | p99 ms \
         | p99.9 ms | errors |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for (&(connections, route, side), samples) in samples {
        let of = |value: fn(&Sample) -> f64| median(samples.iter().map(value).collect());
        let errors: u64 = samples.iter().map(|sample| sample.errors).sum();
        // Writing to a String does not fail.
        let _ = writeln!(
            table,
            "| `{route}` | {connections} | {} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {errors} |",
            built[side].side,
            thousands(of(|sample| sample.per_second)),
            of(|sample| sample.cpu_s_per_million),
            of(|sample| sample.latency_ms[0]),
            of(|sample| sample.latency_ms[1]),
            of(|sample| sample.latency_ms[2]),
        );
    }
    table
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Puts the table, and what it was measured on, in the place that the page has for it.
fn write(root: &Path, plan: &Plan, table: &str) -> Result<(), String> {
    let path = root.join(PAGE);
    let page = fs::read_to_string(&path).map_err(|e| format!("{PAGE}: {e}"))?;
    let places = page.split_once(BEGIN).zip(page.split_once(END));
    let ((before, _), (_, after)) = places.ok_or_else(|| format!("{PAGE} has no place for it"))?;
    let about = about(plan)?;
    crate::write(&path, &format!("{before}{BEGIN}\n{about}\n{table}\n{END}{after}"))
}

fn about(plan: &Plan) -> Result<String, String> {
    let says = |program: &str, args: &[&str]| {
        crate::output(Command::new(program).args(args)).map(|said| said.trim().to_string())
    };
    let file = |path: &str, field: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(field));
        let value = line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim());
        value.unwrap_or("?").to_string()
    };
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    // wrk prints its version and ends with 1.
    let wrk = Command::new("wrk").arg("-v").output().map_err(|e| e.to_string())?;
    let wrk = String::from_utf8_lossy(&wrk.stdout).into_owned();
    let wrk = wrk.split_whitespace().nth(1).unwrap_or("?").to_string();
    let Plan { rounds, seconds, .. } = plan;
    Ok(format!(
        "{}; {processors} processors ({}), {} of memory, Linux {}; {}; wrk {wrk} with one thread. \
         Medians of {rounds} rounds of {seconds} s a cell.\n",
        says("date", &["-u", "+%F"])?,
        file("/proc/cpuinfo", "model name"),
        file("/proc/meminfo", "MemTotal"),
        says("uname", &["-r"])?,
        says("rustc", &["--version"])?,
    ))
}

#[cfg(test)]
mod tests {
    use super::super::side::Side;
    use super::*;

    #[test]
    fn what_wrk_says() {
        let said = "Running 8s test\nreport 200000 8000000 1000 2500 9000 3\n";
        let expected = Sample {
            per_second: 25_000.0,
            cpu_s_per_million: 50.0,
            latency_ms: [1.0, 2.5, 9.0],
            errors: 3,
        };
        assert_eq!(sample(said, 10.0), Some(expected));
        assert_eq!(sample("report 0 8000000 0 0 0 9\n", 10.0), None);
        assert_eq!(sample("unable to connect\n", 10.0), None);
    }

    #[test]
    fn medians_and_digits() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(thousands(999.4), "999");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
    }

    #[test]
    fn processor_time_grows() {
        let before = cpu_ticks(std::process::id()).unwrap();
        // However coarse the clock is, it moves while this works.
        while cpu_ticks(std::process::id()).unwrap() <= before {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_table_names_both() {
        let sample =
            Sample { per_second: 1e5, cpu_s_per_million: 9.0, latency_ms: [1.0; 3], errors: 0 };
        let built =
            [Side::Tokio, Side::Shinkan].map(|side| Built { side, program: Default::default() });
        let samples = [0, 1].map(|side| ((64, "/json", side), vec![sample])).into_iter().collect();
        let table = table(&built, &samples);
        assert!(
            table.contains("| `/json` | 64 | Tokio | 100,000 | 9.00 | 1.00 | 1.00 |"),
            "{table}"
        );
        assert!(table.contains("| `/json` | 64 | shinkan | 100,000 |"), "{table}");
    }
}

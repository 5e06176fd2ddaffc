//! Whose instructions a message costs: a served row under callgrind on each runtime, with as many
//! messages on both, summed by crate. A run is taken from one of three times as many messages, so
//! that start, connections and end are left out.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use crate::Side;
use crate::callgrind::{Profile, Run};
use crate::owner::{LIBC, Place, STD, Sources, is_of_callers};
use crate::report::thousands;
use crate::row::Info;
use crate::stats::median;

/// The rows of the page.
const ROWS: [&str; 2] = ["http_64", "echo_64"];
const WORKERS: [usize; 2] = [1, 2];
/// Messages of the shorter run.
const MESSAGES: u64 = 5_000;
/// Where two workers wake each other, no two runs are alike.
const ROUNDS: usize = 3;
/// What the runtime may take of Tokio's instructions over HTTP.
const GOAL: f64 = 0.6;
/// Fewer instructions a message are of no account.
const LEAST: f64 = 0.5;

/// By crate.
type Sums = BTreeMap<String, f64>;

/// The same instructions three times, dealt out in three ways; a message's share.
#[derive(Clone, Debug, Default, PartialEq)]
struct Shares {
    /// To the innermost crate around them that is not std.
    own: Sums,
    /// To the crate of their source file.
    by_file: Sums,
    /// As `own`; and those of std and libc to whoever calls them.
    with_called: Sums,
}

/// What a crate is in this comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Group {
    Runtime,
    Adapter,
    Http,
    Row,
    Std,
    Libc,
}

impl Group {
    fn of(name: &str) -> Group {
        match name {
            "shinkan-bench" => Group::Row,
            // Each is what hyper has between its traits of streams and the runtime's.
            "hyper-util" | "shinkan-compat" => Group::Adapter,
            "tokio" | "mio" => Group::Runtime,
            // What both runtimes, or one of the two, are made of; hyper uses none of them.
            "parking_lot"
            | "parking_lot_core"
            | "lock_api"
            | "scopeguard"
            | "rustix"
            | "errno"
            | "linux-raw-sys"
            | "bitflags"
            | "socket2"
            | "signal-hook-registry" => Group::Runtime,
            name if name == "shinkan" || name.starts_with("shinkan-") => Group::Runtime,
            STD => Group::Std,
            LIBC => Group::Libc,
            _ => Group::Http,
        }
    }
}

/// A line of the tables.
#[derive(Clone, Copy)]
struct Figure {
    about: &'static str,
    of: fn(&Shares) -> &Sums,
    /// None: all.
    group: Option<Group>,
}

const OWN: fn(&Shares) -> &Sums = |shares| &shares.own;

const FIGURES: [Figure; 9] = [
    Figure { about: "the runtime's own", of: OWN, group: Some(Group::Runtime) },
    Figure {
        about: "– without inlined std",
        of: |shares| &shares.by_file,
        group: Some(Group::Runtime),
    },
    Figure {
        about: "– with std and libc that it calls",
        of: |shares| &shares.with_called,
        group: Some(Group::Runtime),
    },
    Figure { about: "its adapter to hyper", of: OWN, group: Some(Group::Adapter) },
    Figure { about: "hyper and what it needs", of: OWN, group: Some(Group::Http) },
    Figure { about: "the row", of: OWN, group: Some(Group::Row) },
    Figure { about: "std, not inlined", of: OWN, group: Some(Group::Std) },
    Figure { about: "libc", of: OWN, group: Some(Group::Libc) },
    Figure { about: "all", of: OWN, group: None },
];

impl Figure {
    fn value(self, shares: &Shares) -> f64 {
        let is_in = |name: &String| self.group.is_none_or(|group| Group::of(name) == group);
        // A sum of nothing is -0.0.
        (self.of)(shares)
            .iter()
            .filter(|(name, _)| is_in(name))
            .map(|(_, count)| count)
            .sum::<f64>()
            + 0.0
    }
}

/// One row with so many workers.
struct Case {
    row: &'static str,
    workers: usize,
    /// `rounds[r][s]`
    rounds: Vec<Vec<Shares>>,
}

impl Case {
    fn about(&self) -> String {
        let s = if self.workers == 1 { "" } else { "s" };
        format!("{}, {} worker{s}", self.row, self.workers)
    }

    fn value(&self, side: usize, figure: Figure) -> f64 {
        median(self.rounds.iter().map(|round| figure.value(&round[side])))
    }

    /// The second side's over the first one's; None where the first has nothing to speak of.
    fn ratio(&self, figure: Figure) -> Option<f64> {
        let ratio = |round: &Vec<Shares>| figure.value(&round[1]) / figure.value(&round[0]);
        (self.value(0, figure) >= LEAST).then(|| median(self.rounds.iter().map(ratio)))
    }
}

/// Those of the page.
pub(crate) fn rows(all: &[Info]) -> Vec<Info> {
    all.iter().filter(|row| ROWS.contains(&row.name)).copied().collect()
}

/// The page's rows; their profiles are not kept.
pub(crate) fn unkept(all: &[Info], sides: &[Side], say: &dyn Fn(&str)) -> Result<String, String> {
    let folder = std::env::temp_dir().join(format!("shinkan-bench-{}", std::process::id()));
    let part = report(&rows(all), sides, &folder, say);
    // Where it cannot be removed, it is in the folder for such things.
    let _ = std::fs::remove_dir_all(folder);
    part
}

/// Runs the rows, says what each gives, and returns the page's part.
pub(crate) fn report(
    rows: &[Info],
    sides: &[Side],
    folder: &Path,
    say: &dyn Fn(&str),
) -> Result<String, String> {
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let bytes = std::fs::read(&program).map_err(|error| error.to_string())?;
    let sources = Sources::of(&bytes)?;
    let program = program.to_string_lossy();
    let mut cases = Vec::new();
    for row in rows {
        for workers in WORKERS {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                let measured = |side: &Side| {
                    measure(row.name, side.name, workers, folder, &program, &sources)
                        .map_err(|error| format!("{} on {}: {error}", row.name, side.name))
                };
                rounds.push(sides.iter().map(measured).collect::<Result<Vec<_>, _>>()?);
            }
            let case = Case { row: row.name, workers, rounds };
            terminal(&case, sides).iter().for_each(|line| say(line));
            cases.push(case);
        }
    }
    Ok(if sides.len() == 2 { page(&cases) } else { String::new() })
}

fn measure(
    row: &str,
    side: &str,
    workers: usize,
    folder: &Path,
    program: &str,
    sources: &Sources<'_>,
) -> Result<Shares, String> {
    let run = |name: &str, ops: u64| {
        let out = folder.join(format!("{row}.{side}.{workers}{name}.callgrind"));
        let run = Run { row, side, workers, ops, out: &out };
        let profile = run.profile().map_err(|error| error.to_string())?;
        Ok::<_, String>(shares(&profile, &places(&profile, program, sources)))
    };
    let less = run(".short", MESSAGES)?;
    let more = run("", 3 * MESSAGES)?;
    Ok(difference(&more, &less, 2 * MESSAGES))
}

/// Of each address of the program.
fn places(
    profile: &Profile,
    program: &str,
    sources: &Sources<'_>,
) -> impl Fn(&str, u64) -> Place + use<> {
    let mut known = HashMap::new();
    let costs = profile.costs.iter().map(|cost| (cost.function, cost.address));
    let calls = profile.calls.iter().map(|call| (call.from, call.address));
    for (function, address) in costs.chain(calls) {
        if profile.functions[function].object == program {
            known.entry(address).or_insert_with(|| sources.at(address));
        }
    }
    let program = program.to_string();
    move |object, address| match known.get(&address) {
        Some(place) if object == program => place.clone(),
        _ => Place { file: LIBC.into(), owner: LIBC.into() },
    }
}

/// A message's share, of two runs.
fn difference(more: &Shares, less: &Shares, messages: u64) -> Shares {
    let each = |of: fn(&Shares) -> &Sums| {
        let (more, less) = (of(more), of(less));
        let names = more.keys().chain(less.keys());
        let count = |sums: &Sums, name: &str| sums.get(name).copied().unwrap_or(0.0);
        let share = |name: &String| (count(more, name) - count(less, name)) / messages as f64;
        names.map(|name| (name.clone(), share(name))).collect()
    };
    Shares {
        own: each(|shares| &shares.own),
        by_file: each(|shares| &shares.by_file),
        with_called: each(|shares| &shares.with_called),
    }
}

fn shares(profile: &Profile, place: &dyn Fn(&str, u64) -> Place) -> Shares {
    let mut shares = Shares::default();
    // What nobody owns of each function, and is its callers'.
    let mut pots = vec![0.0; profile.functions.len()];
    for cost in &profile.costs {
        let Place { file, owner } = place(&profile.functions[cost.function].object, cost.address);
        let count = cost.instructions as f64;
        *shares.by_file.entry(file).or_default() += count;
        if is_of_callers(&owner) {
            pots[cost.function] += count;
        } else {
            *shares.with_called.entry(owner.clone()).or_default() += count;
        }
        *shares.own.entry(owner).or_default() += count;
    }
    deal_out(profile, pots, place, &mut shares.with_called);
    shares
}

/// Where a pot comes from, and how much of it.
struct Caller {
    /// None: the caller's own pot has it.
    owner: Option<String>,
    function: usize,
    weight: f64,
}

/// How often pots are handed on: std calls itself to no greater depth, and what is left then is too
/// little to be seen.
const DEPTH: usize = 100;

/// Gives each function's pot to its callers, in the proportion of what their calls took.
fn deal_out(
    profile: &Profile,
    mut pots: Vec<f64>,
    place: &dyn Fn(&str, u64) -> Place,
    sums: &mut Sums,
) {
    let object = |function: usize| profile.functions[function].object.as_str();
    let mut callers: Vec<Vec<Caller>> = pots.iter().map(|_| Vec::new()).collect();
    for call in profile.calls.iter().filter(|call| call.from != call.to) {
        let owner = place(object(call.from), call.address).owner;
        let owner = (!is_of_callers(&owner)).then_some(owner);
        let weight = call.instructions as f64;
        callers[call.to].push(Caller { owner, function: call.from, weight });
    }
    for _ in 0..DEPTH {
        let mut next = vec![0.0; pots.len()];
        for (function, pot) in pots.iter().enumerate().filter(|(_, pot)| **pot > 0.0) {
            let all: f64 = callers[function].iter().map(|caller| caller.weight).sum();
            if all == 0.0 {
                next[function] += pot;
                continue;
            }
            for Caller { owner, function, weight } in &callers[function] {
                let part = pot * weight / all;
                match owner {
                    Some(owner) => *sums.entry(owner.clone()).or_default() += part,
                    None => next[*function] += part,
                }
            }
        }
        pots = next;
    }
    // Nobody calls the start of a thread.
    *sums.entry(LIBC.into()).or_default() += pots.iter().sum::<f64>();
}

fn terminal(case: &Case, sides: &[Side]) -> Vec<String> {
    let mut head = format!("{:36}", format!("{}, instructions a message", case.about()));
    sides.iter().for_each(|side| head += &format!(" {:>10}", side.name));
    let mut lines = vec![head];
    for figure in FIGURES {
        let mut line = format!("  {:34}", figure.about);
        for side in 0..sides.len() {
            let _ = write!(line, " {:10.1}", case.value(side, figure));
        }
        if let Some(ratio) = (sides.len() == 2).then(|| case.ratio(figure)).flatten() {
            let _ = write!(line, "   {ratio:.3}");
        }
        lines.push(line);
    }
    let last = case.rounds.len() - 1;
    for (side, Side { name, .. }) in sides.iter().enumerate() {
        let mut parts: Vec<_> = case.rounds[last][side].own.iter().collect();
        parts.retain(|part| *part.1 >= LEAST);
        parts.sort_by(|a, b| b.1.total_cmp(a.1));
        let parts: Vec<String> = parts.iter().map(|(name, n)| format!("{name} {n:.0}")).collect();
        lines.push(format!("  {name}: {}", parts.join(", ")));
    }
    lines
}

/// The page's table, Tokio → shinkan, and whether the goal is reached.
fn page(cases: &[Case]) -> String {
    let mut text = String::from("| instructions a message |");
    for case in cases {
        let _ = write!(text, " {} | ratio |", case.about());
    }
    let _ = writeln!(text, "\n|---|{}", "---|---|".repeat(cases.len()));
    for figure in FIGURES {
        let _ = write!(text, "| {} |", figure.about);
        for case in cases {
            let [tokio, shinkan] = [0, 1].map(|side| thousands(case.value(side, figure)));
            let ratio = case.ratio(figure).map_or(String::new(), |ratio| format!("{ratio:.2}"));
            let _ = write!(text, " {tokio} → {shinkan} | {ratio} |");
        }
        text.push('\n');
    }
    let missed: Vec<String> = cases
        .iter()
        .filter(|case| case.row.starts_with("http"))
        .filter_map(|case| Some((case, case.ratio(FIGURES[0]).filter(|ratio| *ratio > GOAL)?)))
        .map(|(case, ratio)| format!("{}: {ratio:.2}", case.about()))
        .collect();
    let reached = if missed.is_empty() { "reached".into() } else { missed.join("; ") };
    let _ = writeln!(text, "\nThe goal over HTTP, {GOAL} of Tokio's own: {reached}.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callgrind;

    fn of(sums: &Sums, name: &str) -> f64 {
        sums.get(name).copied().unwrap_or(0.0)
    }

    fn example() -> Shares {
        let profile = callgrind::parse(callgrind::tests::PROFILE).unwrap();
        let place = |object: &str, address: u64| {
            let [file, owner] = match (object, address) {
                ("/lib/libc.so.6", _) => [LIBC, LIBC],
                (_, 0x10 | 0x18) => ["shinkan-rt", "shinkan-rt"],
                (_, 0x14) => [STD, "shinkan-rt"],
                // The runtime's code, inlined into hyper's function.
                (_, 0x28) => ["shinkan-io", "shinkan-io"],
                (_, 0x20 | 0x24) => ["hyper", "hyper"],
                _ => [STD, STD],
            };
            Place { file: file.into(), owner: owner.into() }
        };
        shares(&profile, &place)
    }

    #[test]
    fn each_instruction_counts_once_in_each_way() {
        let Shares { own, by_file, with_called } = example();
        for sums in [&own, &by_file, &with_called] {
            assert!((sums.values().sum::<f64>() - 1047.0).abs() < 1e-9, "{sums:?}");
        }
        assert_eq!(
            ["shinkan-rt", "hyper", STD, LIBC].map(|name| of(&own, name)),
            [12.0, 20.0, 10.0, 1005.0]
        );
        assert_eq!(["shinkan-rt", STD].map(|name| of(&by_file, name)), [5.0, 17.0]);
    }

    #[test]
    fn what_is_called_counts_to_the_callers_by_what_each_call_took() {
        let Shares { with_called, .. } = example();
        // memcpy's 1,000: nine tenths are hyper's call, one tenth came through std from the runtime.
        let expected = [("shinkan-rt", 12.0), ("hyper", 920.0), ("shinkan-io", 110.0), (STD, 0.0)];
        for (name, count) in expected {
            assert!((of(&with_called, name) - count).abs() < 1e-9, "{name}: {with_called:?}");
        }
        // Nobody calls `_start`.
        assert!((of(&with_called, LIBC) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn a_message_is_the_difference_of_two_runs() {
        let sums = |counts: &[(&str, f64)]| -> Sums {
            counts.iter().map(|(name, count)| (name.to_string(), *count)).collect()
        };
        let run = |counts: &[(&str, f64)]| Shares { own: sums(counts), ..Shares::default() };
        let less = run(&[("tokio", 1_500.0), ("start", 900.0)]);
        let more = run(&[("tokio", 3_500.0), ("start", 900.0), ("mio", 20.0)]);
        let message = difference(&more, &less, 200);
        assert_eq!(message.own, sums(&[("mio", 0.1), ("start", 0.0), ("tokio", 10.0)]));
    }

    #[test]
    fn the_page_says_what_is_missed() {
        let side = |name: &str, count: f64| {
            let sums: Sums = [(name.to_string(), count), ("hyper".into(), 50.0)].into();
            Shares { own: sums.clone(), by_file: sums.clone(), with_called: sums }
        };
        let case = |row, workers, shinkan| Case {
            row,
            workers,
            rounds: vec![vec![side("tokio", 100.0), side("shinkan-rt", shinkan)]],
        };
        let text =
            page(&[case("http_64", 1, 55.0), case("http_64", 2, 65.0), case("echo_64", 1, 80.0)]);
        assert!(text.contains(
            "| the runtime's own | 100 → 55 | 0.55 | 100 → 65 | 0.65 | 100 → 80 | 0.80 |"
        ));
        assert!(text.contains("| libc | 0.0 → 0.0 |  |"), "{text}");
        assert!(text.ends_with("0.6 of Tokio's own: http_64, 2 workers: 0.65.\n"), "{text}");
        assert!(page(&[case("http_64", 1, 55.0)]).ends_with("reached.\n"));
    }
}

//! Counting tests: what each runner reports, and the sum.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

/// How many tests went which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

impl Tally {
    /// Reads one line of `cargo test`: `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    /// `None` for any other line.
    pub(crate) fn of_cargo_line(line: &str) -> Option<Self> {
        let words: Vec<&str> = line
            .trim_start()
            .strip_prefix("test result: ")?
            .split_whitespace()
            .collect();
        let before = |what: &str| {
            words.windows(2).find_map(|pair| match pair {
                [number, word] if *word == what => number.parse().ok(),
                _ => None,
            })
        };
        Some(Self {
            passed: before("passed;")?,
            failed: before("failed;")?,
            skipped: before("ignored;")?,
        })
    }

    /// Reads the closing lines of node's TAP report: `# pass 3`, `# fail 0`, `# cancelled 0`,
    /// `# skipped 1`, `# todo 0`. A cancelled test failed; one marked as still to do did not run.
    pub(crate) fn of_tap(report: &str) -> Self {
        let mut tally = Self::default();
        for line in report.lines() {
            let Some((what, number)) = line
                .strip_prefix("# ")
                .and_then(|rest| rest.split_once(' '))
            else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what {
                "pass" => tally.passed += number,
                "fail" | "cancelled" => tally.failed += number,
                "skipped" | "todo" => tally.skipped += number,
                _ => {}
            }
        }
        tally
    }
}

/// What one part of the tests came to.
#[derive(Debug)]
pub(crate) struct Part {
    /// Its name in the summary.
    pub(crate) name: &'static str,
    pub(crate) tally: Tally,
    pub(crate) took: Duration,
    /// What was left out and why, a line each. Each counts as skipped in `tally`.
    pub(crate) skips: Vec<String>,
}

impl Part {
    /// A part that has not run yet.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            tally: Tally::default(),
            took: Duration::ZERO,
            skips: Vec::new(),
        }
    }

    /// Leaves something out.
    pub(crate) fn skip(&mut self, what_and_why: String) {
        crate::say::skipped(&what_and_why);
        self.tally.skipped += 1;
        self.skips.push(what_and_why);
    }
}

/// The summary: a line per part, a line per skip, and last the total alone on its line.
pub(crate) fn summary(parts: &[Part]) -> (String, Tally) {
    let mut text = String::from("\npart         passed  failed  skipped    time\n");
    let mut total = Tally::default();
    for Part {
        name, tally, took, ..
    } in parts
    {
        let Tally {
            passed,
            failed,
            skipped,
        } = tally;
        let seconds = took.as_secs();
        text += &format!("{name:<12} {passed:>6} {failed:>7} {skipped:>8} {seconds:>6}s\n");
        total += *tally;
    }
    for skip in parts.iter().flat_map(|part| &part.skips) {
        text += &format!("skipped: {skip}\n");
    }
    text += &format!("\n{total}");
    (text, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTED: Tally = Tally {
        passed: 12,
        failed: 1,
        skipped: 2,
    };

    #[test]
    fn cargo_lines() {
        let tail = "12 passed; 1 failed; 2 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        let plain = format!("test result: FAILED. {tail}");
        let coloured = format!("test result: \u{1b}[31mFAILED\u{1b}[0m. {tail}");
        assert_eq!(Tally::of_cargo_line(&plain), Some(COUNTED));
        assert_eq!(Tally::of_cargo_line(&coloured), Some(COUNTED));
        assert_eq!(Tally::of_cargo_line("test counts ... ok"), None);
        assert_eq!(Tally::of_cargo_line("test result: ok."), None);
    }

    #[test]
    fn tap_report() {
        let report = "ok 1 - a\n# Subtest: pass 9\n1..15\n# tests 15\n# suites 0\n# pass 12\n\
                      # fail 0\n# cancelled 1\n# skipped 1\n# todo 1\n# duration_ms 50.5\n";
        assert_eq!(Tally::of_tap(report), COUNTED);
    }

    #[test]
    fn the_total_closes_the_summary_alone_on_its_line() {
        let mut browser = Part::new("browser");
        browser.skip("browser: no chromium".to_owned());
        let rust = Part {
            tally: COUNTED,
            ..Part::new("rust")
        };
        let (text, total) = summary(&[rust, browser]);
        assert_eq!(text.lines().last(), Some("12 passed, 1 failed, 3 skipped"));
        assert_eq!(
            total,
            Tally {
                skipped: 3,
                ..COUNTED
            }
        );
        assert!(text.contains("skipped: browser: no chromium"));
    }
}

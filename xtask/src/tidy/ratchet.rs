//! Exceptions that only shrink: `xtask/ratchet.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use super::{Finding, Rule};

const PATH: &str = "xtask/ratchet.toml";
const HEADING: &str = "\
# Present exceptions to the rules of `cargo xtask tidy`, with their numbers.
# A number may only fall: lower it when you shorten something (`cargo xtask tidy --lower`), never raise it.
# Add no line: shorten what you write instead.
";

/// For each rule, how far each place may go beyond the limit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ratchet {
    allowed: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Ratchet {
    /// Reads the list of the checkout at `root`.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let path = root.join(PATH);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let table: toml::Table = text
            .parse()
            .with_context(|| format!("{PATH} is not TOML"))?;
        let mut allowed: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for (rule, places) in table {
            let places = places
                .as_table()
                .with_context(|| format!("{PATH}: [{rule}]"))?;
            for (place, number) in places {
                let number = number
                    .as_integer()
                    .and_then(|number| usize::try_from(number).ok());
                let number =
                    number.with_context(|| format!("{PATH}: \"{place}\" is no number of lines"))?;
                allowed
                    .entry(rule.clone())
                    .or_default()
                    .insert(place.clone(), number);
            }
        }
        Ok(Self { allowed })
    }

    /// The lines a person has to act on: what no exception covers, and exceptions that are too large.
    pub(super) fn complaints(&self, findings: &[Finding]) -> Vec<String> {
        let mut complaints = Vec::new();
        for finding in findings {
            let allowed = self.number(finding.rule.name(), &finding.key());
            let is_covered =
                finding.rule.has_ratchet() && allowed.is_some_and(|max| finding.number <= max);
            if !is_covered {
                complaints.push(complaint(finding, allowed));
            }
        }
        let present = numbers(findings);
        for (rule, places) in &self.allowed {
            let known = Rule::ALL.iter().find(|one| one.name() == rule);
            if !known.is_some_and(|rule| rule.has_ratchet()) {
                complaints.push(format!("{PATH}: [{rule}] is no rule with exceptions"));
                continue;
            }
            for (place, max) in places {
                match present.get(&(rule.as_str(), place.clone())) {
                    None => complaints.push(format!(
                        "{PATH}: \"{place}\" under [{rule}] is no longer needed"
                    )),
                    Some(number) if number < max => complaints.push(format!(
                        "{PATH}: \"{place}\" under [{rule}] may fall to {number}"
                    )),
                    Some(_) => {}
                }
            }
        }
        complaints
    }

    /// The same list with the numbers that fell, and without what is no longer needed. None rises.
    pub(super) fn lowered(&self, findings: &[Finding]) -> Self {
        let present = numbers(findings);
        let mut allowed: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for (rule, places) in &self.allowed {
            for (place, max) in places {
                if let Some(number) = present.get(&(rule.as_str(), place.clone())) {
                    let number = *number.min(max);
                    allowed
                        .entry(rule.clone())
                        .or_default()
                        .insert(place.clone(), number);
                }
            }
        }
        Self { allowed }
    }

    /// Writes the list of the checkout at `root`.
    pub(super) fn write(&self, root: &Path) -> anyhow::Result<()> {
        let path = root.join(PATH);
        std::fs::write(&path, self.text())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn text(&self) -> String {
        let mut text = HEADING.to_owned();
        for (rule, places) in &self.allowed {
            text += &format!("\n[{rule}]\n");
            for (place, number) in places {
                text += &format!("\"{place}\" = {number}\n");
            }
        }
        text
    }

    fn number(&self, rule: &str, place: &str) -> Option<usize> {
        self.allowed.get(rule)?.get(place).copied()
    }
}

/// The largest number of each place under each rule.
fn numbers(findings: &[Finding]) -> BTreeMap<(&'static str, String), usize> {
    let mut numbers = BTreeMap::new();
    for finding in findings {
        let number = numbers
            .entry((finding.rule.name(), finding.key()))
            .or_default();
        *number = finding.number.max(*number);
    }
    numbers
}

fn complaint(finding: &Finding, allowed: Option<usize>) -> String {
    let Finding {
        rule,
        path,
        line,
        what,
        ..
    } = finding;
    let place = if *line == 0 {
        path.clone()
    } else {
        format!("{path}:{line}")
    };
    let (name, advice) = (rule.name(), rule.advice());
    match allowed {
        Some(max) => format!("{place}: [{name}] {what}; the exception is {max}: {advice}"),
        None => format!("{place}: [{name}] {what}: {advice}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long_function(lines: usize) -> Finding {
        Finding {
            item: "X::f".to_owned(),
            number: lines,
            ..Finding::plain(Rule::FunctionLength, "a.rs", 3, format!("{lines} lines"))
        }
    }

    fn ratchet(text: &str) -> Ratchet {
        Ratchet::parse(text).unwrap()
    }

    #[test]
    fn an_exception_covers_its_number_and_no_more() {
        let list = ratchet("[function-length]\n\"a.rs X::f\" = 80\n");
        assert_eq!(list.complaints(&[long_function(80)]), [] as [String; 0]);
        assert_eq!(list.complaints(&[long_function(81)]).len(), 1);
        assert_eq!(Ratchet::default().complaints(&[long_function(80)]).len(), 1);
    }

    #[test]
    fn an_exception_that_is_too_large_or_unneeded_is_refused() {
        let list = ratchet("[function-length]\n\"a.rs X::f\" = 80\n");
        let fell = list.complaints(&[long_function(75)]);
        assert!(
            fell.len() == 1 && fell[0].contains("may fall to 75"),
            "{fell:?}"
        );
        let gone = list.complaints(&[]);
        assert!(
            gone.len() == 1 && gone[0].contains("no longer needed"),
            "{gone:?}"
        );
    }

    #[test]
    fn some_rules_have_no_exceptions() {
        let found = [Finding::plain(
            Rule::Direction,
            "a.toml",
            1,
            "ledger -> app".to_owned(),
        )];
        let list = ratchet("[direction]\n\"a.toml\" = 1\n");
        assert_eq!(list.complaints(&found).len(), 2);
        assert_eq!(ratchet("[taste]\n\"a.rs\" = 1\n").complaints(&[]).len(), 1);
    }

    #[test]
    fn lowering_never_raises_and_drops_the_unneeded() {
        let list =
            ratchet("[file-length]\n\"b.rs\" = 1200\n[function-length]\n\"a.rs X::f\" = 80\n");
        let fallen = list.lowered(&[long_function(75)]);
        assert_eq!(fallen, ratchet("[function-length]\n\"a.rs X::f\" = 75\n"));
        assert_eq!(
            list.lowered(&[long_function(90)]).text().lines().last(),
            Some("\"a.rs X::f\" = 80")
        );
        assert_eq!(ratchet(&fallen.text()), fallen);
    }
}

//! Rules on what lies where: migrations, decision records, the length of ARCHITECTURE.md.

use std::collections::BTreeMap;

use super::tree::{File, Tree};
use super::{Finding, Rule};

/// What one sitting can take in.
const ARCHITECTURE_LINES_MAX: usize = 300;
const DECISIONS: &str = "docs/adr";

/// All rules of this file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(architecture(tree));
    findings.extend(migrations(tree));
    findings.extend(decision_records(tree));
    findings
}

fn architecture(tree: &Tree) -> Option<Finding> {
    let path = "ARCHITECTURE.md";
    let lines = tree.file(path)?.text.lines().count();
    let what = format!("{lines} lines, at most {ARCHITECTURE_LINES_MAX}");
    (lines > ARCHITECTURE_LINES_MAX).then(|| Finding::plain(Rule::Architecture, path, 0, what))
}

fn migrations(tree: &Tree) -> Vec<Finding> {
    let mut folders: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in tree.files_ending(&["sql"]) {
        if file.folder().split('/').any(|part| part == "migrations") {
            folders.entry(file.folder()).or_default().push(file);
        }
    }
    folders
        .values()
        .flat_map(|files| numbered(Rule::Migrations, files))
        .collect()
}

fn decision_records(tree: &Tree) -> Vec<Finding> {
    let index_path = format!("{DECISIONS}/README.md");
    let is_record = |file: &&File| file.folder() == DECISIONS && file.path != index_path;
    let records: Vec<&File> = tree.files_ending(&["md"]).filter(is_record).collect();
    let mut findings = numbered(Rule::DecisionRecords, &records);
    let index = tree.file(&index_path).map_or("", |file| file.text.as_str());
    for record in records {
        if !index.contains(&format!("({})", record.name())) {
            let what = format!("is not linked from {index_path}");
            findings.push(Finding::plain(Rule::DecisionRecords, &record.path, 0, what));
        }
    }
    findings
}

/// `files` must begin with 0001_ or 0001-, 0002, ... in order, each number once.
fn numbered(rule: Rule, files: &[&File]) -> Vec<Finding> {
    let mut names: Vec<&&File> = files.iter().collect();
    names.sort_by_key(|file| file.name());
    let mut findings = Vec::new();
    for (index, file) in names.into_iter().enumerate() {
        let wanted = format!("{:04}", index + 1);
        let is_next = file
            .name()
            .strip_prefix(&wanted)
            .is_some_and(|rest| rest.starts_with(['_', '-']));
        if !is_next {
            let what = format!("{wanted} should come here");
            findings.push(Finding::plain(rule, &file.path, 0, what));
            break;
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(Rule, String)> {
        check(&Tree::of(files))
            .into_iter()
            .map(|one| (one.rule, one.path))
            .collect()
    }

    #[test]
    fn architecture_stays_a_birds_view() {
        assert_eq!(found(&[("ARCHITECTURE.md", &"x\n".repeat(300))]), []);
        assert_eq!(found(&[("ARCHITECTURE.md", &"x\n".repeat(301))]).len(), 1);
    }

    #[test]
    fn migrations_are_numbered_without_gaps() {
        let folder = |names: &[&str]| {
            let paths: Vec<String> = names
                .iter()
                .map(|name| format!("crates/store/migrations/{name}.sql"))
                .collect();
            let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
            found(&files).len()
        };
        assert_eq!(folder(&["0001_journal", "0002_orders"]), 0);
        assert_eq!(folder(&["0002_orders", "0001_journal"]), 0);
        assert_eq!(folder(&["0001_journal", "0003_orders"]), 1);
        assert_eq!(folder(&["0001_journal", "0001_orders"]), 1);
        assert_eq!(folder(&["0000_journal"]), 1);
        assert_eq!(folder(&["1_journal"]), 1);
    }

    #[test]
    fn decision_records_are_numbered_and_listed() {
        let index = ("docs/adr/README.md", "- [One](0001-one.md)\n");
        let one = ("docs/adr/0001-one.md", "");
        assert_eq!(found(&[index, one]), []);
        let unlisted = ("docs/adr/0002-two.md", "");
        let expected = (Rule::DecisionRecords, unlisted.0.to_owned());
        assert_eq!(found(&[index, one, unlisted]), [expected]);
        assert_eq!(found(&[one]).len(), 1);
        let listed = (
            "docs/adr/README.md",
            "[One](0001-one.md) [Three](0003-three.md)",
        );
        assert_eq!(
            found(&[listed, one, ("docs/adr/0003-three.md", "")]).len(),
            1
        );
    }
}

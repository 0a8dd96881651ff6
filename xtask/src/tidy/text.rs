//! Rules on any text file: its length, words of unfinished work, paths of one machine, its name.

use super::code::empty_word;
use super::tree::{File, Tree};
use super::{Finding, Rule};

/// A reader keeps about this much in mind.
const FILE_LINES_MAX: usize = 1_000;
/// Whose length is limited: what is written by hand and read from top to bottom.
const CODE: &[&str] = &["rs", "mjs", "js", "css", "html", "sql", "sh", "py"];
/// Split, so that this file does not find itself.
const MARKERS: &[&str] = &[
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("HA", "CK"),
];
/// Where people and build servers keep their checkouts.
const HOMES: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
];

/// All rules of this file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        findings.extend(length(file));
        findings.extend(lines(file));
        findings.extend(name(file));
    }
    findings
}

fn length(file: &File) -> Option<Finding> {
    let number = file.text.lines().count();
    let is_long = file.is_one_of(CODE) && number > FILE_LINES_MAX;
    is_long.then(|| Finding {
        number,
        ..Finding::plain(
            Rule::FileLength,
            &file.path,
            0,
            format!("{number} lines, at most {FILE_LINES_MAX}"),
        )
    })
}

fn lines(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut found = |rule, what| {
            findings.push(Finding::plain(rule, &file.path, index + 1, what));
        };
        for marker in MARKERS.iter().filter(|marker| has_word(line, marker)) {
            found(Rule::Unfinished, format!("`{marker}`"));
        }
        for home in HOMES.iter().filter(|home| has_path(line, home)) {
            found(Rule::MachinePath, format!("a path below `{home}`"));
        }
    }
    findings
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(start, _)| {
        !line[..start].ends_with(is_part) && !line[start + word.len()..].starts_with(is_part)
    })
}

/// Whether `line` names something below `home`: from the start of a word, unlike a route of a site.
fn has_path(line: &str, home: &str) -> bool {
    let goes_on = |letter: char| letter.is_alphanumeric() || "._-/})>".contains(letter);
    line.match_indices(home).any(|(start, _)| {
        !line[..start].ends_with(goes_on)
            && line[start + home.len()..].starts_with(|letter: char| letter.is_alphanumeric())
    })
}

fn name(file: &File) -> Option<Finding> {
    let word = file.path.split('/').find_map(empty_word)?;
    let what = format!("a file or folder is called `{word}`");
    Some(Finding::plain(Rule::Name, &file.path, 0, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(Rule, usize, usize)> {
        let tree = Tree::of(&[(path, text)]);
        check(&tree)
            .into_iter()
            .map(|one| (one.rule, one.line, one.number))
            .collect()
    }

    #[test]
    fn code_has_at_most_1000_lines() {
        assert_eq!(found("a.rs", &"x\n".repeat(1_000)), []);
        assert_eq!(
            found("a.rs", &"x\n".repeat(1_001)),
            [(Rule::FileLength, 0, 1_001)]
        );
        assert_eq!(found("a.css", &"x\n".repeat(1_001)).len(), 1);
        assert_eq!(found("prefixes.csv", &"x\n".repeat(1_001)), []);
    }

    #[test]
    fn words_of_unfinished_work() {
        for marker in MARKERS {
            let text = format!("fine\n-- {marker}: later");
            assert_eq!(
                found("a.sql", &text),
                [(Rule::Unfinished, 2, 1)],
                "{marker}"
            );
            assert_eq!(
                found("a.sql", &format!("{marker}ED A{marker} {marker}_1")),
                []
            );
        }
    }

    #[test]
    fn paths_of_one_machine() {
        for home in HOMES {
            for text in [format!("at {home}ann/x"), format!("\"{home}x\"")] {
                assert_eq!(found("a.md", &text), [(Rule::MachinePath, 1, 1)], "{text}");
            }
            let fine = format!("https://example.org{home}x {{base}}{home}x the {home} folder");
            assert_eq!(found("a.md", &fine), [], "{fine}");
        }
    }

    #[test]
    fn files_have_names_that_say_something() {
        assert_eq!(found("tests/helpers/a.mjs", ""), [(Rule::Name, 0, 1)]);
        assert_eq!(
            found("crates/web/src/string_utils.rs", ""),
            [(Rule::Name, 0, 1)]
        );
        assert_eq!(found("crates/web/src/utilisation.rs", ""), []);
    }
}

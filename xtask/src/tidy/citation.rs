//! Every `Source:` line names a standard of `docs/specs.toml`.

use toml::{Table, Value};

use super::tree::{File, Tree};
use super::{Finding, Rule};

const SPECS: &str = "docs/specs.toml";
/// What an entry says.
const KEYS: &[&str] = &["cited_as", "version", "title"];
const CITES: &str = "Source:";

/// All rules of this file; nothing to check against without the list.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(list) = tree.file(SPECS) else {
        return Vec::new();
    };
    let specs: Table = match list.text.parse::<Table>() {
        Ok(specs) => specs,
        Err(error) => return vec![Finding::plain(Rule::Syntax, SPECS, 0, error.to_string())],
    };
    let mut findings = Vec::new();
    for (key, spec) in &specs {
        for missing in KEYS
            .iter()
            .filter(|name| spec.get(name).and_then(Value::as_str).is_none())
        {
            findings.push(Finding::plain(
                Rule::Citation,
                SPECS,
                0,
                format!("[{key}] has no {missing}"),
            ));
        }
    }
    let names: Vec<&str> = specs
        .values()
        .filter_map(|spec| spec.get("cited_as")?.as_str())
        .collect();
    for file in tree.files_ending(&["rs"]) {
        findings.extend(citations(file).filter_map(|(line, cited)| {
            let is_listed = names.iter().any(|name| cited.contains(name));
            let what = format!("`{}` is not in {SPECS}", cited.trim());
            (!is_listed).then(|| Finding::plain(Rule::Citation, &file.path, line, what))
        }));
    }
    findings
}

/// What documentation comments cite: the rest of the line, and the next one for a broken line.
fn citations(file: &File) -> impl Iterator<Item = (usize, String)> {
    let lines: Vec<Option<&str>> = file.text.lines().map(documentation).collect();
    let mut cited = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if let Some((before, rest)) = line.and_then(|line| line.split_once(CITES))
            && before.trim().is_empty()
        {
            let next = lines.get(index + 1).copied().flatten().unwrap_or_default();
            cited.push((index + 1, format!("{rest} {next}")));
        }
    }
    cited.into_iter()
}

fn documentation(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("///")
        .or_else(|| line.strip_prefix("//!"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "[totp]\ncited_as = \"RFC 6238\"\nversion = \"2011-05\"\ntitle = \"TOTP\"\n";

    fn found(list: &str, code: &str) -> Vec<usize> {
        let tree = Tree::of(&[(SPECS, list), ("a.rs", code)]);
        check(&tree).into_iter().map(|one| one.line).collect()
    }

    #[test]
    fn only_listed_standards_are_cited() {
        assert_eq!(
            found(LIST, "/// Code.\n///\n/// Source: RFC 6238 §4\nfn f() {}"),
            []
        );
        assert_eq!(
            found(LIST, "//! Source: the second factor of\n//! RFC 6238."),
            []
        );
        assert_eq!(
            found(LIST, "/// Code.\n/// Source: RFC 4226 §5\nfn f() {}"),
            [2]
        );
        assert_eq!(
            found(
                LIST,
                "let source = Source::new();\n/// The source: anything."
            ),
            []
        );
    }

    #[test]
    fn an_entry_says_what_was_read() {
        assert_eq!(found("[totp]\ncited_as = \"RFC 6238\"\n", "").len(), 2);
    }
}

//! `cargo xtask tidy`: the house rules that a program can check.
//!
//! Each rule looks at the whole [`Tree`] and returns [`Finding`]s. A rule with a number (lines of a
//! function, say) may have exceptions in `xtask/ratchet.toml`, whose numbers only fall; the others have
//! none. A new rule is a variant of [`Rule`], a function in one of the modules below, a line in
//! [`findings`] and a test with an example that breaks it.

mod citation;
mod code;
mod layout;
mod manifest;
mod ratchet;
mod text;
mod tree;

use std::process::ExitCode;

use crate::place::Place;
use crate::say;
use ratchet::Ratchet;
use tree::Tree;

/// What may be said after `cargo xtask tidy`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write the numbers that fell into xtask/ratchet.toml, and drop what is no longer needed.
    #[arg(long)]
    lower: bool,
}

/// The rules. Their names are the headings in `xtask/ratchet.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    FileLength,
    FunctionLength,
    Arguments,
    Name,
    Unfinished,
    BareAttribute,
    MachinePath,
    Direction,
    Fence,
    Migrations,
    Architecture,
    DecisionRecords,
    Citation,
    Syntax,
}

impl Rule {
    const ALL: [Self; 14] = [
        Self::FileLength,
        Self::FunctionLength,
        Self::Arguments,
        Self::Name,
        Self::Unfinished,
        Self::BareAttribute,
        Self::MachinePath,
        Self::Direction,
        Self::Fence,
        Self::Migrations,
        Self::Architecture,
        Self::DecisionRecords,
        Self::Citation,
        Self::Syntax,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::FileLength => "file-length",
            Self::FunctionLength => "function-length",
            Self::Arguments => "arguments",
            Self::Name => "name",
            Self::Unfinished => "unfinished",
            Self::BareAttribute => "bare-attribute",
            Self::MachinePath => "machine-path",
            Self::Direction => "direction",
            Self::Fence => "fence",
            Self::Migrations => "migrations",
            Self::Architecture => "architecture",
            Self::DecisionRecords => "decision-records",
            Self::Citation => "citation",
            Self::Syntax => "syntax",
        }
    }

    /// What to do about a finding.
    fn advice(self) -> &'static str {
        match self {
            Self::FileLength => "split it along its ideas into a folder of modules",
            Self::FunctionLength => "name its steps and make them functions",
            Self::Arguments => "group what belongs together into a struct",
            Self::Name => "say what it does or holds; no `get_`, util, helper, manager",
            Self::Unfinished => "finish it, or file an issue and cut the code",
            Self::BareAttribute => "use #[expect(.., reason = \"..\")], or give the reason",
            Self::MachinePath => "take the path from configuration or make it relative",
            Self::Direction => "turn the dependency round: a port in app, or a type in vocab",
            Self::Fence => "only the crate named in xtask/src/direction.rs may use it",
            Self::Migrations => "number them 0001, 0002, ... without gaps; never reuse a number",
            Self::Architecture => "it is a bird's view: move detail next to the code",
            Self::DecisionRecords => "number them without gaps and list each in docs/adr/README.md",
            Self::Citation => "add the standard with the version you read to docs/specs.toml",
            Self::Syntax => "make it parse",
        }
    }

    /// Whether exceptions may be listed: only where a number can fall.
    fn has_ratchet(self) -> bool {
        match self {
            Self::FileLength | Self::FunctionLength | Self::Arguments => true,
            Self::Name
            | Self::Unfinished
            | Self::BareAttribute
            | Self::MachinePath
            | Self::Direction
            | Self::Fence
            | Self::Migrations
            | Self::Architecture
            | Self::DecisionRecords
            | Self::Citation
            | Self::Syntax => false,
        }
    }
}

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    rule: Rule,
    /// File, from the top of the checkout.
    path: String,
    /// From 1; 0 when it is about the whole file.
    line: usize,
    /// What in the file, so that an exception survives its moving about: a function's name or nothing.
    item: String,
    /// How much of it there is, for rules with a limit.
    number: usize,
    what: String,
}

impl Finding {
    /// A breach without a number.
    fn plain(rule: Rule, path: &str, line: usize, what: String) -> Self {
        Self {
            rule,
            path: path.to_owned(),
            line,
            item: String::new(),
            number: 1,
            what,
        }
    }

    /// How `xtask/ratchet.toml` calls it.
    fn key(&self) -> String {
        if self.item.is_empty() {
            self.path.clone()
        } else {
            format!("{} {}", self.path, self.item)
        }
    }
}

/// Every breach in the tree, exceptions included.
fn findings(tree: &Tree) -> Vec<Finding> {
    let mut all = Vec::new();
    all.extend(code::check(tree));
    all.extend(text::check(tree));
    all.extend(manifest::check(tree));
    all.extend(layout::check(tree));
    all.extend(citation::check(tree));
    all
}

/// Prints what is wrong, a line each; the status says whether anything is.
pub(crate) fn run(place: &Place, options: Options) -> anyhow::Result<ExitCode> {
    let tree = Tree::read(&place.root)?;
    let found = findings(&tree);
    if options.lower {
        Ratchet::read(&place.root)?
            .lowered(&found)
            .write(&place.root)?;
    }
    let complaints = Ratchet::read(&place.root)?.complaints(&found);
    for complaint in &complaints {
        println!("{complaint}");
    }
    let files = tree.files().len();
    match complaints.len() {
        0 => say::note(&format!("tidy: {files} files follow the rules")),
        number => say::problem(&format!("tidy: {number} complaints in {files} files")),
    }
    Ok(say::exit_code(complaints.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let place = Place::of_this_workspace().unwrap();
        let found = findings(&Tree::read(&place.root).unwrap());
        let complaints = Ratchet::read(&place.root).unwrap().complaints(&found);
        assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    }
}

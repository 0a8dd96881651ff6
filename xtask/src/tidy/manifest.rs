//! Rules on `Cargo.toml`: who may use whom, checked against the data in `xtask/src/direction.rs`.

use toml::{Table, Value};

use super::tree::{File, Tree};
use super::{Finding, Rule};
use crate::direction::{CLEAN, CRATES, FENCES, REFUSED_FOLDERS};

/// What a released crate is built from.
const SECTIONS: &[&str] = &["dependencies", "build-dependencies"];

/// All rules of this file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files_ending(&["toml"])
        .filter_map(|file| Some((file, crate_folder(file)?)))
        .flat_map(|(file, folder)| check_manifest(file, folder))
        .collect()
}

/// The folder's name for the manifest of one of our crates.
fn crate_folder(file: &File) -> Option<&str> {
    let folder = file.path.strip_suffix("/Cargo.toml")?;
    match folder.strip_prefix("crates/") {
        Some(name) if !name.contains('/') => Some(name),
        Some(_) => None,
        None => (folder == "xtask").then_some(folder),
    }
}

fn check_manifest(file: &File, folder: &str) -> Vec<Finding> {
    let breach = |rule, line, what| Finding::plain(rule, &file.path, line, what);
    if REFUSED_FOLDERS.contains(&folder) {
        return vec![breach(
            Rule::Name,
            0,
            format!("a crate called `{folder}` attracts everything"),
        )];
    }
    let manifest: Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![breach(Rule::Syntax, 0, error.to_string())],
    };
    let Some(may_use) = CRATES.iter().find(|one| one.folder == folder) else {
        let what = format!("`{folder}` is not in xtask/src/direction.rs");
        return vec![breach(Rule::Direction, 0, what)];
    };
    let mut findings = Vec::new();
    for name in dependencies(&manifest) {
        let line = line_of(&file.text, &name);
        if let Some(used) = our_folder(&name) {
            if !may_use.uses.contains(&used) {
                let what = format!("{folder} -> {used} goes against the direction");
                findings.push(breach(Rule::Direction, line, what));
            }
            continue;
        }
        for fence in FENCES
            .iter()
            .filter(|fence| fence.outside.contains(&name.as_str()))
        {
            if !fence.only.contains(&folder) {
                let (about, only) = (fence.about, fence.only.join(", "));
                let what = format!("{folder} uses {name}; {about} belong to {only}");
                findings.push(breach(Rule::Fence, line, what));
            }
        }
        for clean in CLEAN
            .iter()
            .filter(|clean| clean.outside.contains(&name.as_str()))
        {
            if clean.folders.contains(&folder) {
                let what = format!("{folder} uses {name}; it is free of {}", clean.of);
                findings.push(breach(Rule::Fence, line, what));
            }
        }
    }
    findings
}

/// `simurgh-store` is the folder `store`; the binary keeps its name.
fn our_folder(package: &str) -> Option<&str> {
    match package {
        "simurgh" | "xtask" => Some(package),
        _ => package.strip_prefix("simurgh-"),
    }
}

/// The packages that `manifest` names, by their real names, for every platform.
fn dependencies(manifest: &Table) -> Vec<String> {
    let platforms = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(|targets| targets.values().filter_map(Value::as_table));
    std::iter::once(manifest)
        .chain(platforms)
        .flat_map(|table| {
            SECTIONS
                .iter()
                .filter_map(|section| table.get(*section)?.as_table())
        })
        .flatten()
        .map(|(key, value)| {
            let renamed = value.get("package").and_then(Value::as_str);
            renamed.unwrap_or(key).to_owned()
        })
        .collect()
}

fn line_of(text: &str, package: &str) -> usize {
    let names_it = |line: &str| {
        let rest = line.trim_start().strip_prefix(package);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    text.lines().position(names_it).map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(Rule, usize)> {
        let tree = Tree::of(&[(path, text)]);
        check(&tree)
            .into_iter()
            .map(|one| (one.rule, one.line))
            .collect()
    }

    #[test]
    fn dependencies_point_inwards() {
        let direction = |section: &str, folder: &str, used: &str| {
            let text = format!("[{section}]\nsimurgh-{used}.workspace = true\n");
            found(&format!("crates/{folder}/Cargo.toml"), &text)
        };
        let against = [
            ("ledger", "app"),
            ("charging", "commerce"),
            ("app", "store"),
            ("web", "store"),
            ("diameter", "charging"),
            ("charging", "diameter"),
            ("simurgh", "sim"),
        ];
        for (folder, used) in against {
            assert_eq!(
                direction("dependencies", folder, used),
                [(Rule::Direction, 2)],
                "{folder} -> {used}"
            );
        }
        assert_eq!(direction("build-dependencies", "vocab", "web").len(), 1);
        assert_eq!(
            direction("target.'cfg(unix)'.dependencies", "vocab", "web").len(),
            1
        );
        assert_eq!(direction("dev-dependencies", "web", "sim"), []);
        assert_eq!(direction("dependencies", "store", "app"), []);
    }

    #[test]
    fn a_renamed_dependency_keeps_its_direction() {
        let text = "[dependencies]\nshop = { package = \"simurgh-commerce\", path = \"../x\" }\n";
        assert_eq!(found("crates/charging/Cargo.toml", text).len(), 1);
    }

    #[test]
    fn outside_crates_stay_behind_their_fence() {
        let bad = [
            ("app", "rusqlite = \"1\""),
            ("web", "tokio-postgres = \"1\""),
            ("web", "reqwest.workspace = true"),
            ("app", "lettre.workspace = true"),
            ("store", "axum.workspace = true"),
            ("ledger", "serde = { version = \"1\" }"),
            ("commerce", "tokio.workspace = true"),
            ("rsp", "tokio.workspace = true"),
            ("store", "anyhow.workspace = true"),
        ];
        for (folder, line) in bad {
            let text = format!("[dependencies]\n{line}\n");
            let path = format!("crates/{folder}/Cargo.toml");
            assert_eq!(found(&path, &text), [(Rule::Fence, 2)], "{folder}: {line}");
        }
        let good = "[dependencies]\nrusqlite = \"1\"\nserde = \"1\"\n";
        assert_eq!(found("crates/store/Cargo.toml", good), []);
    }

    #[test]
    fn crates_are_known_and_well_named() {
        assert_eq!(
            found("crates/billing/Cargo.toml", ""),
            [(Rule::Direction, 0)]
        );
        assert_eq!(found("crates/common/Cargo.toml", ""), [(Rule::Name, 0)]);
        assert_eq!(
            found("crates/vocab/Cargo.toml", "[dependencies"),
            [(Rule::Syntax, 0)]
        );
        assert_eq!(found("crates/vocab/corpus/Cargo.toml", ""), []);
    }
}

//! The files of the checkout, as the rules see them.

use std::path::Path;

use anyhow::Context;

/// Folders that hold nothing written by hand.
const NOT_OURS: &[&str] = &[".git", "target", "node_modules", "data"];
/// Folders that hold nothing written by hand, by their path from the top.
const NOT_OURS_THERE: &[&str] = &["tests/browser/out"];
/// Written by a program, and full of the words it likes.
const GENERATED: &[&str] = &["Cargo.lock", "fuzz/Cargo.lock"];
/// Larger files are data.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// One text file.
#[derive(Debug)]
pub(super) struct File {
    /// From the top of the checkout, with slashes.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    /// The part of the path after the last slash.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The path without its last part; empty at the top.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Whether the name ends in one of `extensions` after a dot.
    pub(super) fn is_one_of(&self, extensions: &[&str]) -> bool {
        self.name()
            .rsplit_once('.')
            .is_some_and(|(_, extension)| extensions.contains(&extension))
    }
}

/// Every text file, in the order of the paths.
#[derive(Debug)]
pub(super) struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads the checkout at `root`.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        read_folder(root, "", &mut files)?;
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self { files })
    }

    /// A tree for tests of the rules.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        Self {
            files: files.iter().map(file).collect(),
        }
    }

    /// All files.
    pub(super) fn files(&self) -> &[File] {
        &self.files
    }

    /// The file at `path`.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The files whose name ends in one of `extensions` after a dot.
    pub(super) fn files_ending(&self, extensions: &[&str]) -> impl Iterator<Item = &File> {
        self.files
            .iter()
            .filter(move |file| file.is_one_of(extensions))
    }
}

fn read_folder(root: &Path, folder: &str, files: &mut Vec<File>) -> anyhow::Result<()> {
    let here = root.join(folder);
    let entries =
        std::fs::read_dir(&here).with_context(|| format!("cannot read {}", here.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() {
            name.clone()
        } else {
            format!("{folder}/{name}")
        };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let is_ours = !NOT_OURS.contains(&name.as_str())
                && !NOT_OURS_THERE.contains(&path.as_str())
                && !name.starts_with("target-");
            if is_ours {
                read_folder(root, &path, files)?;
            }
        } else if kind.is_file() && !GENERATED.contains(&path.as_str()) {
            files.extend(read_text(&entry, path)?);
        }
    }
    Ok(())
}

/// `None` for data: too large, or not UTF-8.
fn read_text(entry: &std::fs::DirEntry, path: String) -> anyhow::Result<Option<File>> {
    if entry.metadata()?.len() > TEXT_BYTES_MAX {
        return Ok(None);
    }
    Ok(String::from_utf8(std::fs::read(entry.path())?)
        .ok()
        .map(|text| File { path, text }))
}

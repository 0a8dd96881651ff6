//! Lists the Fluent files under `locales/`, so that a page brings its texts by adding a file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=locales");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let mut source = String::new();
    for (constant, folder) in [("ZH_CN", "zh-CN"), ("EN", "en")] {
        let mut entries = String::new();
        for path in fluent_files(&root.join("locales").join(folder))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            write!(entries, "({name:?}, include_str!({path:?})),").map_err(io::Error::other)?;
        }
        writeln!(source, "const {constant}: &[(&str, &str)] = &[{entries}];")
            .map_err(io::Error::other)?;
    }
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("locales.rs"), source)
}

fn fluent_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|ending| ending == "ftl"));
    files.sort();
    Ok(files)
}

//! Where things are: the checkout and its build folder.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The folders every chore works in.
pub(crate) struct Place {
    /// The top of the checkout.
    pub(crate) root: PathBuf,
    /// Cargo's build folder, absolute.
    pub(crate) target: PathBuf,
}

impl Place {
    /// The workspace this program was built from.
    pub(crate) fn of_this_workspace() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask stands inside the workspace")?
            .to_path_buf();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// A folder below the build folder for what a chore leaves behind; made when missing.
    pub(crate) fn work_folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.target.join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    /// The program of `package` as `cargo build` leaves it.
    pub(crate) fn built_program(&self, package: &str) -> PathBuf {
        self.target.join("debug").join(package)
    }
}

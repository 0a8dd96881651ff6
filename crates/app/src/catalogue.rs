//! The catalogue file: reading it, applying it, keeping every version.
//!
//! `catalogue.toml` is reviewed like code and applied with `simurgh catalogue apply FILE`. Each
//! application that changes something stores the whole document as a new version.

mod file;

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use simurgh_commerce::Catalogue;

use crate::ports::{CatalogueDocument, StoreExt, StoreFault, Tx};
use crate::{App, Fault};

pub use file::{CatalogueFileError, parse};

/// The versions read so far; a version never changes, so nothing here grows stale.
pub(crate) type Cache = BTreeMap<u32, Arc<Catalogue>>;

/// What applying a file did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The version in force afterwards.
    pub version: u32,
    /// What differs from the version before, a line each; empty if nothing.
    pub differences: Vec<String>,
}

/// Why a catalogue file was not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The file is no catalogue.
    #[error(transparent)]
    File(#[from] CatalogueFileError),
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreFault> for ApplyError {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl App {
    /// Applies a catalogue file; with `dry_run` only tells what would change.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub async fn apply_catalogue(
        &self,
        body: String,
        applied_by: String,
        dry_run: bool,
    ) -> Result<Applied, ApplyError> {
        let app = self.clone();
        let now = self.now();
        let work = move |tx: &mut dyn Tx| -> Result<Applied, ApplyError> {
            let before = tx.newest_catalogue_version()?;
            let old = before
                .map(|version| app.catalogue_in(tx, version))
                .transpose()?;
            let version = before.unwrap_or(0) + 1;
            let new = parse(&body, version)?;
            let differences = file::differences(old.as_deref(), &new);
            if differences.is_empty() {
                return Ok(Applied {
                    version: version - 1,
                    differences,
                });
            }
            if !dry_run {
                let (body, applied_by) = (body.clone(), applied_by.clone());
                tx.insert_catalogue(&CatalogueDocument {
                    version,
                    body,
                    applied_at: now,
                    applied_by,
                })?;
            }
            Ok(Applied {
                version,
                differences,
            })
        };
        self.store.transact(work).await
    }

    /// The catalogue in force.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn catalogue(&self) -> Result<Arc<Catalogue>, Fault> {
        let app = self.clone();
        self.store
            .snapshot(move |tx| app.current_catalogue(tx))
            .await
    }
}

pub(crate) fn load(
    cache: &RwLock<Cache>,
    tx: &mut dyn Tx,
    version: u32,
) -> Result<Arc<Catalogue>, Fault> {
    let known = cache
        .read()
        .ok()
        .and_then(|cache| cache.get(&version).cloned());
    if let Some(catalogue) = known {
        return Ok(catalogue);
    }
    let document = tx.catalogue_document(version)?;
    let document = document.ok_or_else(|| Fault::Invariant(format!("no catalogue {version}")))?;
    let catalogue = parse(&document.body, version)
        .map_err(|error| Fault::Invariant(format!("catalogue {version} in the store: {error}")))?;
    let catalogue = Arc::new(catalogue);
    if let Ok(mut cache) = cache.write() {
        cache.insert(version, Arc::clone(&catalogue));
    }
    Ok(catalogue)
}

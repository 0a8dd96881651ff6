//! Catalogue documents in the store.

use simurgh_vocab::Timestamp;

use super::StoreFault;

/// A catalogue document as it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueDocument {
    /// Its version.
    pub version: u32,
    /// The document, in the form of `catalogue.toml`.
    pub body: String,
    /// When it was applied.
    pub applied_at: Timestamp,
    /// Who applied it.
    pub applied_by: String,
}

/// Catalogue documents.
pub trait Catalogues {
    /// The version in force; none before the first is applied.
    fn newest_catalogue_version(&mut self) -> Result<Option<u32>, StoreFault>;
    /// A document.
    fn catalogue_document(&mut self, version: u32)
    -> Result<Option<CatalogueDocument>, StoreFault>;
    /// Stores a new version.
    fn insert_catalogue(&mut self, document: &CatalogueDocument) -> Result<(), StoreFault>;
}

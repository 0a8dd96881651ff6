//! Catalogue documents.

use simurgh_app::ports::{CatalogueDocument, Catalogues, StoreFault};

use crate::params;
use crate::rows::read_one;
use crate::tx::StoreTx;

impl Catalogues for StoreTx<'_> {
    fn newest_catalogue_version(&mut self) -> Result<Option<u32>, StoreFault> {
        let sql = "SELECT version FROM catalogue_document ORDER BY version DESC LIMIT 1";
        read_one(self.query_one_or_none(sql, &[])?, |row| row.number())
    }

    fn catalogue_document(
        &mut self,
        version: u32,
    ) -> Result<Option<CatalogueDocument>, StoreFault> {
        let sql = "SELECT version, body, applied_at, applied_by FROM catalogue_document
                   WHERE version = ?1";
        read_one(self.query_one_or_none(sql, &params![version])?, |row| {
            Ok(CatalogueDocument {
                version: row.number()?,
                body: row.text()?,
                applied_at: row.timestamp()?,
                applied_by: row.text()?,
            })
        })
    }

    fn insert_catalogue(&mut self, document: &CatalogueDocument) -> Result<(), StoreFault> {
        let sql = "INSERT INTO catalogue_document (version, body, applied_at, applied_by)
                   VALUES (?1, ?2, ?3, ?4)";
        let CatalogueDocument {
            version,
            body,
            applied_at,
            applied_by,
        } = document;
        self.execute(sql, &params![*version, body, *applied_at, applied_by])?;
        Ok(())
    }
}

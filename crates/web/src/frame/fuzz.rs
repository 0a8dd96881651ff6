//! What the fuzz targets call; nothing else does.

use axum::http::{HeaderMap, Uri};
use simurgh_vocab::Locale;

use super::{gate, language};

/// Whether the gate lets these fields in.
pub(crate) fn fields(octets: &[u8]) -> bool {
    gate::fields(octets).is_ok()
}

/// The language that headers choose.
pub(crate) fn locale(headers: &HeaderMap) -> Locale {
    language::locale(headers, None)
}

/// Where a switch of languages leads.
pub(crate) fn switched(uri: &Uri) -> Option<String> {
    language::switched(uri).map(|(_, target)| target)
}

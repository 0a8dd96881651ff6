//! What the fuzz targets call; nothing else does.

use super::verify::parse;

/// Reads a notification whose signature would hold.
pub fn notification(body: &[u8]) {
    let _ = parse(body, "fuzz");
}

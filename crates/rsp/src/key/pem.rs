//! The text form of keys and certificates (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The text holds no such block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no PEM block of this kind")]
pub struct PemError;

/// The content of the first block with the label, such as `PRIVATE KEY`.
///
/// # Errors
/// [`PemError`] when there is none or it is not well formed.
pub fn read_pem(text: &str, label: &str) -> Result<Zeroizing<Vec<u8>>, PemError> {
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let (_, after) = text.split_once(&begin).ok_or(PemError)?;
    let (body, _) = after.split_once(&end).ok_or(PemError)?;
    let joined: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|c| !c.is_whitespace()).collect());
    STANDARD
        .decode(joined.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| PemError)
}

/// All blocks, with their labels.
///
/// # Errors
/// [`PemError`] when one is not well formed.
pub fn read_all_pem(text: &str) -> Result<Vec<PemBlock>, PemError> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or(PemError)?;
        let end = format!("-----END {label}-----");
        let (body, after) = after.split_once(&end).ok_or(PemError)?;
        let joined: Zeroizing<String> =
            Zeroizing::new(body.chars().filter(|c| !c.is_whitespace()).collect());
        let content = STANDARD.decode(joined.as_bytes()).map_err(|_| PemError)?;
        blocks.push((label.to_owned(), Zeroizing::new(content)));
        rest = after;
    }
    Ok(blocks)
}

/// A label and what is in its block; wiped when dropped.
pub type PemBlock = (String, Zeroizing<Vec<u8>>);

/// A block with the label.
#[must_use]
pub fn write_pem(label: &str, content: &[u8]) -> String {
    let body = Zeroizing::new(STANDARD.encode(content));
    let mut text = format!("-----BEGIN {label}-----\n");
    for (place, char) in body.chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            text.push('\n');
        }
        text.push(char);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

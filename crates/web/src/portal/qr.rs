//! QR codes, drawn as SVG.

use qrcode::{Color, QrCode};

use crate::frame::Refusal;

/// The light frame that scanners want around a code, in modules (ISO/IEC 18004 §6.3.8).
const QUIET_MODULES: usize = 4;

/// A text as a QR code: one path of dark modules, a run of them at a time.
pub(super) fn drawing(text: &str, label: &str) -> Result<String, Refusal> {
    use std::fmt::Write as _;
    let code = QrCode::new(text).map_err(|_| Refusal::Internal)?;
    let width = code.width();
    let side = width + 2 * QUIET_MODULES;
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run.first() == Some(&Color::Dark) {
                let (left, top, long) = (x + QUIET_MODULES, y + QUIET_MODULES, run.len());
                // Writing to a String cannot fail.
                let _ = write!(path, "M{left} {top}h{long}v1h-{long}z");
            }
            x += run.len();
        }
    }
    let label = askama::filters::escape(label, askama::filters::Html);
    let label = label.map_err(|_| Refusal::Internal)?;
    Ok(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{label}\" \
         shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_holds_every_dark_module_once() {
        let text = "otpauth://totp/Simurgh:%2B8613800138000?secret=ABC";
        let code = QrCode::new(text).unwrap();
        let dark = code
            .to_colors()
            .iter()
            .filter(|c| **c == Color::Dark)
            .count();
        let drawing = drawing(text, "a \"code\"").unwrap();
        let path = drawing.split("d=\"").nth(1).unwrap();
        let drawn: usize = path
            .split('h')
            .skip(1)
            .filter_map(|rest| rest.split('v').next()?.parse::<usize>().ok())
            .sum();
        assert_eq!(drawn, dark);
        assert!(!drawing.contains("\"code\""));
    }
}

//! The icons: strokes on a grid of 24, in the colour of the text around them. They stand in the
//! page itself, so that they cost no request and need no script.

/// The names of all icons, for the style guide.
pub(crate) const NAMES: [&str; 29] = [
    "home", "line", "plans", "bill", "help", "person", "card", "mail", "clock", "lock", "check",
    "alert", "info", "search", "next", "back", "copy", "globe", "data", "voice", "sms", "plus",
    "close", "leave", "download", "bell", "refresh", "gift", "shield",
];

/// The icon `name` as SVG, hidden from screen readers: words beside it say the same. Empty for an
/// unknown name (a test compares the templates with `NAMES`).
#[must_use]
pub fn icon(name: &str) -> String {
    let strokes = strokes(name);
    if strokes.is_empty() {
        return String::new();
    }
    format!(r#"<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{strokes}</svg>"#)
}

fn strokes(name: &str) -> &'static str {
    match name {
        "home" => r#"<path d="M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z"/>"#,
        "line" => {
            r#"<path d="M7 3h7l4 4v13a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z"/><path d="M9 12h6v6H9zM9 15h6M12 12v6"/>"#
        }
        "plans" => {
            r#"<path d="M12 3l9 5-9 5-9-5z"/><path d="M3.5 12.5L12 17l8.5-4.5M3.5 16.5L12 21l8.5-4.5"/>"#
        }
        "bill" => r#"<path d="M6 3h12v18l-3-2-3 2-3-2-3 2z"/><path d="M9.5 8h5M9.5 12h5"/>"#,
        "help" => {
            r#"<circle cx="12" cy="12" r="9"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 17v.01"/>"#
        }
        "person" => {
            r#"<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c.8-4 3.8-6 7.5-6s6.7 2 7.5 6"/>"#
        }
        "card" => {
            r#"<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="M3 10h18M7 15h4"/>"#
        }
        "mail" => r#"<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="M4 7l8 6 8-6"/>"#,
        "clock" => r#"<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>"#,
        "lock" => {
            r#"<rect x="5" y="11" width="14" height="10" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>"#
        }
        "check" => r#"<circle cx="12" cy="12" r="9"/><path d="M8 12.3l2.8 2.7L16 9.5"/>"#,
        "alert" => r#"<path d="M12 4l9.5 16h-19z"/><path d="M12 10v4.5M12 17.3v.01"/>"#,
        "info" => r#"<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.7v.01"/>"#,
        "search" => r#"<circle cx="10.5" cy="10.5" r="6.5"/><path d="M15.5 15.5L21 21"/>"#,
        "next" => r#"<path d="M9 5l7 7-7 7"/>"#,
        "back" => r#"<path d="M15 5l-7 7 7 7"/>"#,
        "copy" => {
            r#"<rect x="8" y="8" width="12" height="12" rx="2"/><path d="M5 16H4.5A1.5 1.5 0 0 1 3 14.5v-10A1.5 1.5 0 0 1 4.5 3h10A1.5 1.5 0 0 1 16 4.5V5"/>"#
        }
        "globe" => {
            r#"<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9c-3-3-3.5-6-3.5-9S9 6 12 3z"/>"#
        }
        "data" => r#"<path d="M8 20V5M4 9l4-4 4 4M16 4v15M12 15l4 4 4-4"/>"#,
        "voice" => {
            r#"<path d="M5 4h3.5l1.8 4.5-2.3 1.5a11 11 0 0 0 6 6l1.5-2.3L20 15.5V19a1.5 1.5 0 0 1-1.5 1.5C10.5 20.5 3.5 13.5 3.5 5.5A1.5 1.5 0 0 1 5 4z"/>"#
        }
        "sms" => {
            r#"<path d="M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z"/><path d="M8 10.5v.01M12 10.5v.01M16 10.5v.01"/>"#
        }
        "plus" => r#"<path d="M12 5v14M5 12h14"/>"#,
        "close" => r#"<path d="M6 6l12 12M18 6L6 18"/>"#,
        "leave" => r#"<path d="M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 8l4 4-4 4M9 12h10"/>"#,
        "download" => r#"<path d="M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4 20h16"/>"#,
        "bell" => r#"<path d="M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 21h4"/>"#,
        "refresh" => r#"<path d="M19.5 9A8 8 0 1 0 20 13M20 4v5h-5"/>"#,
        "gift" => {
            r#"<path d="M4 12v8h16v-8M3 8h18v4H3zM12 8v12M12 8C9 8 7 7 7 5.5S9 3 12 8c3-5 5-4 5-2.5S15 8 12 8z"/>"#
        }
        "shield" => {
            r#"<path d="M12 3l8 3v5c0 5-3.5 8.5-8 10-4.5-1.5-8-5-8-10V6z"/><path d="M8.5 12l2.5 2.5 4.5-5"/>"#
        }
        _ => "",
    }
}

//! Pages as HTML. Everything from outside goes through [`escape`].

use simurgh_vocab::Locale;

/// One of two texts.
pub(crate) const fn say(locale: Locale, zh: &'static str, en: &'static str) -> &'static str {
    match locale {
        Locale::ZhCn => zh,
        Locale::En => en,
    }
}

/// A whole page. `banner` says that nothing is real; `class` chooses the accent.
pub(crate) fn page(
    locale: Locale,
    (title, banner): (&str, &str),
    class: &str,
    main: &str,
) -> String {
    format!(
        "<!doctype html><html lang=\"{locale}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title} · {sandbox}</title><link rel=\"stylesheet\" href=\"/style.css\"></head>\
         <body class=\"{class}\"><header class=\"banner\">{banner}</header>{main}</body></html>",
        sandbox = say(locale, "沙箱", "sandbox"),
    )
}

/// The head of a page over a book: the title and the link to the other language.
pub(crate) fn book_head(locale: Locale, title: &str) -> String {
    let other = match locale {
        Locale::ZhCn => "<a href=\"/?lang=en\" lang=\"en\">English</a>",
        Locale::En => "<a href=\"/?lang=zh-CN\" lang=\"zh-CN\">中文</a>",
    };
    format!("<header><h1>{title}</h1>{other}</header>")
}

/// The link that leaves the sandbox.
pub(crate) fn back(return_url: &str, label: &str) -> String {
    format!(
        "<p><a class=\"back\" href=\"{}\">{label}</a></p>",
        escape(return_url)
    )
}

/// A list to choose from.
pub(crate) fn select(
    name: &str,
    options: impl Iterator<Item = (&'static str, &'static str)>,
    chosen: &str,
) -> String {
    let options: String = options
        .map(|(code, label)| {
            let selected = if code == chosen { " selected" } else { "" };
            format!("<option value=\"{code}\"{selected}>{label}</option>")
        })
        .collect();
    format!("<select name=\"{name}\">{options}</select>")
}

/// Text as it may stand in HTML, between tags and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

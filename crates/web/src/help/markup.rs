//! The markup of help articles, a few signs for plain texts. Everything is escaped first: an article
//! can hold no HTML, and a link leads only to this site, to an e-mail address or a telephone number.

use std::fmt::Write as _;

use crate::frame::icon;

/// Renders an article. Blocks stand apart by an empty line: `## ` heading, `- ` list, `1. ` steps,
/// `! ` notice, else a paragraph. Inside them `**strong**` and `[words](/path)`.
pub(super) fn render(source: &str) -> String {
    let mut html = String::with_capacity(source.len() * 2);
    for block in source.split("\n\n") {
        let block = block.trim();
        if !block.is_empty() {
            render_block(block, &mut html);
        }
    }
    html
}

fn render_block(block: &str, html: &mut String) {
    if let Some(heading) = block.strip_prefix("## ") {
        push(html, "<h2>", heading, "</h2>");
    } else if let Some(notice) = block.strip_prefix("! ") {
        html.push_str("<div class=\"notice warning\" role=\"note\">");
        html.push_str(&icon("alert"));
        push(html, "<p>", notice, "</p></div>");
    } else if block.starts_with("- ") {
        list(block, "ul", html);
    } else if step(block).is_some() {
        list(block, "ol", html);
    } else {
        push(html, "<p>", block, "</p>");
    }
}

fn list(block: &str, tag: &str, html: &mut String) {
    let _ = write!(html, "<{tag}>");
    for line in block.lines() {
        let item = line.strip_prefix("- ").or_else(|| step(line));
        push(html, "<li>", item.unwrap_or(line), "</li>");
    }
    let _ = write!(html, "</{tag}>");
}

/// What follows `1. ` at the start of a line.
fn step(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(". ")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(rest)
}

fn push(html: &mut String, open: &str, text: &str, close: &str) {
    html.push_str(open);
    inline(text, html);
    html.push_str(close);
}

/// Text with strong words and links.
fn inline(text: &str, html: &mut String) {
    let mut rest = text;
    loop {
        let strong = rest.find("**");
        let link = rest.find('[');
        let Some(start) = strong.into_iter().chain(link).min() else {
            return escape(rest, html);
        };
        let (before, sign) = rest.split_at(start);
        escape(before, html);
        rest = match marked(sign) {
            Some((piece, after)) => {
                html.push_str(&piece);
                after
            }
            // A sign without its partner is only a character.
            None => {
                let (character, after) = sign.split_at(1);
                escape(character, html);
                after
            }
        };
    }
}

/// The strong words or the link that `text` begins with, and what follows.
fn marked(text: &str) -> Option<(String, &str)> {
    if let Some(inner) = text.strip_prefix("**") {
        let (words, after) = inner.split_once("**")?;
        let mut piece = String::from("<strong>");
        escape(words, &mut piece);
        piece.push_str("</strong>");
        return Some((piece, after));
    }
    let (words, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (target, after) = rest.split_once(')')?;
    let local = target.starts_with('/') && !target.starts_with("//");
    if !local && !target.starts_with("mailto:") && !target.starts_with("tel:") {
        return None;
    }
    let mut piece = String::from("<a href=\"");
    escape(target, &mut piece);
    piece.push_str("\">");
    escape(words, &mut piece);
    piece.push_str("</a>");
    Some((piece, after))
}

fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signs_become_html_and_nothing_else_does() {
        for (source, html) in [
            ("## A & B", "<h2>A &amp; B</h2>"),
            (
                "- a\n- **b**: c",
                "<ul><li>a</li><li><strong>b</strong>: c</li></ul>",
            ),
            ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
            (
                "see [help](/help/x).",
                "<p>see <a href=\"/help/x\">help</a>.</p>",
            ),
            ("<b onload=x>", "<p>&lt;b onload=x&gt;</p>"),
            ("[x](javascript:y)", "<p>[x](javascript:y)</p>"),
            ("[x](//evil.example)", "<p>[x](//evil.example)</p>"),
            (
                "[x](/\"><script>)",
                "<p><a href=\"/&quot;&gt;&lt;script&gt;\">x</a></p>",
            ),
            ("dial *#06# or ** [", "<p>dial *#06# or ** [</p>"),
        ] {
            assert_eq!(render(source), html);
        }
    }
}

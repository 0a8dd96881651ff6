//! What a page weighs: the page, and every file it names.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::load::Connection;

/// The octets that go over the wire, heads included, until the page `path` is shown.
///
/// # Errors
/// What the server says; a file on another machine.
pub(crate) async fn octets(server: SocketAddr, path: &str) -> Result<usize, String> {
    let mut connection = Connection::open(server).await?;
    let page = connection.ask(path, "").await?;
    let mut sum = page.head.len() + page.body.len();
    let html = String::from_utf8_lossy(&page.body).into_owned();
    let mut waiting = named(&html);
    let mut seen = BTreeSet::new();
    while let Some(file) = waiting.pop() {
        if file.starts_with("data:") || file.starts_with('#') || !seen.insert(file.clone()) {
            continue;
        }
        if !file.starts_with('/') || file.starts_with("//") {
            return Err(format!("{path} asks somebody else for {file}"));
        }
        let answer = connection.ask(&file, "").await?;
        sum += answer.head.len() + answer.body.len();
        if answer.head.contains("content-type: text/css") {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            waiting.extend(between(&text, "url(", ")"));
            waiting.extend(between(&text, "@import \"", "\""));
        }
    }
    Ok(sum)
}

/// The files that a browser loads with a page: what `src` names, and the `href` of links in its
/// head (not of `<a>`, which leads away from it).
fn named(html: &str) -> Vec<String> {
    let mut files = between(html, " src=\"", "\"");
    for link in between(html, "<link ", ">") {
        // Only says where the same page is in another language.
        if !link.contains("rel=\"alternate\"") && !link.contains("rel=\"canonical\"") {
            files.extend(between(&link, "href=\"", "\""));
        }
    }
    files
}

fn between(text: &str, begin: &str, end: &str) -> Vec<String> {
    text.split(begin)
        .skip(1)
        .filter_map(|rest| rest.split(end).next())
        .map(|found| found.trim_matches(['"', '\'']).to_owned())
        .collect()
}

//! The files a page needs: style sheets, the script, icons. They are part of the program and are
//! served under an address that holds their hash, so that a browser never asks twice.

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{FromRef, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use simurgh_vocab::Locale;

use crate::brand::Brand;
use crate::frame::{Frames, Page, Refusal};

/// How long a browser keeps a file whose address holds its hash.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For addresses that stay the same while their content changes.
const ASK_EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");

/// The bird as it stands in the header, in the colour of the accent.
pub(crate) const BIRD: &str = include_str!("../assets/bird.svg");

/// One file.
#[derive(Debug)]
struct Asset {
    name: &'static str,
    kind: &'static str,
    body: Vec<u8>,
    url: String,
}

/// Every file a page needs, with its address.
#[derive(Debug)]
pub struct Assets {
    files: Vec<Asset>,
    worker: String,
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";

impl Assets {
    /// Takes the files into memory and computes their addresses.
    #[must_use]
    pub fn new(brand: &Brand) -> Self {
        let logo = brand.logo_svg.clone().unwrap_or_else(|| BIRD.to_owned());
        let files = vec![
            style("app.css", include_str!("../assets/app.css")),
            asset("brand.css", CSS, brand.accent.style_sheet().into_bytes()),
            style("console.css", include_str!("../assets/console.css")),
            style("design.css", include_str!("../assets/design.css")),
            asset("app.js", JS, include_bytes!("../assets/app.js").to_vec()),
            asset("logo.svg", SVG, logo.into_bytes()),
            asset("icon.svg", SVG, recoloured(brand).into_bytes()),
            asset(
                "icon-180.png",
                PNG,
                include_bytes!("../assets/icon-180.png").to_vec(),
            ),
            asset(
                "maskable-512.png",
                PNG,
                include_bytes!("../assets/maskable-512.png").to_vec(),
            ),
        ];
        let worker = worker(&files);
        Self { files, worker }
    }

    /// The address of the file `name`; empty when there is none (a test checks the templates).
    #[must_use]
    pub fn url(&self, name: &str) -> &str {
        self.files
            .iter()
            .find(|file| file.name == name)
            .map_or("", |file| file.url.as_str())
    }

    /// How many octets the file `name` has.
    #[must_use]
    pub fn size_octets(&self, name: &str) -> Option<usize> {
        let file = self.files.iter().find(|file| file.name == name)?;
        Some(file.body.len())
    }
}

/// Routes for `/assets`, the manifest and the service worker.
pub(crate) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Frames: FromRef<S>,
{
    Router::new()
        .route("/assets/{hash}/{name}", get(file))
        .route("/manifest.webmanifest", get(manifest))
        .route("/sw.js", get(service_worker))
        .route("/favicon.ico", get(favicon))
}

async fn file(
    State(frames): State<Frames>,
    Path((hash, name)): Path<(String, String)>,
) -> Response {
    let Some(file) = frames.assets.files.iter().find(|file| file.name == name) else {
        return Refusal::NotFound.into_response();
    };
    // A page that an older node rendered may ask for an older hash while nodes are replaced: it
    // gets the file of today, but must not keep it under that address.
    let known = file.url.split('/').nth(2) == Some(hash.as_str());
    let cache = if known { FOR_EVER } else { ASK_EACH_TIME };
    let kind = HeaderValue::from_static(file.kind);
    (
        [(CONTENT_TYPE, kind), (CACHE_CONTROL, cache)],
        file.body.clone(),
    )
        .into_response()
}

async fn favicon(State(frames): State<Frames>) -> Response {
    let body = frames.assets.files.iter().find(|f| f.name == "icon.svg");
    let body = body.map(|file| file.body.clone()).unwrap_or_default();
    let kind = HeaderValue::from_static(SVG);
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, ASK_EACH_TIME)], body).into_response()
}

async fn service_worker(State(frames): State<Frames>) -> Response {
    let headers: [(HeaderName, HeaderValue); 2] = [
        (CONTENT_TYPE, HeaderValue::from_static(JS)),
        (CACHE_CONTROL, ASK_EACH_TIME),
    ];
    (headers, frames.assets.worker.clone()).into_response()
}

/// Source: W3C Web Application Manifest.
async fn manifest(State(frames): State<Frames>, page: Page) -> Response {
    let Brand { name, accent, .. } = frames.brand.as_ref();
    let assets = &frames.assets;
    let body = json!({
        "id": "/",
        "name": name,
        "short_name": name,
        "description": page.t.msg("manifest-description"),
        "lang": match page.t.locale() { Locale::ZhCn => "zh-CN", Locale::En => "en" },
        "start_url": "/line",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f5f3ee",
        "theme_color": accent.light().to_string(),
        "icons": [
            {"src": assets.url("icon.svg"), "sizes": "any", "type": SVG, "purpose": "any"},
            {"src": assets.url("maskable-512.png"), "sizes": "512x512", "type": PNG, "purpose": "maskable"},
            {"src": assets.url("icon-180.png"), "sizes": "180x180", "type": PNG, "purpose": "any"},
        ],
    });
    let kind = HeaderValue::from_static("application/manifest+json");
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, ASK_EACH_TIME)];
    (headers, Json(body)).into_response()
}

fn asset(name: &'static str, kind: &'static str, body: Vec<u8>) -> Asset {
    let url = format!("/assets/{}/{name}", short_hash(&body));
    Asset {
        name,
        kind,
        body,
        url,
    }
}

/// What is written for people, and what browsers read the same.
const SPACES: [(&str, &str); 6] = [
    (" {", "{"),
    ("{ ", "{"),
    (": ", ":"),
    ("; ", ";"),
    (", ", ","),
    (" }", "}"),
];

/// A style sheet without comments, indentation and spaces that say nothing.
fn style(name: &'static str, source: &str) -> Asset {
    let mut body = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, comment)) = rest.split_once("/*") {
        push_lines(before, &mut body);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    push_lines(rest, &mut body);
    asset(name, CSS, body.into_bytes())
}

fn push_lines(source: &str, body: &mut String) {
    for line in source.lines().map(str::trim) {
        let tight = SPACES.iter().fold(line.to_owned(), |text, (loose, tight)| {
            text.replace(loose, tight)
        });
        body.push_str(&tight);
        // A value that goes on in the next line keeps its space.
        if !line.is_empty() && !line.ends_with(['{', '}', ';', ',']) {
            body.push(' ');
        }
    }
}

/// The first eight octets of SHA-256 in hexadecimal digits: enough to tell versions apart.
fn short_hash(body: &[u8]) -> String {
    let hash = digest(&SHA256, body);
    hash.as_ref()
        .iter()
        .take(8)
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

/// The worker with the addresses of the shell in it, and a version that changes with them.
fn worker(files: &[Asset]) -> String {
    let shell = ["app.css", "brand.css", "app.js", "logo.svg", "icon.svg"];
    let urls: Vec<&str> = files
        .iter()
        .filter(|file| shell.contains(&file.name))
        .map(|file| file.url.as_str())
        .collect();
    let version = short_hash(urls.concat().as_bytes());
    include_str!("../assets/sw.js")
        .replace("__VERSION__", &version)
        .replace("__SHELL__", &json!(urls).to_string())
}

/// The icon of the tab, on the brand's accent.
fn recoloured(brand: &Brand) -> String {
    include_str!("../assets/icon.svg").replace("#0b6467", &brand.accent.light().to_string())
}

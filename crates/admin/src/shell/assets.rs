//! The files of the pages, as they were built: part of the program.

use std::fmt::Write as _;
use std::sync::OnceLock;

use http::header::{self, HeaderMap};
use http::{HeaderValue, Response, StatusCode};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use crate::core::reply::{self, Body};

/// What `npm run build` made of `web`; kept in the repository, so that nobody needs npm to build Gatehouse.
#[derive(RustEmbed)]
#[folder = "dist"]
#[allow_missing = true]
struct Built;

/// The style of the pages without script.
const PLAIN: &str = include_str!("../plain.css");

/// Its path; a checksum of its content stands in it, so that a browser may keep it for good.
pub(crate) fn plain_style() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let sum = Sha256::digest(PLAIN);
        let start = sum.iter().take(8).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        format!("/assets/plain-{start}.css")
    })
}

/// The file of that name, if there is one.
pub(crate) fn file(name: &str, asked: &HeaderMap) -> Option<Response<Body>> {
    if plain_style().strip_prefix("/assets/") == Some(name) {
        let mut response = reply::text(StatusCode::OK, "text/css; charset=utf-8", PLAIN);
        keep(&mut response);
        return Some(response);
    }
    // The page itself is no asset: it must never be kept.
    let kind = match name.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => return built(name, "text/plain; charset=utf-8", asked),
        _ => return None,
    };
    let mut response = built(name, kind, asked)?;
    keep(&mut response);
    Some(response)
}

/// The one page of the app; none where the program was built without it.
pub(crate) fn app(asked: &HeaderMap) -> Option<Response<Body>> {
    built("index.html", "text/html; charset=utf-8", asked)
}

fn built(name: &str, kind: &'static str, asked: &HeaderMap) -> Option<Response<Body>> {
    let small = takes_brotli(asked)
        .then(|| Built::get(&format!("{name}.br")))
        .flatten();
    let is_small = small.is_some();
    let file = small.or_else(|| Built::get(name))?;
    let mut response = reply::text(StatusCode::OK, kind, file.data.into_owned());
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_small {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    Some(response)
}

fn takes_brotli(asked: &HeaderMap) -> bool {
    let all = asked.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','));
    codings.any(|coding| coding.trim().eq_ignore_ascii_case("br"))
}

/// Its name changes with its content.
fn keep(response: &mut Response<Body>) {
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, forever);
}

//! What all pages share: one HTML file that needs nothing else, and reaches for nothing else.
//!
//! Law. The content security policy forbids every request. It allows one inline style sheet, and the one script that
//! bears the page's own mark: the mark is a digest of all that the page says, so that nothing that a page says can bear it.
//! Without the script a page is whole; with it a reader can look closer ([`SCRIPT`]). Light, dark, phone and paper are told
//! apart by the style sheet alone.

use crate::report::text;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = concat!(include_str!("style.css"), include_str!("script/style.css"));

/// Charts that can be zoomed and read, and tables that can be sorted and filtered.
pub const SCRIPT: &str = concat!(
    include_str!("script/words.js"),
    include_str!("script/drawing.js"),
    include_str!("script/charts.js"),
    include_str!("script/tables.js"),
);

/// A page: what is told of it, and what it tells.
pub struct Page<'a> {
    /// What kind of page it is: `simulation report`.
    pub kind: &'a str,
    /// Made visible already.
    pub title: String,
    pub about: &'a str,
    /// eventflow's version.
    pub version: &'a str,
    pub main: Markup,
    /// What intervals and claims rest on.
    pub foot: Markup,
}

impl Page<'_> {
    pub fn render(self) -> String {
        let Self { kind, title, about, version, main, foot } = self;
        let body = html! {
            header {
                p.kind { "eventflow · " (kind) }
                h1 { (title) }
                @if !about.trim().is_empty() { p.about { (text::prose(about)) } }
            }
            main { (main) }
            footer { p { (foot) } }
        };
        let mark = mark(&body);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy(&mark));
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content={ "eventflow " (text::name(version)) };
                    title { (title) " · " (kind) " · eventflow" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (body)
                    script nonce=(mark) { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }
}

/// Whoever knew the mark of a page before it is written could have written a name that bears it: that would take a text
/// that holds its own digest.
fn mark(body: &Markup) -> String {
    blake3::hash(body.0.as_bytes()).to_hex()[..32].to_owned()
}

/// Nothing may be fetched, framed or sent, and nothing run but what bears the mark. Inline styles are allowed for the style
/// sheet of the page itself; they can fetch nothing either.
fn policy(mark: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{mark}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )
}

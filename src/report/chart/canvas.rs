//! From plotters' SVG to the page's.
//!
//! plotters writes each colour as six hexadecimal digits and each place as a whole pixel. A chart is
//! therefore drawn at four times its size, for smooth lines, in marker colours that stand for roles;
//! [`finish`] turns the markers into classes (`stroke="#EF0003"` becomes `class="s3"`), so that the
//! stylesheet decides what a role looks like in light, in dark and on paper.

use crate::report::text;
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};

/// Steps of plotters' grid to a pixel of the page.
pub const SUBPIXELS: i32 = 4;

/// Size of letters on charts, in pixels.
pub const LETTER: f64 = 12.0;

/// What a stroke or an area stands for; the stylesheet has a class for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Series(usize),
    /// The interval around the series with this number, and a single place of it.
    Around(usize),
    Dot(usize),
    /// The step of this number on a scale of colours.
    Heat(usize),
    /// Of the fault with this number; bands beyond the named ones share the last.
    Band(usize),
    /// The bar above the plot that tells when a band begins and ends.
    BandEdge(usize),
    /// Time before the measured phase.
    WarmUp,
    Grid,
    Axis,
    /// Letters: of ticks, and of titles and names.
    Tick,
    Label,
    /// Lines and letters whose place depends on the horizontal axis.
    GridAcross,
    TickAcross,
    LabelAcross,
    /// What a bar fills when it is full, its own area, and its interval.
    Track,
    Bar,
    Whisker,
}

/// How many steps a scale of colours has.
pub const HEATS: usize = 8;

/// How many classes of bands there are.
pub const BANDS: usize = 4;

impl Ink {
    /// Every role with its class.
    fn all() -> impl Iterator<Item = (Ink, String)> {
        let series = (0..super::MOST_SERIES).map(|i| (Ink::Series(i), format!("s{i}")));
        let around = (0..super::MOST_SERIES).map(|i| (Ink::Around(i), format!("a{i}")));
        let dots = (0..super::MOST_SERIES).map(|i| (Ink::Dot(i), format!("d{i}")));
        let heats = (0..HEATS).map(|i| (Ink::Heat(i), format!("h{i}")));
        let bands = (0..BANDS).map(|i| (Ink::Band(i), format!("b{i}")));
        let edges = (0..BANDS).map(|i| (Ink::BandEdge(i), format!("e{i}")));
        let rest = [
            (Ink::WarmUp, "warm"),
            (Ink::Grid, "grid"),
            (Ink::Axis, "axis"),
            (Ink::Tick, "tick"),
            (Ink::Label, "label"),
            (Ink::GridAcross, "grid across"),
            (Ink::TickAcross, "tick across"),
            (Ink::LabelAcross, "label across"),
            (Ink::Track, "track"),
            (Ink::Bar, "bar"),
            (Ink::Whisker, "whisker"),
        ];
        let series = series.chain(around).chain(dots).chain(heats);
        series.chain(bands).chain(edges).chain(rest.map(|(ink, class)| (ink, class.to_owned())))
    }

    /// The colour that stands for this role until [`finish`].
    fn marker(self) -> RGBColor {
        let (group, number) = match self {
            Ink::Series(i) => (0, i),
            Ink::Band(i) => (1, i.min(BANDS - 1)),
            Ink::BandEdge(i) => (2, i.min(BANDS - 1)),
            Ink::WarmUp => (3, 0),
            Ink::Grid => (4, 0),
            Ink::Axis => (5, 0),
            Ink::Tick => (6, 0),
            Ink::Label => (7, 0),
            Ink::Track => (8, 0),
            Ink::Bar => (9, 0),
            Ink::Whisker => (10, 0),
            Ink::Around(i) => (11, i),
            Ink::Dot(i) => (12, i),
            Ink::Heat(i) => (13, i),
            Ink::GridAcross => (14, 0),
            Ink::TickAcross => (15, 0),
            Ink::LabelAcross => (16, 0),
        };
        RGBColor(0xef, group, number as u8)
    }

    /// The class that stands for this role in the stylesheet.
    pub fn class(self) -> String {
        let marker = self.marker();
        let found = Self::all().find(|(ink, _)| ink.marker() == marker);
        found.map(|(_, class)| class).expect("every role has a class")
    }

    /// For a line of this width in pixels.
    pub fn line(self, width: f64) -> ShapeStyle {
        self.marker().stroke_width((width * f64::from(SUBPIXELS)) as u32)
    }

    /// For an area.
    pub fn area(self) -> ShapeStyle {
        self.marker().filled()
    }

    /// For letters.
    pub fn letters(self) -> TextStyle<'static> {
        // plotters takes a size for the line's height, and divides by this for the letters'.
        const LINE_HEIGHT: f64 = 1.24;
        let size = LETTER * LINE_HEIGHT * f64::from(SUBPIXELS);
        let mut style = TextStyle::from(("sans-serif", size).into_font());
        style.color = self.marker().to_backend_color();
        style
    }
}

/// What the reader of an SVG element is told about it.
pub struct Caption<'a> {
    /// `id` of the element; those of its title and description begin with it.
    pub id: String,
    pub title: &'a str,
    pub summary: &'a str,
}

/// A pixel of the page on plotters' grid.
pub fn grid(pixels: f64) -> i32 {
    (pixels * f64::from(SUBPIXELS)).round() as i32
}

/// What plotters wrote, with classes for colours, a caption, and a view box of `width` × `height` pixels.
pub fn finish(drawn: &str, width: f64, height: f64, class: &str, caption: &Caption) -> String {
    let body = drawn.split_once('>').map_or("", |(_, body)| body);
    let mut svg = body.replace(" opacity=\"1\"", "").replace(" font-family=\"sans-serif\"", "");
    for (ink, class) in Ink::all() {
        let RGBColor(r, g, b) = ink.marker();
        for property in ["stroke", "fill"] {
            let marker = format!("{property}=\"#{r:02X}{g:02X}{b:02X}\"");
            svg = svg.replace(&marker, &format!("class=\"{class}\""));
        }
    }
    let view = format!("{} {}", grid(width), grid(height));
    open(&view, width, height, class, caption) + &svg
}

/// The opening tag of an SVG element with its title and description.
pub fn open(view: &str, width: f64, height: f64, class: &str, caption: &Caption) -> String {
    let Caption { id, title, summary } = caption;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"{id}\" class=\"{class}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {view}\">\n<title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n",
        escaped(title),
        escaped(summary)
    )
}

/// Text for the content or an attribute of an element: characters that act spelt out, markup escaped.
pub fn escaped(text: &str) -> String {
    let visible = text::visible(text);
    visible.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_become_classes_and_every_role_has_its_own() {
        let mut markers: Vec<RGBColor> = Ink::all().map(|(ink, _)| ink.marker()).collect();
        let all = markers.len();
        markers.sort_by_key(|RGBColor(r, g, b)| (*r, *g, *b));
        markers.dedup();
        assert_eq!(markers.len(), all);

        let caption = Caption { id: "x".into(), title: "a < b", summary: "\u{202e}" };
        let svg =
            finish("<svg>\n<line opacity=\"1\" stroke=\"#EF0003\"/></svg>", 10.0, 5.0, "wide", &caption);
        assert!(svg.contains("<line class=\"s3\"/></svg>"), "{svg}");
        assert!(svg.contains("viewBox=\"0 0 40 20\""), "{svg}");
        assert!(svg.contains(">a &lt; b</title>") && svg.contains(">\\u{202e}</desc>"), "{svg}");
    }
}

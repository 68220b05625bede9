//! Shares with their intervals, as bars: utilization, extents of reordering.
//!
//! The name stands above its bar, so that a long one has room on a phone too.

use super::canvas::{Caption, Ink, LETTER, finish, grid};
use super::frame::Format;
use super::{Chart, DataTable, Panel, largest, not_shown};
use crate::experiment::results::Estimate;
use crate::report::figure::{Quantity, figure};
use crate::report::text::{fitted_to_pixels, width_in_pixels};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// One bar: a share from 0 to 1.
pub struct Bar {
    pub name: String,
    pub share: Estimate,
}

const ROW_HEIGHT: f64 = 38.0;
const TOP: f64 = 4.0;
const AXIS_HEIGHT: f64 = 24.0;
const SIDE: f64 = 22.0;

/// Draws the bars that have a mean; `what` they belong to: `services`; `nothing` says why none has one.
pub fn bars(id: &str, title: &str, what: &str, nothing: &str, all: &[Bar]) -> Panel {
    let drawn: Vec<&Bar> = all.iter().filter(|bar| bar.share.mean.is_some_and(f64::is_finite)).collect();
    if drawn.is_empty() {
        return Panel::Blank { title: title.to_owned(), why: nothing.to_owned() };
    }
    let sizes: Vec<f64> = drawn.iter().filter_map(|bar| bar.share.mean).collect();
    let shown: Vec<&Bar> = largest(&sizes).into_iter().map(|i| drawn[i]).collect();
    let summary = summary(title, &shown);
    let [wide, narrow] = Format::BOTH.map(|format| draw(&shown, format, id, title, &summary));
    let mut notes = Vec::new();
    notes.extend(not_shown(drawn.len(), shown.len(), what));
    if shown.iter().any(|bar| bar.share.half_width.is_some()) {
        notes.push("The bracket on a bar is its confidence interval.".to_owned());
    }
    let row = |bar: &&Bar| {
        let figure = figure(&bar.share, Quantity::Share);
        let half_width = figure.half_width.map_or("no interval".to_owned(), |h| format!("± {h} %"));
        vec![bar.name.clone(), format!("{} %", figure.value), half_width]
    };
    let head = ["name", "mean", "± half-width"].map(str::to_owned).to_vec();
    let table = DataTable { head, rows: shown.iter().map(row).collect() };
    Panel::Drawn(Box::new(Chart {
        id: id.to_owned(),
        title: title.to_owned(),
        summary,
        wide,
        narrow,
        live: None,
        legend: Vec::new(),
        notes,
        table,
        broad: false,
    }))
}

fn summary(title: &str, shown: &[&Bar]) -> String {
    let told = shown.iter().map(|bar| format!("{} {}", bar.name, figure(&bar.share, Quantity::Share)));
    format!("{title}: {}.", told.collect::<Vec<_>>().join("; "))
}

fn draw(shown: &[&Bar], format: Format, id: &str, title: &str, summary: &str) -> String {
    let height = TOP + shown.len() as f64 * ROW_HEIGHT + AXIS_HEIGHT;
    let mut drawn = String::new();
    {
        let size = (grid(format.width()) as u32, grid(height) as u32);
        let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
        draw_on(&area, shown, format.width()).expect("writing to a string cannot fail");
        area.present().expect("writing to a string cannot fail");
    }
    let caption = Caption { id: format!("{id}-{}", format.class()), title, summary };
    finish(&drawn, format.width(), height, format.class(), &caption)
}

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

fn draw_on(area: &DrawingArea<SVGBackend, Shift>, shown: &[&Bar], width: f64) -> Drawn {
    let x = |share: f64| grid(SIDE + share.clamp(0.0, 1.0) * (width - 2.0 * SIDE));
    let bottom = TOP + shown.len() as f64 * ROW_HEIGHT;
    for (i, bar) in shown.iter().enumerate() {
        let top = TOP + i as f64 * ROW_HEIGHT;
        draw_words(area, bar, top, width)?;
        let (upper, lower) = (grid(top + 20.0), grid(top + 32.0));
        let mean = bar.share.mean.unwrap_or(0.0);
        area.draw(&Rectangle::new([(x(0.0), upper), (x(1.0), lower)], Ink::Track.area()))?;
        area.draw(&Rectangle::new([(x(0.0), upper), (x(mean), lower)], Ink::Bar.area()))?;
        if let Some(half_width) = bar.share.half_width {
            let (from, to, middle) = (x(mean - half_width), x(mean + half_width), grid(top + 26.0));
            for ends in
                [[(from, upper), (from, lower)], [(to, upper), (to, lower)], [(from, middle), (to, middle)]]
            {
                area.draw(&PathElement::new(ends.to_vec(), Ink::Whisker.line(1.5)))?;
            }
        }
    }
    let style = Ink::Tick.letters().pos(Pos::new(HPos::Center, VPos::Top));
    for percent in [0, 25, 50, 75, 100] {
        let at = x(f64::from(percent) / 100.0);
        area.draw(&PathElement::new(
            vec![(at, grid(bottom)), (at, grid(bottom + 4.0))],
            Ink::Axis.line(1.0),
        ))?;
        area.draw_text(&format!("{percent} %"), &style, (at, grid(bottom + 7.0)))?;
    }
    area.draw(&PathElement::new(vec![(x(0.0), grid(bottom)), (x(1.0), grid(bottom))], Ink::Axis.line(1.0)))
}

/// Name and figure above a bar.
fn draw_words(area: &DrawingArea<SVGBackend, Shift>, bar: &Bar, top: f64, width: f64) -> Drawn {
    let figure = figure(&bar.share, Quantity::Share).to_string();
    let room = width - 2.0 * SIDE - width_in_pixels(&figure, LETTER) - 12.0;
    let name = fitted_to_pixels(&bar.name, room, LETTER);
    let style = Ink::Label.letters();
    area.draw_text(&name, &style.pos(Pos::new(HPos::Left, VPos::Top)), (grid(SIDE), grid(top + 4.0)))?;
    let right = style.pos(Pos::new(HPos::Right, VPos::Top));
    area.draw_text(&figure, &right, (grid(width - SIDE), grid(top + 4.0)))
}

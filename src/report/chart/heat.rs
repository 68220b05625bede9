//! A measure over two things that were varied: a cell for each pair, the darker the more, with its value in it.

use super::canvas::{Caption, HEATS, Ink, LETTER, finish, grid};
use super::frame::Format;
use super::{Chart, DataTable, Panel};
use crate::report::figure::{Quantity, rough};
use crate::report::text::{fitted_to_pixels, width_in_pixels};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Rows and columns beyond these are not drawn.
const MOST_LINES: usize = 40;
const ROW_HEIGHT: f64 = 26.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 44.0;
const RIGHT: f64 = 8.0;

/// A measure at each pair of values.
pub struct HeatMap<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub quantity: Quantity,
    /// What is varied from left to right, and from below to above, with the values.
    pub x_title: &'a str,
    pub columns: Vec<String>,
    pub y_title: &'a str,
    pub rows: Vec<String>,
    /// Row by row; `None`: nothing was measured there.
    pub cells: Vec<Option<f64>>,
}

/// Draws the cells.
pub fn heat_map(map: &HeatMap) -> Panel {
    let seen: Vec<f64> = map.cells.iter().flatten().copied().filter(|value| value.is_finite()).collect();
    let blank = |why: String| Panel::Blank { title: map.title.to_owned(), why };
    if seen.is_empty() {
        return blank("Nothing to show: no point has a value.".to_owned());
    }
    if map.rows.len() > MOST_LINES || map.columns.len() > MOST_LINES {
        return blank(format!(
            "More than {MOST_LINES} values of an axis are not drawn. The JSON file has all."
        ));
    }
    let (least, most) = (
        seen.iter().copied().fold(f64::INFINITY, f64::min),
        seen.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    );
    let summary = format!(
        "{} over {} and {}: from {} to {}.",
        map.title,
        map.x_title,
        map.y_title,
        rough(least, map.quantity),
        rough(most, map.quantity)
    );
    let [wide, narrow] = Format::BOTH.map(|format| draw(map, (least, most), format, &summary));
    Panel::Drawn(Box::new(Chart {
        id: map.id.to_owned(),
        title: map.title.to_owned(),
        wide,
        narrow,
        live: None,
        legend: Vec::new(),
        notes: vec!["The darker a cell, the more. Means are drawn without their intervals, which the table of points has.".to_owned()],
        table: table(map),
        summary,
        broad: false,
    }))
}

fn draw(map: &HeatMap, range: (f64, f64), format: Format, summary: &str) -> String {
    let height = TOP + map.rows.len() as f64 * ROW_HEIGHT + BOTTOM;
    let mut drawn = String::new();
    {
        let size = (grid(format.width()) as u32, grid(height) as u32);
        let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
        draw_on(&area, map, range, format.width()).expect("writing to a string cannot fail");
        area.present().expect("writing to a string cannot fail");
    }
    let caption = Caption { id: format!("{}-{}", map.id, format.class()), title: map.title, summary };
    finish(&drawn, format.width(), height, format.class(), &caption)
}

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

fn draw_on(
    area: &DrawingArea<SVGBackend, Shift>,
    map: &HeatMap,
    (least, most): (f64, f64),
    width: f64,
) -> Drawn {
    let longest = map.rows.iter().map(|name| width_in_pixels(name, LETTER)).fold(30.0, f64::max);
    let gutter = longest.min(width / 4.0) + 9.0;
    let cell = (width - gutter - RIGHT) / map.columns.len().max(1) as f64;
    let bottom = TOP + map.rows.len() as f64 * ROW_HEIGHT;
    let left_of = |column: usize| gutter + column as f64 * cell;
    // The first row stands at the bottom, as on any vertical axis.
    let top_of = |row: usize| bottom - (row + 1) as f64 * ROW_HEIGHT;
    let right = Ink::Tick.letters().pos(Pos::new(HPos::Right, VPos::Center));
    let inside = Ink::Label.letters().pos(Pos::new(HPos::Center, VPos::Center));
    for (row, name) in map.rows.iter().enumerate() {
        let name = fitted_to_pixels(name, gutter - 9.0, LETTER);
        area.draw_text(&name, &right, (grid(gutter - 7.0), grid(top_of(row) + ROW_HEIGHT / 2.0)))?;
        for column in 0..map.columns.len() {
            let value = map.cells.get(row * map.columns.len() + column).copied().flatten();
            let Some(value) = value.filter(|value| value.is_finite()) else { continue };
            let share = if most > least { (value - least) / (most - least) } else { 0.0 };
            let heat = ((share * HEATS as f64) as usize).min(HEATS - 1);
            let corners = [
                (grid(left_of(column) + 1.0), grid(top_of(row) + 1.0)),
                (grid(left_of(column) + cell - 1.0), grid(top_of(row) + ROW_HEIGHT - 1.0)),
            ];
            area.draw(&Rectangle::new(corners, Ink::Heat(heat).area()))?;
            let told = rough(value, map.quantity);
            if width_in_pixels(&told, LETTER) < cell - 4.0 {
                let middle = (grid(left_of(column) + cell / 2.0), grid(top_of(row) + ROW_HEIGHT / 2.0));
                area.draw_text(&told, &inside, middle)?;
            }
        }
    }
    let below = Ink::Tick.letters().pos(Pos::new(HPos::Center, VPos::Top));
    let widest = map.columns.iter().map(|name| width_in_pixels(name, LETTER)).fold(1.0, f64::max);
    let every = ((widest + 8.0) / cell).ceil().max(1.0) as usize;
    for (column, name) in map.columns.iter().enumerate().step_by(every) {
        let name = fitted_to_pixels(name, width / 3.0, LETTER);
        area.draw_text(&name, &below, (grid(left_of(column) + cell / 2.0), grid(bottom + 6.0)))?;
    }
    let title = Ink::Label.letters().pos(Pos::new(HPos::Left, VPos::Top));
    area.draw_text(&fitted_to_pixels(map.y_title, width - 8.0, LETTER), &title, (grid(2.0), grid(2.0)))?;
    let title = Ink::Label.letters().pos(Pos::new(HPos::Right, VPos::Top));
    let name = fitted_to_pixels(map.x_title, width - 8.0, LETTER);
    area.draw_text(&name, &title, (grid(width - RIGHT), grid(bottom + 24.0)))
}

fn table(map: &HeatMap) -> DataTable {
    let head = [vec![map.y_title.to_owned()], map.columns.clone()].concat();
    let row = |(row, name): (usize, &String)| {
        let cells = (0..map.columns.len()).map(|column| {
            let value = map.cells.get(row * map.columns.len() + column).copied().flatten();
            value.map_or("–".to_owned(), |value| rough(value, map.quantity))
        });
        [vec![name.clone()], cells.collect()].concat()
    };
    DataTable { head, rows: map.rows.iter().enumerate().map(row).collect() }
}

//! The frame that line charts share: axes with titles and units, named bands above and behind the
//! plot, lines.
//!
//! ```text
//! per second                      title of the vertical axis, flat, so that it is read without turning the head
//!        inventory outage         one lane for each named band, side by side where they fit: its name ...
//!            ▆▆▆▆▆▆               ... and when it lasts
//! 100 ┤  ~~~~░░░░░░~~~~           the plot, bands shaded
//!   0 ┼──────────────────
//!     0     2     4   min         title of the horizontal axis at its end
//! ```

use super::axis::Axis;
use super::canvas::{Caption, Ink, LETTER, finish, grid};
use crate::report::text::{fitted_to_pixels, width_in_pixels};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Which of the two drawings of a chart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A column of a wide page.
    Wide,
    /// A phone.
    Narrow,
}

impl Format {
    pub const BOTH: [Format; 2] = [Format::Wide, Format::Narrow];

    /// Class in the stylesheet, and end of the id.
    pub fn class(self) -> &'static str {
        match self {
            Format::Wide => "wide",
            Format::Narrow => "narrow",
        }
    }

    /// Width in pixels.
    pub fn width(self) -> f64 {
        match self {
            Format::Wide => 548.0,
            Format::Narrow => 328.0,
        }
    }

    /// Most ticks on a horizontal axis of time.
    pub fn time_ticks(self) -> usize {
        match self {
            Format::Wide => 10,
            Format::Narrow => 6,
        }
    }
}

/// Shaded stretches of the horizontal axis with one name.
pub struct Lane {
    pub name: String,
    pub fill: Ink,
    pub edge: Ink,
    /// In values of the horizontal axis.
    pub spans: Vec<(f64, f64)>,
}

/// An interval along the horizontal axis: (x, least, most).
pub type Band = Vec<(f64, f64, f64)>;

/// Everything on one line chart.
pub struct Frame {
    pub format: Format,
    pub x: Axis,
    pub y: Axis,
    pub x_title: String,
    pub y_title: String,
    pub lanes: Vec<Lane>,
    /// Lines in order of their series; each a list of unbroken pieces, in values of the axes.
    pub lines: Vec<Vec<Vec<(f64, f64)>>>,
    /// Intervals around lines, by their series: (x, least, most) from left to right, in values of the axes.
    pub bands: Vec<(usize, Band)>,
    /// Single places, by their series, in values of the axes.
    pub dots: Vec<(usize, f64, f64)>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Radius of a single place.
const DOT: f64 = 3.0;
const TITLE_HEIGHT: f64 = 22.0;
const LANE_HEIGHT: f64 = 22.0;
const TICK_HEIGHT: f64 = 20.0;
const RIGHT_MARGIN: f64 = 22.0;

impl Frame {
    /// The chart as an SVG element.
    pub fn draw(&self, title: &str, summary: &str, id: &str) -> String {
        let size = (grid(self.format.width()) as u32, grid(self.height()) as u32);
        let mut drawn = String::new();
        {
            let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
            self.draw_on(&area).expect("writing to a string cannot fail");
            area.present().expect("writing to a string cannot fail");
        }
        let caption = Caption { id: format!("{id}-{}", self.format.class()), title, summary };
        finish(&drawn, self.format.width(), self.height(), self.format.class(), &caption)
    }

    fn draw_on(&self, area: &Area) -> Drawn {
        let mut builder = ChartBuilder::on(area);
        builder
            .margin_top(grid(self.plot_top()))
            .margin_right(grid(RIGHT_MARGIN))
            .margin_bottom(grid(TICK_HEIGHT + TITLE_HEIGHT))
            .margin_left(grid(self.gutter()));
        let mut chart = builder.build_cartesian_2d(self.x.from..self.x.to, self.y.from..self.y.to)?;
        for lane in &self.lanes {
            chart.draw_series(lane.spans.iter().map(|&(from, to)| {
                let corners = [(self.x.place(from), self.y.to), (self.x.place(to), self.y.from)];
                Rectangle::new(corners, lane.fill.area())
            }))?;
        }
        for (series, band) in &self.bands {
            let upper = band.iter().map(|(x, _, most)| (self.x.place(*x), self.y.place(*most)));
            let lower = band.iter().rev().map(|(x, least, _)| (self.x.place(*x), self.y.place(*least)));
            let corners: Vec<(f64, f64)> = upper.chain(lower).collect();
            chart.draw_series([Polygon::new(corners, Ink::Around(*series).area())])?;
        }
        self.draw_axes(area)?;
        let dot = |(series, x, y): &(usize, f64, f64)| {
            Circle::new((self.x.place(*x), self.y.place(*y)), grid(DOT), Ink::Dot(*series).area())
        };
        chart.draw_series(self.dots.iter().map(dot))?;
        for (series, pieces) in self.lines.iter().enumerate() {
            chart.draw_series(pieces.iter().map(|piece| {
                let places: Vec<(f64, f64)> =
                    piece.iter().map(|&(x, y)| (self.x.place(x), self.y.place(y))).collect();
                PathElement::new(places, Ink::Series(series).line(2.0))
            }))?;
        }
        self.draw_lanes(area)
    }

    /// Left, top, right and bottom of the plot in the drawing's own units.
    pub fn plot_area(&self) -> [i32; 4] {
        [self.gutter(), self.plot_top(), self.right(), self.plot_bottom()].map(grid)
    }

    /// Where the name of each lane begins, from above, in the drawing's own units.
    pub fn tops_of_lanes(&self) -> Vec<i32> {
        self.rows_of_lanes().into_iter().map(|row| grid(top_of_row(row))).collect()
    }

    /// Grid, ticks and titles.
    fn draw_axes(&self, area: &Area) -> Drawn {
        let (left, right, top, bottom) = (self.gutter(), self.right(), self.plot_top(), self.plot_bottom());
        let (y_name, x_name) =
            (Ink::Tick.letters().pos(Pos::new(HPos::Right, VPos::Center)), self.x_name_style());
        for (place, name) in &self.y.ticks {
            let y = self.pixel_of_y(*place);
            let ink = if *place == self.y.from { Ink::Axis } else { Ink::Grid };
            area.draw(&line((left, y), (right, y), ink))?;
            area.draw_text(name, &y_name, (grid(left - 7.0), grid(y)))?;
        }
        for (place, name) in &self.x.ticks {
            let x = self.pixel_of_x(*place);
            area.draw(&line((x, top), (x, bottom), Ink::GridAcross))?;
            area.draw_text(name, &x_name, (grid(x), grid(bottom + 6.0)))?;
        }
        area.draw(&line((left, bottom), (right, bottom), Ink::Axis))?;
        let y_title = Ink::Label.letters().pos(Pos::new(HPos::Left, VPos::Top));
        area.draw_text(&self.y_title, &y_title, (grid(2.0), grid(2.0)))?;
        let x_title = Ink::LabelAcross.letters().pos(Pos::new(HPos::Right, VPos::Top));
        area.draw_text(&self.x_title, &x_title, (grid(right), grid(bottom + TICK_HEIGHT + 4.0)))
    }

    /// Names of bands, and bars that tell when they last, above the plot.
    fn draw_lanes(&self, area: &Area) -> Drawn {
        for (lane, row) in self.lanes.iter().zip(self.rows_of_lanes()) {
            let top = top_of_row(row);
            let (name, x) = self.name_of_lane(lane);
            let style = Ink::LabelAcross.letters().pos(Pos::new(HPos::Center, VPos::Top));
            area.draw_text(&name, &style, (grid(x), grid(top)))?;
            for &(from, to) in &lane.spans {
                let from = self.pixel_of_x(self.x.place(from));
                let to = self.pixel_of_x(self.x.place(to)).max(from + 1.5);
                let corners = [(grid(from), grid(top + 15.0)), (grid(to), grid(top + 19.0))];
                area.draw(&Rectangle::new(corners, lane.edge.area()))?;
            }
        }
        Ok(())
    }

    /// The name of a lane as it fits, and its middle: over the first span, within the plot.
    fn name_of_lane(&self, lane: &Lane) -> (String, f64) {
        let first = lane.spans.first().map_or(self.x.from, |&(from, to)| (from + to) / 2.0);
        let name = fitted_to_pixels(&lane.name, self.right() - self.gutter(), LETTER);
        let half = width_in_pixels(&name, LETTER) / 2.0;
        let room = (self.gutter() + half, (self.right() - half).max(self.gutter() + half));
        (name, self.pixel_of_x(self.x.place(first)).clamp(room.0, room.1))
    }

    /// The row of each lane: the first in which neither its name nor its bars meet another's.
    fn rows_of_lanes(&self) -> Vec<usize> {
        const APART: f64 = 10.0;
        let mut rows: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut found = Vec::new();
        for lane in &self.lanes {
            let (name, middle) = self.name_of_lane(lane);
            let half = width_in_pixels(&name, LETTER) / 2.0;
            let pixel = |x: f64| self.pixel_of_x(self.x.place(x));
            let left = lane.spans.iter().map(|span| pixel(span.0)).fold(middle - half, f64::min);
            let right = lane.spans.iter().map(|span| pixel(span.1)).fold(middle + half, f64::max);
            let free = |row: &Vec<(f64, f64)>| {
                row.iter().all(|taken| right + APART < taken.0 || taken.1 + APART < left)
            };
            let row = rows.iter().position(free).unwrap_or(rows.len());
            rows.resize(rows.len().max(row + 1), Vec::new());
            rows[row].push((left, right));
            found.push(row);
        }
        found
    }

    fn x_name_style(&self) -> TextStyle<'static> {
        Ink::TickAcross.letters().pos(Pos::new(HPos::Center, VPos::Top))
    }

    fn height(&self) -> f64 {
        self.plot_bottom() + TICK_HEIGHT + TITLE_HEIGHT
    }

    fn plot_top(&self) -> f64 {
        let rows = self.rows_of_lanes().into_iter().map(|row| row + 1).max().unwrap_or(0);
        TITLE_HEIGHT + 4.0 + rows as f64 * LANE_HEIGHT
    }

    fn plot_bottom(&self) -> f64 {
        self.plot_top() + 190.0
    }

    fn right(&self) -> f64 {
        self.format.width() - RIGHT_MARGIN
    }

    /// Room left of the plot for the names of ticks.
    fn gutter(&self) -> f64 {
        let widths = self.y.ticks.iter().map(|(_, name)| width_in_pixels(name, LETTER));
        widths.fold(20.0, f64::max) + 9.0
    }

    fn pixel_of_x(&self, place: f64) -> f64 {
        let share = (place - self.x.from) / (self.x.to - self.x.from);
        self.gutter() + share * (self.right() - self.gutter())
    }

    fn pixel_of_y(&self, place: f64) -> f64 {
        let share = (place - self.y.from) / (self.y.to - self.y.from);
        self.plot_bottom() - share * (self.plot_bottom() - self.plot_top())
    }
}

/// Where a row of lanes begins, in pixels.
fn top_of_row(row: usize) -> f64 {
    TITLE_HEIGHT + row as f64 * LANE_HEIGHT
}

/// A hairline between two points in pixels.
fn line(from: (f64, f64), to: (f64, f64), ink: Ink) -> PathElement<(i32, i32)> {
    PathElement::new(vec![(grid(from.0), grid(from.1)), (grid(to.0), grid(to.1))], ink.line(1.0))
}

//! Drawn: lifelines from top to bottom, what happened beside them, faults as bands across.
//!
//! Two drawings of one account, as of every chart: a wide one with named lifelines, and one for a phone, in which
//! they have numbers and each line says who it is. Colours are the page's classes.

use super::{ending, has_lifeline, instead, lifelines, place, time};
use crate::experiment::results::account::{Account, Kind, Link, Part, Step};
use crate::report::chart::canvas::{Caption, LETTER, escaped, open};
use crate::report::text::{fitted_to_pixels, name, width_in_pixels};
use std::fmt::Write;

const LINE: f64 = 17.0;
const MARGIN: f64 = 8.0;
/// Height of the heads of the lifelines.
const HEAD: f64 = 40.0;
/// More lifelines than these make no picture; the rest share the last.
const MOST_LIFELINES: usize = 9;

/// For a wide column of the page. `id` is unique in the page.
pub fn wide(account: &Account, id: &str) -> String {
    let lifelines = lifelines(account).len().clamp(1, MOST_LIFELINES) as f64;
    let column = (560.0 / lifelines).clamp(56.0, 120.0);
    Drawing { account, width: 1128.0, times: widest_time(account) + MARGIN, column, is_narrow: false }
        .svg(&format!("{id}-wide"), "wide")
}

/// For a phone.
pub fn narrow(account: &Account, id: &str) -> String {
    Drawing { account, width: 328.0, times: 0.0, column: 20.0, is_narrow: true }
        .svg(&format!("{id}-narrow"), "narrow")
}

/// What the drawing shows, in sentences.
pub fn summary(account: &Account) -> String {
    let wrong = account.chain.iter().find(|link| link.is_wrong);
    let wrong = wrong.map_or(String::new(), |link| {
        format!(" It goes wrong at {}s on {}: {}.", time(link.at), name(&link.who), name(&link.text))
    });
    let faults = account.chain.iter().filter(|link| link.part == Part::Fault);
    let faults: Vec<String> =
        faults.map(|link| format!("{} at {}s", name(&link.text), time(link.at))).collect();
    let faults = if faults.is_empty() { String::new() } else { format!(" Faults: {}.", faults.join("; ")) };
    let without = account
        .without
        .iter()
        .map(|of| format!(" Without {}: {}.", name(&of.left_out), instead(of.outcome, &of.instead)));
    format!(
        "{} of {} steps of {} lifelines: {}.{wrong}{faults}{}",
        account.chain.len(),
        account.chain.len() + account.left_out,
        lifelines(account).len(),
        name(&account.what),
        without.collect::<String>()
    )
}

struct Drawing<'a> {
    account: &'a Account,
    width: f64,
    /// Width of the column of times.
    times: f64,
    /// Between lifelines.
    column: f64,
    is_narrow: bool,
}

/// One link with the lines that say it.
struct Row<'a> {
    link: &'a Link,
    top: f64,
    height: f64,
    lines: Vec<String>,
}

impl Drawing<'_> {
    fn svg(&self, id: &str, class: &str) -> String {
        let all = lifelines(self.account);
        let all = &all[..all.len().min(MOST_LIFELINES)];
        let x = |who: &str| {
            let at = all.iter().position(|(known, _)| *known == who).unwrap_or(all.len().saturating_sub(1));
            self.times + MARGIN + self.column * (at as f64 + 0.5)
        };
        let said_at = self.times + 2.0 * MARGIN + self.column * all.len().max(1) as f64;
        let rows = self.rows(self.width - said_at - MARGIN);
        let height = rows.last().map_or(HEAD, |row| row.top + row.height) + MARGIN;
        let title = format!("{}: {}", name(&self.account.measure), name(&self.account.what));
        let summary = summary(self.account);
        let caption = Caption { id: id.to_owned(), title: &title, summary: &summary };
        let mut svg = open(&format!("{} {height}", self.width), self.width, height, class, &caption);
        for row in &rows {
            svg += &self.band(row);
        }
        for (index, (who, kind)) in all.iter().enumerate() {
            svg += &self.lifeline(index, who, *kind, x(who), height);
        }
        for row in &rows {
            svg += &self.happening(row, &x, said_at);
        }
        svg + "</svg>\n"
    }

    fn rows(&self, room: f64) -> Vec<Row<'_>> {
        let mut top = HEAD + MARGIN;
        let mut rows = Vec::new();
        for (index, link) in self.account.chain.iter().enumerate() {
            let mut lines = wrapped(&self.said(link), room);
            if self.account.left_out > 0 && index + 1 == self.account.gap_after {
                lines.push(format!("… {} more", self.account.left_out));
            }
            let height = LINE * lines.len() as f64 + 6.0;
            rows.push(Row { link, top, height, lines });
            top += height;
        }
        rows
    }

    fn said(&self, link: &Link) -> String {
        let place = place(self.account, link);
        let place = if place.is_empty() { place } else { format!(" ({place})") };
        let attempt = link.attempt.filter(|_| link.part == Part::Own);
        let attempt = attempt.map_or(String::new(), |attempt| format!("attempt {attempt}: "));
        let text = match link.part {
            Part::Fault => format!("FAULT: {}", link.text),
            Part::End => format!("{}: {}", ending(link), link.text),
            _ => format!("{attempt}{}{place}", link.text),
        };
        let text = if link.is_wrong { format!("{text} ← here it goes wrong") } else { text };
        let who = if has_lifeline(link) { format!(" {}:", link.who) } else { String::new() };
        let text = if self.is_narrow { format!("{}{who} {text}", time(link.at)) } else { text };
        text.chars().take(600).collect()
    }

    /// Behind everything: faults, and where it goes wrong.
    fn band(&self, row: &Row) -> String {
        let class = match row.link.part {
            Part::Fault => "b0",
            _ if row.link.is_wrong => "wrong-row",
            _ => return String::new(),
        };
        let Row { top, height, .. } = row;
        format!(
            "<rect class=\"{class}\" x=\"0\" y=\"{top:.1}\" width=\"{}\" height=\"{height:.1}\"/>\n",
            self.width
        )
    }

    fn lifeline(&self, index: usize, who: &str, kind: Kind, x: f64, height: f64) -> String {
        let class = match kind {
            Kind::Client => "client",
            Kind::Topic => "topic",
            _ => "service",
        };
        let width = self.column - 4.0;
        let label =
            if self.is_narrow { (index + 1).to_string() } else { fitted_to_pixels(who, width - 6.0, LETTER) };
        format!(
            "<path class=\"life\" d=\"M{x:.1} {HEAD}V{height:.1}\"/>\n\
             <rect class=\"node {class}\" x=\"{:.1}\" y=\"{MARGIN}\" width=\"{width:.1}\" height=\"{:.1}\" rx=\"4\"/>\n\
             <text class=\"name\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            x - width / 2.0,
            HEAD - MARGIN,
            (HEAD + MARGIN) / 2.0 + 4.0,
            escaped(&label)
        )
    }

    fn happening(&self, row: &Row, x: &dyn Fn(&str) -> f64, said_at: f64) -> String {
        let Row { link, top, lines, .. } = row;
        let middle = top + 3.0 + LINE / 2.0;
        let mut svg = String::new();
        if matches!(link.step, Step::Verdict | Step::Broken) {
            svg += &format!("<path class=\"end\" d=\"M0 {top:.1}H{}\"/>\n", self.width);
        } else if has_lifeline(link) {
            if let Some(from) = link.from.as_deref().filter(|from| *from != link.who) {
                svg += &arrow(x(from), x(&link.who), middle, link.step == Step::Told);
            }
            let class = match link.part {
                _ if link.is_wrong => "dot wrong",
                Part::Other | Part::Missed | Part::Overtaker => "dot other",
                _ => "dot",
            };
            svg += &format!(
                "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"4.5\"/>\n",
                x(&link.who)
            );
        }
        if !self.is_narrow {
            let at = time(link.at);
            let _ = writeln!(
                svg,
                "<text class=\"detail\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{at}</text>",
                self.times,
                middle + 4.0
            );
        }
        for (number, line) in lines.iter().enumerate() {
            let y = middle + 4.0 + LINE * number as f64;
            let _ = writeln!(
                svg,
                "<text class=\"said\" x=\"{said_at:.1}\" y=\"{y:.1}\">{}</text>",
                escaped(line)
            );
        }
        svg
    }
}

/// Of the times beside the drawing, in pixels.
fn widest_time(account: &Account) -> f64 {
    account.chain.iter().map(|link| width_in_pixels(&time(link.at), LETTER)).fold(0.0, f64::max)
}

/// From one lifeline to another; dashed where it is an answer.
fn arrow(from: f64, to: f64, y: f64, is_answer: bool) -> String {
    let way = if to > from { 1.0 } else { -1.0 };
    let tip = to - 5.0 * way;
    let class = if is_answer { "edge send" } else { "edge" };
    let back = tip - 7.0 * way;
    format!(
        "<path class=\"{class}\" d=\"M{from:.1} {y:.1}H{tip:.1}\"/>\n\
         <path class=\"head\" d=\"M{tip:.1} {y:.1}L{back:.1} {:.1}L{back:.1} {:.1}Z\"/>\n",
        y - 4.0,
        y + 4.0
    )
}

/// Lines that fit into so many pixels, broken at blanks where there are any.
fn wrapped(text: &str, room: f64) -> Vec<String> {
    let text = crate::report::text::visible(text);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width_in_pixels(&longer, LETTER) <= room {
            *line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        for c in word.chars() {
            let line = lines.last_mut().expect("there is always a line");
            line.push(c);
            if width_in_pixels(line, LETTER) > room && line.chars().count() > 1 {
                line.pop();
                lines.push(c.to_string());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_lose_nothing() {
        let text = "one two ".repeat(20) + &"x".repeat(90);
        let lines = wrapped(&text, 120.0);
        assert!(lines.iter().all(|line| width_in_pixels(line, LETTER) <= 120.0));
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
    }
}

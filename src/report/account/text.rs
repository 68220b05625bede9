//! As text: at most [`COLUMNS`] wide, but for the command, which is there to be copied.

use super::{instead, place, time};
use crate::experiment::results::account::{Account, AtEnd, Instead, Link, Part, Step};
use crate::report::reproduce::replay_line;
use crate::report::text::{fitted_to_columns, visible};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Widest line.
pub const COLUMNS: usize = 100;
/// Where the text of a heading's lines begins.
const HEAD: usize = 9;
/// Widest name of a lifeline, and widest place.
const NAME: usize = 18;
const PLACE: usize = 18;

/// The account as lines, each ended.
pub fn render(account: &Account) -> String {
    let mut lines = Vec::new();
    head(account, &mut lines);
    section("IS", account.sides.iter().map(super::compared), &mut lines);
    let because = account.because.iter().map(super::because);
    section("BECAUSE", because.chain(account.whose.clone()), &mut lines);
    let meant = account.meant.iter().map(|line| format!("{}: {line}", account.subject));
    let by = (!account.meant_by.is_empty() && !account.meant.is_empty())
        .then(|| format!("(known from {})", account.meant_by));
    section("MEANT", meant.chain(by), &mut lines);
    section("GOT", account.got.iter().cloned(), &mut lines);
    section("AT END", account.at_end.iter().map(at_end), &mut lines);
    section(
        "TOLD",
        account.told.iter().map(|told| format!("{} at {}", told.what, time(told.at))),
        &mut lines,
    );
    chain(account, &mut lines);
    let without =
        account.without.iter().map(|of| format!("{}: {}", of.left_out, instead(of.outcome, &of.instead)));
    section("WITHOUT", without.chain([effort(account)]), &mut lines);
    section("TWIN", account.twin.iter().flat_map(super::twin), &mut lines);
    section("ROWS", ledger(account), &mut lines);
    lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The first lines, for those who read them in a list: what was meant and what was got, the fault, what came first and
/// should have come after, the step at which
/// it went wrong, and what helps.
pub fn first_lines(account: &Account) -> Vec<String> {
    if let Some(same) = &account.same_as {
        return vec![format!("{:HEAD$}the same as {same}", "SEE")];
    }
    let several = |texts: &[String]| texts.join("; ");
    let because = account.because.as_ref().map(super::because);
    let meant =
        (!account.meant.is_empty()).then(|| format!("{}: {}", account.subject, several(&account.meant)));
    let got = (!account.got.is_empty()).then(|| several(&account.got));
    let link = |link: &Link| format!("{} {}: {}", time(link.at), link.who, link.text);
    let fault = account.chain.iter().find(|link| link.part == Part::Fault).map(link);
    let is_done = |link: &&Link| matches!(link.step, Step::Begins | Step::Commits);
    let overtaker =
        account.chain.iter().rfind(|link| link.part == Part::Overtaker && is_done(link)).map(link);
    let wrong = account.chain.iter().find(|link| link.is_wrong).map(link);
    let helps = account.without.iter().find(|of| of.outcome == Instead::Passes);
    let helps = helps.map(|of| format!("{}: {}", of.left_out, instead(of.outcome, &of.instead)));
    let all = [
        ("BECAUSE", because),
        ("MEANT", meant),
        ("GOT", got),
        ("FAULT", fault),
        ("BEFORE", overtaker),
        ("WRONG AT", wrong),
        ("WITHOUT", helps),
    ];
    all.into_iter().filter_map(|(heading, text)| Some(format!("{heading:HEAD$}{}", text?))).collect()
}

fn head(account: &Account, lines: &mut Vec<String>) {
    let what = format!("{}  {}", account.measure, account.what);
    section("FAIL", [what], lines);
    section("", [super::counted(account), format!("digest {}", account.digest)], lines);
    lines.push(format!("{:HEAD$}replay: {}", "", visible(&replay_line(account))));
}

pub fn at_end(row: &AtEnd) -> String {
    match row.would_be.as_ref().filter(|would_be| **would_be != row.is) {
        Some(would_be) => format!("{}: {}; without that it is {would_be}", row.row, row.is),
        None => format!("{}: {}", row.row, row.is),
    }
}

/// How much was tried.
pub fn effort(account: &Account) -> String {
    let runs = account.runs;
    let times = if runs == 1 { "once".into() } else { format!("{runs} times") };
    match (runs, account.is_minimal) {
        (0, _) => {
            "No fault had fired, and nothing was delivered again: it goes wrong by timing alone.".into()
        }
        (_, true) => format!("(run again {times}, each time with the same draws{})", untried(account)),
        (_, false) => {
            format!("(run again {times}, then given up: maybe fewer of them are needed{})", untried(account))
        }
    }
}

/// What the bound on runs has left out.
fn untried(account: &Account) -> String {
    match account.untried {
        0 => String::new(),
        1 => "; one more fault or delivery was not left out by itself".into(),
        more => format!("; {more} more faults and deliveries were not left out one by one"),
    }
}

/// Its own changes of rows, and those around them.
fn ledger(account: &Account) -> impl Iterator<Item = String> {
    const MOST: usize = 14;
    let entries = account.ledger.iter().take(MOST).map(|entry| {
        let own = if entry.is_own { "  ← its own" } else { "" };
        format!("{}  {}, for {}{own}", time(entry.at), entry.what, entry.by)
    });
    let left_out = account.ledger.len().saturating_sub(MOST) + account.ledger_left_out;
    entries.chain((left_out > 0).then(|| format!("{left_out} other changes of these rows are not shown")))
}

/// Lines under a heading; none if there are none.
fn section(heading: &str, texts: impl IntoIterator<Item = String>, lines: &mut Vec<String>) {
    let mut heading = heading;
    for text in texts {
        for line in wrapped(&visible(&text), COLUMNS - HEAD) {
            lines.push(format!("{heading:HEAD$}{line}"));
            heading = "";
        }
    }
}

fn chain(account: &Account, lines: &mut Vec<String>) {
    let shown = |text: &str, most: usize| fitted_to_columns(text, most);
    let widest = |texts: &mut dyn Iterator<Item = String>| texts.map(|text| text.width()).max().unwrap_or(0);
    let named = account.chain.iter().filter(|link| link.part != Part::End);
    let names = widest(&mut named.map(|link| shown(&link.who, NAME)));
    let places = widest(&mut account.chain.iter().map(|link| placed(&place(account, link))));
    let times = widest(&mut account.chain.iter().map(|link| time(link.at)));
    lines.push(format!("CHAIN    in {}", fitted_to_columns(&account.file, COLUMNS - HEAD - 3)));
    // Two before the time, two before the name, attempt "#1 " and two gaps, the mark of where it goes wrong.
    let before = 2 + times + 2 + names + 2 + 4;
    let room = COLUMNS.saturating_sub(before + 2 + places).max(20);
    let mut last_time = String::new();
    for (index, link) in account.chain.iter().enumerate() {
        let at = time(link.at);
        let told = if at == last_time { String::new() } else { at.clone() };
        last_time = at;
        let who = if link.part == Part::End { String::new() } else { shown(&link.who, NAME) };
        let who = who.clone() + &" ".repeat(names.saturating_sub(who.width()));
        let attempt = link.attempt.map_or(String::new(), |attempt| format!("#{attempt}"));
        let text = said(link);
        let place = placed(&place(account, link));
        for (number, line) in wrapped(&visible(&text), room).into_iter().enumerate() {
            lines.push(if number == 0 {
                let line = line.clone() + &" ".repeat(room.saturating_sub(line.width()));
                format!("  {told:times$}  {who}  {attempt:4}{line}  {place}")
            } else {
                format!("{:before$}{line}", "")
            });
        }
        if account.left_out > 0 && index + 1 == account.gap_after {
            lines.push(format!("{:before$}… {} links are not shown", "", account.left_out));
        }
    }
}

/// A file and a line, shortened at the file.
fn placed(place: &str) -> String {
    match place.rsplit_once(':') {
        Some((file, line)) if !file.is_empty() => {
            format!("{}:{line}", fitted_to_columns(file, PLACE.saturating_sub(line.len() + 1)))
        }
        _ => fitted_to_columns(place, PLACE),
    }
}

fn said(link: &Link) -> String {
    let wrong = if link.is_wrong { "  ← here it goes wrong" } else { "" };
    match link.part {
        Part::Fault => format!("FAULT: {}", link.text),
        Part::End => format!("{}: {}", super::ending(link), link.text),
        _ => format!("{}{wrong}", link.text),
    }
}

/// Lines of at most `room` columns, broken at blanks where there are any.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() && word.width() <= room {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= room {
            line.push(' ');
            line.push_str(word);
        } else if word.width() <= room {
            lines.push(word.to_owned());
        } else {
            broken(word, room, &mut lines);
        }
    }
    lines
}

/// A word that is longer than a line.
fn broken(word: &str, room: usize, lines: &mut Vec<String>) {
    if lines.last().is_some_and(|line| !line.is_empty()) {
        lines.push(String::new());
    }
    for c in word.chars() {
        let line = lines.last_mut().expect("there is always a line");
        if line.width() + c.width().unwrap_or(0) > room {
            lines.push(c.to_string());
        } else {
            line.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_to_their_room() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!((placed(":12"), placed("a.yaml:7")), (":12".into(), "a.yaml:7".into()));
        let long = placed("look-then-act-and-remember.yaml:1234");
        assert!(long.ends_with(":1234") && long.width() <= PLACE, "{long}");
        assert!(wrapped(&"数".repeat(50), 11).iter().all(|line| line.width() <= 11));
    }
}

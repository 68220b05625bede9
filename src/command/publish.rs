//! How every command that reports ends: its files are written, all or none; then it says what matters first; and its exit
//! code is what it found.

use super::write::{Frames, Output, write_whole};
use super::{Ending, terminal};
use crate::experiment::results::check::Standing;
use crate::experiment::results::data::Data;
use crate::experiment::results::verdict::Outcome;
use crate::report::terminal::{Style, Written};
use crate::report::text;
use std::path::Path;

/// A report, before it is written.
pub struct Report<'a> {
    /// Of its files, without their endings.
    pub name: &'a str,
    pub page: String,
    pub json: String,
    /// Every measure of every replication, to be written as data frames.
    pub data: Option<Data>,
    /// Broken off: not all that was asked for is in it.
    pub partial: bool,
    /// What its verdicts come to.
    pub standing: Outcome,
}

/// Where a report goes, and how it is told.
#[derive(Clone, Copy)]
pub struct Publisher<'a> {
    /// Folder of the page and the file.
    pub out: &'a Path,
    /// Folder of the data frames, if they are to be written.
    pub data: Option<&'a Path>,
    pub style: Style,
    pub is_quiet: bool,
}

impl Publisher<'_> {
    /// Writes the report, then says what matters first.
    pub fn publish(&self, report: &Report, summary: impl FnOnce(Style, &Written) -> String) -> Ending {
        let file = |extension: &str| self.out.join(format!("{}.{extension}", report.name));
        let (page, json) = (file("html"), file("json"));
        let frames = report.data.as_ref().zip(self.data);
        let frames = frames.map(|(data, folder)| Frames::new(data, folder, report.name));
        let mut outputs = vec![
            Output { path: &page, content: report.page.as_bytes() },
            Output { path: &json, content: report.json.as_bytes() },
        ];
        outputs.extend(frames.iter().flat_map(Frames::outputs));
        if let Err(error) = write_whole(&outputs) {
            terminal::complain(&format!("error: {}\n", text::visible(&error.to_string())));
            return Ending::Unusable;
        }
        if !self.is_quiet {
            let said = terminal::say(&summary(self.style, &Written { page: &page, json: &json }));
            if said != Ending::Well {
                return said;
            }
        }
        if report.partial { Ending::Interrupted } else { Standing::from(report.standing).into() }
    }
}

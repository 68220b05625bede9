//! A scenario at one moment, for reading. Every name is hostile until shown otherwise: lines are made visible as
//! they are added.

use super::account::time;
use super::text::{fitted_to_columns, visible};
use crate::experiment::results::account::SourceLine;
use crate::experiment::results::inspection::*;

/// Widest name in a column of names.
const NAME: usize = 40;

/// As JSON: everything that the text shows.
pub fn json(inspection: &Inspection) -> String {
    serde_json::to_string_pretty(inspection).expect("an inspection is plain data with text keys") + "\n"
}

/// As lines, each ended.
pub fn render(inspection: &Inspection) -> String {
    let Inspection { scenario, seed, replication, at, is_end, .. } = inspection;
    let end = if *is_end { ", its end" } else { "" };
    let mut page = Page::default();
    page.say(0, &format!("{scenario} at {}s{end} (seed {seed}, replication {replication})", time(*at)));
    match &inspection.view {
        View::Summary(all) => summary(all, &mut page),
        View::Rows(all) => rows(all, &mut page),
        View::History(all) => history(all, &mut page),
        View::Topic(of) => topic(of, &mut page),
        View::Instance(of) => instance_at_work(of, &mut page),
    }
    page.text
}

/// Lines, each made visible.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn say(&mut self, indent: usize, line: &str) {
        self.text += &" ".repeat(indent);
        self.text += visible(line).trim_end();
        self.text.push('\n');
    }

    /// Lines of a name and what is said of it, under a heading; nothing if there are none.
    fn section(&mut self, heading: &str, lines: impl Iterator<Item = (String, String)>) {
        let lines: Vec<(String, String)> =
            lines.map(|(name, said)| (fitted_to_columns(&name, NAME), said)).collect();
        let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        if !lines.is_empty() {
            self.say(0, heading);
        }
        for (name, said) in lines {
            self.text += &format!("  {name:width$}  ");
            self.say(0, &said);
        }
    }
}

fn summary(all: &Summary, page: &mut Page) {
    let Summary { tables, groups, dead_letters, instances, outboxes, sagas, replicas, under_way } = all;
    page.section("TABLES", tables.iter().map(|of| (of.name.clone(), table(of))));
    let group = |of: &Group| {
        (of.name.clone(), format!("of {}: lag {}, in flight {}", of.topic, of.lag, of.in_flight))
    };
    page.section("GROUPS", groups.iter().map(group));
    let named = |of: &Named| (of.name.clone(), of.count.to_string());
    page.section("DEAD LETTERS", dead_letters.iter().map(named));
    page.section("INSTANCES", instances.iter().map(|of| (of.name.clone(), instance(of))));
    page.section("OUTBOXES", outboxes.iter().map(|of| (of.service.clone(), outbox(of))));
    page.section("SAGAS", sagas.iter().map(|of| (of.name.clone(), saga(of))));
    let behind = |of: &Named| (of.name.clone(), format!("behind in {}", counted(of.count, "row")));
    page.section("REPLICAS", replicas.iter().map(behind));
    page.section("UNDER WAY", under_way.iter().map(named));
}

fn table(of: &Table) -> String {
    let kind = match of.kind {
        TableKind::Table => "",
        TableKind::Stream => "stream, ",
        TableKind::Memory => "in memory, ",
    };
    format!("{kind}{}, {}", counted(of.rows, "row"), counted(of.versions, "version"))
}

fn instance(of: &Instance) -> String {
    let state = match of.state {
        State::Up => "up",
        State::Paused => "paused",
        State::Down => "down",
    };
    let crashes = if of.crashes > 0 { format!(", crashed {}", times(of.crashes)) } else { String::new() };
    let computing = if of.computing > 0 { format!(", computing {}", of.computing) } else { String::new() };
    let version = of.version.as_ref().map_or(String::new(), |version| format!(", version {version}"));
    format!("{state}{version}, busy {}{computing}, waiting {}{crashes}", of.busy, of.waiting)
}

fn saga(of: &Saga) -> String {
    let named = of.instances.join("; ");
    let more = if of.under_way as usize > of.instances.len() { "; …" } else { "" };
    let named = if named.is_empty() { String::new() } else { format!(": {named}{more}") };
    format!("{} ended, {} under way{named}", of.ended, of.under_way)
}

fn outbox(of: &Outbox) -> String {
    let named = of.messages.join(", ");
    let more = if of.unsent as usize > of.messages.len() { ", …" } else { "" };
    let named = if named.is_empty() { String::new() } else { format!(": {named}{more}") };
    format!("{} not sent, {} in hand{named}", of.unsent, of.in_hand)
}

fn rows(all: &Rows, page: &mut Page) {
    for row in &all.rows {
        page.say(0, &format!("{}{}", row.name, on(row.instance.as_deref())));
        page.say(2, &state(row.is_there.then_some(&row.cells)));
        version(&row.version, page);
    }
    if all.rows.is_empty() {
        page.say(0, "no rows");
    }
    left_out(all.left_out, "row", page);
}

fn history(all: &History, page: &mut Page) {
    for of in &all.versions {
        page.say(0, &format!("{}{}", of.name, on(of.instance.as_deref())));
        page.say(2, &state(of.is_there.then_some(&of.cells)));
        let changes: Vec<String> = of.version.changes.iter().map(change).collect();
        page.say(2, &if changes.is_empty() { "nothing changed".into() } else { changes.join(", ") });
        version(&of.version, page);
    }
    if all.versions.is_empty() {
        page.say(0, "no versions");
    }
    left_out(all.left_out, "version", page);
}

/// The columns of a row that is there.
fn state(cells: Option<&Vec<Cell>>) -> String {
    let Some(cells) = cells else { return "absent".into() };
    let shown: Vec<String> = cells.iter().map(|cell| format!("{} = {}", cell.column, cell.value)).collect();
    if shown.is_empty() { "there, with nothing but its key".into() } else { shown.join(", ") }
}

fn change(of: &Change) -> String {
    if of.column.is_empty() {
        return format!("{} → {}", of.from, of.to);
    }
    format!("{}: {} → {}", of.column, of.from, of.to)
}

/// When, by whom and why.
fn version(of: &Version, page: &mut Page) {
    let number = if of.number > 0 { format!("version {} ", of.number) } else { String::new() };
    let at = time(of.at);
    if let Some(otherwise) = &of.otherwise {
        page.say(2, &format!("{number}at {at}s: {otherwise}"));
    }
    if let Some(by) = &of.by {
        page.say(2, &format!("{number}at {at}s by {}", attempt(by)));
        steps(by, page);
        why(by, page);
    }
}

/// `stock#0, attempt 2 at OrderPlaced order 5 (stock/OrderPlaced), delivery 2 to orders.stock`
fn attempt(of: &Attempt) -> String {
    let delivery = of.delivery.as_ref().map_or(String::new(), |delivery| format!(", {delivery}"));
    format!("{}, attempt {} at {} ({}){delivery}", of.who, of.number, of.serves, of.handler)
}

fn steps(of: &Attempt, page: &mut Page) {
    for step in &of.steps {
        page.say(4, format!("{}  {}", step.what, place(step.line.as_ref())).trim_start());
    }
}

fn why(of: &Attempt, page: &mut Page) {
    for why in &of.why {
        let line = place(why.line.as_ref());
        page.say(4, &format!("because {}s {} {}  {line}", time(why.at), why.who, why.what));
    }
}

fn topic(of: &Topic, page: &mut Page) {
    page.say(0, &format!("{}: {}", of.name, counted(of.dead_letters, "dead letter")));
    for group in &of.groups {
        page.say(0, &format!("{}: lag {}, in flight {}", group.name, group.lag, group.in_flight));
        for of in &group.partitions {
            let owner = of.owner.as_ref().map_or(String::new(), |owner| format!(", assigned to {owner}"));
            let Partition { number, end, next, .. } = of;
            page.say(2, &format!("partition {number}: ends at {end}, taken up to {next}{owner}"));
        }
        for of in &group.messages {
            let consumer = of.consumer.as_ref().map_or(String::new(), |consumer| format!(", {consumer}"));
            let again =
                if of.deliveries > 1 { format!(", delivery {}", of.deliveries) } else { String::new() };
            let Owed { message, partition, offset, stage, .. } = of;
            page.say(2, &format!("{partition}:{offset}  {message}  {stage}{consumer}{again}"));
        }
        left_out(group.left_out, "message", page);
    }
}

fn instance_at_work(of: &Instance, page: &mut Page) {
    page.say(0, &format!("{}: {}", of.name, instance(of)));
    for of in &of.attempts {
        page.say(2, &format!("since {}s: {}", time(of.begun), attempt(of)));
        steps(of, page);
        why(of, page);
    }
}

/// `shop.yaml:17`
fn place(line: Option<&SourceLine>) -> String {
    line.map_or(String::new(), |line| format!("{}:{}", line.file, line.line))
}

fn on(instance: Option<&str>) -> String {
    instance.map_or(String::new(), |instance| format!(" on {instance}"))
}

fn left_out(count: u64, noun: &str, page: &mut Page) {
    if count > 0 {
        page.say(0, &format!("… {} more", counted(count, noun)));
    }
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn times(count: u32) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

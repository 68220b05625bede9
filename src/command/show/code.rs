//! The steps of a body as they run: one operation a line, jumps and errors as they go.
//!
//! ```text
//!   0  work lognormal(median 2ms, p99 12ms) ~orders/PlaceOrder/work#1
//!   1  begin transaction 0
//! ```
//!
//! `~name` is the stream that a value is drawn from.

use super::knobs::word;
use super::quantity::time;
use super::value::Names;
use crate::kernel::ids::*;
use crate::model::*;
use crate::scenario::resolved::Type;

/// The lines of a body, and of whatever it starts later.
pub fn listing(names: &Names, handler: HandlerId) -> Vec<String> {
    let model = names.model;
    let entry = model.handlers[handler.index()].entry;
    let end = model.handlers.get(handler.index() + 1).map_or(model.code.len() as Pc, |next| next.entry);
    let code = Lister { names, entry };
    let mut lines = Vec::new();
    for pc in entry..end {
        let region = model.region_of[pc as usize];
        let inside = if region == NONE { String::new() } else { format!("   {{{}}}", code.region(region)) };
        lines.push(format!("{:>3}  {}{inside}", pc - entry, code.operation(model.code[pc as usize])));
    }
    let mut regions: Vec<u32> = (entry..end).map(|pc| model.region_of[pc as usize]).collect();
    regions.retain(|&region| region != NONE);
    regions.sort_unstable();
    regions.dedup();
    lines.extend(regions.into_iter().map(|region| code.region_line(region)));
    for pc in entry..end {
        if let Op::After(after) = model.code[pc as usize] {
            lines.push(format!("     started by {}:", pc - entry));
            let body = model.afters[after as usize].body;
            lines.extend(listing(names, body).into_iter().map(|line| format!("  {line}")));
        }
    }
    lines
}

struct Lister<'n, 'a> {
    names: &'n Names<'a>,
    /// Where the body begins: places are told from here.
    entry: Pc,
}

impl Lister<'_, '_> {
    fn operation(&self, operation: Op) -> String {
        let (names, model) = (self.names, self.names.model);
        match operation {
            Op::Work(duration) => format!("work {}", names.duration(duration)),
            Op::Wait(duration) => format!("wait {}", names.duration(duration)),
            Op::Let { slot, value } => {
                let value = names.value(value, names.local_type(slot), None);
                format!("let {} = {value}", names.local_name(slot))
            }
            Op::Jump(target) => format!("go to {}", self.place(target)),
            Op::JumpUnless { condition, target } => {
                let condition = names.operand(condition, Some(&Type::Bool), None);
                format!("unless {condition} go to {}", self.place(target))
            }
            Op::Row(step) => self.row(&model.row_steps[step as usize]),
            Op::Begin(region) => format!("begin transaction {}", self.region(region)),
            Op::Commit(region) => {
                let times = model.regions[region as usize].transaction;
                let commit = times.map_or(String::new(), |times| names.duration(times.commit));
                format!("commit transaction {}, takes {commit}", self.region(region))
            }
            Op::Enter(region) => format!("enter region {}", self.region(region)),
            Op::Publish(step) => self.publish(&model.publishes[step as usize]),
            Op::Call(step) => self.call(&model.calls[step as usize]),
            Op::Send(step) => {
                let step = &model.sends[step as usize];
                let fields = self.fields(step.with, step.message, false);
                let there = names.duration(step.hops.there);
                format!("send {}{fields}, there {there}", self.target(step.service, step.message))
            }
            Op::Reply(step) => {
                let step = &model.replies[step as usize];
                format!("reply{}", self.fields(step.with, step.message, true))
            }
            Op::Effect(step) => self.effect(&model.effects[step as usize]),
            Op::After(step) => {
                let step = &model.afters[step as usize];
                let durable = if step.durable.is_some() { ", durable" } else { "" };
                format!("start later, after {}{durable}", names.duration(step.delay))
            }
            Op::Saga(meeting) => self.meeting(&model.saga_meetings[meeting as usize]),
            Op::Fork(fork) => {
                let fork = &model.forks[fork as usize];
                let branches: Vec<String> = fork.branches.iter().map(|&branch| self.place(branch)).collect();
                format!("all at once from {}, then go to {}", branches.join(", "), self.place(fork.next))
            }
            Op::ForEach(index) => self.for_each(&model.loops[index as usize]),
            Op::Next(index) => {
                format!("next {}", names.local_name(model.loops[index as usize].item))
            }
            Op::RestoreItem(_) => "caught: go on".to_owned(),
            Op::Watch(fault) => format!("fault {} may strike", model.faults[fault.index()].name),
            Op::Acknowledge => "acknowledge".to_owned(),
            Op::Stop => "stop".to_owned(),
            Op::Fail(reason) => format!("fail {}", model.names.symbols[reason.index()]),
        }
    }

    fn row(&self, step: &RowStep) -> String {
        let (names, scenario) = (self.names, self.names.scenario);
        let table = &scenario.tables[step.table.index()];
        let row = Some(step.table);
        let verb = match (step.stream.as_deref(), step.appended()) {
            (_, Some(append)) => {
                let message = &scenario.messages[append.message.index()].name;
                format!("append {message}{} to", self.fields(append.with, append.message, false))
            }
            (Some(_), None) => "load".to_owned(),
            (None, None) => word(&step.verb),
        };
        let mut text = format!("{verb} {}", table.name);
        if let Some(key) = &step.key {
            let part = |(part, column): (&Operand, &usize)| {
                let column = &table.columns[*column];
                format!("{} {}", column.name, names.operand(*part, Some(&column.ty), None))
            };
            let parts: Vec<String> = key.iter().zip(&table.key).map(part).collect();
            text += &format!(" key {}", parts.join(", "));
        }
        if let Some(filter) = step.filter {
            text += &format!(" where {}", names.operand(filter, Some(&Type::Bool), row));
        }
        for assignment in &step.set {
            let column = &table.columns[usize::from(assignment.position)];
            let value = names.value(assignment.value, Some(&column.ty), row);
            text += &format!(", {} := {value}", column.name);
        }
        text += &self.of_stream(step);
        if let Some(order) = step.order_by {
            let down = if step.descending { ", falling" } else { "" };
            text += &format!(", ordered by {}{down}", names.operand(order, None, row));
        }
        if let Some(limit) = step.limit {
            text += &format!(", at most {}", names.operand(limit, Some(&Type::Int), None));
        }
        if let Some(result) = step.result {
            text += &format!(", as {}", names.local_name(result));
        }
        if let Some(otherwise) = step.otherwise {
            let (next, otherwise) = (self.place(step.next), self.place(otherwise));
            text += &format!(", done: go to {next}, nothing to do: go to {otherwise}");
        }
        if !table.memory {
            text += &format!(", takes {}", names.duration(step.latency));
            if step.commit != Duration::Constant(0) {
                text += &format!(" and to commit {}", names.duration(step.commit));
            }
        }
        text
    }

    /// What a step says of a stream beside its key.
    fn of_stream(&self, step: &RowStep) -> String {
        let (names, int) = (self.names, Some(&Type::Int));
        match step.stream.as_deref() {
            Some(StreamStep::Load(Some(AsOf::Version(version)))) => {
                format!(" at version {}", names.operand(*version, int, None))
            }
            Some(StreamStep::Load(Some(AsOf::Time(time)))) => {
                format!(" at {}", names.operand(*time, Some(&Type::Time), None))
            }
            Some(StreamStep::Append(AppendStep { expect: Some(expect), .. })) => {
                format!(" expecting version {}", names.operand(*expect, int, None))
            }
            _ => String::new(),
        }
    }

    fn publish(&self, step: &PublishStep) -> String {
        let (names, scenario) = (self.names, self.names.scenario);
        let mut text = format!(
            "publish {} to {}{}",
            scenario.messages[step.message.index()].name,
            scenario.topics[step.topic.index()].name,
            self.fields(step.with, step.message, false)
        );
        if let Some(key) = step.key {
            text += &format!(", key {}", names.operand(key, None, None));
        }
        if let Some(id) = step.id {
            text += &format!(", id {}", names.operand(id, Some(&Type::Id), None));
        }
        match step.outbox {
            Some(times) => {
                text += &format!(", into the outbox, takes {}", names.duration(times.write));
                if times.commit != Duration::Constant(0) {
                    text += &format!(" and to commit {}", names.duration(times.commit));
                }
            }
            None => {
                if step.with_ack {
                    text += ", seen with the acknowledgement";
                }
                let confirm = if step.confirm { "confirmed within" } else { "unconfirmed, timeout" };
                text += &format!(", {confirm} {}", time(step.timeout.length));
                text += &self.retry(step.retry);
                text += &self.hops(step.hops);
            }
        }
        text
    }

    fn call(&self, step: &CallStep) -> String {
        let mut text = format!("call {}", self.target(step.service, step.message));
        text += &self.fields(step.with, step.message, false);
        if let Some(result) = step.result {
            text += &format!(", as {}", self.names.local_name(result));
        }
        text += &format!(", timeout {}", time(step.timeout.length));
        if let Some(hedge) = step.hedge {
            text += &format!(", asks a second instance after {}", time(hedge.length));
        }
        text + &self.retry(step.retry) + &self.hops(step.hops)
    }

    fn effect(&self, step: &EffectStep) -> String {
        let names = self.names;
        let mut text = format!("effect {}", names.scenario.effects[step.effect.index()]);
        if let Some(key) = step.idempotency_key {
            text += &format!(", once per {}", names.operand(key, None, None));
        }
        text += &format!(", takes {}", names.duration(step.takes));
        if let Some(timeout) = step.timeout {
            text += &format!(", timeout {}", time(timeout.length));
        }
        text + &self.retry(step.retry)
    }

    fn meeting(&self, meeting: &SagaMeeting) -> String {
        let (names, saga) = (self.names, &self.names.model.sagas[meeting.saga.index()]);
        let step = |number: u16| &saga.steps[usize::from(number)].name;
        let what = match meeting.told {
            Told::Start => "start".to_owned(),
            Told::Success(number) => format!("success of {} for", step(number)),
            Told::Failure(number) => format!("failure of {} for", step(number)),
        };
        let takes =
            format!("{} and to commit {}", names.duration(meeting.write), names.duration(meeting.commit));
        format!("{what} {} of {}, takes {takes}", saga.name, names.operand(meeting.key, None, None))
    }

    fn for_each(&self, step: &Loop) -> String {
        let names = self.names;
        let at_once = match step.parallel {
            None => "one after another".to_owned(),
            Some(u32::MAX) => "all at once".to_owned(),
            Some(count) => format!("{count} at once"),
        };
        format!(
            "for each {} of {}, {at_once}, from {}, then go to {}",
            names.local_name(step.item),
            names.operand(step.list, None, None),
            self.place(step.body),
            self.place(step.next)
        )
    }

    fn target(&self, service: ServiceId, message: MessageId) -> String {
        let scenario = self.names.scenario;
        format!("{}.{}", scenario.services[service.index()].name, scenario.messages[message.index()].name)
    }

    /// ` { order: order }`, of a message or its answer.
    fn fields(&self, with: Range, message: MessageId, answer: bool) -> String {
        let (names, scenario) = (self.names, self.names.scenario);
        let Some(message) = scenario.messages.get(message.index()) else { return String::new() };
        let fields = if answer { &message.reply } else { &message.fields };
        let assignments = &names.model.assignments[with.indices()];
        let set = assignments.iter().map(|assignment| {
            let field = &fields[usize::from(assignment.position)];
            format!("{}: {}", field.name, names.value(assignment.value, Some(&field.ty), None))
        });
        let set: Vec<String> = set.collect();
        if set.is_empty() { String::new() } else { format!(" {{ {} }}", set.join(", ")) }
    }

    fn hops(&self, hops: Hops) -> String {
        format!(", there {}, back {}", self.names.duration(hops.there), self.names.duration(hops.back))
    }

    fn retry(&self, retry: u32) -> String {
        let Some(retry) = self.names.model.retries.get(retry as usize) else { return String::new() };
        let attempts = retry.attempts.map_or("unlimited".to_owned(), |attempts| attempts.to_string());
        let mut text = format!(", attempts {attempts}");
        if retry.delay > 0 {
            text += &format!(" after {}", time(retry.delay));
        }
        if retry.factor != 1.0 {
            text += &format!(" × {}", retry.factor);
        }
        if let Some(longest) = retry.max_delay {
            text += &format!(" at most {}", time(longest));
        }
        if retry.jitter != Jitter::None {
            text += &format!(" jitter {}", word(&retry.jitter));
        }
        if let Some(errors) = &retry.errors {
            let errors: Vec<String> = errors.iter().map(|&error| self.error(error)).collect();
            text += &format!(" on {}", errors.join(", "));
        }
        text
    }

    fn error(&self, error: Error) -> String {
        match error {
            Error::Reason(reason) => self.names.model.names.symbols[reason.index()].clone(),
            other => word(&other),
        }
    }

    /// Regions are numbered within the body, from the first that any operation stands in.
    fn region(&self, region: u32) -> u32 {
        let model = self.names.model;
        let before = &model.region_of[..self.entry as usize];
        let first = before.iter().filter(|&&other| other != NONE).max().map_or(0, |last| last + 1);
        region - first.min(region)
    }

    fn region_line(&self, region: u32) -> String {
        let described = &self.names.model.regions[region as usize];
        let kind = if described.transaction.is_some() { "transaction" } else { "region" };
        let mut text = format!("     {{{}}} {kind}{}", self.region(region), self.retry(described.retry));
        if described.parent != NONE {
            text += &format!(", inside {}", self.region(described.parent));
        }
        for catch in &described.catches {
            let error = catch.error.map_or("any".to_owned(), |error| self.error(error));
            text += &format!(", {error} goes to {}", self.place(catch.target));
        }
        text
    }

    fn place(&self, pc: Pc) -> String {
        (pc - self.entry).to_string()
    }
}

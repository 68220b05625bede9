//! A whole scenario as text: what it is made of, then what its steps are, then where messages flow.

use super::knobs::{self, word};
use super::quantity::{count, length, model_count, share, time};
use super::value::Names;
use super::{code, flow};
use crate::kernel::ids::*;
use crate::model::Model;
use crate::report::text as escape;
use crate::scenario::resolve::preset_knobs;
use crate::scenario::resolved::*;
use crate::scenario::source::Sources;

/// Longest line, in characters: a name or an expression may be as long as a file.
const LONGEST_LINE: usize = 2000;

/// What the scenario means. Every line is made visible: nothing in it steers a terminal.
pub fn text(scenario: &Scenario, sources: &Sources, model: &Model) -> String {
    let mut page = Page { scenario, sources, model, lines: Vec::new() };
    page.head();
    page.messages();
    page.topics();
    page.services();
    page.clients();
    page.network();
    page.faults();
    page.heading("MESSAGE FLOW");
    page.lines.extend(flow::lines(scenario).into_iter().map(|line| format!("  {line}")));
    page.lines.iter().map(|line| escape::shortened(line, LONGEST_LINE) + "\n").collect()
}

pub(super) struct Page<'s> {
    pub(super) scenario: &'s Scenario,
    sources: &'s Sources,
    pub(super) model: &'s Model,
    lines: Vec<String>,
}

impl<'s> Page<'s> {
    pub(super) fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn heading(&mut self, heading: &str) {
        self.line("");
        self.line(heading);
    }

    fn head(&mut self) {
        let scenario = self.scenario;
        let run = &scenario.run;
        self.line(format!("scenario {}", scenario.name));
        if !scenario.about.trim().is_empty() {
            self.line(format!("  {}", escape::prose(&scenario.about)));
        }
        self.line(format!(
            "  seed {}, horizon {}, warm-up {}, drain {}, replications {}",
            scenario.seed,
            time(run.horizon),
            run.warm_up.map_or("auto".to_owned(), time),
            time(run.drain),
            run.replications
        ));
        for (name, value) in &scenario.parameters {
            self.line(format!("  ${name} = {value}"));
        }
    }

    fn messages(&mut self) {
        self.heading("MESSAGES");
        for message in &self.scenario.messages {
            let key = message.key.map_or("none", |key| &message.fields[key].name);
            let mut line = format!(
                "  {}: {}, key {key}, {}B, fields {}",
                message.name,
                word(&message.kind),
                message.size,
                self.fields(&message.fields)
            );
            if !message.reply.is_empty() {
                line += &format!(", reply {}", self.fields(&message.reply));
            }
            self.line(line);
        }
    }

    fn fields(&self, fields: &[Field]) -> String {
        let fields = fields.iter().map(|field| format!("{}: {}", field.name, self.ty(&field.ty)));
        format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
    }

    fn ty(&self, ty: &Type) -> String {
        match ty {
            Type::Enumeration(words) => {
                let words: Vec<&str> =
                    words.iter().map(|word| self.scenario.symbols[word.index()].as_str()).collect();
                format!("[{}]", words.join(", "))
            }
            Type::List(of) => format!("list of {}", self.ty(of)),
            Type::Row(_) | Type::Reply(_) => "row".to_owned(),
            plain => word(plain),
        }
    }

    fn topics(&mut self) {
        let scenario = self.scenario;
        if scenario.topics.is_empty() {
            return;
        }
        self.heading("TOPICS AND SUBSCRIPTIONS   [what the preset says stands behind what differs from it]");
        for (index, topic) in scenario.topics.iter().enumerate() {
            let broker = &scenario.brokers[topic.broker.index()];
            let messages: Vec<&str> = topic
                .messages
                .iter()
                .map(|message| scenario.messages[message.index()].name.as_str())
                .collect();
            self.line(format!(
                "  {} on {} (preset {}{}) carries {}",
                topic.name,
                broker.name,
                broker.preset,
                placed(&broker.place),
                messages.join(", ")
            ));
            self.capture(topic);
            let preset = preset_knobs(&broker.preset);
            let lines =
                knobs::compared(knobs::of_topic(&topic.knobs), preset.map(knobs::of_topic), &broker.preset);
            self.lines.extend(lines.into_iter().map(|line| format!("      {line}")));
            for group in scenario.groups.iter().filter(|group| group.topic.index() == index) {
                self.group(group, preset, &broker.preset);
            }
        }
    }

    fn group(&mut self, group: &Group, preset: Option<&Knobs>, preset_name: &str) {
        let scenario = self.scenario;
        let service = &scenario.services[group.service.index()];
        let to_whom = if group.per_instance { ", each instance gets all" } else { "" };
        let every = match group.ack {
            AckMode::Periodic => format!(" every {}", time(group.ack_every)),
            _ => String::new(),
        };
        self.line(format!(
            "    {} consumed by {}{to_whom}, ack {}{every}, concurrency {}, from {}",
            group.name,
            service.name,
            word(&group.ack),
            count(group.concurrency),
            if group.from_earliest { "earliest" } else { "latest" }
        ));
        let of_preset = preset.map(|preset| knobs::of_subscription(preset, scenario));
        let lines = knobs::compared(knobs::of_subscription(&group.knobs, scenario), of_preset, preset_name);
        self.lines.extend(lines.into_iter().map(|line| format!("      {line}")));
    }

    fn services(&mut self) {
        let scenario = self.scenario;
        self.heading("SERVICES   [~name is the random stream that a value is drawn from]");
        for (index, service) in scenario.services.iter().enumerate() {
            self.line(format!(
                "  {}: instances {}, workers {}, cpus {}, routing {}{}",
                service.name,
                service.instances,
                count(service.workers),
                count(service.cpus),
                word(&service.routing),
                placed(&service.place)
            ));
            if let Some(scale) = &service.autoscale {
                self.line(format!(
                    "    autoscale from {} to {} instances, {} of the workers busy, every {}, start-up {}",
                    scale.min,
                    scale.max,
                    share(scale.utilization),
                    time(scale.every),
                    time(scale.start_up)
                ));
            }
            let queue = &service.queue;
            let by =
                queue.by.as_ref().map_or(String::new(), |by| format!(" by {}", self.sources.text(by.span)));
            self.line(format!(
                "    queue {}{by}, capacity {}, shed {}",
                word(&queue.order),
                count(queue.capacity),
                word(&queue.shed)
            ));
            self.store(service);
            self.calls(&service.calls);
            let compiled = &self.model.services[index];
            for (handler, (message, code)) in service.handlers.iter().zip(&compiled.handlers) {
                self.line(format!("    on {}", scenario.messages[message.index()].name));
                self.body(&handler.body, *code, Some(*message));
            }
            for (job, id) in service.jobs.iter().zip(&compiled.jobs) {
                let runs = if job.once { "once" } else { "on each instance" };
                self.line(format!("    job {} every {}, {runs}", job.name, length(&job.every)));
                self.body(&job.body, self.model.jobs[id.index()].body, None);
            }
            let compiled = self.model.sagas.iter().filter(|saga| saga.service.index() == index);
            for (saga, compiled) in service.sagas.iter().zip(compiled) {
                self.saga(saga, compiled);
            }
            self.versions(index);
        }
    }

    fn saga(&mut self, saga: &Saga, compiled: &crate::model::Saga) {
        let names = &self.scenario.messages;
        let (start, key) = (&names[saga.start.index()].name, self.sources.text(saga.keys[0].1.span));
        self.line(format!("    saga {} started by {start}, key {key}", saga.name));
        // The bodies share the locals; each shows its own steps.
        let body = Body { locals: saga.locals.clone(), steps: Vec::new() };
        for (step, code) in saga.steps.iter().zip(&compiled.steps) {
            self.line(format!("      step {}", step.name));
            self.body(&body, code.body, Some(saga.start));
            if let Some(awaits) = &step.awaits {
                let name = |message: MessageId| names[message.index()].name.as_str();
                let failure =
                    awaits.failure.map_or(String::new(), |failure| format!(" or {}", name(failure)));
                let within = awaits
                    .timeout
                    .map_or(", for ever".to_owned(), |length| format!(" within {}", time(length)));
                let late = word(&awaits.late);
                self.line(format!("      awaits {}{failure}{within}; late: {late}", name(awaits.success)));
            }
            if code.undo.0 != crate::model::NONE {
                self.line(format!("      undone by (on timeout: {})", word(&step.on_timeout)));
                self.body(&body, code.undo, Some(saga.start));
            }
        }
        for (part, code) in [("completed", compiled.completed), ("compensated", compiled.compensated)] {
            if code.0 != crate::model::NONE {
                self.line(format!("      {part}"));
                self.body(&body, code, Some(saga.start));
            }
        }
    }

    fn store(&mut self, service: &Service) {
        let scenario = self.scenario;
        match &service.store {
            None => {}
            Some(StoreUse::Shared(owner)) => {
                self.line(format!("    shares the store of {}", scenario.services[owner.index()].name));
            }
            Some(StoreUse::Own(store)) => {
                self.line(format!(
                    "    store: read {}, write {}, commit {}, isolation {}, connections {}",
                    length(&store.read),
                    length(&store.write),
                    length(&store.commit),
                    word(&store.isolation),
                    count(store.connections)
                ));
                store.tables.iter().for_each(|&table| self.table(table));
            }
        }
        service.memory.iter().for_each(|&table| self.table(table));
        if let Some(outbox) = &service.outbox {
            let every = match outbox.mark {
                OutboxMark::Periodic => format!(" every {}", time(outbox.mark_every)),
                _ => String::new(),
            };
            let relays = match outbox.relays {
                1 => "one relay".to_owned(),
                several => format!("{several} relays"),
            };
            self.line(format!(
                "    outbox: every {}, batch {}, select {}, mark {}{every}, {relays}",
                time(outbox.every),
                outbox.batch,
                word(&outbox.select),
                word(&outbox.mark)
            ));
        }
    }

    fn table(&mut self, id: TableId) {
        let table = &self.scenario.tables[id.index()];
        let key: Vec<&str> = table.key.iter().map(|&column| table.columns[column].name.as_str()).collect();
        let columns: Vec<String> =
            table.columns.iter().map(|column| format!("{}: {}", column.name, self.ty(&column.ty))).collect();
        let kind = if table.memory { "memory table" } else { "table" };
        let mut line =
            format!("      {kind} {} {{ {} }}, key {}", table.name, columns.join(", "), key.join(", "));
        line += &format!(", {} rows at the start", table.rows.len());
        if let Some(ttl) = table.ttl {
            line += &format!(", rows last {}", time(ttl));
        }
        let capacity = self.model.tables[id.index()].capacity;
        if table.memory {
            line += &format!(", capacity {}", model_count(capacity));
        }
        if table.bookkeeping {
            line += ", bookkeeping";
        }
        self.line(line);
    }

    fn calls(&mut self, policies: &[CallPolicy]) {
        for policy in policies {
            let name = &self.scenario.services[policy.service.index()].name;
            let retry = match &policy.retry {
                None => "no retry".to_owned(),
                Some(retry) => format!(
                    "attempts {}, delay {}, factor {}, jitter {}",
                    count(retry.attempts),
                    time(retry.delay),
                    retry.factor,
                    word(&retry.jitter)
                ),
            };
            let breaker = policy.breaker.map_or(String::new(), |breaker| {
                format!(
                    ", breaker at {} of {} failed, open {}, probes {}",
                    share(breaker.failures),
                    breaker.of,
                    time(breaker.open),
                    breaker.probes
                )
            });
            let budget = policy.budget.map_or(String::new(), |budget| format!(", budget {}", share(budget)));
            let most = policy.max_in_flight.map_or(String::new(), |most| format!(", max in flight {most}"));
            self.line(format!(
                "    calls {name}: timeout {}, {retry}{breaker}{budget}{most}",
                time(policy.timeout)
            ));
        }
    }

    pub(super) fn body(&mut self, body: &Body, code: HandlerId, message: Option<MessageId>) {
        let locals = &self.model.handlers[code.index()].locals;
        let names = Names { scenario: self.scenario, model: self.model, body, locals, message };
        self.lines.extend(code::listing(&names, code).into_iter().map(|line| format!("    {line}")));
    }

    fn clients(&mut self) {
        self.heading("CLIENTS");
        for (index, client) in self.scenario.clients.iter().enumerate() {
            let most = client.count.map_or(String::new(), |count| format!(", {count} intents at most"));
            self.line(format!(
                "  {}: {}{most}{}",
                client.name,
                arrivals(&client.arrivals),
                placed(&client.place)
            ));
            self.calls(&client.calls);
            self.body(&client.body, self.model.clients[index].body, None);
        }
    }

    fn network(&mut self) {
        self.heading("NETWORK");
        let network = &self.scenario.network;
        self.line(format!("  default: {}", link(&network.default)));
        for written in &network.links {
            let ends: Vec<String> = written.between.iter().map(|end| self.end(end)).collect();
            let way = if written.one_way { " one way" } else { "" };
            self.line(format!(
                "  {} between {}{way}: {}",
                written.name,
                ends.join(", "),
                link(&written.knobs)
            ));
        }
    }

    fn end(&self, end: &End) -> String {
        let scenario = self.scenario;
        match end {
            End::Service(service) => scenario.services[service.index()].name.clone(),
            End::Client(client) => scenario.clients[client.index()].name.clone(),
            End::Broker(broker) => scenario.brokers[broker.index()].name.clone(),
            End::Region(region) => region.clone(),
            End::Store(service) => format!("{}.store", scenario.services[service.index()].name),
            End::Outbox(service) => format!("{}.outbox", scenario.services[service.index()].name),
        }
    }

    fn faults(&mut self) {
        if self.scenario.faults.is_empty() {
            return;
        }
        self.heading("FAULTS");
        for (fault, compiled) in self.scenario.faults.iter().zip(&self.model.faults) {
            let when = match &fault.when {
                When::At(times) => {
                    let times: Vec<String> = times.iter().map(|&at| time(at)).collect();
                    format!("at {}", times.join(", "))
                }
                When::Every(interval) => format!("every {}", length(interval)),
                When::AtStep { site, edge, nth, share: part, .. } => {
                    let nth = nth.map_or("every time".to_owned(), |nth| format!("occasion {nth}"));
                    let part = part.map_or(String::new(), |part| format!(", {}", share(part)));
                    format!("{} step {site}, {nth}{part}", word(edge))
                }
            };
            let until =
                fault.duration.as_ref().map_or("to the end of the measured phase".to_owned(), |duration| {
                    format!("for {}", length(duration))
                });
            let instance = match fault.instance {
                InstanceChoice::Number(number) => number.to_string(),
                other => word(&other),
            };
            self.line(format!("  {}: {}, {when}, {until}, instance {instance}", fault.name, compiled.what));
        }
    }
}

fn placed(regions: &[String]) -> String {
    if regions.is_empty() { String::new() } else { format!(", in {}", regions.join(", ")) }
}

fn link(knobs: &LinkKnobs) -> String {
    format!(
        "latency {}, loss {}, bandwidth {}, transport {}, duplicate {}",
        length(&knobs.latency),
        share(knobs.loss),
        knobs.bandwidth.map_or("unlimited".to_owned(), |bytes| format!("{bytes}B/s")),
        if knobs.datagram { "datagram" } else { "stream" },
        share(knobs.duplicate)
    )
}

fn arrivals(arrivals: &Arrivals) -> String {
    match arrivals {
        Arrivals::Poisson { rate } => format!("poisson {rate}/s"),
        Arrivals::Every { interval } => format!("every {}", length(interval)),
        Arrivals::Renewal { interval } => format!("renewal {}", length(interval)),
        Arrivals::Times { times } => format!("at {} given times", times.len()),
        Arrivals::Population { users, think } => format!("{users} users who think {}", length(think)),
        Arrivals::Bursty { phases } => {
            let phases = phases.iter().map(|(rate, of)| format!("{rate}/s for {}", length(of)));
            format!("bursty: {}", phases.collect::<Vec<_>>().join(", "))
        }
        Arrivals::Profile { points } => {
            let points = points.iter().map(|(at, rate)| format!("{rate}/s at {}", time(*at)));
            format!("profile: {}", points.collect::<Vec<_>>().join(", "))
        }
    }
}

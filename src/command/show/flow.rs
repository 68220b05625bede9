//! Where messages flow: who calls, sends, publishes and consumes what.

use crate::report::text;
use crate::scenario::resolved::*;
use indexmap::IndexMap;
use std::fmt::Write;

/// A place that messages come from or go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Client(usize),
    Service(usize),
    Topic(usize),
    Effect(usize),
}

/// How a message goes from one place to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Way {
    Call,
    Send,
    Publish,
    Outbox,
    Consume,
    Act,
}

impl Way {
    fn verb(self) -> &'static str {
        match self {
            Way::Call => "calls",
            Way::Send => "sends to",
            Way::Publish => "publishes to",
            Way::Outbox => "publishes by its outbox to",
            Way::Consume => "is consumed by",
            Way::Act => "acts on",
        }
    }

    fn arrow(self) -> &'static str {
        match self {
            Way::Call => "-->",
            Way::Send | Way::Publish | Way::Outbox | Way::Consume => "-.->",
            Way::Act => "==>",
        }
    }
}

/// One line for each pair of places and way between them.
pub fn lines(scenario: &Scenario) -> Vec<String> {
    let line = |((from, way, to), messages): (&(Place, Way, Place), &Vec<&str>)| {
        let of = if messages.is_empty() { String::new() } else { format!(": {}", messages.join(", ")) };
        format!("{} {} {}{of}", name(scenario, *from), way.verb(), name(scenario, *to))
    };
    ways(scenario).iter().map(line).collect()
}

/// A Mermaid flowchart. Labels are quoted and everything in them that could end one is spelt as a code.
pub fn mermaid(scenario: &Scenario) -> String {
    let ways = ways(scenario);
    let mut places: IndexMap<Place, ()> = IndexMap::new();
    for (from, _, to) in ways.keys() {
        places.insert(*from, ());
        places.insert(*to, ());
    }
    let mut chart = String::from("flowchart LR\n");
    let mut line = |text: String| writeln!(chart, "  {text}").expect("a string takes any text");
    for (index, place) in places.keys().enumerate() {
        let label = label(name(scenario, *place));
        line(match place {
            Place::Client(_) => format!("n{index}([\"{label}\"])"),
            Place::Service(_) => format!("n{index}[\"{label}\"]"),
            Place::Topic(_) => format!("n{index}[(\"{label}\")]"),
            Place::Effect(_) => format!("n{index}{{{{\"{label}\"}}}}"),
        });
    }
    for ((from, way, to), messages) in &ways {
        let number = |place| places.get_index_of(place).expect("every place of a way was noted");
        let label = match messages.is_empty() {
            true => String::new(),
            false => format!("|\"{}\"|", label(&messages.join(", "))),
        };
        line(format!("n{} {}{label} n{}", number(from), way.arrow(), number(to)));
    }
    chart
}

/// A label that means nothing to Mermaid or a browser: letters, digits and a few signs as they are,
/// everything else by its number.
fn label(name: &str) -> String {
    let mut safe = String::new();
    for letter in text::name(name).chars() {
        if letter.is_alphanumeric() || " _-.,/…".contains(letter) {
            safe.push(letter);
        } else {
            safe += &format!("#{};", u32::from(letter));
        }
    }
    safe
}

fn name(scenario: &Scenario, place: Place) -> &str {
    match place {
        Place::Client(index) => &scenario.clients[index].name,
        Place::Service(index) => &scenario.services[index].name,
        Place::Topic(index) => &scenario.topics[index].name,
        Place::Effect(index) => &scenario.effects[index],
    }
}

/// Every way with the messages that go it, in the order of the file: clients, services, topics.
fn ways(scenario: &Scenario) -> IndexMap<(Place, Way, Place), Vec<&str>> {
    let mut ways = Ways { scenario, found: IndexMap::new() };
    for (index, client) in scenario.clients.iter().enumerate() {
        ways.steps(Place::Client(index), &client.body.steps);
    }
    for (index, service) in scenario.services.iter().enumerate() {
        let of_versions = service.versions.iter().flat_map(|version| &version.handlers);
        let handlers = service.handlers.iter().chain(of_versions).map(|handler| &handler.body);
        for body in handlers.chain(service.jobs.iter().map(|job| &job.body)) {
            ways.steps(Place::Service(index), &body.steps);
        }
        for block in service.sagas.iter().flat_map(Saga::blocks) {
            ways.steps(Place::Service(index), block);
        }
    }
    for group in &scenario.groups {
        let service = &scenario.services[group.service.index()];
        let handled = service.handlers.iter().map(|handler| handler.message);
        let of_sagas = service.sagas.iter().flat_map(|saga| saga.keys.iter().map(|(message, _)| *message));
        for handled in handled.chain(of_sagas) {
            if scenario.topics[group.topic.index()].messages.contains(&handled) {
                let message = &scenario.messages[handled.index()].name;
                let (topic, service) =
                    (Place::Topic(group.topic.index()), Place::Service(group.service.index()));
                ways.add(topic, Way::Consume, service, Some(message));
            }
        }
    }
    for (index, topic) in scenario.topics.iter().enumerate() {
        if let Some(capture) = &topic.capture {
            let owner = Place::Service(scenario.tables[capture.table.index()].service.index());
            let message = &scenario.messages[capture.message.index()].name;
            ways.add(owner, Way::Outbox, Place::Topic(index), Some(message));
        }
        if let Some(letters) = topic.knobs.exhaust.dead_letter {
            ways.add(Place::Topic(index), Way::Send, Place::Topic(letters.index()), None);
        }
    }
    ways.found
}

struct Ways<'s> {
    scenario: &'s Scenario,
    found: IndexMap<(Place, Way, Place), Vec<&'s str>>,
}

impl<'s> Ways<'s> {
    fn add(&mut self, from: Place, way: Way, to: Place, message: Option<&'s str>) {
        let messages = self.found.entry((from, way, to)).or_default();
        messages.extend(message.filter(|message| !messages.contains(message)));
    }

    fn steps(&mut self, from: Place, steps: &'s [Step]) {
        steps.iter().for_each(|step| self.step(from, &step.kind));
    }

    fn step(&mut self, from: Place, step: &'s StepKind) {
        let scenario = self.scenario;
        let message =
            |message: crate::kernel::ids::MessageId| Some(scenario.messages[message.index()].name.as_str());
        match step {
            StepKind::Call(call) => {
                self.add(from, Way::Call, Place::Service(call.service.index()), message(call.message));
                self.catches(from, &call.catch);
            }
            StepKind::Send { service, message: sent, .. } => {
                self.add(from, Way::Send, Place::Service(service.index()), message(*sent));
            }
            StepKind::Publish(publish) => {
                let way = match publish.via {
                    Via::Outbox => Way::Outbox,
                    Via::Direct | Via::Ack => Way::Publish,
                };
                self.add(from, way, Place::Topic(publish.topic.index()), message(publish.message));
                self.catches(from, &publish.catch);
            }
            StepKind::Append(append) => {
                let stream = scenario.tables[append.table.index()].stream.as_ref();
                if let Some(topic) = stream.and_then(|stream| stream.publish_to) {
                    self.add(from, Way::Outbox, Place::Topic(topic.index()), message(append.message));
                }
                self.catches(from, &append.catch);
            }
            StepKind::Effect { effect, catch, .. } => {
                self.add(from, Way::Act, Place::Effect(effect.index()), None);
                self.catches(from, catch);
            }
            StepKind::Transaction { body, catch, .. } | StepKind::Try { body, catch, .. } => {
                self.steps(from, body);
                self.catches(from, catch);
            }
            StepKind::After { body, .. } | StepKind::ForEach { body, .. } => self.steps(from, body),
            StepKind::If { then, otherwise, .. } => {
                self.steps(from, then);
                self.steps(from, otherwise);
            }
            StepKind::Parallel(branches) => {
                branches.iter().for_each(|(_, steps)| self.steps(from, steps));
            }
            StepKind::Read { otherwise, .. }
            | StepKind::Insert { otherwise, .. }
            | StepKind::Update { otherwise, .. }
            | StepKind::Upsert { otherwise, .. }
            | StepKind::Delete { otherwise, .. } => {
                otherwise.iter().for_each(|steps| self.steps(from, steps));
            }
            StepKind::Work(_)
            | StepKind::Wait(_)
            | StepKind::Let(_)
            | StepKind::Scan { .. }
            | StepKind::Load { .. }
            | StepKind::Reply(_)
            | StepKind::Stop
            | StepKind::Fail(_)
            | StepKind::Ack => {}
        }
    }

    fn catches(&mut self, from: Place, catches: &'s [Catch]) {
        catches.iter().for_each(|catch| self.steps(from, &catch.body));
    }
}

//! Every figure of a replication under one name, so that designs can be held against each other.
//!
//! Law. Names are those that promises use (`p99(shopper.response_time)`), so that two designs share a measure
//! if they share the client, service, topic or promise that it is about. What faults did is no measure: they are
//! the weather, not the design.
//!
//! A *question* is what one asks first: whether the clients got through, how fast and how many; how long messages
//! stayed in topics; what was done twice, lost or left half done; whatever is promised.

use super::results::measure::{Role, Unit, Wanted};
use super::verdict::words::{is_duration, measure_name};
use crate::kernel::anomaly::{Anomaly, Family};
use crate::kernel::time::SECOND;
use crate::model::Model;
use crate::model::promise::{Measure, MeasureUse, Statistic};
use crate::observe::findings::Findings;
use crate::observe::metrics::{
    ClientFigures, DurationFigures, Figures, LinkFigures, ServiceFigures, SubscriptionFigures,
};

/// A measure and its value in each of some replications.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub name: String,
    pub unit: Unit,
    pub wanted: Wanted,
    pub role: Role,
    /// `None` where there was nothing to measure.
    pub values: Vec<Option<f64>>,
}

/// What a replication gives to measure.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub figures: &'a Figures,
    pub findings: &'a Findings,
    /// In the order of the measures that promises speak of.
    pub promised: &'a [Option<f64>],
}

/// All measures of a model in some replications; `promised` are those that its promises speak of.
pub fn measured(model: &Model, promised: &[MeasureUse], replications: &[Source]) -> Vec<Measured> {
    let mut table = Table { replications, measures: Vec::new() };
    for (i, client) in model.clients.iter().enumerate() {
        table.add(&client.name, CLIENT, |one| &one.figures.clients[i]);
        table
            .add_durations(&client.name, "response_time", SHAPE, |one| &one.figures.clients[i].response_time);
    }
    for (i, topic) in model.groups.iter().enumerate() {
        table.add(&topic.name, SUBSCRIPTION, |one| &one.figures.subscriptions[i]);
        table.add_durations(&topic.name, "time_in_topic", SHAPE, |one| {
            &one.figures.subscriptions[i].time_in_topic
        });
    }
    table.add_anomalies(model);
    table.add_promised(promised);
    for (i, service) in model.services.iter().enumerate() {
        table.add(&service.name, SERVICE, |one| &one.figures.services[i]);
        table
            .add_durations(&service.name, "waiting_time", INNER, |one| &one.figures.services[i].waiting_time);
        table
            .add_durations(&service.name, "service_time", INNER, |one| &one.figures.services[i].service_time);
    }
    for (i, link) in model.names.links.iter().enumerate() {
        table.add(link, LINK, |one| &one.figures.links[i]);
    }
    table.measures
}

/// One figure of a client, a service, a subscription or a link. In its name `{}` stands for theirs.
struct Column<T> {
    name: &'static str,
    unit: Unit,
    wanted: Wanted,
    role: Role,
    of: fn(&T) -> Option<f64>,
}

const fn asked<T>(name: &'static str, unit: Unit, wanted: Wanted, of: fn(&T) -> Option<f64>) -> Column<T> {
    Column { name, unit, wanted, role: Role::Asked, of }
}

const fn told<T>(name: &'static str, unit: Unit, wanted: Wanted, of: fn(&T) -> Option<f64>) -> Column<T> {
    Column { name, unit, wanted, role: Role::Told, of }
}

const CLIENT: &[Column<ClientFigures>] = &[
    asked("{}.throughput", Unit::PerSecond, Wanted::More, |client| Some(client.throughput)),
    asked("share({}.succeeded)", Unit::Share, Wanted::More, |client| client.success),
    told("{}.offered", Unit::PerSecond, Wanted::Either, |client| Some(client.offered)),
    told("share({}.timeouts)", Unit::Share, Wanted::Less, |client| client.timeouts),
    told("share({}.errors)", Unit::Share, Wanted::Less, |client| client.errors),
    told("share({}.unfinished)", Unit::Share, Wanted::Less, |client| client.unfinished),
];

const SUBSCRIPTION: &[Column<SubscriptionFigures>] = &[
    told("{}.accepted", Unit::PerSecond, Wanted::Either, |group| Some(group.accepted)),
    told("rate({}.redeliveries)", Unit::PerSecond, Wanted::Less, |group| Some(group.redeliveries)),
    told("rate({}.given_up)", Unit::PerSecond, Wanted::Less, |group| Some(group.exhausted)),
    told("{}.lag", Unit::Number, Wanted::Less, |group| Some(group.lag)),
    told("max({}.lag)", Unit::Number, Wanted::Less, |group| Some(group.lag_max)),
];

const SERVICE: &[Column<ServiceFigures>] = &[
    told("{}.throughput", Unit::PerSecond, Wanted::Either, |service| Some(service.throughput)),
    told("{}.utilization", Unit::Share, Wanted::Either, |service| service.utilization),
    told("{}.offered_load", Unit::Erlang, Wanted::Either, |service| service.offered_load),
    told("{}.queue_length", Unit::Number, Wanted::Less, |service| Some(service.queue_length)),
    told("{}.in_system", Unit::Number, Wanted::Less, |service| Some(service.in_system)),
    told("share({}.rejected)", Unit::Share, Wanted::Less, |service| service.rejected),
];

const LINK: &[Column<LinkFigures>] =
    &[told("sent over {}", Unit::Number, Wanted::Either, |link| Some(link.sent as f64))];

/// Of clients and subscriptions: what somebody waits for.
const SHAPE: &[Column<DurationFigures>] = &[
    asked("mean({})", Unit::Seconds, Wanted::Less, |durations| durations.mean),
    asked("p99({})", Unit::Seconds, Wanted::Less, |durations| durations.p99),
    told("p50({})", Unit::Seconds, Wanted::Less, |durations| durations.p50),
    told("p90({})", Unit::Seconds, Wanted::Less, |durations| durations.p90),
    told("p999({})", Unit::Seconds, Wanted::Less, |durations| durations.p999),
    told("max({})", Unit::Seconds, Wanted::Less, |durations| durations.max),
];

/// Of services: how it comes about.
const INNER: &[Column<DurationFigures>] = &[
    told("mean({})", Unit::Seconds, Wanted::Either, |durations| durations.mean),
    told("p99({})", Unit::Seconds, Wanted::Either, |durations| durations.p99),
];

/// What goes wrong that one asks about even if nothing is promised.
const ASKED_ANYHOW: [Anomaly; 3] = [Anomaly::DuplicateEffects, Anomaly::LostEffects, Anomaly::TornEffects];

/// Measures, as they come together.
struct Table<'a> {
    replications: &'a [Source<'a>],
    measures: Vec<Measured>,
}

impl<'a> Table<'a> {
    fn add<T: 'a>(&mut self, owner: &str, columns: &[Column<T>], part: impl Fn(&Source<'a>) -> &'a T) {
        for column in columns {
            self.measures.push(Measured {
                name: column.name.replace("{}", owner),
                unit: column.unit,
                wanted: column.wanted,
                role: column.role,
                values: self.replications.iter().map(|one| (column.of)(part(one))).collect(),
            });
        }
    }

    fn add_durations(
        &mut self,
        owner: &str,
        word: &str,
        columns: &[Column<DurationFigures>],
        part: impl Fn(&Source<'a>) -> &'a DurationFigures,
    ) {
        self.add(&format!("{owner}.{word}"), columns, part);
    }

    /// How often each anomaly was counted in a replication. Of isolation only what is promised: many harmless
    /// interleavings count there too.
    fn add_anomalies(&mut self, model: &Model) {
        for &anomaly in Anomaly::ALL {
            let is_promised = model.promises.anomalies.iter().any(|bound| bound.anomaly == anomaly);
            if anomaly.family() == Family::Isolation && !is_promised {
                continue;
            }
            let is_asked = is_promised || ASKED_ANYHOW.contains(&anomaly);
            let count = |one: &Source| one.findings.anomalies.get(anomaly.index()).map(|of| of.count as f64);
            self.measures.push(Measured {
                name: format!("{}.{}", anomaly.family().name(), anomaly.name()),
                unit: Unit::Number,
                wanted: Wanted::Less,
                role: if is_asked { Role::Counted } else { Role::Told },
                values: self.replications.iter().map(count).collect(),
            });
        }
    }

    /// What promises speak of; what is there already becomes a question.
    fn add_promised(&mut self, promised: &[MeasureUse]) {
        for (at, of) in promised.iter().enumerate() {
            let name = measure_name(of);
            if let Some(known) = self.measures.iter_mut().find(|known| known.name == name) {
                known.role = role(known.wanted);
                continue;
            }
            let scale = if is_duration(of) { SECOND as f64 } else { 1.0 };
            let value = |one: &Source| one.promised.get(at).copied().flatten().map(|value| value / scale);
            let wanted = wanted(of);
            self.measures.push(Measured {
                name,
                unit: unit(of),
                wanted,
                role: role(wanted),
                values: self.replications.iter().map(value).collect(),
            });
        }
    }
}

/// What a promise speaks of is asked about, unless it is neither good nor bad.
fn role(wanted: Wanted) -> Role {
    if wanted == Wanted::Either { Role::Told } else { Role::Asked }
}

fn unit(of: &MeasureUse) -> Unit {
    match (of.measure, of.statistic) {
        _ if is_duration(of) => Unit::Seconds,
        (Measure::Throughput, _) | (_, Statistic::Rate) => Unit::PerSecond,
        (Measure::Utilization, _) | (_, Statistic::Share) => Unit::Share,
        _ => Unit::Number,
    }
}

fn wanted(of: &MeasureUse) -> Wanted {
    match of.measure {
        Measure::Throughput | Measure::Succeeded | Measure::FreshReads => Wanted::More,
        Measure::Utilization | Measure::ServiceTime | Measure::Deliveries | Measure::InFlight => {
            Wanted::Either
        }
        Measure::ResponseTime
        | Measure::Failed
        | Measure::Timeouts
        | Measure::Amplification
        | Measure::QueueLength
        | Measure::WaitingTime
        | Measure::GroupLag
        | Measure::ViewLag
        | Measure::TimeInTopic
        | Measure::Redeliveries
        | Measure::Window
        | Measure::Staleness => Wanted::Less,
    }
}

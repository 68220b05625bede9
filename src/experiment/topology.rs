//! The picture of a design: who calls, sends to, publishes to and consumes what.
//!
//! Edges of the same kind between the same two nodes are one, and carry all their messages.

use super::results::{EdgeKind, NodeKind, Topology, TopologyEdge, TopologyNode};
use crate::kernel::sampler::Sampler;
use crate::kernel::stream::Draw;
use crate::kernel::time::SECOND;
use crate::model::messaging::ExhaustThen;
use crate::model::{Arrivals, Client, Model, Place, Service, Topic};
use indexmap::IndexMap;

/// Clients, then services, then topics.
pub fn topology(model: &Model) -> Topology {
    let clients =
        model.clients.iter().map(|client| node(&client.name, NodeKind::Client, rate(model, client)));
    let services =
        model.services.iter().map(|service| node(&service.name, NodeKind::Service, workers(service)));
    let topics = model.topics.iter().map(|topic| node(&topic.name, NodeKind::Topic, product(topic)));
    Topology { nodes: clients.chain(services).chain(topics).collect(), edges: edges(model) }
}

fn node(name: &str, kind: NodeKind, detail: String) -> TopologyNode {
    TopologyNode { name: name.to_owned(), kind, detail }
}

fn rate(model: &Model, client: &Client) -> String {
    match &client.arrivals {
        Arrivals::Renewal { interval } => {
            let Draw::Nanos(distribution) = &model.streams[interval.index()].draw else {
                return "arrivals".to_owned();
            };
            let per_second = SECOND as f64 / Sampler::new(distribution).mean();
            format!("{}/s", short(per_second))
        }
        Arrivals::Times(times) => format!("{} arrivals", times.len()),
        Arrivals::Population { users, .. } => format!("{users} users"),
        Arrivals::Thinned { highest, .. } => format!("up to {}/s", short(*highest)),
    }
}

/// Four digits at most behind the point, and no zeros at its end.
fn short(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn workers(service: &Service) -> String {
    let workers = match service.workers {
        u32::MAX => "unlimited workers".to_owned(),
        1 => "1 worker".to_owned(),
        workers => format!("{workers} workers"),
    };
    match service.instances {
        1 => workers,
        instances => format!("{instances} × {workers}"),
    }
}

fn product(topic: &Topic) -> String {
    match topic.knobs.partitions {
        1 => topic.preset.clone(),
        partitions => format!("{}, {partitions} partitions", topic.preset),
    }
}

fn edges(model: &Model) -> Vec<TopologyEdge> {
    let service = |id: crate::kernel::ids::ServiceId| model.clients.len() + id.index();
    let topic = |id: crate::kernel::ids::TopicId| model.clients.len() + model.services.len() + id.index();
    let source = |route: u32| match model.routes[route as usize].from {
        Place::Client(client) => Some(client.index()),
        Place::Service(of) | Place::Store(of) | Place::Outbox(of) => Some(service(of)),
        Place::Broker(_) | Place::Region(_) => None,
    };
    let message = |id: crate::kernel::ids::MessageId| model.messages[id.index()].name.as_str();
    let mut edges = Edges::default();
    for call in &model.calls {
        edges.add(source(call.route), service(call.service), EdgeKind::Call, message(call.message));
    }
    for send in &model.sends {
        edges.add(source(send.route), service(send.service), EdgeKind::Send, message(send.message));
    }
    for publish in &model.publishes {
        edges.add(source(publish.route), topic(publish.topic), EdgeKind::Publish, message(publish.message));
    }
    for group in &model.groups {
        for path in &group.deliveries {
            let from = Some(topic(group.topic));
            edges.add(from, service(group.service), EdgeKind::Consume, message(path.message));
        }
        if let Some(exhaust) = group.member.knobs.exhaust
            && let ExhaustThen::DeadLetter(dead) = exhaust.then
        {
            edges.add(Some(topic(group.topic)), topic(dead), EdgeKind::Publish, "dead letters");
        }
    }
    edges.finish()
}

/// Labels by (from, to, kind), in order of first appearance.
#[derive(Default)]
struct Edges<'m>(IndexMap<(usize, usize, u8), (EdgeKind, Vec<&'m str>)>);

impl<'m> Edges<'m> {
    fn add(&mut self, from: Option<usize>, to: usize, kind: EdgeKind, label: &'m str) {
        let Some(from) = from else { return };
        let (_, labels) = self.0.entry((from, to, kind as u8)).or_insert_with(|| (kind, Vec::new()));
        if !labels.contains(&label) {
            labels.push(label);
        }
    }

    fn finish(self) -> Vec<TopologyEdge> {
        let edge = |((from, to, _), (kind, labels)): (_, (EdgeKind, Vec<&str>))| TopologyEdge {
            from,
            to,
            kind,
            label: labels.join(", "),
        };
        self.0.into_iter().map(edge).collect()
    }
}

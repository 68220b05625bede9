//! Faults: what they do, to whom, when, and for how long.

use super::Resolver;
use super::names::{Kind, unknown};
use super::nodes;
use super::quantities::{MOST, constant_duration, flag};
use crate::kernel::ids::*;
use crate::kernel::time::SECOND;
use crate::scenario::diagnostic::{Diagnostic, closest};
use crate::scenario::expression;
use crate::scenario::node::{Entry, Node};
use crate::scenario::resolved::*;
use crate::scenario::source::Span;

/// A crashed instance is started again after this long unless `for` says otherwise.
const DEFAULT_RESTART: u64 = 5 * SECOND;

/// Verbs that are aimed at an instance of a service.
const OF_INSTANCES: &[&str] = &["crash", "pause", "slow", "skew"];

const EDGES: &[(&str, Edge)] =
    &[("before", Edge::Before), ("unanswered", Edge::Unanswered), ("after", Edge::After)];

impl<'a> Resolver<'a> {
    pub fn resolve_faults(&mut self, root: &'a Node, run: &Run) -> Vec<Fault> {
        let faults = nodes::section(root, "faults");
        faults.iter().filter_map(|(name, entry)| self.resolve_fault(name, entry, run)).collect()
    }

    fn resolve_fault(&mut self, name: &str, entry: &'a Entry, run: &Run) -> Option<Fault> {
        let node = &entry.value;
        self.refuse_keys("fault", node);
        let verb = verb(node);
        let kind = verb.and_then(|verb| self.fault_kind(verb, node));
        let when = match verb {
            Some("poison") => self.when_poisoned(node, run),
            _ => self.when(node, run),
        };
        let written = nodes::get(node, "for")
            .map(|length| expression::generator(length, &Type::Duration, &mut self.context()));
        let duration = match written {
            Some(length) => Some(length?),
            None if matches!(verb, Some("crash" | "failover")) => {
                Some(constant_duration(DEFAULT_RESTART, entry.key_span))
            }
            None => None,
        };
        let instance = self.instance(node, verb, kind.as_ref());
        Some(Fault {
            name: name.to_owned(),
            span: entry.key_span,
            kind: kind?,
            when: when?,
            duration,
            instance,
        })
    }

    fn fault_kind(&mut self, verb: &str, node: &'a Node) -> Option<FaultKind> {
        let target = nodes::get(node, verb)?;
        let by = nodes::get(node, "by");
        let service = |resolver: &mut Self| resolver.service_named(nodes::text(target)?, target.span);
        match verb {
            "failover" if is_store(target) => self.failover_of_store(target),
            "crash" if is_store(target) => self.store_fault(target, StoreFault::Crash),
            "pause" if is_store(target) => self.store_fault(target, StoreFault::Pause),
            "outage" if is_store(target) => self.store_fault(target, StoreFault::Outage),
            "crash" => Some(FaultKind::Crash { service: service(self)? }),
            "pause" => Some(FaultKind::Pause { service: service(self)? }),
            "slow" => {
                let by = by.and_then(|by| self.factor(by));
                if is_store(target) {
                    return self.store_fault(target, StoreFault::Slow(by?));
                }
                Some(FaultKind::Slow { service: service(self)?, by: by? })
            }
            "skew" => {
                let by = by.and_then(|by| expression::signed_duration(by, &mut self.context()));
                Some(FaultKind::Skew { service: service(self)?, by: by? })
            }
            "surge" => {
                let by = by.and_then(|by| self.factor(by));
                let client = self.client_named(nodes::text(target)?, target.span);
                if let Some(client) = client {
                    self.check_surge(client, target);
                }
                Some(FaultKind::Surge { client: client?, by: by? })
            }
            "outage" => Some(FaultKind::Outage { place: self.system(target)? }),
            "failover" => Some(FaultKind::Failover { place: self.broker_or_store(target)? }),
            "poison" => {
                let message = self.message_named(nodes::text(target)?, target.span)?;
                let share =
                    nodes::get(node, "share").and_then(|share| expression::share(share, &mut self.context()));
                Some(FaultKind::Poison { message, share })
            }
            "split" => {
                let one_way = flag(nodes::get(node, "one_way"), false);
                let ends = self.ends(target);
                Some(FaultKind::Split { ends, one_way })
            }
            _ => self.degrade(target, node),
        }
    }

    fn store_fault(&mut self, target: &'a Node, what: StoreFault) -> Option<FaultKind> {
        match self.end(nodes::text(target)?, target.span)? {
            End::Store(service) => Some(FaultKind::Store { service: self.owner_of_store(service), what }),
            _ => {
                let message = "a fault is aimed at a service or at its store";
                self.report(Diagnostic::new("contradiction", target.span, message));
                None
            }
        }
    }

    /// Whose store a service uses.
    fn owner_of_store(&self, service: ServiceId) -> ServiceId {
        match self.services[service.index()].store {
            Some(StoreUse::Shared(owner)) => owner,
            _ => service,
        }
    }

    /// Of a store without copies.
    fn failover_of_store(&mut self, target: &'a Node) -> Option<FaultKind> {
        let fault = self.store_fault(target, StoreFault::Failover)?;
        if let FaultKind::Store { service, .. } = fault
            && let Some(StoreUse::Own(store)) = &self.services[service.index()].store
        {
            match store.copies {
                Some(Copies::Quorum(_)) => {
                    let message = "the replicas of a quorum are equals: none takes over from another";
                    let diagnostic = Diagnostic::new("contradiction", target.span, message);
                    self.report(diagnostic.help("let it be out for a while: `outage`"));
                    return None;
                }
                Some(Copies::Follow { .. }) if store.flush_every.is_some() => {
                    let mut kept = self.flow.kept_beside_rows.iter();
                    if let Some(&(_, span)) = kept.find(|kept| self.owner_of_store(kept.0) == service) {
                        let what = "a durable timer or a saga in a store that flushes later and fails over to a replica";
                        self.not_built(span, what);
                    }
                }
                Some(Copies::Follow { .. }) | None => {}
            }
        }
        Some(fault)
    }

    /// A broker or a service.
    fn system(&mut self, target: &'a Node) -> Option<End> {
        let place = self.end(nodes::text(target)?, target.span)?;
        if !matches!(place, End::Broker(_) | End::Service(_)) {
            let message = "an `outage` is of a broker, a service or a store";
            self.report(Diagnostic::new("contradiction", target.span, message));
            return None;
        }
        Some(place)
    }

    fn broker_or_store(&mut self, target: &'a Node) -> Option<End> {
        let place = self.end(nodes::text(target)?, target.span)?;
        if !matches!(place, End::Broker(_)) {
            let message = "a `failover` is of a broker or of a store";
            let diagnostic = Diagnostic::new("contradiction", target.span, message);
            self.report(
                diagnostic
                    .help("of the instances of a service one takes over from another anyway: `crash` it"),
            );
            return None;
        }
        Some(place)
    }

    /// `share` alone poisons a share of all messages of the run.
    fn when_poisoned(&mut self, node: &'a Node, run: &Run) -> Option<When> {
        let has_occasion = ["at", "every", "at_step"].iter().any(|key| nodes::get(node, key).is_some());
        if has_occasion { self.when(node, run) } else { Some(When::At(vec![0])) }
    }

    /// A surge multiplies a rate; given times have none.
    fn check_surge(&mut self, client: ClientId, target: &'a Node) {
        let entry = &self.names.clients[client.index()];
        let arrivals = nodes::get(&entry.value, "arrivals");
        let has = |kind: &str| arrivals.is_some_and(|arrivals| nodes::get(arrivals, kind).is_some());
        if ["times", "file"].iter().any(|kind| has(kind)) {
            let message = "the arrivals of this client have no rate that could surge";
            let diagnostic = Diagnostic::new("contradiction", target.span, message);
            self.report(diagnostic.related(entry.key_span, "the client"));
        }
    }

    fn degrade(&mut self, target: &'a Node, node: &'a Node) -> Option<FaultKind> {
        let latency = nodes::get(node, "latency")
            .and_then(|latency| expression::generator(latency, &Type::Duration, &mut self.context()));
        let share = |resolver: &mut Self, key: &str| {
            nodes::get(node, key).and_then(|share| expression::share(share, &mut resolver.context()))
        };
        let (loss, duplicate) = (share(self, "loss"), share(self, "duplicate"));
        let bandwidth = self.bandwidth(node).flatten();
        let datagram = nodes::get(node, "transport").map(|transport| nodes::is_word(transport, "datagram"));
        let is_worse = latency.is_some() || loss.is_some() || duplicate.is_some() || bandwidth.is_some();
        if !is_worse && datagram.is_none() {
            let message = "this degrades nothing";
            let diagnostic = Diagnostic::new("missing-option", target.span, message);
            self.report(
                diagnostic
                    .help("say what gets worse: `latency`, `loss`, `bandwidth`, `transport` or `duplicate`"),
            );
        }
        let ends = self.ends(target);
        self.refuse_datagrams_to_stores(&ends, node);
        Some(FaultKind::Degrade {
            ends,
            one_way: flag(nodes::get(node, "one_way"), false),
            latency,
            loss,
            bandwidth,
            datagram,
            duplicate,
        })
    }

    fn factor(&mut self, node: &'a Node) -> Option<f64> {
        let factor = expression::number(node, &mut self.context())?;
        if factor <= 0.0 {
            self.impossible(node.span, "a factor is above 0");
            return None;
        }
        Some(factor)
    }

    pub fn when(&mut self, node: &'a Node, run: &Run) -> Option<When> {
        if let Some(at) = nodes::get(node, "at") {
            return self.at(at, run);
        }
        if let Some(every) = nodes::get(node, "every") {
            let interval = expression::generator(every, &Type::Duration, &mut self.context())?;
            self.check_time_passes(&interval, "an interval");
            return Some(When::Every(interval));
        }
        if let Some(step) = nodes::get(node, "at_step") {
            return self.at_step(step, node);
        }
        if let Some(share) = nodes::entry(node, "share") {
            let message = "a share of which occasions?";
            let diagnostic = Diagnostic::new("missing-option", share.key_span, message);
            self.report(diagnostic.help("name the step: `at_step: service.Message.name`"));
        }
        None
    }

    fn at(&mut self, at: &'a Node, run: &Run) -> Option<When> {
        let single = std::slice::from_ref(at);
        let written = if nodes::is_list(at) { nodes::list(at) } else { single };
        let mut times = Vec::new();
        for time in written {
            let nanos = expression::duration(time, &mut self.context())?;
            if nanos >= run.horizon {
                let message = "this is after the horizon, when all faults have healed";
                self.report(
                    Diagnostic::new("impossible-number", time.span, message).help("it would never strike"),
                );
            }
            if times.last().is_some_and(|&earlier| earlier >= nanos) {
                self.impossible(time.span, "the times of a fault go forward");
            }
            times.push(nanos);
        }
        Some(When::At(times))
    }

    /// `service.Message.name` or `service.job.name`: all steps of that name there.
    fn at_step(&mut self, step: &'a Node, node: &'a Node) -> Option<When> {
        let word = nodes::text(step)?;
        let edge = nodes::get(node, "edge").and_then(|edge| self.word(edge, EDGES)).unwrap_or(Edge::After);
        let share = nodes::get(node, "share").and_then(|share| expression::share(share, &mut self.context()));
        let nth = match nodes::entry(node, "nth") {
            // Without a number a share is of all occasions.
            None => {
                if share.is_some() {
                    None
                } else {
                    Some(1)
                }
            }
            Some(entry) if nodes::is_word(&entry.value, "every") => None,
            Some(entry) => {
                if share.is_some() {
                    let message = "a share is of every occasion, not of one of them";
                    self.report(Diagnostic::new("contradiction", entry.key_span, message));
                }
                Some(expression::count_within(&entry.value, 1..=MOST, &mut self.context())?)
            }
        };
        let (service_name, rest) = word.split_once('.')?;
        let (body, name) = rest.split_once('.')?;
        let service = self.service_named(service_name, nodes::place_of(step, 0..service_name.len()))?;
        let body_place = nodes::place_of(step, service_name.len() + 1..word.len() - name.len() - 1);
        let name_place = nodes::place_of(step, word.len() - name.len()..word.len());
        self.check_body(service, body, body_place)?;
        self.check_site(service, body, name, name_place)?;
        if edge == Edge::Unanswered && !self.sites.is_answered(service, body, name) {
            let message = format!("`{name}` waits for no answer that could get lost");
            let diagnostic = Diagnostic::new("contradiction", step.span, message);
            self.report(
                diagnostic.help("`edge: unanswered` is for calls, publishes, effects, row steps and commits"),
            );
        }
        Some(When::AtStep { service, site: format!("{service_name}/{body}/{name}"), edge, nth, share })
    }

    /// A handler, a job or a saga of the service.
    fn check_body(&mut self, service: ServiceId, body: &str, span: Span) -> Option<()> {
        let entry = &self.names.services[service.index()];
        let sections = ["handlers", "jobs", "sagas"].map(|section| nodes::section(&entry.value, section));
        let in_a_version = self.merged.handled(service).any(|handled| handled == body);
        if !in_a_version && sections.iter().all(|section| !section.contains_key(body)) {
            let bodies = sections.iter().flat_map(|section| section.keys()).map(String::as_str);
            let diagnostic = unknown(Kind::Message, body, span, bodies)
                .label("no handler, job or saga of this name")
                .related(entry.key_span, "the service");
            self.report(diagnostic);
            return None;
        }
        Some(())
    }

    fn check_site(&mut self, service: ServiceId, body: &str, name: &str, span: Span) -> Option<()> {
        let names = self.sites.of(service, body);
        if names.contains(&name) {
            return Some(());
        }
        let mut diagnostic = unknown(Kind::Step, name, span, names.iter().copied());
        if closest(name, names.iter().copied()).is_none() {
            diagnostic = diagnostic.help(format!("give the step a name: `name: {name}`"));
        }
        self.report(diagnostic);
        None
    }

    /// `any`, `all`, or a number as `self.instance` has it: from 0.
    fn instance(&mut self, node: &'a Node, verb: Option<&str>, kind: Option<&FaultKind>) -> InstanceChoice {
        let Some(entry) = nodes::entry(node, "instance") else { return InstanceChoice::Any };
        let of_store = matches!(kind, Some(FaultKind::Store { .. }));
        if of_store || verb.is_some_and(|verb| !OF_INSTANCES.contains(&verb)) {
            let message = "only faults of a service are aimed at an instance";
            self.report(Diagnostic::new("misplaced-option", entry.key_span, message));
        }
        match nodes::text(&entry.value) {
            Some("all") => return InstanceChoice::All,
            Some("any") | None => return InstanceChoice::Any,
            Some(_) => {}
        }
        let instances = match kind {
            Some(
                FaultKind::Crash { service }
                | FaultKind::Pause { service }
                | FaultKind::Slow { service, .. }
                | FaultKind::Skew { service, .. },
            ) => self.services[service.index()].most_instances(),
            _ => u32::MAX,
        };
        let number = expression::count(&entry.value, &mut self.context()).unwrap_or(0);
        if number >= u64::from(instances) {
            let last = instances - 1;
            let message = format!("there is no instance {number}");
            let diagnostic = Diagnostic::new("impossible-number", entry.value.span, message);
            self.report(diagnostic.help(format!("instances are numbered from 0; the last one is {last}")));
        }
        InstanceChoice::Number(number.min(MOST) as u32)
    }
}

/// The verb of a fault; those not built were refused by name.
fn verb(node: &Node) -> Option<&'static str> {
    const VERBS: &[&str] =
        &["crash", "pause", "slow", "outage", "failover", "skew", "poison", "surge", "split", "degrade"];
    VERBS.iter().copied().find(|verb| nodes::get(node, verb).is_some())
}

/// Whether a target is `service.store`.
fn is_store(target: &Node) -> bool {
    nodes::text(target).is_some_and(|target| target.contains('.'))
}

//! Steps → operations. Each verb becomes one operation (loops and branches a few), its details an
//! entry of a flat table; errors are routed by regions, known when compiled.

use super::Compiler;
use super::expressions::owns_list;
use super::frames::Frame;
use crate::kernel::ids::*;
use crate::kernel::stream::Draw;
use crate::kernel::vocabulary::Jitter;
use crate::model::code::*;
use crate::model::{Edge, Place, SourcePlace};
use crate::scenario::resolved as scenario;
use scenario::{Block, GeneratorKind, Step, StepKind};

/// Where a body runs, for streams, routes and sites.
pub struct Site<'a> {
    /// `service/Message`, `client/do`, `service/job`.
    pub path: &'a str,
    pub place: Place,
    /// Index into `stores` of the service's store.
    pub store: Option<u32>,
    pub service: Option<ServiceId>,
}

/// The state of compiling one body.
pub struct BodyCompiler<'c, 'a, 's> {
    pub compiler: &'c mut Compiler<'s>,
    pub site: &'a Site<'a>,
    pub frame: Frame,
    /// Innermost region, or `NONE`.
    pub(super) region: u32,
    /// Identity slot of the innermost loop, or `Slot::MAX`.
    loop_identity: Slot,
    pub(super) in_transaction: bool,
    local_names: Vec<String>,
    /// Of the step that is being compiled.
    place: SourcePlace,
    /// Bodies of `after`, compiled when the body around them is done (they share its frame layout).
    pub later: Vec<(usize, Block, String)>,
}

impl<'s> Compiler<'s> {
    /// Compiles a body and everything that `after` starts from it.
    pub fn body(&mut self, name: String, body: &scenario::Body, site: &Site) -> HandlerId {
        let (frame, local_names) = self.frame_of(&body.locals);
        self.block(name, &body.steps, frame, local_names, site).0
    }

    /// The frame that locals live in, and their names.
    pub fn frame_of(&self, locals: &[scenario::Local]) -> (Frame, Vec<String>) {
        let mut frame = Frame::default();
        for local in locals {
            let slot = frame.add_local(self.words(&local.ty));
            if owns_list(&local.ty) {
                frame.lists.push(slot);
            }
            // An answer's lists are owned by the words they came in.
            if let scenario::Type::Reply(message) = &local.ty {
                let fields = &self.scenario.messages[message.index()].reply;
                let lists = (slot..).zip(fields).filter(|(_, field)| owns_list(&field.ty));
                frame.lists.extend(lists.map(|(slot, _)| slot));
            }
        }
        (frame, locals.iter().map(|local| local.name.clone()).collect())
    }

    /// The counter of a step, which all versions of the step share.
    pub fn counter(&mut self, path: &str) -> u32 {
        let next = self.model.counters;
        let counter = *self.counters.entry(path.to_owned()).or_insert(next);
        self.model.counters = self.model.counters.max(counter + 1);
        counter
    }

    /// What the unique values of a handler are made with.
    pub fn handler_key(&mut self, name: &str) -> u64 {
        let mut key = super::parts::key_of("handler", name);
        while !self.handler_keys.insert(key) {
            key = key.wrapping_add(1);
        }
        key
    }

    /// Compiles steps on a frame; gives what the frame has become beside the handler.
    pub fn block(
        &mut self,
        name: String,
        steps: &Block,
        frame: Frame,
        local_names: Vec<String>,
        site: &Site,
    ) -> (HandlerId, Frame) {
        let id = HandlerId::new(self.model.handlers.len());
        let entry = self.model.code.len() as Pc;
        let key = self.handler_key(&name);
        self.model.handlers.push(crate::model::Handler {
            name: name.clone(),
            key,
            entry,
            words: 0,
            lists: Vec::new(),
            locals: frame.slots().to_vec(),
        });
        let mut body = BodyCompiler {
            compiler: self,
            site,
            frame,
            region: NONE,
            loop_identity: Slot::MAX,
            in_transaction: false,
            local_names,
            place: SourcePlace::default(),
            later: Vec::new(),
        };
        body.steps(steps);
        body.emit(Op::Stop);
        let (frame, local_names, later) = (body.frame, body.local_names, body.later);
        for (after, steps, path) in later {
            let name = format!("{name} {path}");
            let (body, _) = self.block(name, &steps, frame.clone(), local_names.clone(), site);
            self.model.afters[after].body = body;
            // The timer's copy of the frame must hold whatever the body adds to it.
            let words = self.model.handlers[body.index()].words.max(frame.words());
            self.model.handlers[body.index()].words = words;
        }
        let handler = &mut self.model.handlers[id.index()];
        handler.words = handler.words.max(frame.words());
        handler.lists.clone_from(&frame.lists);
        (id, frame)
    }
}

impl BodyCompiler<'_, '_, '_> {
    pub(super) fn here(&self) -> Pc {
        self.compiler.model.code.len() as Pc
    }

    pub(super) fn emit(&mut self, op: Op) -> Pc {
        let pc = self.here();
        let model = &mut self.compiler.model;
        model.code.push(op);
        model.region_of.push(self.region);
        model.step_places.push(self.place);
        pc
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            let around = std::mem::replace(&mut self.place, self.compiler.place(step.span));
            self.step(step);
            self.place = around;
        }
    }

    fn step(&mut self, step: &Step) {
        self.watches(step, Edge::Before);
        match &step.kind {
            StepKind::Work(value) => {
                let duration = self.duration(value, &step.path);
                self.emit(Op::Work(duration));
            }
            StepKind::Wait(value) => {
                let duration = self.duration(value, &step.path);
                self.emit(Op::Wait(duration));
            }
            StepKind::Let(names) => {
                for (local, value) in names {
                    let path = format!("{}/{}", step.path, self.local_names[local.index()]);
                    let value = self.value(value, &path);
                    let slot = self.frame.slot(*local);
                    self.emit(Op::Let { slot, value });
                }
            }
            StepKind::If { condition, then, otherwise } => self.condition(condition, then, otherwise),
            StepKind::Stop => drop(self.emit(Op::Stop)),
            StepKind::Fail(reason) => drop(self.emit(Op::Fail(*reason))),
            StepKind::Ack => drop(self.emit(Op::Acknowledge)),
            StepKind::Reply(with) => {
                let message = self.compiler.message_in_hand;
                let names = &self.compiler.scenario.messages[message.index()].reply;
                let with = self.assignments(with, &step.path, |field| &names[field].name);
                let index = push(&mut self.compiler.model.replies, ReplyStep { message, with });
                self.emit(Op::Reply(index));
            }
            StepKind::Read { .. }
            | StepKind::Insert { .. }
            | StepKind::Update { .. }
            | StepKind::Upsert { .. }
            | StepKind::Delete { .. }
            | StepKind::Scan { .. } => self.row_step(step),
            StepKind::Load { .. } => self.row_step(step),
            StepKind::Append(append) => self.append(step, append),
            StepKind::Transaction { body, retry, catch } => {
                self.region(step, retry.as_ref(), catch, Some(body));
            }
            StepKind::Try { body, retry, catch } => {
                self.region(step, retry.as_ref(), catch, Some(body));
            }
            StepKind::Publish(publish) => {
                self.caught(step, &publish.catch, |this| this.publish(step, publish))
            }
            StepKind::Call(call) => self.caught(step, &call.catch, |this| this.call(step, call)),
            StepKind::Send { service, message, with } => self.send(step, *service, *message, with),
            StepKind::Effect { catch, .. } => self.caught(step, catch, |this| this.effect(step)),
            StepKind::After { delay, body, durable } => self.after(step, delay, body, *durable),
            StepKind::Parallel(branches) => self.parallel(branches),
            StepKind::ForEach { list, item, body, parallel } => self.for_each(list, *item, body, *parallel),
        }
        self.watches(step, Edge::After);
    }

    /// Faults that fire at this step, on this side of it.
    fn watches(&mut self, step: &Step, edge: Edge) {
        for fault in self.compiler.faults_at(self.site, step, edge) {
            self.emit(Op::Watch(fault));
        }
    }

    /// Faults that fire between what the step did and its answer.
    pub(super) fn unanswered(&self, step: &Step) -> Vec<FaultId> {
        self.compiler.faults_at(self.site, step, Edge::Unanswered)
    }

    fn condition(&mut self, condition: &scenario::Expression, then: &Block, otherwise: &Block) {
        let condition = self.compiler.operand(condition, &self.frame);
        let jump = self.emit(Op::JumpUnless { condition, target: 0 });
        self.steps(then);
        if otherwise.is_empty() {
            self.patch(jump);
            return;
        }
        let end = self.emit(Op::Jump(0));
        self.patch(jump);
        self.steps(otherwise);
        self.patch(end);
    }

    /// Makes a jump go to the next operation.
    fn patch(&mut self, pc: Pc) {
        let here = self.here();
        match &mut self.compiler.model.code[pc as usize] {
            Op::Jump(target) | Op::JumpUnless { target, .. } => *target = here,
            other => unreachable!("not a jump: {other:?}"),
        }
    }

    /// One step with a `catch`: a region around it alone.
    pub(super) fn caught(&mut self, step: &Step, catch: &[scenario::Catch], inner: impl FnOnce(&mut Self)) {
        if catch.is_empty() {
            return inner(self);
        }
        let outer = self.region;
        let region = self.open_region(None, None, step);
        inner(self);
        self.region = outer;
        self.close_region(region, catch);
    }

    /// `try` and `transaction`.
    fn region(
        &mut self,
        step: &Step,
        retry: Option<&scenario::Retry>,
        catch: &[scenario::Catch],
        body: Option<&Block>,
    ) {
        let outer = self.region;
        let is_transaction = matches!(step.kind, StepKind::Transaction { .. });
        let transaction = is_transaction.then(|| {
            let store = self.site.store.expect("resolved: a transaction needs a store");
            let commit = self.compiler.store_latency(store, super::Latency::Commit, &step.path);
            TransactionTimes { commit, store }
        });
        let unanswered = self.unanswered(step);
        let enter = self.emit(Op::Enter(0));
        let region = self.open_region(transaction, retry, step);
        self.compiler.model.regions[region as usize].unanswered = unanswered;
        self.compiler.model.code[enter as usize] = Op::Enter(region);
        if is_transaction {
            self.emit(Op::Begin(region));
        }
        let outer_transaction = self.in_transaction;
        self.in_transaction |= is_transaction;
        self.steps(body.map_or(&[], |body| body));
        if is_transaction {
            self.emit(Op::Commit(region));
        }
        self.in_transaction = outer_transaction;
        self.region = outer;
        self.close_region(region, catch);
    }

    pub(super) fn open_region(
        &mut self,
        transaction: Option<TransactionTimes>,
        retry: Option<&scenario::Retry>,
        step: &Step,
    ) -> u32 {
        let (retry, jitter) = self.retry(retry, &step.path);
        let tries = self.frame.hidden(2);
        let region = Region {
            parent: self.region,
            first: self.here(),
            transaction,
            retry,
            tries,
            last_wait: tries + 1,
            catches: Vec::new(),
            item: self.loop_identity,
            jitter,
            unanswered: Vec::new(),
        };
        self.region = push(&mut self.compiler.model.regions, region);
        self.region
    }

    /// Emits the catch bodies behind the region's own operations.
    pub(super) fn close_region(&mut self, region: u32, catch: &[scenario::Catch]) {
        if catch.is_empty() {
            return;
        }
        let mut ends = vec![self.emit(Op::Jump(0))];
        for case in catch {
            let target = self.emit(Op::RestoreItem(self.loop_identity));
            let error = case.error.map(error);
            self.compiler.model.regions[region as usize].catches.push(CatchTarget { error, target });
            self.steps(&case.body);
            ends.push(self.emit(Op::Jump(0)));
        }
        ends.into_iter().for_each(|end| self.patch(end));
    }

    pub(super) fn retry(&mut self, retry: Option<&scenario::Retry>, path: &str) -> (u32, StreamId) {
        match retry {
            None => (NONE, StreamId(NONE)),
            Some(policy) => {
                let jitter = match policy.jitter {
                    Jitter::None => StreamId(NONE),
                    _ => self.compiler.stream(format!("{path}/jitter"), Draw::Bits),
                };
                (push(&mut self.compiler.model.retries, retry_policy(policy)), jitter)
            }
        }
    }

    fn row_step(&mut self, step: &Step) {
        let (table, key, filter, set, result, otherwise) = match &step.kind {
            StepKind::Read { table, key, result, otherwise, .. } => {
                (*table, Some(key), None, None, *result, otherwise.as_ref())
            }
            StepKind::Insert { table, key, set, result, otherwise } => {
                (*table, Some(key), None, Some(set), *result, otherwise.as_ref())
            }
            StepKind::Update { table, key, filter, set, result, otherwise } => {
                (*table, key.as_ref(), filter.as_ref(), Some(set), *result, otherwise.as_ref())
            }
            StepKind::Upsert { table, key, filter, set, result, otherwise } => {
                (*table, Some(key), filter.as_ref(), Some(set), *result, otherwise.as_ref())
            }
            StepKind::Delete { table, key, filter, otherwise } => {
                (*table, key.as_ref(), filter.as_ref(), None, None, otherwise.as_ref())
            }
            StepKind::Scan { table, filter, result, .. } => {
                (*table, None, filter.as_ref(), None, *result, None)
            }
            StepKind::Load { table, key, result, .. } => (*table, Some(key), None, None, *result, None),
            _ => unreachable!("not a row step"),
        };
        let verb = match &step.kind {
            StepKind::Read { lock: true, .. } => RowVerb::ReadLocked,
            StepKind::Read { .. } | StepKind::Load { .. } => RowVerb::Read,
            StepKind::Insert { .. } => RowVerb::Insert,
            StepKind::Update { .. } => RowVerb::Update,
            StepKind::Upsert { .. } => RowVerb::Upsert,
            StepKind::Delete { .. } => RowVerb::Delete,
            _ => RowVerb::Scan,
        };
        let (order_by, descending, limit) = match &step.kind {
            StepKind::Scan { order_by, limit, .. } => {
                let (order_by, descending) = match order_by.as_ref().map(|order| (&order.kind, order)) {
                    Some((scenario::ExpressionKind::Negate(inner), _)) => (Some(&**inner), true),
                    Some((_, order)) => (Some(order), false),
                    None => (None, false),
                };
                let operand = order_by.map(|order| self.compiler.operand(order, &self.frame));
                let limit = limit.as_ref().map(|limit| self.compiler.operand(limit, &self.frame));
                (operand, descending, limit)
            }
            _ => (None, false, None),
        };
        let key = key.map(|key| key.iter().map(|part| self.compiler.operand(part, &self.frame)).collect());
        let filter = filter.map(|filter| self.compiler.operand(filter, &self.frame));
        let shape = &self.compiler.scenario.tables[table.index()];
        let set = set.map_or(Vec::new(), |set| {
            self.assignment_list(set, &step.path, |column| &shape.columns[column].name)
        });
        let memory = shape.memory;
        let (latency, commit) = self.row_latencies(verb, memory, &step.path);
        let row_step = RowStep {
            verb,
            table,
            key,
            filter,
            set,
            result: result.map(|local| self.frame.slot(local)),
            order_by,
            descending,
            limit,
            next: 0,
            otherwise: None,
            latency,
            commit,
            site: self.compiler.site(self.site, step),
            unanswered: self.unanswered(step),
            from_replica: matches!(step.kind, StepKind::Read { replica: true, .. }),
            stream: self.load(step),
            once_per: self.once_per(step),
        };
        let index = push(&mut self.compiler.model.row_steps, row_step);
        self.emit(Op::Row(index));
        if let Some(otherwise) = otherwise {
            let start = self.here();
            self.steps(otherwise);
            self.compiler.model.row_steps[index as usize].otherwise = Some(start);
        }
        self.compiler.model.row_steps[index as usize].next = self.here();
    }

    pub(super) fn row_latencies(&mut self, verb: RowVerb, memory: bool, path: &str) -> (Duration, Duration) {
        let none = Duration::Constant(0);
        let Some(store) = self.site.store.filter(|_| !memory) else { return (none, none) };
        match verb {
            RowVerb::Read | RowVerb::ReadLocked | RowVerb::Scan => {
                (self.compiler.store_latency(store, super::Latency::Read, path), none)
            }
            _ => {
                let write = self.compiler.store_latency(store, super::Latency::Write, path);
                if self.in_transaction {
                    (write, none)
                } else {
                    (write, self.compiler.store_latency(store, super::Latency::Commit, path))
                }
            }
        }
    }

    fn publish(&mut self, step: &Step, publish: &scenario::Publish) {
        let fields = &self.compiler.scenario.messages[publish.message.index()].fields;
        let with = self.assignments(&publish.with, &step.path, |field| &fields[field].name);
        let topic = &self.compiler.scenario.topics[publish.topic.index()];
        let (broker, producer) = (topic.broker, topic.knobs.producer.clone());
        let with_ack = publish.via == scenario::Via::Ack;
        let outbox = (publish.via == scenario::Via::Outbox).then(|| {
            let store = self.site.store.expect("resolved: an outbox needs a store");
            let write = self.compiler.store_latency(store, super::Latency::Write, &step.path);
            let commit = if self.in_transaction {
                Duration::Constant(0)
            } else {
                self.compiler.store_latency(store, super::Latency::Commit, &step.path)
            };
            OutboxTimes { store, write, commit }
        });
        let there = self.compiler.route(self.site.place, Place::Broker(broker));
        let back = self.compiler.route(Place::Broker(broker), self.site.place);
        let hops = self.compiler.hops(there, back, &step.path, false);
        let (retry, jitter) = match &publish.retry {
            Some(retry) => self.retry(Some(retry), &step.path),
            // A producer library sends again by itself.
            None => {
                let own = Retry {
                    attempts: Some(producer.attempts.max(1)),
                    delay: producer.delay,
                    factor: 2.0,
                    max_delay: Some(producer.max_delay),
                    give_up: producer.give_up,
                    jitter: Jitter::None,
                    errors: None,
                };
                (push(&mut self.compiler.model.retries, own), StreamId(NONE))
            }
        };
        let key = publish.key.as_ref().map(|key| self.compiler.operand(key, &self.frame));
        let id = publish.id.as_ref().map(|id| self.compiler.operand(id, &self.frame));
        let delay = publish.delay.as_ref().map(|delay| self.duration(delay, &format!("{}/delay", step.path)));
        let expires =
            publish.expires.as_ref().map(|expires| self.duration(expires, &format!("{}/expires", step.path)));
        let publish_step = PublishStep {
            message: publish.message,
            topic: publish.topic,
            with,
            key,
            id,
            outbox,
            with_ack,
            delay,
            expires,
            tombstone: publish.tombstone,
            in_flight: producer.in_flight.unwrap_or(u32::MAX),
            in_sequence: producer.deduplicate_by == scenario::DeduplicateBy::ProducerSequence,
            confirm: with_ack || publish.confirm && producer.confirm,
            timeout: self.compiler.ring(publish.timeout.unwrap_or(producer.timeout)),
            retry,
            jitter,
            site: self.compiler.site(self.site, step),
            route: there,
            back,
            hops,
            unanswered: self.unanswered(step),
        };
        let index = push(&mut self.compiler.model.publishes, publish_step);
        self.compiler.publish_paths.push((index, step.path.clone()));
        let pc = self.emit(Op::Publish(index));
        self.identify(pc, step);
    }

    fn call(&mut self, step: &Step, call: &scenario::Call) {
        let fields = &self.compiler.scenario.messages[call.message.index()].fields;
        let with = self.assignments(&call.with, &step.path, |field| &fields[field].name);
        let there = self.compiler.route(self.site.place, Place::Service(call.service));
        let back = self.compiler.route(Place::Service(call.service), self.site.place);
        let hops = self.compiler.hops(there, back, &step.path, true);
        let (retry, jitter) = self.retry(call.retry.as_ref(), &step.path);
        let result = call.result.map(|local| self.frame.slot(local));
        let figures = self.compiler.call_figures(self.site, call.service, call.message);
        let call_step = CallStep {
            service: call.service,
            message: call.message,
            handler: HandlerId(NONE),
            with,
            timeout: self.compiler.ring(call.timeout),
            retry,
            jitter,
            result,
            site: self.compiler.site(self.site, step),
            route: there,
            back,
            hops,
            main: Origins::None,
            guard: self.compiler.guard(self.site.place, call.service),
            hedge: call.hedge.map(|hedge| self.compiler.ring(hedge)),
            figures,
            unanswered: self.unanswered(step),
        };
        let index = push(&mut self.compiler.model.calls, call_step);
        let pc = self.emit(Op::Call(index));
        self.identify(pc, step);
    }

    fn send(&mut self, step: &Step, service: ServiceId, message: MessageId, with: &scenario::Assignments) {
        let fields = &self.compiler.scenario.messages[message.index()].fields;
        let with = self.assignments(with, &step.path, |field| &fields[field].name);
        let there = self.compiler.route(self.site.place, Place::Service(service));
        let hops = self.compiler.hops(there, there, &step.path, true);
        let send_step = SendStep {
            service,
            message,
            handler: HandlerId(NONE),
            with,
            site: self.compiler.site(self.site, step),
            route: there,
            hops,
            main: Origins::None,
        };
        let index = push(&mut self.compiler.model.sends, send_step);
        let pc = self.emit(Op::Send(index));
        self.identify(pc, step);
    }

    fn effect(&mut self, step: &Step) {
        let StepKind::Effect { effect, idempotency_key, takes, timeout, retry, .. } = &step.kind else {
            unreachable!("not an effect")
        };
        let takes = takes.as_ref().map_or(Duration::Constant(0), |takes| self.duration(takes, &step.path));
        let (retry, jitter) = self.retry(retry.as_ref(), &step.path);
        if idempotency_key.as_ref().is_some_and(|key| key.ty != scenario::Type::Id) {
            self.compiler.model.mortal_keys[effect.index()] = false;
        }
        let idempotency_key = idempotency_key.as_ref().map(|key| self.compiler.operand(key, &self.frame));
        let effect_step = EffectStep {
            effect: *effect,
            idempotency_key,
            once_per: self.once_per(step),
            takes,
            timeout: timeout.map(|timeout| self.compiler.ring(timeout)),
            retry,
            jitter,
            site: self.compiler.site(self.site, step),
            unanswered: self.unanswered(step),
        };
        let index = push(&mut self.compiler.model.effects, effect_step);
        self.emit(Op::Effect(index));
    }

    fn after(&mut self, step: &Step, delay: &scenario::Value, body: &Block, durable: bool) {
        let delay = self.duration(delay, &step.path);
        let durable = durable.then(|| {
            let store = self.site.store.expect("resolved: a durable timer needs a store");
            let commit = self.compiler.store_latency(store, super::Latency::Commit, &step.path);
            TransactionTimes { commit, store }
        });
        let site = self.compiler.site(self.site, step);
        let after = AfterStep { delay, body: HandlerId(NONE), durable, site };
        let index = push(&mut self.compiler.model.afters, after);
        self.later.push((index as usize, body.clone(), step.path.clone()));
        let pc = self.emit(Op::After(index));
        self.identify(pc, step);
    }

    /// For what value a step ought to happen once.
    pub(super) fn once_per(&mut self, step: &Step) -> Option<Operand> {
        step.once_per.as_ref().map(|value| self.compiler.operand(value, &self.frame))
    }

    /// Notes what a step says of the identity of what it issues.
    fn identify(&mut self, pc: Pc, step: &Step) {
        let identity = match self.once_per(step) {
            _ if step.forward => crate::model::Identity::PassesOn,
            Some(value) => crate::model::Identity::OncePer(value),
            None => return,
        };
        self.compiler.model.identities.push((pc, identity));
    }

    fn parallel(&mut self, branches: &[(String, Block)]) {
        let running = self.frame.hidden(2);
        let fork = ForkStep { branches: Vec::new(), running, error: running + 1, next: 0 };
        let index = push(&mut self.compiler.model.forks, fork);
        self.emit(Op::Fork(index));
        let outer = std::mem::replace(&mut self.region, NONE);
        for (_, steps) in branches {
            let start = self.here();
            self.compiler.model.forks[index as usize].branches.push(start);
            self.steps(steps);
            self.emit(Op::Stop);
        }
        self.region = outer;
        self.compiler.model.forks[index as usize].next = self.here();
    }

    fn for_each(
        &mut self,
        list: &scenario::Expression,
        item: LocalId,
        body: &Block,
        parallel: scenario::Parallelism,
    ) {
        let rows_of = match &list.ty {
            scenario::Type::List(inner) => match &**inner {
                scenario::Type::Row(table) => Some(*table),
                _ => None,
            },
            _ => None,
        };
        let list = self.compiler.operand(list, &self.frame);
        let item_words =
            rows_of.map_or(1, |table| 1 + self.compiler.scenario.tables[table.index()].columns.len() as u16);
        let hidden = self.frame.hidden(6);
        // The list is the loop's own copy.
        self.frame.lists.push(hidden);
        let at_most = match parallel {
            scenario::Parallelism::No => None,
            scenario::Parallelism::All => Some(u32::MAX),
            scenario::Parallelism::AtMost(n) => Some(n),
        };
        let one_loop = Loop {
            list,
            item: self.frame.slot(item),
            item_words,
            rows_of,
            list_slot: hidden,
            position: hidden + 1,
            identity: hidden + 2,
            outer_identity: hidden + 3,
            body: 0,
            next: 0,
            parallel: at_most,
            running: hidden + 4,
            error: hidden + 5,
        };
        let index = push(&mut self.compiler.model.loops, one_loop);
        self.emit(Op::ForEach(index));
        let outer_region = self.region;
        if at_most.is_some() {
            // Each item is a branch of its own; its errors end the branch.
            self.region = NONE;
        }
        let outer_identity = std::mem::replace(&mut self.loop_identity, hidden + 2);
        self.compiler.model.loops[index as usize].body = self.here();
        self.steps(body);
        self.emit(if at_most.is_some() { Op::Stop } else { Op::Next(index) });
        self.loop_identity = outer_identity;
        self.region = outer_region;
        self.compiler.model.loops[index as usize].next = self.here();
    }

    fn duration(&mut self, value: &scenario::Value, path: &str) -> Duration {
        match value {
            scenario::Value::Expression(expression) => match self.compiler.operand(expression, &self.frame) {
                Operand::Literal(small) if small.0 >= 0 => Duration::Constant(small.word()),
                operand => match self.compiler.constant_of(operand) {
                    Some(word) if word as i64 >= 0 => Duration::Constant(word),
                    _ => Duration::Computed(operand),
                },
            },
            scenario::Value::Draw(generator) => self.compiler.generated_duration(generator, path),
        }
    }

    fn value(&mut self, value: &scenario::Value, path: &str) -> u32 {
        let value = match value {
            scenario::Value::Expression(expression) => {
                Value::Computed(self.compiler.operand(expression, &self.frame))
            }
            scenario::Value::Draw(generator) => {
                let per_attempt = generator.per_attempt;
                match &generator.kind {
                    GeneratorKind::Distribution(distribution) => {
                        let draw = super::draw_of(&generator.ty, distribution);
                        Value::Drawn { stream: self.compiler.stream(path.to_string(), draw), per_attempt }
                    }
                    GeneratorKind::Choice { words, distribution } => {
                        let draw = Draw::Integer(distribution.clone());
                        let stream = self.compiler.stream(path.to_string(), draw);
                        let words = words.iter().map(|word| word.0 as Word).collect();
                        Value::Chosen { stream, per_attempt, words }
                    }
                    GeneratorKind::Counter(of) => {
                        let of = self.compiler.operand(of, &self.frame);
                        Value::Counted { counter: self.compiler.counter(path), of }
                    }
                }
            }
        };
        push(&mut self.compiler.model.values, value)
    }

    /// `name_of` gives the column or field at a position, which names its stream.
    fn assignment_list<'n>(
        &mut self,
        list: &scenario::Assignments,
        path: &str,
        name_of: impl Fn(usize) -> &'n String,
    ) -> Vec<Assignment> {
        list.iter()
            .map(|(position, value)| {
                let value = self.value(value, &format!("{path}/{}", name_of(*position)));
                Assignment { position: *position as u16, value }
            })
            .collect()
    }

    pub(super) fn assignments<'n>(
        &mut self,
        list: &scenario::Assignments,
        path: &str,
        name_of: impl Fn(usize) -> &'n String,
    ) -> Range {
        let list = self.assignment_list(list, path, name_of);
        let start = self.compiler.model.assignments.len() as u32;
        let length = list.len() as u32;
        self.compiler.model.assignments.extend(list);
        Range { start, length }
    }
}

/// Adds to a flat table and gives the index.
pub fn push<T>(table: &mut Vec<T>, entry: T) -> u32 {
    table.push(entry);
    table.len() as u32 - 1
}

fn error(error: scenario::ErrorKind) -> Error {
    match error {
        scenario::ErrorKind::Timeout => Error::Timeout,
        scenario::ErrorKind::Unavailable => Error::Unavailable,
        scenario::ErrorKind::Rejected => Error::Rejected,
        scenario::ErrorKind::Conflict => Error::Conflict,
        scenario::ErrorKind::Exists => Error::Exists,
        scenario::ErrorKind::Missing => Error::Missing,
        scenario::ErrorKind::Failed => Error::Failed,
        scenario::ErrorKind::Reason(symbol) => Error::Reason(symbol),
    }
}

fn retry_policy(retry: &scenario::Retry) -> Retry {
    Retry {
        attempts: retry.attempts,
        delay: retry.delay,
        factor: retry.factor,
        max_delay: retry.max_delay,
        give_up: None,
        jitter: retry.jitter,
        errors: retry.errors.as_ref().map(|errors| errors.iter().map(|kind| error(*kind)).collect()),
    }
}

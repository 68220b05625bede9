//! Sagas: the bodies of their steps on one frame, and the handlers of the messages they take.

use super::steps::{Site, push};
use super::{Compiler, Latency};
use crate::kernel::ids::*;
use crate::model::code::NONE;
use crate::model::*;
use crate::scenario::resolved as scenario;

impl Compiler<'_> {
    /// The sagas of a service.
    pub fn sagas(&mut self, service: ServiceId, place: Place, store: Option<u32>) {
        let scenario = self.scenario;
        let spec = &scenario.services[service.index()];
        let mut taken: Vec<(MessageId, Vec<u32>)> = Vec::new();
        for saga in &spec.sagas {
            let id = self.saga(service, saga, place, store.expect("resolved: a saga needs a store"));
            for (message, meeting) in self.meetings(id, saga, store) {
                match taken.iter_mut().find(|(known, _)| *known == message) {
                    Some((_, meetings)) => meetings.push(meeting),
                    None => taken.push((message, vec![meeting])),
                }
            }
        }
        for (message, meetings) in taken {
            let name = format!("{}/{}", spec.name, scenario.messages[message.index()].name);
            let handler = self.handler_of_meetings(name, &meetings);
            self.model.services[service.index()].handlers.push((message, handler));
        }
    }

    fn saga(&mut self, service: ServiceId, saga: &scenario::Saga, place: Place, store: u32) -> SagaId {
        let service_name = &self.scenario.services[service.index()].name;
        let path = format!("{service_name}/{}", saga.name);
        let site = Site { path: &path, place, store: Some(store), service: Some(service) };
        self.message_in_hand = saga.start;
        let (mut frame, local_names) = self.frame_of(&saga.locals);
        let mut own = Vec::new();
        let mut body = |compiler: &mut Self, part: &str, steps: &scenario::Block| {
            let name = format!("{path}.{part}");
            let (handler, grown) = compiler.block(name, steps, frame.clone(), local_names.clone(), &site);
            frame = grown;
            own.push(handler.index());
            handler
        };
        let mut steps = Vec::new();
        for step in &saga.steps {
            let name = &step.name;
            let done = body(self, name, &step.body);
            let undo = match step.undo.is_empty() {
                true => HandlerId(NONE),
                false => body(self, &format!("{name} undo"), &step.undo),
            };
            let key = |part: &str| super::parts::key_of(part, &format!("{path}.{name}"));
            steps.push(SagaStep {
                name: name.clone(),
                body: done,
                undo,
                key: key("saga step"),
                await_key: key("saga await"),
                undo_key: key("saga undo"),
                on_timeout: step.on_timeout,
                awaits: step.awaits.as_ref().map(|of| SagaAwait { timeout: of.timeout, late: of.late }),
            });
            self.note_undone(done, undo);
        }
        let mut last = |compiler: &mut Self, part: &str, steps: &scenario::Block| match steps.is_empty() {
            true => HandlerId(NONE),
            false => body(compiler, part, steps),
        };
        let completed = last(self, "completed", &saga.completed);
        let compensated = last(self, "compensated", &saga.compensated);
        // Every body can take over the frame of every other.
        let handlers = &mut self.model.handlers;
        let words = own.iter().map(|&at| handlers[at].words).fold(frame.words(), u16::max);
        for at in own {
            handlers[at].words = words;
            handlers[at].lists.clone_from(&frame.lists);
        }
        let (write, commit) = self.position_latencies(store, &path);
        let id = SagaId::new(self.model.sagas.len());
        self.model.sagas.push(Saga {
            name: format!("{service_name}.{}", saga.name),
            service,
            layout: steps[0].body,
            steps,
            completed,
            compensated,
            completed_key: super::parts::key_of("saga completed", &path),
            compensated_key: super::parts::key_of("saga compensated", &path),
            write,
            commit,
        });
        id
    }

    fn position_latencies(&mut self, store: u32, path: &str) -> (Duration, Duration) {
        let path = format!("{path}/position");
        let write = self.store_latency(store, Latency::Write, &path);
        (write, self.store_latency(store, Latency::Commit, &path))
    }

    /// The undo of a step takes back what the step wrote to the same tables.
    fn note_undone(&mut self, done: HandlerId, undo: HandlerId) {
        if undo.0 == NONE {
            return;
        }
        let (written, takers) = (self.writes_of(done), self.writes_of(undo));
        for &(site, table) in &takers {
            if self.undoes.contains_key(&site) {
                continue;
            }
            let same = written.iter().filter(|(_, other)| *other == table);
            self.undone_in_sagas.extend(same.map(|(undone, _)| (site, *undone)));
        }
    }

    /// The sites of a handler that write, each with its table.
    fn writes_of(&self, handler: HandlerId) -> Vec<(SiteId, TableId)> {
        let entry = self.model.handlers[handler.index()].entry as usize;
        let next =
            self.model.handlers.iter().map(|other| other.entry as usize).filter(|&other| other > entry).min();
        let code = &self.model.code[entry..next.unwrap_or(self.model.code.len())];
        let write = |op: &Op| match op {
            Op::Row(step) => {
                let step = &self.model.row_steps[*step as usize];
                let reads = matches!(step.verb, RowVerb::Read | RowVerb::ReadLocked | RowVerb::Scan);
                (!reads).then_some((step.site, step.table))
            }
            _ => None,
        };
        code.iter().filter_map(write).collect()
    }

    /// The ways that messages meet a saga.
    fn meetings(&mut self, id: SagaId, saga: &scenario::Saga, store: Option<u32>) -> Vec<(MessageId, u32)> {
        let mut told = vec![(saga.start, Told::Start)];
        for (number, step) in saga.steps.iter().enumerate() {
            let Some(awaits) = &step.awaits else { continue };
            told.push((awaits.success, Told::Success(number as u16)));
            told.extend(awaits.failure.map(|failure| (failure, Told::Failure(number as u16))));
        }
        let name = self.model.sagas[id.index()].name.replacen('.', "/", 1);
        let (write, commit) = self.position_latencies(store.expect("resolved: a saga needs a store"), &name);
        let site = self.site_named(format!("{name}/start"));
        let mut meetings = Vec::new();
        for (message, told) in told {
            self.message_in_hand = message;
            let key = saga.keys.iter().find(|(of, _)| *of == message);
            let (_, key) = key.expect("resolved: every message of a saga has its key");
            let key = self.operand(key, &super::frames::Frame::default());
            let meeting = SagaMeeting { saga: id, told, key, write, commit, site };
            meetings.push((message, push(&mut self.model.saga_meetings, meeting)));
        }
        meetings
    }

    /// A handler that lets the message in hand meet sagas.
    fn handler_of_meetings(&mut self, name: String, meetings: &[u32]) -> HandlerId {
        let id = HandlerId::new(self.model.handlers.len());
        let handler = Handler {
            key: self.handler_key(&name),
            name,
            entry: self.model.code.len() as Pc,
            words: 0,
            lists: Vec::new(),
            locals: Vec::new(),
        };
        self.model.handlers.push(handler);
        let meet = meetings.iter().map(|&meeting| Op::Saga(meeting));
        for op in meet.chain([Op::Stop]) {
            self.model.code.push(op);
            self.model.region_of.push(NONE);
            self.model.step_places.push(SourcePlace::default());
        }
        id
    }
}

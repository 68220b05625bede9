//! Everything at a moment, each with a few figures; and one instance with what it works on.

use super::Stopped;
use super::topics::{in_flight, message};
use super::wording;
use crate::experiment::results::inspection::{
    Group, Instance, Named, Outbox, Saga, State, Summary, Table, TableKind,
};
use crate::kernel::ids::{GroupId, SagaId, TableId, TopicId};
use crate::model::NONE;
use crate::observe::trace::history::instances_with;
use crate::world::deed::SagaStage;

/// Messages of an outbox that are named.
const MOST_MESSAGES: usize = 10;

pub fn summary(stopped: &Stopped) -> Summary {
    let Stopped { model, world, .. } = stopped;
    let groups = (0..model.groups.len()).map(GroupId::new).map(|group| Group {
        name: model.groups[group.index()].name.clone(),
        topic: model.topics[model.groups[group.index()].topic.index()].name.clone(),
        lag: world.lag(group),
        in_flight: in_flight(stopped, group),
    });
    let letters = (0..model.topics.len()).map(TopicId::new).map(|topic| Named {
        name: model.topics[topic.index()].name.clone(),
        count: world.letters(topic) as u64,
    });
    let outboxes = model.outboxes.iter().enumerate().map(|(number, outbox)| {
        let of = world.outbox(number);
        Outbox {
            service: model.services[outbox.service.index()].name.clone(),
            unsent: of.unsent.len() as u64,
            in_hand: of.in_hand as u64,
            messages: of.unsent.iter().take(MOST_MESSAGES).map(|&held| message(stopped, held)).collect(),
        }
    });
    let under_way = world.under_way().into_iter().filter(|(_, count)| *count > 0);
    let under_way = under_way.map(|(name, count)| Named { name: name.to_owned(), count: count as u64 });
    Summary {
        tables: (0..model.tables.len()).map(TableId::new).map(|table| table_of(stopped, table)).collect(),
        groups: groups.collect(),
        dead_letters: letters.filter(|letters| letters.count > 0).collect(),
        instances: (0..model.instances.len() as u32).map(|number| instance(stopped, number)).collect(),
        outboxes: outboxes.collect(),
        sagas: (0..model.sagas.len()).map(|number| sagas(stopped, SagaId::new(number))).collect(),
        replicas: replicas(stopped),
        under_way: under_way.collect(),
    }
}

/// An instance with the attempts on it.
pub fn instance_at_work(stopped: &Stopped, number: u32) -> Instance {
    let Stopped { model, world, history, .. } = stopped;
    let attempts = world.attempts_on(number).into_iter().filter_map(|(attempt, pc)| {
        let worker = history.running(attempt)?;
        Some(wording::attempt(model, worker, wording::step_at(model, pc).into_iter().collect()))
    });
    let attempts = attempts.collect();
    Instance { attempts, ..instance(stopped, number) }
}

/// What has become of the sagas of one kind.
fn sagas(stopped: &Stopped, saga: SagaId) -> Saga {
    let Stopped { model, world, .. } = stopped;
    let spec = &model.sagas[saga.index()];
    let all = world.sagas_of(saga);
    let alive: Vec<_> = all.iter().filter(|(_, stage, _)| *stage != SagaStage::Ended).collect();
    let told = |(started_by, stage, step): &&(u32, SagaStage, u16)| {
        let step = spec.steps.get(usize::from(*step)).map_or("", |step| &step.name);
        let stands = match stage {
            SagaStage::Doing => format!("doing {step}"),
            SagaStage::Awaiting => format!("awaiting the end of {step}"),
            SagaStage::Undoing => format!("undoing {step}"),
            SagaStage::Completing => "completing".to_owned(),
            SagaStage::Compensating => "compensating".to_owned(),
            SagaStage::Ended => "ended".to_owned(),
        };
        format!("{}: {stands}", message(stopped, *started_by))
    };
    Saga {
        name: spec.name.clone(),
        ended: (all.len() - alive.len()) as u64,
        under_way: alive.len() as u64,
        instances: alive.iter().take(MOST_MESSAGES).map(told).collect(),
    }
}

/// How far the copies of stores are behind.
fn replicas(stopped: &Stopped) -> Vec<Named> {
    let Stopped { model, world, .. } = stopped;
    let of_store = |(number, store): (usize, &crate::model::Store)| {
        let service = model.services[store.service.index()].name.clone();
        let behind = world.rows_behind(number).into_iter().enumerate();
        behind.map(move |(copy, count)| Named { name: format!("{service}.store replica {copy}"), count })
    };
    model.stores.iter().enumerate().flat_map(of_store).collect()
}

fn table_of(stopped: &Stopped, table: TableId) -> Table {
    let Stopped { model, world, history, .. } = stopped;
    let of = &model.tables[table.index()];
    let rows = |instance: u32| world.table_rows(model, table, instance).count() as u64;
    let (kind, rows) = match (of.memory, &of.stream) {
        (true, _) => (TableKind::Memory, instances_with(model, table).map(rows).sum()),
        (false, Some(_)) => (TableKind::Stream, rows(NONE)),
        (false, None) => (TableKind::Table, rows(NONE)),
    };
    Table { name: of.name.clone(), kind, rows, versions: history.commits(table) }
}

fn instance(stopped: &Stopped, number: u32) -> Instance {
    let (model, of) = (stopped.model, stopped.world.instance(number));
    let service = &model.services[model.instances[number as usize].service.index()];
    let state = match (of.is_up, of.is_paused) {
        (false, _) => State::Down,
        (true, true) => State::Paused,
        (true, false) => State::Up,
    };
    Instance {
        name: wording::instance(stopped.model, number),
        state,
        version: (of.version > 0).then(|| service.versions[of.version as usize - 1].name.clone()),
        crashes: of.crashes,
        busy: of.busy,
        computing: of.computing,
        waiting: of.waiting as u64,
        attempts: Vec::new(),
    }
}

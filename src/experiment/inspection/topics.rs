//! A topic at a moment: what each group has of each partition, and the messages that it is not done with.

use super::Stopped;
use super::wording::instance;
use crate::experiment::results::inspection::{GroupState, Owed, Partition, Topic};
use crate::kernel::ids::{GroupId, InstanceId, TopicId};
use crate::observe::trace::wording::{self, Business};
use crate::world::broker::Stage;

/// Messages of a group that are shown; what is beyond is counted.
const MOST_MESSAGES: usize = 200;

pub fn topic(stopped: &Stopped, topic: TopicId) -> Topic {
    let Stopped { model, world, .. } = stopped;
    let of = &model.topics[topic.index()];
    Topic {
        name: of.name.clone(),
        dead_letters: world.letters(topic) as u64,
        groups: of.groups.iter().map(|&group| group_state(stopped, group)).collect(),
    }
}

/// Messages that were sent to a consumer, and that the group is not done with.
pub fn in_flight(stopped: &Stopped, group: GroupId) -> u64 {
    stopped.world.owed(group).iter().filter(|owed| owed.consumer.is_some()).count() as u64
}

/// A message that somebody holds: `OrderPlaced order 5`.
pub fn message(stopped: &Stopped, message: u32) -> String {
    let Stopped { model, world, .. } = stopped;
    let (kind, key) = world.message_held(model, message);
    wording::business(model, Business::Message(kind, key))
}

fn group_state(stopped: &Stopped, group: GroupId) -> GroupState {
    let Stopped { model, world, .. } = stopped;
    let owner = |of: InstanceId| instance(model, of.0);
    let owed = world.owed(group);
    let partitions = world.shares(group).into_iter().map(|share| Partition {
        number: share.partition,
        owner: share.owner.map(owner),
        end: share.end,
        next: share.next,
    });
    let messages = owed.iter().take(MOST_MESSAGES).map(|of| Owed {
        message: message(stopped, of.message),
        partition: of.partition,
        offset: of.offset,
        stage: stage(of.stage).to_owned(),
        consumer: of.consumer.map(owner),
        deliveries: of.deliveries,
    });
    GroupState {
        name: model.groups[group.index()].name.clone(),
        lag: world.lag(group),
        in_flight: in_flight(stopped, group),
        partitions: partitions.collect(),
        messages: messages.collect(),
        left_out: owed.len().saturating_sub(MOST_MESSAGES) as u64,
    }
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "waits",
        Stage::Blocked => "waits behind another of its key",
        Stage::Resting => "rests until it may be tried again",
        Stage::OnItsWay => "on its way",
        Stage::Received => "received",
        Stage::Handling => "being handled",
        Stage::Handled => "handled, not yet acknowledged",
        Stage::Moving => "on its way to the dead letters",
        Stage::Forgotten => "forgotten by its consumer",
    }
}

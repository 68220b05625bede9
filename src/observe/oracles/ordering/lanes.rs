//! Who sees messages in an order: a group, or each instance of a group whose instances take everything.

use crate::kernel::ids::*;
use crate::model::Model;
use crate::model::messaging::Members;

/// One who sees messages in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane(pub u32);

/// All of them.
#[derive(Clone, Debug)]
pub struct Lanes {
    groups: Vec<OfGroup>,
    /// By topic.
    topics: Vec<Vec<GroupId>>,
}

#[derive(Clone, Debug)]
struct OfGroup {
    first: u32,
    /// By instance from this one, if each is alone.
    alone_from: Option<u32>,
    count: u32,
    topic: TopicId,
    handled: Vec<MessageId>,
}

impl Lanes {
    pub fn new(model: &Model) -> Self {
        let mut first = 0;
        let groups = model.groups.iter().map(|group| {
            let alone = group.member.members == Members::EachAlone;
            let handled = group.deliveries.iter().filter(|path| path.is_handled());
            let of = OfGroup {
                first,
                alone_from: alone.then_some(group.member.first_instance.0),
                count: if alone { group.member.instances } else { 1 },
                topic: group.topic,
                handled: handled.map(|path| path.message).collect(),
            };
            first += of.count;
            of
        });
        let groups = groups.collect();
        Self { groups, topics: model.topics.iter().map(|topic| topic.groups.clone()).collect() }
    }

    /// Where an instance of a group takes part.
    pub fn at(&self, group: GroupId, instance: u32) -> Lane {
        let of = &self.groups[group.index()];
        Lane(of.first + of.alone_from.map_or(0, |first| instance - first))
    }

    /// Where a group takes part, if its instances share what comes: of others, a message that is settled does
    /// not say by which instance, and counts as on its way while it lives.
    pub fn shared(&self, group: GroupId) -> Option<Lane> {
        let of = &self.groups[group.index()];
        of.alone_from.is_none().then_some(Lane(of.first))
    }

    /// Those that handle a message of a topic.
    pub fn of(&self, topic: TopicId, kind: MessageId) -> impl Iterator<Item = Lane> {
        let groups = self.topics[topic.index()].iter().map(|group| &self.groups[group.index()]);
        let handling = groups.filter(move |group| group.handled.contains(&kind));
        handling.flat_map(|group| (group.first..group.first + group.count).map(Lane))
    }

    pub fn topic(&self, group: GroupId) -> TopicId {
        self.groups[group.index()].topic
    }
}

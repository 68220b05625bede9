//! Figures of how far from order the messages of a key arrive at each group.

use super::lanes::Lane;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::stats::reordering::displacement::{Displacement, ReorderDensity};
use crate::stats::reordering::occupancy::{OccupancyDensity, Recovery};
use crate::stats::reordering::order::{Order, OrderFigures};
use serde::{Deserialize, Serialize};

/// Displacements and buffers beyond so many messages are not told apart.
pub const THRESHOLD: u32 = 32;

/// So many gaps of a key are remembered.
const HISTORY: usize = 64;

/// First arrivals at one group, in the order of each key, over all keys. Times are in nanoseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupOrder {
    pub group: GroupId,
    /// RFC 4737: ratio, extents, late times, n-reordering, runs.
    pub order: OrderFigures,
    /// RFC 5236: displacements.
    pub density: ReorderDensity,
    /// RFC 5236: what a buffer that restores the order would hold.
    pub occupancy: OccupancyDensity,
}

impl GroupOrder {
    fn new(group: usize) -> Self {
        Self {
            group: GroupId::new(group),
            order: OrderFigures::default(),
            density: ReorderDensity::new(THRESHOLD),
            occupancy: OccupancyDensity::new(THRESHOLD),
        }
    }

    /// Whether the other is of the same group: they can be merged.
    pub fn fits(&self, other: &Self) -> bool {
        self.group == other.group
            && self.order.fits(&other.order)
            && self.density.fits(&other.density)
            && self.occupancy.threshold() == other.occupancy.threshold()
    }

    /// Takes in the figures of the same group of another replication.
    pub fn merge(&mut self, other: &Self) {
        self.order.merge(&other.order);
        self.density.merge(&other.density);
        self.occupancy.merge(&other.occupancy);
    }
}

#[derive(Clone, Debug)]
struct Stream {
    lane: Lane,
    group: GroupId,
    order: Order,
    displacement: Displacement,
    recovery: Recovery,
}

impl Stream {
    fn new(lane: Lane, group: GroupId) -> Self {
        let (order, displacement) = (Order::new(1, HISTORY), Displacement::new(1));
        Self { lane, group, order, displacement, recovery: Recovery::new(1) }
    }

    /// The stream of another key, in the room of this one.
    fn restarted(mut self, lane: Lane, group: GroupId) -> Self {
        (self.lane, self.group) = (lane, group);
        self.order.restart(1);
        self.displacement.restart(1);
        self.recovery.restart(1);
        self
    }
}

#[derive(Clone, Debug)]
pub struct Meters {
    groups: Vec<GroupOrder>,
    /// By key.
    streams: Vec<Vec<Stream>>,
    /// Those of keys that are gone, for their room.
    spare: Vec<Stream>,
}

impl Meters {
    pub fn new(groups: usize) -> Self {
        Self { groups: (0..groups).map(GroupOrder::new).collect(), streams: Vec::new(), spare: Vec::new() }
    }

    /// A message has come for the first time; `number` is its place among those of its key and topic.
    pub fn arrived(&mut self, now: Nanos, domain: u32, group: GroupId, lane: Lane, number: u64) {
        let domain = domain as usize;
        if self.streams.len() <= domain {
            self.streams.resize_with(domain + 1, Vec::new);
        }
        let streams = &mut self.streams[domain];
        let at = streams.iter().position(|stream| stream.lane == lane).unwrap_or_else(|| {
            streams.push(match self.spare.pop() {
                Some(spare) => spare.restarted(lane, group),
                None => Stream::new(lane, group),
            });
            streams.len() - 1
        });
        let (stream, figures) = (&mut streams[at], &mut self.groups[group.index()]);
        stream.order.arrive(number, now, &mut figures.order);
        stream.displacement.arrive(number, &mut figures.density);
        stream.recovery.arrive(number, &mut figures.occupancy);
    }

    /// A key's last message is gone.
    pub fn end(&mut self, domain: u32) {
        let Some(streams) = self.streams.get_mut(domain as usize) else { return };
        for stream in &mut *streams {
            stream.displacement.finish(&mut self.groups[stream.group.index()].density);
        }
        self.spare.append(streams);
    }

    /// The figures of every group, whatever is still under way being lost.
    pub fn finish(mut self) -> Vec<GroupOrder> {
        (0..self.streams.len() as u32).for_each(|domain| self.end(domain));
        self.groups
    }
}

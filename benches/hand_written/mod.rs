//! Hand-written simulations, as one would write each for its own sake: the baseline that a scenario is
//! measured against, in the same process. A 4-ary heap, the same ChaCha8 generator, inversion with the
//! platform's logarithm, float time, one running sum.

mod heap;

use heap::Heap;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// What a loop found.
#[derive(Clone, Copy, Debug)]
pub struct HandResult {
    /// From arrival to leaving, in seconds; of a published message, from publication to its end in a group.
    pub mean_sojourn: f64,
    /// Entries taken from the event list.
    pub events: u64,
}

/// M/M/1 until `customers` have left. Rates per second.
pub fn mm1(seed: u64, customers: u64, arrival_rate: f64, service_rate: f64) -> HandResult {
    let mut draws = Exponentials::new(seed);
    let mut heap = Heap::new();
    let mut queue = VecDeque::new();
    let (mut events, mut left, mut sum) = (0, 0, 0.0);
    heap.push(draws.next(arrival_rate), Mm1Event::Arrival);
    while left < customers {
        let (now, event) = heap.pop().expect("there is always a next arrival");
        events += 1;
        match event {
            Mm1Event::Arrival => {
                heap.push(now + draws.next(arrival_rate), Mm1Event::Arrival);
                queue.push_back(now);
                if queue.len() == 1 {
                    heap.push(now + draws.next(service_rate), Mm1Event::Departure);
                }
            }
            Mm1Event::Departure => {
                sum += now - queue.pop_front().expect("who leaves was in the queue");
                left += 1;
                if !queue.is_empty() {
                    heap.push(now + draws.next(service_rate), Mm1Event::Departure);
                }
            }
        }
    }
    HandResult { mean_sojourn: sum / customers as f64, events }
}

#[derive(Clone, Copy)]
enum Mm1Event {
    Arrival,
    Departure,
}

/// Stations in [`tandem`], and servers at each.
pub const STATIONS: usize = 5;
pub const SERVERS: usize = 4;

/// Five M/M/4 stations one after the other, until `customers` have left the last. Rates per second, the
/// service rate of one server.
pub fn tandem(seed: u64, customers: u64, arrival_rate: f64, service_rate: f64) -> HandResult {
    let mut draws = Exponentials::new(seed);
    let mut heap = Heap::new();
    let mut stations: [Station; STATIONS] = Default::default();
    let (mut events, mut left, mut sum) = (0, 0, 0.0);
    heap.push(draws.next(arrival_rate), TandemEvent::Arrival);
    while left < customers {
        let (now, event) = heap.pop().expect("there is always a next arrival");
        events += 1;
        let (next, began) = match event {
            TandemEvent::Arrival => {
                heap.push(now + draws.next(arrival_rate), TandemEvent::Arrival);
                (0, now)
            }
            TandemEvent::Departure { station, began } => {
                let here = &mut stations[station as usize];
                match here.waiting.pop_front() {
                    Some(began) => {
                        heap.push(now + draws.next(service_rate), TandemEvent::Departure { station, began });
                    }
                    None => here.busy -= 1,
                }
                (station + 1, began)
            }
        };
        match stations.get_mut(next as usize) {
            None => {
                sum += now - began;
                left += 1;
            }
            Some(there) if there.busy < SERVERS => {
                there.busy += 1;
                heap.push(now + draws.next(service_rate), TandemEvent::Departure { station: next, began });
            }
            Some(there) => there.waiting.push_back(began),
        }
    }
    HandResult { mean_sojourn: sum / customers as f64, events }
}

#[derive(Clone, Copy)]
enum TandemEvent {
    Arrival,
    Departure { station: u32, began: f64 },
}

#[derive(Default)]
struct Station {
    busy: usize,
    /// When each of those waiting came into the system.
    waiting: VecDeque<f64>,
}

/// Consumer groups in [`three_groups`].
pub const GROUPS: usize = 3;

/// A publisher whose messages all go to three consumer groups of one worker each, until the first group
/// has finished `messages` of them. Rates per second.
pub fn three_groups(seed: u64, messages: u64, publish_rate: f64, service_rate: f64) -> HandResult {
    let mut draws = Exponentials::new(seed);
    let mut heap = Heap::new();
    let mut groups: [VecDeque<f64>; GROUPS] = Default::default();
    let mut finished = [0; GROUPS];
    let (mut events, mut sum) = (0, 0.0);
    heap.push(draws.next(publish_rate), GroupEvent::Publish);
    while finished[0] < messages {
        let (now, event) = heap.pop().expect("there is always a next message");
        events += 1;
        match event {
            GroupEvent::Publish => {
                heap.push(now + draws.next(publish_rate), GroupEvent::Publish);
                for (group, queue) in groups.iter_mut().enumerate() {
                    queue.push_back(now);
                    if queue.len() == 1 {
                        heap.push(now + draws.next(service_rate), GroupEvent::Finish(group));
                    }
                }
            }
            GroupEvent::Finish(group) => {
                sum += now - groups[group].pop_front().expect("what is finished was in the queue");
                finished[group] += 1;
                if !groups[group].is_empty() {
                    heap.push(now + draws.next(service_rate), GroupEvent::Finish(group));
                }
            }
        }
    }
    HandResult { mean_sojourn: sum / finished.iter().sum::<u64>() as f64, events }
}

#[derive(Clone, Copy)]
enum GroupEvent {
    Publish,
    Finish(usize),
}

/// Exponential variates from one generator.
struct Exponentials(ChaCha8Rng);

impl Exponentials {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    #[inline]
    #[allow(clippy::disallowed_methods, reason = "the baseline uses what the platform has")]
    fn next(&mut self, rate: f64) -> f64 {
        let uniform = (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        -(1.0 - uniform).ln() / rate
    }
}

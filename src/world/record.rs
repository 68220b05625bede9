//! What the world says it did: the one stream that metrics, digests, traces and oracles read.
//! Records carry slots, not times: an observer that needs a time keeps it by slot.

use super::deed::Deed;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::code::Error;

/// A slot of one of the world's tables, or [`crate::model::NONE`].
pub type SlotNumber = u32;

/// How an attempt, a call or an intent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Well,
    Error(Error),
    /// Cut: its instance crashed.
    Cut,
}

impl Outcome {
    /// One word: 0 well, 1.. errors, `u32::MAX` cut.
    #[inline(always)]
    pub fn code(self) -> u32 {
        if self == Outcome::Well { 0 } else { self.code_of_bad_end() }
    }

    #[cold]
    fn code_of_bad_end(self) -> u32 {
        match self {
            Outcome::Well => 0,
            Outcome::Error(error) => error.code(),
            Outcome::Cut => u32::MAX,
        }
    }
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record {
    /// A client wants something; `attempt` is the slot of its run through `do`.
    IntentBegun {
        client: ClientId,
        attempt: SlotNumber,
        number: u64,
    },
    IntentEnded {
        client: ClientId,
        attempt: SlotNumber,
        outcome: Outcome,
    },
    /// A `call` step began; `figures` says what it is counted under.
    CallBegun {
        figures: u32,
        attempt: SlotNumber,
    },
    /// It was sent, for the first time or again.
    CallTried {
        figures: u32,
        attempt: SlotNumber,
    },
    CallEnded {
        figures: u32,
        attempt: SlotNumber,
        outcome: Outcome,
    },
    /// Something waits for a worker.
    Waits {
        instance: InstanceId,
        ticket: SlotNumber,
    },
    /// Refused at the door, or dropped while waiting.
    Rejected {
        instance: InstanceId,
    },
    Dropped {
        instance: InstanceId,
        ticket: SlotNumber,
    },
    /// A worker took it; `ticket` is `NONE` if it did not wait.
    Started {
        instance: InstanceId,
        attempt: SlotNumber,
        ticket: SlotNumber,
        obligation: u64,
    },
    Ended {
        instance: InstanceId,
        attempt: SlotNumber,
        outcome: Outcome,
    },
    /// A broker took a message in.
    Accepted {
        topic: TopicId,
        message: SlotNumber,
        obligation: u64,
    },
    /// It recognised one that it had already.
    Deduplicated {
        topic: TopicId,
    },
    /// A copy was sent to a consumer: the first time, or again.
    Delivered {
        group: GroupId,
        instance: InstanceId,
        again: bool,
    },
    /// A group is done with a message.
    Settled {
        group: GroupId,
        message: SlotNumber,
        how: Settlement,
    },
    /// A group is owed a message once more that it was done with.
    Reopened {
        group: GroupId,
        message: SlotNumber,
    },
    /// An acknowledgement came too late to count.
    AckStale {
        group: GroupId,
    },
    Rebalanced {
        group: GroupId,
    },
    /// Nobody holds the message any more.
    Released {
        message: SlotNumber,
    },
    Sent {
        link: LinkId,
    },
    Lost {
        link: LinkId,
    },
    Duplicated {
        link: LinkId,
    },
    /// A row's new version was committed; `row` is a hash of its key.
    Committed {
        table: TableId,
        row: u64,
        version: u64,
        obligation: u64,
    },
    /// An external effect was carried out (`first`), or recognised by its key.
    Effected {
        effect: EffectId,
        first: bool,
        obligation: u64,
    },
    /// A fault began, and how many things it hit. One that lies in wait is there, which is 1, and has hit nothing
    /// before `FaultTouched`.
    FaultBegan {
        fault: FaultId,
        touched: u32,
    },
    /// A fault that lay in wait hit something: it held back, lost, copied or slowed a packet, brought an arrival, turned
    /// somebody away, or found something in hand. Once for each firing.
    FaultTouched {
        fault: FaultId,
    },
    /// One that began, and hit something unless it lay in wait, has healed.
    FaultEnded {
        fault: FaultId,
    },
    InstanceDown {
        instance: InstanceId,
        waiting: u32,
        busy: u32,
    },
    InstanceUp {
        instance: InstanceId,
    },
    /// An expression had no value: an overflow, a division by zero, an index past the end of a list, a list
    /// too long to make. Its attempt goes on with the error `failed`.
    Miscalculated {
        instruction: u32,
    },
    /// Arrivals stop and faults heal.
    Drain,
    /// The replication is over; `quiet` if nothing was in flight.
    End {
        quiet: bool,
    },
}

impl Record {
    /// The record as two words, for fingerprints: what happened, and to whom.
    #[inline(always)]
    pub fn words(&self) -> [u64; 2] {
        #[inline(always)]
        fn pair(tag: u64, one: u32, other: u32) -> [u64; 2] {
            [tag, (one as u64) << 32 | other as u64]
        }
        match *self {
            Record::IntentBegun { client, attempt, number } => {
                [1 | (client.0 as u64) << 8, (attempt as u64) << 40 ^ number]
            }
            Record::IntentEnded { client, attempt, outcome } => {
                [2 | (outcome.code() as u64) << 8, (client.0 as u64) << 32 | attempt as u64]
            }
            Record::CallBegun { figures, attempt } => pair(3, figures, attempt),
            Record::CallTried { figures, attempt } => pair(4, figures, attempt),
            Record::CallEnded { figures, attempt, outcome } => {
                pair(5 | (outcome.code() as u64) << 8, figures, attempt)
            }
            Record::Waits { instance, ticket } => pair(6, instance.0, ticket),
            Record::Rejected { instance } => pair(7, instance.0, 0),
            Record::Dropped { instance, ticket } => pair(8, instance.0, ticket),
            Record::Started { instance, attempt, ticket, obligation } => {
                [9 ^ obligation, (instance.0 as u64) << 32 ^ (ticket as u64) << 16 ^ attempt as u64]
            }
            Record::Ended { instance, attempt, outcome } => {
                pair(10 | (outcome.code() as u64) << 8, instance.0, attempt)
            }
            Record::Accepted { topic, message, obligation } => {
                [11 ^ obligation, (topic.0 as u64) << 32 | message as u64]
            }
            Record::Deduplicated { topic } => pair(12, topic.0, 0),
            Record::Delivered { group, instance, again } => {
                pair(13 | (again as u64) << 8, group.0, instance.0)
            }
            Record::Settled { group, message, how } => pair(14 | (how as u64) << 8, group.0, message),
            Record::Reopened { group, message } => pair(40, group.0, message),
            Record::AckStale { group } => pair(15, group.0, 0),
            Record::Rebalanced { group } => pair(16, group.0, 0),
            Record::Released { message } => pair(17, message, 0),
            Record::Sent { link } => pair(18, link.0, 0),
            Record::Lost { link } => pair(19, link.0, 0),
            Record::Duplicated { link } => pair(20, link.0, 0),
            Record::Committed { table, row, version, obligation } => {
                [21 ^ obligation ^ row.rotate_left(8), (table.0 as u64) << 40 ^ version]
            }
            Record::Effected { effect, first, obligation } => {
                [22 ^ obligation, (effect.0 as u64) << 1 | first as u64]
            }
            Record::FaultBegan { fault, touched } => pair(23, fault.0, touched),
            Record::FaultEnded { fault } => pair(24, fault.0, 0),
            Record::FaultTouched { fault } => pair(39, fault.0, 0),
            Record::InstanceDown { instance, waiting, busy } => {
                [25 | (instance.0 as u64) << 8, (waiting as u64) << 32 | busy as u64]
            }
            Record::InstanceUp { instance } => pair(26, instance.0, 0),
            Record::Miscalculated { instruction } => pair(29, instruction, 0),
            Record::Drain => [27, 0],
            Record::End { quiet } => [28, quiet as u64],
        }
    }
}

/// How a group came to be done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    Acknowledged,
    DeadLettered,
    Dropped,
    /// Passed by retention.
    Skipped,
    /// Set aside where it is.
    Parked,
    /// Not handed out any more.
    Stayed,
    /// Its time was over.
    Expired,
    /// A newer message of its key is there instead.
    Superseded,
    /// Gone with a broker that had it alone.
    Destroyed,
}

/// Reads records. Chosen before the run; an observer that is not there costs nothing.
pub trait Observer {
    fn record(&mut self, now: Nanos, record: &Record);

    /// Whether it judges what is done: only then is it told deeds.
    #[inline(always)]
    fn judges(&self) -> bool {
        false
    }

    fn deed(&mut self, _: Nanos, _: &Deed<'_>) {}
}

/// Nobody looks.
impl Observer for () {
    #[inline(always)]
    fn record(&mut self, _: Nanos, _: &Record) {}
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    #[inline(always)]
    fn record(&mut self, now: Nanos, record: &Record) {
        self.0.record(now, record);
        self.1.record(now, record);
    }

    #[inline(always)]
    fn judges(&self) -> bool {
        self.0.judges() || self.1.judges()
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.0.deed(now, deed);
        self.1.deed(now, deed);
    }
}

impl<O: Observer + ?Sized> Observer for &mut O {
    #[inline(always)]
    fn record(&mut self, now: Nanos, record: &Record) {
        (**self).record(now, record);
    }

    #[inline(always)]
    fn judges(&self) -> bool {
        (**self).judges()
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        (**self).deed(now, deed);
    }
}

impl<O: Observer> Observer for Option<O> {
    #[inline(always)]
    fn record(&mut self, now: Nanos, record: &Record) {
        if let Some(observer) = self {
            observer.record(now, record);
        }
    }

    #[inline(always)]
    fn judges(&self) -> bool {
        self.as_ref().is_some_and(O::judges)
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        if let Some(observer) = self {
            observer.deed(now, deed);
        }
    }
}

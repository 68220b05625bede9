//! Attempts: one execution of a handler for one delivery, call, intent, tick or timer; and the
//! branches that an attempt forks into.

use super::broker::DeliveryId;
use super::identity::Cause;
use super::store::Transaction;
use super::words::EMPTY;
use crate::kernel::event_list::Handle;
use crate::kernel::ids::*;
use crate::kernel::time::Nanos;
use crate::model::{Error, NONE, Pc};

/// What an attempt serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    Intent {
        client: ClientId,
        user: u32,
    },
    /// A call: who waits for the answer, at which step.
    Call {
        step: u32,
        caller: u32,
        token: u32,
    },
    Send,
    Delivery {
        group: GroupId,
        delivery: DeliveryId,
    },
    Job {
        job: JobId,
    },
    /// The body of an `after`; the stored timer if durable.
    Timer {
        timer: u32,
    },
    /// One branch of a `parallel` or of a parallel `for_each`.
    Branch {
        parent: u32,
    },
}

/// What an attempt waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wait {
    /// Nothing: it runs, or its slot is free.
    Nothing,
    /// The end of work; `Cpu` before it has one, with its length in `last_wait`.
    Work,
    /// The end of an attempt on a message that it cannot handle.
    Choking,
    Cpu,
    Sleep,
    /// Enough replicas of a store that can be reached; then the step is begun.
    Quorum {
        step: u32,
    },
    /// Acknowledgements of a write from enough replicas; when it set out is in `last_wait`.
    QuorumWrite {
        step: u32,
    },
    /// A connection of a store; then the operation is begun again.
    Connection,
    /// The middle of a row step's round trip, a lock, the second half.
    Row {
        step: u32,
    },
    Lock {
        step: u32,
    },
    RowAnswer {
        step: u32,
    },
    Commit {
        region: u32,
    },
    CommitAnswer {
        region: u32,
    },
    /// A timer is being stored with a transaction of its own.
    Store {
        after: u32,
    },
    StoreAnswer {
        after: u32,
    },
    /// A saga's position is being stored: a meeting with a message, or the end of a step (`NONE`).
    Saga {
        meeting: u32,
    },
    SagaAnswer {
        meeting: u32,
    },
    Outbox {
        step: u32,
    },
    OutboxAnswer {
        step: u32,
    },
    /// The answer of a call; the confirmation of a publish.
    Call {
        step: u32,
    },
    Confirm {
        step: u32,
    },
    /// Its turn to send, where a producer has only so many unconfirmed.
    Turn {
        step: u32,
    },
    Effect {
        step: u32,
        request: u32,
    },
    EffectAnswer {
        step: u32,
    },
    /// Before the next try of a call, publish or effect.
    CallAgain {
        step: u32,
    },
    ConfirmAgain {
        step: u32,
    },
    EffectAgain {
        step: u32,
    },
    /// Before the next try of a region.
    Region {
        region: u32,
    },
    /// Its branches.
    Branches,
}

/// What a round trip will answer, known from its middle on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepResult {
    Done,
    /// There was nothing to do: `else`.
    Nothing,
    Error(Error),
}

/// One execution of a handler.
#[derive(Clone)]
pub struct Attempt {
    /// Matches the events that are meant for what it waits for now.
    pub token: u32,
    pub pc: Pc,
    pub handler: u32,
    /// Block of its frame, which branches share with their parent.
    pub frame: u32,
    /// The message in hand, or `NONE`.
    pub message: u32,
    /// Where it runs, or `NOWHERE`.
    pub instance: u32,
    pub cause: Cause,
    /// Identity of the loop item in hand; 0 outside loops.
    pub item: u64,
    /// Hash of the tries of regions around; 0 on the first.
    pub tries: u32,
    /// Tries of the step in hand, the wait before the last one, and where it was sent.
    pub step_tries: u32,
    pub last_wait: Nanos,
    pub target: u32,
    /// The phase of the breaker when the try in hand set out.
    pub era: u32,
    /// Message that the step in hand sends.
    pub outgoing: u32,
    /// What it waits for, the event that ends the wait if it is its own, and its timeout.
    pub wait: Wait,
    pub pending: Handle,
    pub timeout: Handle,
    pub result: StepResult,
    pub transaction: Option<Transaction>,
    /// Row keys still to be done by a step on many rows, as a list.
    pub remaining: u64,
    pub source: Source,
    pub state: State,
}

impl Attempt {
    /// What a slot holds before its first attempt, and what every attempt begins with otherwise.
    const UNUSED: Self = Self {
        token: 0,
        pc: 0,
        handler: 0,
        frame: NONE,
        message: NONE,
        instance: NONE,
        cause: Cause::NOBODY,
        item: 0,
        tries: 0,
        step_tries: 0,
        last_wait: 0,
        target: NONE,
        era: 0,
        outgoing: NONE,
        wait: Wait::Nothing,
        pending: Handle::NONE,
        timeout: Handle::NONE,
        result: StepResult::Done,
        transaction: None,
        remaining: EMPTY,
        source: Source::Send,
        state: State::UNUSED,
    };

    /// Whether it holds anything of its store.
    #[inline(always)]
    pub fn holds_store(&self) -> bool {
        self.transaction.is_some() || self.state.connection
    }

    /// Whether it holds anything but the message in hand, its worker and what it holds of its store.
    #[inline(always)]
    pub fn holds_more(&self) -> bool {
        self.state.owns_frame || self.outgoing != NONE || self.remaining != EMPTY
    }
}

/// Bits about an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    pub alive: bool,
    pub replied: bool,
    /// Whether it holds a worker, a CPU, a connection of its service's store.
    pub worker: bool,
    pub cpu: bool,
    pub connection: bool,
    /// Whether its call has reached the callee.
    pub arrived: bool,
    /// Whether the frame is its own to free.
    pub owns_frame: bool,
    /// Whether the row step in hand is a transaction of its own.
    pub alone: bool,
    /// Whether it has started durable timers that are not committed yet.
    pub timers: bool,
    /// Whether it ends when the commit under way is done.
    pub stopping: bool,
    /// Whether its store has crashed under its open transaction.
    pub reset: bool,
    /// Whether the try in hand counts as under way in the guard of its calls.
    pub guarded: bool,
    /// Whether the try in hand has been sent to two instances, and neither has failed.
    pub hedged: bool,
    /// Whether its publish counts among those of its producer that are not confirmed.
    pub sending: bool,
}

impl State {
    const UNUSED: Self = Self {
        alive: false,
        replied: false,
        worker: false,
        cpu: false,
        connection: false,
        arrived: false,
        owns_frame: false,
        alone: false,
        timers: false,
        stopping: false,
        reset: false,
        guarded: false,
        hedged: false,
        sending: false,
    };

    /// Of an attempt that begins.
    pub const ALIVE: Self = Self { alive: true, ..Self::UNUSED };
}

/// All attempts, in slots reused last in, first out.
#[derive(Clone, Default)]
pub struct Attempts {
    slots: Vec<Attempt>,
    free: Vec<u32>,
    /// Given out to waits; never 0 twice within 2^32 waits.
    next_token: u32,
    last_handler: u32,
}

impl Attempts {
    /// Begins an attempt at the start of a handler.
    #[inline(always)]
    pub fn add(
        &mut self,
        handler: u32,
        pc: Pc,
        instance: u32,
        message: u32,
        cause: Cause,
        source: Source,
    ) -> u32 {
        self.last_handler = handler;
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.new_slot(),
        };
        self.slots[slot as usize] =
            Attempt { handler, pc, instance, message, cause, source, state: State::ALIVE, ..Attempt::UNUSED };
        slot
    }

    #[cold]
    fn new_slot(&mut self) -> u32 {
        self.slots.push(Attempt::UNUSED);
        self.slots.len() as u32 - 1
    }

    #[inline]
    pub fn release(&mut self, slot: u32) {
        let attempt = &mut self.slots[slot as usize];
        debug_assert!(attempt.state.alive);
        attempt.state.alive = false;
        attempt.token = 0;
        attempt.wait = Wait::Nothing;
        self.free.push(slot);
    }

    /// Starts a wait: the events that may end it carry the token.
    #[inline(always)]
    pub fn wait(&mut self, slot: u32, wait: Wait) -> u32 {
        self.begin_wait(slot, wait).token
    }

    /// Starts a wait; gives the attempt with its new token.
    #[inline(always)]
    pub fn begin_wait(&mut self, slot: u32, wait: Wait) -> &mut Attempt {
        self.next_token = self.next_token.wrapping_add(1).max(1);
        let of = &mut self.slots[slot as usize];
        (of.token, of.wait) = (self.next_token, wait);
        of
    }

    /// Whether an event with this token is for what the attempt waits for now.
    #[inline(always)]
    pub fn is_waiting(&self, slot: u32, token: u32) -> bool {
        self.slots.get(slot as usize).is_some_and(|attempt| attempt.token == token)
    }

    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The slots of those that are alive and wanted, in order.
    pub fn select(&self, wanted: impl Fn(&Attempt) -> bool) -> Vec<u32> {
        let alive =
            self.slots.iter().enumerate().filter(|(_, attempt)| attempt.state.alive && wanted(attempt));
        alive.map(|(slot, _)| slot as u32).collect()
    }

    /// The handler that began last.
    pub fn last_handler(&self) -> u32 {
        self.last_handler
    }
}

impl std::ops::Index<u32> for Attempts {
    type Output = Attempt;
    #[inline(always)]
    fn index(&self, slot: u32) -> &Attempt {
        &self.slots[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Attempts {
    #[inline(always)]
    fn index_mut(&mut self, slot: u32) -> &mut Attempt {
        &mut self.slots[slot as usize]
    }
}

//! Timers that the broker asked for. The world keeps the clock; here is only what each is for.

use super::delivery::NONE;

/// One timer; slots are dense and reused, so the world can keep its handles in a table by slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId {
    pub slot: u32,
    pub generation: u32,
}

/// What a timer measures. All timers of one kind of one group or topic have the same length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKind {
    /// A delivery becomes visible again.
    Visibility,
    /// A message that failed has rested.
    Rest,
    /// A silent consumer is given up.
    Detection,
    /// An eighth of the longest time between polls has passed.
    Poll,
    /// A consumer acknowledges what it has handled.
    PeriodicAck,
    /// A new assignment takes effect.
    Rebalance,
    /// A delayed message becomes visible.
    Delay,
    /// A sixteenth of the retention has passed.
    Retention,
    /// What was remembered longest is forgotten.
    Memory,
    /// A dead letter has moved half way.
    Move,
    /// What a topic has accepted becomes durable.
    Flush,
    /// A message is given up.
    Expiry,
}

impl TimerKind {
    /// Whether something is unfinished while this timer runs. The others only look after what holds
    /// the run open by itself, or wait for nobody.
    pub fn keeps_running(self) -> bool {
        !matches!(self, TimerKind::Poll | TimerKind::Retention | TimerKind::Memory | TimerKind::Flush)
    }
}

/// Whom a timer is for: a slot of the table that its kind is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    pub kind: TimerKind,
    pub owner: u32,
    generation: u32,
    running: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    slots: Vec<Timer>,
    free: Vec<u32>,
}

impl Timers {
    #[inline]
    pub fn add(&mut self, kind: TimerKind, owner: u32) -> TimerId {
        if let Some(slot) = self.free.pop() {
            let timer = &mut self.slots[slot as usize];
            (timer.kind, timer.owner, timer.running) = (kind, owner, true);
            return TimerId { slot, generation: timer.generation };
        }
        assert!(self.slots.len() < NONE as usize, "more timers than a slot number can name");
        self.slots.push(Timer { kind, owner, generation: 0, running: true });
        TimerId { slot: (self.slots.len() - 1) as u32, generation: 0 }
    }

    /// Takes the timer out; `None` if it was cancelled or has rung before.
    #[inline]
    pub fn take(&mut self, id: TimerId) -> Option<Timer> {
        let timer = *self.slots.get(id.slot as usize)?;
        if !timer.running || timer.generation != id.generation {
            return None;
        }
        self.remove(id.slot);
        Some(timer)
    }

    #[inline]
    pub fn remove(&mut self, slot: u32) -> TimerId {
        let timer = &mut self.slots[slot as usize];
        let id = TimerId { slot, generation: timer.generation };
        timer.running = false;
        timer.generation = timer.generation.wrapping_add(1);
        self.free.push(slot);
        id
    }

    #[cfg(test)]
    pub fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

//! Topics with a delay: what they accept is visible when that is over, in the order in which it came.

use super::state::Delayed;
use super::timers::TimerKind;
use super::{Action, Broker, Choose, Settlement};

impl Broker {
    /// Appends a message, now or when the topic's delay is over, for which it is held once more.
    #[inline]
    pub(super) fn admit(&mut self, log: u32, message: u32, choose: Choose, out: &mut Vec<Action>) -> u64 {
        let topic = self.logs[log as usize].topic;
        let state = &mut self.topics[topic as usize];
        let delay = state.knobs.delay;
        if delay == 0 {
            return self.append(log, message, choose, out);
        }
        let partition = log - state.first_log;
        let timer = self.start_timer(TimerKind::Delay, topic, delay, out);
        self.topics[topic as usize].delayed.push_back(Delayed { message, partition, timer });
        self.kept[message as usize].holders += 1;
        self.watch_durability(log, out);
        let log = &mut self.logs[log as usize];
        log.delayed += 1;
        log.end + log.delayed - 1
    }

    /// The delay of a topic's oldest delayed message is over.
    pub(super) fn undelay(&mut self, topic: u32, choose: Choose, out: &mut Vec<Action>) {
        let state = &mut self.topics[topic as usize];
        let first = state.delayed.pop_front();
        let Delayed { message, partition, .. } = first.expect("every delayed message has its timer");
        state.delayed_durable = state.delayed_durable.saturating_sub(1);
        let log = state.first_log + partition;
        self.logs[log as usize].delayed -= 1;
        self.append(log, message, choose, out);
        self.let_go(message, out);
    }

    /// What waits for its delay is not there before it is durable either. (What waits to be decided is, with those
    /// behind it: it is not there for anybody yet.)
    pub(super) fn lose_delayed(&mut self, topic: u32, out: &mut Vec<Action>) {
        let state = &mut self.topics[topic as usize];
        let (lost, first_log) = (state.delayed.split_off(state.delayed_durable), state.first_log);
        for Delayed { message, partition, timer } in lost {
            self.cancel_timer(timer, out);
            let log = (first_log + partition) as usize;
            self.logs[log].delayed -= 1;
            for lane in self.logs[log].lanes.clone() {
                let subscription = self.lanes[lane as usize].subscription;
                self.kept[message as usize].holders += 1;
                self.subscriptions[subscription as usize].counts.owed += 1;
                self.end_message(subscription, message, Settlement::Destroyed, out);
            }
            self.let_go(message, out);
        }
    }
}

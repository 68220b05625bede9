//! Planned changes: what an operator does, at a time that was set before.

use super::record::Observer;
use super::{Event, Simulation};
use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::stream::DrawKey;
use crate::model::{FaultWhen, OperationKind};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Schedules the first of each.
    pub(super) fn begin_operations(&mut self) {
        let model = self.model;
        for (operation, spec) in model.operations.iter().enumerate() {
            let operation = operation as u32;
            match &spec.when {
                FaultWhen::At(times) => times.iter().for_each(|&time| {
                    self.later(time, Class::Fault, Event::Operate { operation, number: 0 });
                }),
                FaultWhen::Every(_) => self.schedule_operation(operation, 0),
                FaultWhen::AtStep { .. } => unreachable!("resolved: an operation is planned"),
            }
        }
    }

    fn schedule_operation(&mut self, operation: u32, number: u32) {
        let FaultWhen::Every(interval) = self.model.operations[operation as usize].when else { return };
        let length = self.length(interval, DrawKey::numbered(0, u64::from(number)));
        self.later(length, Class::Fault, Event::Operate { operation, number });
    }

    /// One is due. In the drain nothing new is begun.
    pub(super) fn operate(&mut self, operation: u32, number: u32) {
        if self.world.draining {
            return;
        }
        match self.model.operations[operation as usize].kind {
            OperationKind::Redrive { from, to } => {
                self.with_broker(|broker, choose, actions| broker.redrive(from, to, choose, actions));
            }
        }
        self.schedule_operation(operation, number + 1);
    }
}

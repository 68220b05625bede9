//! The CPUs of an instance: attempts that compute take one, or wait in line.

use crate::kernel::agenda::Agenda;
use crate::kernel::event_list::Class;
use crate::kernel::time::Nanos;
use crate::model::Pc;
use crate::world::attempt::Wait;
use crate::world::record::Observer;
use crate::world::{Event, Simulation};

impl<A: Agenda<Event>, O: Observer> Simulation<'_, A, O> {
    /// Whether an attempt works on one of a limited number of CPUs.
    #[inline(always)]
    pub(in crate::world) fn needs_cpu(&self, attempt: u32) -> bool {
        let instance = self.world.attempts[attempt].instance;
        self.world.instances.get(instance as usize).is_some_and(|here| here.door.cpus != u32::MAX)
    }

    /// Takes a CPU, or waits for one in line. True if it has one.
    pub(in crate::world) fn take_cpu(&mut self, attempt: u32, pc: Pc, length: Nanos) -> bool {
        let of = &mut self.world.attempts[attempt];
        let here = &mut self.world.instances[of.instance as usize];
        if here.computing < here.door.cpus {
            here.computing += 1;
            of.state.cpu = true;
            return true;
        }
        (of.pc, of.last_wait) = (pc, length);
        let token = self.world.attempts.wait(attempt, Wait::Cpu);
        here.waiting_for_cpu.push_back((attempt, token));
        false
    }

    /// Gives a CPU to the next in line.
    pub(in crate::world) fn release_cpu(&mut self, attempt: u32) {
        let of = &mut self.world.attempts[attempt];
        of.state.cpu = false;
        let instance = of.instance as usize;
        while let Some((next, token)) = self.world.instances[instance].waiting_for_cpu.pop_front() {
            if self.world.attempts.is_waiting(next, token) {
                self.world.attempts[next].state.cpu = true;
                let event = Event::Resume { attempt: next, token };
                self.agenda.after(0, Class::Completion, event);
                return;
            }
        }
        self.world.instances[instance].computing -= 1;
    }
}

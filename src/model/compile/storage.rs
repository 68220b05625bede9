//! What stores keep their rows on, what topics keep for replays, and how long the outside keeps keys.

use super::Compiler;
use crate::kernel::stream::Draw;
use crate::model::{Copies, Quorum};
use crate::scenario::resolved as scenario;

impl Compiler<'_> {
    /// The copies that reads of a store can ask.
    pub fn copies(&mut self, own: &scenario::Store, service: &str) -> Option<Copies> {
        let mut delay = |generator: &scenario::Generator, role: &str| {
            self.generated_duration(generator, &format!("{service}/store/{role}"))
        };
        match own.copies.as_ref()? {
            scenario::Copies::Follow { count, lag, sticky } => {
                Some(Copies::Follow { count: *count, lag: delay(lag, "lag"), sticky: *sticky })
            }
            scenario::Copies::Quorum(of) => {
                let (write, acknowledge) = (delay(&of.write, "write"), delay(&of.acknowledge, "ack"));
                let (read, respond) = (delay(&of.read, "read"), delay(&of.respond, "respond"));
                let trouble = self.stream(format!("{service}/store/trouble"), Draw::Bits);
                let region = |replica: u32| self.region_in_turn(&own.place, replica as usize);
                Some(Copies::Quorum(Box::new(Quorum {
                    regions: (0..of.replicas).map(region).collect(),
                    write_quorum: of.write_quorum,
                    read_quorum: of.read_quorum,
                    write,
                    acknowledge,
                    read,
                    respond,
                    trouble,
                })))
            }
        }
    }

    /// Where the past is kept (streams, copies, what is not durable yet, sagas), an id can come back from there.
    pub fn keys_of_effects(&mut self) {
        let model = &mut self.model;
        let keeps_past = |store: &crate::model::Store| store.flush.is_some() || store.copies.is_some();
        let has_past = model.stores.iter().any(keeps_past)
            || model.tables.iter().any(|table| table.stream.is_some())
            || !model.sagas.is_empty();
        if has_past {
            model.mortal_keys.fill(false);
        }
    }

    /// Whether some operation has a group handle a topic once more.
    pub fn is_replayed(&self, topic: usize) -> bool {
        self.scenario.faults.iter().any(|fault| match &fault.kind {
            scenario::FaultKind::Replay { group, .. } => {
                self.scenario.groups[group.index()].topic.index() == topic
            }
            _ => false,
        })
    }
}

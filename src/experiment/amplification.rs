//! Amplification: how many attempts a service begins for each thing that was wanted once.
//!
//! Retries, hedges, redeliveries and loops multiply work on its way, and a service deep inside a design feels the
//! product of all of them. It is the attempts that a service began, of those that came in the measured time, for each
//! intent that was begun in the measured time by a client from which work comes to it. A design that asks a service
//! twice for each order has 2 without any trouble; what trouble adds is what is above that.

use super::results::NodeKind;
use super::topology::topology;
use crate::model::Model;
use crate::observe::metrics::Figures;

/// By service: the clients from which work comes to it.
pub struct Sources(Vec<Vec<usize>>);

impl Sources {
    pub fn new(model: &Model) -> Self {
        let topology = topology(model);
        let mut sources = vec![Vec::new(); model.services.len()];
        for client in 0..model.clients.len() {
            let mut reached = vec![false; topology.nodes.len()];
            let mut ahead = vec![client];
            while let Some(node) = ahead.pop() {
                if !std::mem::replace(&mut reached[node], true) {
                    ahead.extend(topology.edges.iter().filter(|edge| edge.from == node).map(|edge| edge.to));
                }
            }
            let services =
                topology.nodes.iter().zip(reached).filter(|(node, _)| node.kind == NodeKind::Service);
            for (sources, (_, reached)) in sources.iter_mut().zip(services) {
                if reached {
                    sources.push(client);
                }
            }
        }
        Self(sources)
    }

    /// Attempts per intent at a service in one replication; `None` without any intent that could come to it.
    pub fn amplification(&self, figures: &Figures, service: usize) -> Option<f64> {
        let intents: u64 = self.0[service].iter().map(|&client| figures.clients[client].measured).sum();
        (intents > 0).then(|| figures.services[service].attempts as f64 / intents as f64)
    }
}

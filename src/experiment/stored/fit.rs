//! Whether a stored replication can be one of a model: as many of each kind of thing, in series as long.

use super::StoredReplication;
use crate::model::{Error, Model};
use crate::observe::meters::Meters;
use crate::observe::metrics::{Distributions, Figures, Metrics};
use crate::observe::oracles::Oracles;

/// A replication in which nothing happened: what all others are shaped like.
pub struct Shape {
    figures: Figures,
    distributions: Distributions,
    anomalies: usize,
    promises: usize,
    meters: Meters,
    /// Words that reasons may be.
    symbols: usize,
}

impl Shape {
    pub fn of(model: &Model) -> Self {
        let (figures, distributions) = Metrics::new(model).finish();
        let (findings, meters) = Oracles::new(model).finish();
        // What is judged by running again stands among the promises, too.
        let (anomalies, promises) = (findings.anomalies.len(), model.promises.headings().count());
        let symbols = model.names.symbols.len();
        Self { figures, distributions, anomalies, promises, meters, symbols }
    }
}

impl StoredReplication {
    /// Whether it has the shape of a model's replications.
    pub fn fits(&self, shape: &Shape) -> bool {
        figures_fit(&self.figures, &shape.figures)
            && reasons_fit(&self.figures, shape.symbols)
            && distributions_fit(&self.distributions, &shape.distributions)
            && self.findings.anomalies.len() == shape.anomalies
            && self.findings.promises.len() == shape.promises
            && self.findings.faults_that_hit.len() == shape.figures.faults.len()
            && self.meters.fit(&shape.meters)
    }
}

fn figures_fit(figures: &Figures, shape: &Figures) -> bool {
    let lengths = |of: &Figures| {
        [
            of.clients.len(),
            of.calls.len(),
            of.services.len(),
            of.subscriptions.len(),
            of.links.len(),
            of.faults.len(),
        ]
    };
    // A copy is little beside what it took to read them, and which series there are is said in one place.
    let series = |of: &Figures| of.clone().series_mut().map(|series| series.len()).collect::<Vec<usize>>();
    lengths(figures) == lengths(shape) && series(figures) == series(shape)
}

/// Errors are told by their words.
fn reasons_fit(figures: &Figures, symbols: usize) -> bool {
    let of_clients = figures.clients.iter().flat_map(|client| &client.reasons);
    let of_calls = figures.calls.iter().flat_map(|call| &call.reasons);
    of_clients.chain(of_calls).all(|(error, _)| match error {
        Error::Reason(symbol) => symbol.index() < symbols,
        _ => true,
    })
}

fn distributions_fit(distributions: &Distributions, shape: &Distributions) -> bool {
    let lengths =
        |of: &Distributions| [of.clients.len(), of.calls.len(), of.services.len(), of.subscriptions.len()];
    lengths(distributions) == lengths(shape)
}

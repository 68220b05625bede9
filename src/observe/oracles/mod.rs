//! Oracles: they know what should have happened, and count what did not.
//!
//! Each reads the [deeds](crate::world::deed) that the world tells, and hands over its
//! [findings](super::findings) when the replication is over. What was promised besides (views, sessions,
//! invariants) is judged beside them, in [`super::promise`].

pub mod lineage;
pub mod ordering;

use super::findings::{Finding, Findings};
use super::promise::invariants::Invariants;
use super::promise::views::Views;
use crate::kernel::time::Nanos;
use crate::model::Model;
use crate::world::deed::Deed;
use crate::world::record::{Observer, Record};
use lineage::{Lineage, Sum};
use ordering::OrderOracle;

/// All judges of one replication.
pub struct Oracles<'m> {
    model: &'m Model,
    lineage: Lineage<'m>,
    order: OrderOracle<'m>,
    invariants: Option<Invariants<'m>>,
    views: Option<Views<'m>>,
    faults_that_hit: Vec<bool>,
}

impl<'m> Oracles<'m> {
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            lineage: Lineage::new(model),
            order: OrderOracle::new(model),
            invariants: Invariants::new(model),
            views: Views::new(model),
            faults_that_hit: vec![false; model.faults.len()],
        }
    }

    /// What was found, and how obligations ended.
    pub fn finish(self) -> (Findings, Sum) {
        let promises = &self.model.promises;
        let (mut anomalies, sum) = self.lineage.finish();
        for (anomaly, finding) in self.order.finish().findings {
            anomalies[anomaly.index()] = finding;
        }
        let views = match self.views {
            Some(views) => views.findings().into_iter().map(|of| of.finding).collect(),
            None => nothing(promises.first_session()),
        };
        let others = nothing(promises.first_invariant() - promises.first_session());
        let invariants = match self.invariants {
            Some(invariants) => invariants.findings(),
            None => nothing(promises.invariants.len()),
        };
        let promises = [views, others, invariants].concat();
        (Findings { anomalies, promises, faults_that_hit: self.faults_that_hit }, sum)
    }
}

impl Observer for Oracles<'_> {
    fn judges(&self) -> bool {
        true
    }

    fn record(&mut self, now: Nanos, record: &Record) {
        if let Record::FaultBegan { fault, touched } = *record {
            self.faults_that_hit[fault.index()] |= touched > 0;
        }
        self.lineage.record(now, record);
        self.order.record(now, record);
        self.invariants.record(now, record);
        self.views.record(now, record);
    }

    fn deed(&mut self, now: Nanos, deed: &Deed<'_>) {
        self.lineage.deed(now, deed);
        self.order.deed(now, deed);
        self.invariants.deed(now, deed);
        self.views.deed(now, deed);
    }
}

fn nothing(findings: usize) -> Vec<Finding> {
    vec![Finding::default(); findings]
}

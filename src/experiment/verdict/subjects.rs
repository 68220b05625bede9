//! Whose work promises about rows and figures speak of.

use super::reliance::Subject;
use crate::kernel::ids::{ClientId, ServiceId, TableId};
use crate::model::Model;
use crate::model::promise::{Convergence, Formula, Invariant, InvariantKind, Measure, MeasureUse};

pub fn of_convergence(promise: &Convergence) -> Vec<Subject> {
    vec![Subject::Table(promise.of), Subject::Table(promise.view)]
}

pub fn of_invariant(model: &Model, promise: &Invariant) -> Vec<Subject> {
    match &promise.kind {
        InvariantKind::Measure(figure) => {
            figure.measures().into_iter().flat_map(|of| of_measure(model, of)).collect()
        }
        InvariantKind::Always(formula)
        | InvariantKind::Never(formula)
        | InvariantKind::Eventually(formula, _)
        | InvariantKind::AtEnd(formula) => {
            let tables = of_formula(model, formula).into_iter().chain(promise.for_each);
            tables.map(Subject::Table).collect()
        }
    }
}

/// The tables that a condition reads, those of its aggregates and what they read included.
fn of_formula(model: &Model, formula: &Formula) -> Vec<TableId> {
    let mut tables = formula.tables.clone();
    for &aggregate in &formula.aggregates {
        let of = &model.promises.aggregates[aggregate as usize];
        tables.push(of.table);
        let parts = of.keys.iter().chain(&of.conditions).chain(&of.value);
        tables.extend(parts.flat_map(|part| part.tables.iter().copied()));
    }
    tables
}

fn of_measure(model: &Model, of: &MeasureUse) -> Vec<Subject> {
    let service = |name: &str| {
        let number = model.services.iter().position(|service| service.name == name);
        number.map(|number| Subject::Service(ServiceId::new(number)))
    };
    let subject = match of.measure {
        Measure::ResponseTime
        | Measure::Throughput
        | Measure::Succeeded
        | Measure::Failed
        | Measure::Timeouts
        | Measure::Amplification => {
            let number = model.clients.iter().position(|client| client.name == of.owner);
            number.map(|number| Subject::Client(ClientId::new(number))).or_else(|| service(&of.owner))
        }
        Measure::Utilization
        | Measure::QueueLength
        | Measure::WaitingTime
        | Measure::ServiceTime
        | Measure::InFlight => service(&of.owner),
        Measure::GroupLag | Measure::TimeInTopic | Measure::Deliveries | Measure::Redeliveries => {
            let group = model.groups.iter().find(|group| group.name == of.owner);
            group.map(|group| Subject::Service(group.service))
        }
        Measure::ViewLag | Measure::Window => {
            let is_named = |promise: &&Convergence| {
                promise.heading.verdict.strip_prefix("convergence.") == Some(&of.owner)
            };
            let views = &model.promises.convergence;
            return views.iter().find(is_named).map(of_convergence).unwrap_or_default();
        }
        Measure::FreshReads | Measure::Staleness => {
            let number = model.tables.iter().position(|table| table.name == of.owner);
            number.map(|number| Subject::Table(TableId::new(number)))
        }
    };
    subject.into_iter().collect()
}

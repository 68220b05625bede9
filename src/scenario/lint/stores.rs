//! Decisions on what may have changed meanwhile, and stores that forget or have not heard.

use super::Finding;
use super::design::{Code, Design, written};
use super::walk::expressions;
use crate::kernel::ids::*;
use crate::scenario::resolved::*;

/// A read into a local: what of, whether under its lock, and in which transaction.
struct Seen<'s> {
    local: LocalId,
    table: TableId,
    step: &'s Step,
    is_locked: bool,
    transaction: Option<&'s Step>,
}

fn seen<'s>(code: &Code<'s>) -> Vec<Seen<'s>> {
    let mut reads = Vec::new();
    code.each(&mut |step, transaction| match &step.kind {
        StepKind::Read { table, result: Some(local), lock, .. } => {
            reads.push(Seen { local: *local, table: *table, step, is_locked: *lock, transaction });
        }
        StepKind::Load { table, result: Some(local), .. } => {
            reads.push(Seen { local: *local, table: *table, step, is_locked: false, transaction });
        }
        _ => {}
    });
    reads
}

fn is_same(one: Option<&Step>, two: Option<&Step>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => std::ptr::eq(one, two),
        _ => false,
    }
}

fn isolation(design: &Design<'_>, table: TableId) -> Isolation {
    design.store_of(table).map_or(Isolation::ReadCommitted, |store| store.isolation)
}

/// A write of what was computed from an earlier read.
pub fn read_then_set(design: &Design<'_>, found: &mut Vec<Finding>) {
    for code in &design.bodies {
        let reads = seen(code);
        code.each(&mut |step, transaction| {
            let (StepKind::Update { table, filter: None, set, .. }
            | StepKind::Upsert { table, filter: None, set, .. }) = &step.kind
            else {
                return;
            };
            let uses = |local: LocalId| {
                expressions(set).any(|value| {
                    value.any(&|kind| matches!(kind, ExpressionKind::RowColumn(of, _) if *of == local))
                })
            };
            let stale = reads.iter().find(|read| {
                let together = is_same(read.transaction, transaction);
                let is_safe =
                    together && (read.is_locked || isolation(design, *table) != Isolation::ReadCommitted);
                read.table == *table && uses(read.local) && !is_safe
            });
            if let Some(read) = stale.filter(|_| !design.table(*table).memory) {
                let told = format!("`{}` may have changed since it was read", design.name_of(*table));
                found.push(Finding::new(step.span, code.within, told).related(read.step.span, "read here"));
            }
        });
    }
}

/// A decision by one row about another one, under snapshots.
pub fn write_skew(design: &Design<'_>, found: &mut Vec<Finding>) {
    for code in &design.bodies {
        let reads = seen(code);
        code.each(&mut |decision, transaction| {
            let StepKind::If { condition, then, .. } = &decision.kind else { return };
            let basis = reads.iter().find(|read| {
                is_same(read.transaction, transaction)
                    && !read.is_locked
                    && isolation(design, read.table) != Isolation::Serializable
                    && condition
                        .any(&|kind| matches!(kind, ExpressionKind::RowColumn(of, _) if *of == read.local))
            });
            let Some(basis) = basis else { return };
            let StepKind::Read { key: read_key, .. } = &basis.step.kind else { return };
            let skewed = then.iter().find(|step| match &step.kind {
                StepKind::Update { key: Some(key), .. } | StepKind::Upsert { key, .. } => {
                    written(step) == Some(basis.table) && !is_same_key(key, read_key)
                }
                _ => false,
            });
            if let Some(step) = skewed {
                let told = format!(
                    "what `{}` was read for may have changed when this is committed",
                    design.name_of(basis.table)
                );
                found.push(Finding::new(step.span, code.within, told).related(basis.step.span, "decided by"));
            }
        });
    }
}

/// Whether two keys are written alike. Places do not matter.
fn is_same_key(one: &[Expression], two: &[Expression]) -> bool {
    let is_same = |(one, two): (&Expression, &Expression)| match (&one.kind, &two.kind) {
        (ExpressionKind::Message(one), ExpressionKind::Message(two)) => one == two,
        (ExpressionKind::Local(one), ExpressionKind::Local(two)) => one == two,
        (ExpressionKind::Literal(one), ExpressionKind::Literal(two)) => one == two,
        _ => false,
    };
    one.len() == two.len() && one.iter().zip(two).all(is_same)
}

/// A decision on a stream's state, appended whatever it is by then.
pub fn append_without_expect(design: &Design<'_>, found: &mut Vec<Finding>) {
    for code in &design.bodies {
        let reads = seen(code);
        let decides = |local: LocalId| {
            code.any(&|step| match &step.kind {
                StepKind::If { condition, .. } => condition.any(&|kind| match kind {
                    ExpressionKind::RowColumn(of, _) | ExpressionKind::RowExists(of) => *of == local,
                    _ => false,
                }),
                _ => false,
            })
        };
        code.each(&mut |step, _| {
            let StepKind::Append(append) = &step.kind else { return };
            let basis = reads.iter().find(|read| {
                read.table == append.table && read.step.span.start < step.span.start && decides(read.local)
            });
            if let Some(read) = basis.filter(|_| append.expect.is_none()) {
                let told = format!("`{}` may have grown since it was loaded", design.name_of(append.table));
                found.push(Finding::new(step.span, code.within, told).related(read.step.span, "decided by"));
            }
        });
    }
}

fn stores<'s>(design: &Design<'s>) -> impl Iterator<Item = (Within, &'s str, &'s Store)> {
    let services = design.scenario.services.iter().enumerate();
    services.filter_map(|(index, service)| match &service.store {
        Some(StoreUse::Own(store)) => {
            Some((Within::Service(ServiceId::new(index)), service.name.as_str(), &**store))
        }
        _ => None,
    })
}

/// `flush: every so often`.
pub fn answered_before_durable(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (within, name, store) in stores(design) {
        if store.flush_every.is_some() {
            let told = format!("the store of `{name}` answers before what it has been told is safe");
            found.push(Finding::new(store.span, within, told));
        }
    }
}

/// Quorums without a replica in common.
pub fn quorums_do_not_meet(design: &Design<'_>, found: &mut Vec<Finding>) {
    for (within, name, store) in stores(design) {
        let Some(Copies::Quorum(quorum)) = &store.copies else { continue };
        let Quorum { replicas, write_quorum, read_quorum, .. } = &**quorum;
        if read_quorum + write_quorum <= *replicas {
            let told = format!(
                "of {replicas} replicas of the store of `{name}`, {write_quorum} are written and {read_quorum} are read"
            );
            found.push(Finding::new(store.span, within, told));
        }
    }
}

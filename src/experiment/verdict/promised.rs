//! What a model promises, put as it is judged; and the verdicts on all of it.

use super::reliance::{Reliance, Subject};
use super::subjects::{of_convergence, of_invariant};
use super::violation::broken;
use super::words::percent;
use super::{Evidence, Promise, Replication, Rule, count, counterexample, judge};
use crate::experiment::results::verdict::{Outcome, Place, Unasked, Verdict};
use crate::kernel::anomaly::Anomaly;
use crate::kernel::time::Pretty;
use crate::model::Model;
use crate::model::promise::{
    Bound, Convergence, ExpectedOutcome, Heading, Invariant, InvariantKind, MeasureUse, ReferencePromise,
    SagaPromise, SessionKind, SessionPromise, StalenessBound, StalenessPromise,
};
use crate::observe::findings::{Finding, Findings};

/// Where nobody looked, nothing was exposed.
static NOTHING: Finding =
    Finding { count: 0, exposures: 0, under_fault: None, of: 0, unsettled: 0, first: None, caveat: None };

/// What one replication found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub replication: u32,
    pub findings: &'a Findings,
    /// The figures that promises speak of.
    pub figures: &'a [Option<f64>],
}

/// A run that is over, to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    pub model: &'a Model,
    /// Of the replications that were done, in their order.
    pub found: &'a [Found<'a>],
    /// How many were asked for.
    pub asked: u32,
    pub confidence: f64,
    /// What [`Found::figures`] are.
    pub measures: &'a [MeasureUse],
}

impl Trial<'_> {
    /// One verdict for each promise: anomalies, then views, sessions, staleness and invariants.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let findings: Vec<&Findings> = self.found.iter().map(|one| one.findings).collect();
        let reliance = Reliance::new(self.model, &findings);
        let everything = reliance.idle_faults(&[Subject::Everything]);
        let promises = &self.model.promises;
        let anomalies = promises.anomalies.iter().map(|bound| {
            let promise = self.promise(
                &bound.heading,
                in_words(bound.bound),
                bound.anomaly.exposure().to_owned(),
                Rule::Findings(bound.bound),
            );
            self.judged(&promise, &everything, |findings| findings.anomalies.get(bound.anomaly.index()))
        });
        let others = self.others().into_iter().enumerate();
        let others = others.map(|(at, (promise, subjects))| {
            let idle = reliance.idle_faults(&subjects);
            self.judged(&promise, &idle, |findings| findings.promises.get(at))
        });
        anomalies.chain(others).collect()
    }

    /// For each promise by the name of its verdict whether each replication breaks it by itself; `None` where it had
    /// nothing to say.
    pub fn broken(&self) -> Vec<(String, Vec<Option<bool>>)> {
        let anomalies = self.model.promises.anomalies.iter().map(|bound| {
            let replications = self.replications(|findings| findings.anomalies.get(bound.anomaly.index()));
            let broken = broken(&Rule::Findings(bound.bound), &self.evidence(&replications, &[]));
            (bound.heading.verdict.clone(), broken)
        });
        let others = self.others().into_iter().enumerate().map(|(at, (promise, _))| {
            let replications = self.replications(|findings| findings.promises.get(at));
            let broken = broken(&promise.rule, &self.evidence(&replications, &[]));
            (promise.name, broken)
        });
        anomalies.chain(others).collect()
    }

    /// What was counted though nothing is promised about it; nothing if nobody counted.
    pub fn unasked(&self) -> Vec<Unasked> {
        if self.found.iter().all(|one| one.findings.anomalies.is_empty()) {
            return Vec::new();
        }
        let asked = &self.model.promises.anomalies;
        let unasked =
            Anomaly::ALL.iter().filter(|anomaly| asked.iter().all(|bound| bound.anomaly != **anomaly));
        let unasked = unasked.map(|anomaly| {
            let replications = self.replications(|findings| findings.anomalies.get(anomaly.index()));
            let first = replications.iter().find_map(|one| {
                one.finding.first.as_ref().map(|sighting| counterexample(one.number, sighting))
            });
            Unasked {
                name: format!("{}.{}", anomaly.family().name(), anomaly.name()),
                counts: anomaly.counts().to_owned(),
                tally: count::tally(anomaly.exposure(), false, &self.evidence(&replications, &[])),
                first,
            }
        });
        unasked.collect()
    }

    fn judged<'f>(
        &'f self,
        promise: &Promise,
        idle: &[String],
        finding: impl Fn(&'f Findings) -> Option<&'f Finding>,
    ) -> Verdict {
        let replications = self.replications(finding);
        judge(promise, &self.evidence(&replications, idle))
    }

    fn evidence<'e>(&'e self, replications: &'e [Replication<'e>], idle: &'e [String]) -> Evidence<'e> {
        let Trial { asked, confidence, measures, .. } = *self;
        Evidence { replications, asked, confidence, measures, idle_faults: idle }
    }

    /// What each replication found about one promise.
    fn replications<'f>(
        &'f self,
        finding: impl Fn(&'f Findings) -> Option<&'f Finding>,
    ) -> Vec<Replication<'f>> {
        let replication = |one: &'f Found<'f>| Replication {
            number: one.replication,
            finding: finding(one.findings).unwrap_or(&NOTHING),
            figures: one.figures,
        };
        self.found.iter().map(replication).collect()
    }

    /// The promises that are not bounds on anomalies, in the order of [`Findings::promises`], and whose work
    /// each of them is about.
    fn others(&self) -> Vec<(Promise, Vec<Subject>)> {
        let promises = &self.model.promises;
        let views = promises.convergence.iter().map(|promise| (self.view(promise), of_convergence(promise)));
        let sessions = promises
            .sessions
            .iter()
            .map(|promise| (self.session(promise), vec![Subject::Client(promise.client)]));
        let staleness = promises
            .staleness
            .iter()
            .map(|promise| (self.staleness(promise), vec![Subject::Table(promise.table)]));
        let sagas = promises.sagas.iter().map(|promise| (self.saga(promise), vec![Subject::Everything]));
        let invariants = promises
            .invariants
            .iter()
            .map(|promise| (self.invariant(promise), of_invariant(self.model, promise)));
        let reference = promises.reference.iter().map(|promise| {
            let tables = promise.tables.iter().map(|table| Subject::Table(*table));
            (self.reference(promise), tables.collect())
        });
        views.chain(sessions).chain(staleness).chain(sagas).chain(invariants).chain(reference).collect()
    }

    fn promise(&self, heading: &Heading, bound: String, exposure: String, rule: Rule) -> Promise {
        let expectations = &self.model.promises.expectations;
        let expected = expectations.iter().find(|expected| expected.heading.verdict == heading.verdict);
        let place = Place { file: heading.file.clone(), line: heading.line, column: heading.column };
        let expected = expected.map(|expected| match expected.outcome {
            ExpectedOutcome::Pass => Outcome::Pass,
            ExpectedOutcome::Fail => Outcome::Fail,
            ExpectedOutcome::Inconclusive => Outcome::Inconclusive,
        });
        Promise { name: heading.verdict.clone(), place, bound, exposure, expected, rule }
    }

    fn view(&self, promise: &Convergence) -> Promise {
        let within = Pretty(promise.within);
        // Of all that must be followed in time, each counts; of a share, those too late have the rest.
        let (bound, rule) = if promise.share >= 1.0 {
            (format!("every change shown within {within}"), Bound::Count(0))
        } else {
            let share = percent(promise.share);
            (format!("{share} of the changes shown within {within}"), Bound::Share(1.0 - promise.share))
        };
        let exposure = format!("changes of {}", self.table(promise.of));
        self.promise(&promise.heading, bound, exposure, Rule::Findings(rule))
    }

    fn session(&self, promise: &SessionPromise) -> Promise {
        let (bound, exposure) = match promise.kind {
            SessionKind::ReadYourWrites => {
                ("no read older than the session's own writes", "reads of what the session had written")
            }
            SessionKind::MonotonicReads => {
                ("no read older than one before it", "reads of what the session had read before")
            }
        };
        let rule = Rule::Findings(Bound::Count(0));
        self.promise(&promise.heading, bound.to_owned(), exposure.to_owned(), rule)
    }

    fn staleness(&self, promise: &StalenessPromise) -> Promise {
        let (bound, rule) = match promise.bound {
            StalenessBound::StaleReads(bound) => (in_words(bound), bound),
            StalenessBound::Age(age) => {
                (format!("no read of what had changed more than {} before", Pretty(age)), Bound::Count(0))
            }
            StalenessBound::Versions(most) => {
                (format!("no read more than {most} versions behind"), Bound::Count(0))
            }
        };
        let exposure = format!("reads of {}", self.table(promise.table));
        self.promise(&promise.heading, bound, exposure, Rule::Findings(rule))
    }

    fn saga(&self, promise: &SagaPromise) -> Promise {
        let exposure = promise.measure.exposure().to_owned();
        self.promise(&promise.heading, in_words(promise.bound), exposure, Rule::Findings(promise.bound))
    }

    fn invariant(&self, promise: &Invariant) -> Promise {
        let condition = promise.written.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut bound = match &promise.kind {
            InvariantKind::Always(_) => format!("always {condition}"),
            InvariantKind::Never(_) => format!("never {condition}"),
            InvariantKind::Eventually(_, None) => format!("eventually {condition}"),
            InvariantKind::Eventually(_, Some(within)) => {
                format!("within {} {condition}", Pretty(*within))
            }
            InvariantKind::AtEnd(_) => format!("at the end {condition}"),
            InvariantKind::Measure(_) => condition,
        };
        if let Some(table) = promise.for_each {
            bound += &format!(", for each row of {}", self.table(table));
        }
        if let Some((from, to)) = promise.during {
            bound += &format!(", from {} to {}", Pretty(from), Pretty(to));
        }
        let rule = match &promise.kind {
            InvariantKind::Measure(condition) => Rule::Figures(condition.clone()),
            _ => Rule::Findings(Bound::Count(0)),
        };
        self.promise(&promise.heading, bound, "checks of the condition".to_owned(), rule)
    }

    fn reference(&self, promise: &ReferencePromise) -> Promise {
        let bound = match promise.bound {
            Bound::Count(0) => "no row differs from those of the same intents alone".to_owned(),
            Bound::Count(most) => format!("at most {most} rows differ from those of the same intents alone"),
            Bound::Share(most) => {
                format!("at most {} of the rows differ from those of the same intents alone", percent(most))
            }
        };
        let exposure = "rows that the intents changed".to_owned();
        self.promise(&promise.heading, bound, exposure, Rule::Findings(promise.bound))
    }

    fn table(&self, table: crate::kernel::ids::TableId) -> &str {
        &self.model.tables[table.index()].name
    }
}

fn in_words(bound: Bound) -> String {
    match bound {
        Bound::Count(0) => "none in any replication".to_owned(),
        Bound::Count(most) => format!("at most {most} in each replication"),
        Bound::Share(most) => format!("at most {}", percent(most)),
    }
}

#[cfg(test)]
mod tests;

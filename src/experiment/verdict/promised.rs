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
mod tests {
    use super::Outcome::*;
    use super::*;
    use crate::experiment::verdict::measure::wanted;
    use crate::model::compile::compile;
    use crate::scenario::open::read_text;

    const SHOP: &str = "\
scenario: shop
messages:
  Place: { kind: command, fields: { order: id } }
services:
  desk:
    store: { tables: { orders: { key: order, columns: { qty: int } }, view: { key: order, columns: { qty: int } } } }
    handlers: { Place: [ { insert: orders, key: message.order, set: { qty: 1 } } ] }
  attic: { instances: 2 }
clients:
  shopper: { arrivals: { poisson: 5/s }, do: [ { let: { order: unique() } }, { call: desk.Place, with: { order: order } } ] }
faults:
  desk_crash: { crash: desk, at: 1s, for: 1s }
  attic_crash: { crash: attic, at: 1s, for: 1s }
guarantees:
  idempotency: { duplicate_effects: 0, lost_effects: 2 }
  ordering: { regressed: 0.1% }
  convergence: { shown: { view: desk.view, of: desk.orders, columns: { qty: row.qty }, within: 90s, share: 99% } }
invariants:
  whole: { always: row.qty   >= 0, for_each: desk.orders }
  fast: { measure: p99(shopper.response_time) < 500ms }
expect: { ordering.regressed: fail }
";

    fn model() -> Model {
        let (sources, mistakes, scenario) = read_text("shop.yaml", SHOP, &[]);
        let told: Vec<&str> = mistakes.list.iter().map(|mistake| mistake.message.as_str()).collect();
        compile(&scenario.unwrap_or_else(|| panic!("{told:?}")), &sources)
    }

    fn findings(of: impl Fn(Anomaly) -> Finding, others: &[Finding], hit: [bool; 2]) -> Findings {
        Findings {
            anomalies: Anomaly::ALL.iter().map(|&anomaly| of(anomaly)).collect(),
            promises: others.to_vec(),
            faults_that_hit: hit.to_vec(),
        }
    }

    fn outcomes(model: &Model, findings: &[Findings], figures: &[Option<f64>]) -> Vec<(String, Outcome)> {
        let found: Vec<Found> = findings
            .iter()
            .zip(0..)
            .map(|(findings, replication)| Found { replication, findings, figures })
            .collect();
        let measures = wanted(model);
        let asked = found.len() as u32;
        let trial = Trial { model, found: &found, asked, confidence: 0.95, measures: &measures };
        trial.verdicts().into_iter().map(|verdict| (verdict.name, verdict.outcome)).collect()
    }

    const EXPOSED: Finding = Finding {
        count: 0,
        exposures: 50,
        under_fault: None,
        of: 50_000,
        unsettled: 0,
        first: None,
        caveat: None,
    };
    const TWO: Finding = Finding { count: 2, ..EXPOSED };

    #[test]
    fn each_promise_is_judged_by_its_own_findings() {
        let model = model();
        let of = |anomaly| match anomaly {
            Anomaly::LostEffects => TWO,
            _ => EXPOSED,
        };
        let found = findings(of, &[EXPOSED, TWO, EXPOSED], [true, false]);
        let outcomes = outcomes(&model, &[found.clone(), found], &[Some(1e6)]);
        let expected = [
            ("idempotency.duplicate_effects", Pass),
            ("idempotency.lost_effects", Pass),
            ("ordering.regressed", Pass),
            ("convergence.shown", Pass),
            ("invariants.whole", Fail),
            ("invariants.fast", Pass),
        ];
        assert_eq!(outcomes, expected.map(|(name, outcome)| (name.to_owned(), outcome)));
    }

    /// Nobody calls the attic, so nothing relies on its crash; everything relies on the desk's.
    #[test]
    fn a_fault_that_aims_at_what_is_reached_must_hit() {
        let model = model();
        let found = findings(|_| EXPOSED, &[EXPOSED, EXPOSED, EXPOSED], [false, true]);
        let all = outcomes(&model, &[found.clone(), found], &[Some(1e6)]);
        assert!(all.iter().all(|(_, outcome)| *outcome == Inconclusive), "{all:?}");
        let reached = findings(|_| EXPOSED, &[EXPOSED, EXPOSED, EXPOSED], [true, false]);
        let missed = Findings { faults_that_hit: vec![false, false], ..reached.clone() };
        let all = outcomes(&model, &[missed, reached], &[Some(1e6)]);
        assert!(all.iter().all(|(_, outcome)| *outcome == Pass), "one replication is enough: {all:?}");
    }

    /// Two shops side by side: what one promises does not rely on the faults of the other.
    #[test]
    fn a_promise_relies_on_the_faults_on_its_path() {
        let text = "\
scenario: two
messages: { Place: { kind: command }, Put: { kind: command }, Look: { kind: query } }
services:
  desk:
    store: { tables: { orders: { key: order, columns: { qty: int } } } }
    handlers: { Place: [ { call: shelf.Look } ] }
  hall:
    store: { tables: { orders: { key: order, columns: { qty: int } } } }
    handlers: { Put: [ stop ] }
  shelf: { handlers: { Look: [ reply ] } }
clients:
  shopper: { arrivals: { poisson: 5/s }, do: [ { call: desk.Place } ] }
  guest: { arrivals: { poisson: 5/s }, do: [ { call: hall.Put } ] }
faults:
  one: { crash: desk, at: 1s }
  two: { crash: shelf, at: 1s }
  cut: { split: [guest, desk], at: 1s, for: 1s }
  rush: { surge: guest, by: 2, at: 1s, for: 1s }
invariants:
  a: { always: row.qty >= 0, for_each: desk.orders }
  b: { always: row.qty >= 0, for_each: hall.orders }
  c: { always: \"sum(hall.orders.qty) >= 0\" }
  d: { measure: p99(guest.response_time) < 1s }
  e: { measure: shelf.queue_length < 9 }
";
        let (sources, mistakes, scenario) = read_text("two.yaml", text, &[]);
        let told: Vec<&str> = mistakes.list.iter().map(|mistake| mistake.message.as_str()).collect();
        let model = compile(&scenario.unwrap_or_else(|| panic!("{told:?}")), &sources);
        let found = Findings { faults_that_hit: vec![false; 4], ..Findings::default() };
        let reliance = Reliance::new(&model, &[&found]);
        let relied_on = |name: &str| -> Vec<String> {
            let promise = model.promises.invariants.iter().find(|promise| promise.name == name).unwrap();
            let idle = reliance.idle_faults(&of_invariant(&model, promise));
            idle.iter().map(|told| told.split(' ').next().unwrap().to_owned()).collect()
        };
        assert_eq!(relied_on("a"), ["one", "two"], "what it calls answers it");
        assert_eq!(relied_on("b"), ["rush"]);
        assert_eq!(relied_on("c"), ["rush"]);
        assert_eq!(relied_on("d"), ["rush"]);
        assert_eq!(relied_on("e"), ["one", "two"]);
        assert_eq!(reliance.idle_faults(&[Subject::Everything]).len(), 4, "a split of two that are at work");
    }

    #[test]
    fn where_nobody_looked_nothing_passes() {
        let model = model();
        let found = Findings { faults_that_hit: vec![true, true], ..Findings::default() };
        let all = outcomes(&model, &[found.clone(), found], &[]);
        assert!(all.iter().all(|(_, outcome)| *outcome == Inconclusive), "{all:?}");
    }

    #[test]
    fn a_promise_is_told_in_words_with_its_place() {
        let model = model();
        let trial = Trial { model: &model, found: &[], asked: 1, confidence: 0.95, measures: &[] };
        let verdicts = trial.verdicts();
        let bounds: Vec<&str> = verdicts.iter().map(|verdict| verdict.bound.as_str()).collect();
        assert_eq!(
            bounds,
            [
                "none in any replication",
                "at most 2 in each replication",
                "at most 0.1 %",
                "99 % of the changes shown within 90s",
                "always row.qty >= 0, for each row of desk.orders",
                "p99(shopper.response_time) < 500ms",
            ]
        );
        assert_eq!(verdicts[0].place, Place { file: "shop.yaml".to_owned(), line: 15, column: 18 });
        let expected: Vec<Option<Outcome>> = verdicts.iter().map(|verdict| verdict.expected).collect();
        assert_eq!(expected, [None, None, Some(Fail), None, None, None]);
    }

    #[test]
    fn what_is_not_asked_for_is_told_once_somebody_counted() {
        let model = model();
        let found = findings(|_| TWO, &[], [true, true]);
        let unasked = |findings: &Findings| {
            let found = [Found { replication: 0, findings, figures: &[] }];
            let trial = Trial { model: &model, found: &found, asked: 1, confidence: 0.95, measures: &[] };
            trial.unasked()
        };
        let told = unasked(&found);
        assert_eq!(told.len(), Anomaly::ALL.len() - 3);
        assert!(told.iter().all(|one| one.tally.count == 2 && one.name != "ordering.regressed"));
        assert_eq!(told[0].name, "idempotency.torn_effects");
        assert_eq!(unasked(&Findings::default()), []);
    }
}

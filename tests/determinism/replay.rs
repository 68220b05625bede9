//! A replication is a function of what it was handed: recorded and replayed, it is the same.

use super::golden::settings;
use crate::runs::{model, results_of};
use eventflow::experiment::replication::agenda;
use eventflow::experiment::run::RunOptions;
use eventflow::kernel::agenda::{Agenda, Choices, Recorded, Replayed, Silence};
use eventflow::kernel::fingerprint::Digest as Fingerprint;
use eventflow::kernel::stream::StreamPlan;
use eventflow::model::Model;
use eventflow::observe::digest::Digest;
use eventflow::world::record::Observer;
use eventflow::world::{Event, Limits, Simulation};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const SCENARIOS: [&str; 4] =
    ["coupling/event-fan-out", "coupling/request-chain", "queueing/two-choices", "queueing/closed"];

/// Runs one replication under an agenda; gives its digest and the agenda back.
fn digest_under<A: Agenda<Event>>(model: &Model, agenda: A) -> (Fingerprint, A) {
    let mut digest = Digest::default();
    let stop = AtomicBool::new(false);
    let mut simulation = Simulation::new(model, agenda, &mut digest as &mut dyn Observer);
    simulation.run(Limits::default(), &stop).unwrap();
    let agenda = simulation.agenda;
    (digest.fingerprint().finish(), agenda)
}

fn recorded(model: &Model, plan: &Arc<StreamPlan>) -> (Fingerprint, Choices) {
    let (digest, agenda) = digest_under(model, Recorded::new(agenda(model, plan, model.seed, 0)));
    (digest, agenda.into_choices())
}

/// What lies beneath the replay has another seed, and where the recording is silent it is neutral: the
/// same digest comes from the recording alone.
#[test]
fn a_recording_is_complete() {
    for name in SCENARIOS {
        let mut settings = settings(name);
        settings.push("run.horizon=6s");
        let model = model(name, &settings);
        let plan = Arc::new(StreamPlan::new(&model.streams));
        let (timed, _) = digest_under(&model, agenda(&model, &plan, model.seed, 0));
        let (digest, choices) = recorded(&model, &plan);
        assert_eq!(digest, timed, "{name}: recording changes nothing");
        assert!(choices.len() > 100, "{name}: {}", choices.len());
        let beneath = agenda(&model, &plan, model.seed + 1, 7);
        let (replayed, _) = digest_under(&model, Replayed::new(beneath, choices, Silence::Neutral));
        assert_eq!(replayed, digest, "{name}: replayed");
        let beneath = agenda(&model, &plan, model.seed, 0);
        let nothing = Replayed::new(beneath, Choices::default(), Silence::Drawn);
        assert_eq!(digest_under(&model, nothing).0, digest, "{name}: drawn");
    }
}

/// Medians for everything: another run, and one that comes to its end.
#[test]
fn without_a_recording_a_neutral_replay_is_another_run() {
    let model = model("queueing/mmc", &["run.horizon=6s", "run.warm_up=1s"]);
    let plan = Arc::new(StreamPlan::new(&model.streams));
    let (timed, _) = digest_under(&model, agenda(&model, &plan, model.seed, 0));
    let neutral = Replayed::new(agenda(&model, &plan, model.seed, 0), Choices::default(), Silence::Neutral);
    assert_ne!(digest_under(&model, neutral).0, timed);
}

/// A run measures; alone, the digest is the same.
#[test]
fn metrics_change_nothing() {
    for name in SCENARIOS {
        let model = model(name, &settings(name));
        let plan = Arc::new(StreamPlan::new(&model.streams));
        let alone: Vec<_> = (0..2)
            .map(|replication| digest_under(&model, agenda(&model, &plan, model.seed, replication)).0)
            .collect();
        let run = results_of(&model, RunOptions { replications: Some(2), ..RunOptions::default() });
        assert_eq!(run.digest, Fingerprint::combine(&alone).to_string(), "{name}");
    }
}

use eventflow::experiment::replication;
use eventflow::kernel::stream::StreamPlan;
use eventflow::observe::digest::Digest;
use eventflow::scenario::{load, render, resolve};
fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let (sources, mut diagnostics, loaded) = load::load(path.as_ref(), &[]);
    let scenario = loaded.and_then(|loaded| {
        eventflow::scenario::grammar::check(&loaded.root, &mut diagnostics);
        resolve::resolve(&loaded, &sources, &mut diagnostics)
    });
    let Some(scenario) = scenario else {
        eprintln!("{}", render::render(&sources, &diagnostics, render::Style::Plain, 100));
        std::process::exit(2)
    };
    let model = eventflow::model::compile::compile(&scenario, &sources);
    let plan = std::sync::Arc::new(StreamPlan::new(&model.streams));
    for replication in 0..2 {
        let mut digest = Digest::default();
        let start = std::time::Instant::now();
        let agenda = replication::agenda(&model, &plan, model.seed, replication);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let result = replication::replicate(&model, agenda, &mut digest, Default::default(), &stop);
        let time = start.elapsed().as_secs_f64();
        match result {
            Ok((events, _)) => println!(
                "{events} events {:.1} ns/event {:?}",
                time * 1e9 / events as f64,
                digest.fingerprint().finish()
            ),
            Err(halt) => println!("{halt}"),
        }
    }
}

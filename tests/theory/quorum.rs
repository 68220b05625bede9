//! Staleness of quorum stores against an independent Monte Carlo of the same four delays.
//!
//! The model is that of Bailis et al., Probabilistically Bounded Staleness (PVLDB 5:8, 2012): a write is sent to
//! all `n` replicas and counts when the first `w` acknowledgements are back; `t` later a read is sent to all and
//! takes the first `r` answers; it is stale if none of those replicas had the write when the read came.

use crate::engine::{Run, run};

/// A generator of the language, and the same by a uniform number and a second one.
struct Delay {
    text: &'static str,
    draw: fn(f64, f64) -> f64,
}

const EXPONENTIAL: Delay = Delay { text: "{ exponential: 10ms }", draw: |u, _| -10.0 * libm::log(1.0 - u) };
const SHORT: Delay = Delay { text: "{ exponential: 2ms }", draw: |u, _| -2.0 * libm::log(1.0 - u) };
/// Most are quick, and one in ten is of a heavy tail.
const HEAVY: Delay = Delay {
    text: "{ mixture: [ { share: 90%, exponential: 2ms }, { share: 10%, pareto: { min: 10ms, shape: 1.5 } } ] }",
    draw: |u, which| {
        if which < 0.9 { -2.0 * libm::log(1.0 - u) } else { 10.0 / libm::pow(1.0 - u, 1.0 / 1.5) }
    },
};

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn draw(&mut self, delay: &Delay) -> f64 {
        let (one, other) = (self.next(), self.next());
        (delay.draw)(one, other)
    }
}

/// The share of stale reads that begin `after` ms behind the write's last needed acknowledgement.
fn share_by_hand(of: &Case, trials: u32) -> f64 {
    let mut random = Random(7);
    let mut stale = 0;
    for _ in 0..trials {
        let n = 3;
        // The first replica is with the caller, the others are apart from it, if any is.
        let mut leg = |replica: usize, delay: &Delay| {
            let apart = of.apart.filter(|_| replica > 0).map_or(0.0, |apart| random.draw(apart));
            random.draw(delay) + apart
        };
        let writes: Vec<f64> = (0..n).map(|replica| leg(replica, of.write)).collect();
        let mut acknowledged: Vec<f64> =
            writes.iter().enumerate().map(|(replica, there)| there + leg(replica, &SHORT)).collect();
        acknowledged.sort_by(f64::total_cmp);
        let committed = acknowledged[of.write_quorum - 1];
        let mut reads: Vec<(f64, bool)> = writes
            .iter()
            .enumerate()
            .map(|(replica, written)| {
                let there = leg(replica, of.read);
                let is_there = *written <= committed + of.after + there;
                (there + leg(replica, &SHORT), is_there)
            })
            .collect();
        reads.sort_by(|a, b| a.0.total_cmp(&b.0));
        stale += u32::from(reads[..of.read_quorum].iter().all(|(_, is_there)| !is_there));
    }
    f64::from(stale) / f64::from(trials)
}

struct Case {
    write: &'static Delay,
    read: &'static Delay,
    write_quorum: usize,
    read_quorum: usize,
    after: f64,
    /// How far the other two replicas are away: each of the four ways takes so much longer.
    apart: Option<&'static Delay>,
}

/// Each call writes its own row, waits, and reads it again: the row is there, or the read was stale.
fn simulated(of: &Case, trials: u32) -> Run {
    let Case { write, read, write_quorum, read_quorum, after, apart } = of;
    let (place, stores, links) = match apart {
        None => ("", "", String::new()),
        Some(apart) => {
            let link =
                |name: &str, to: &str| format!("{name}: {{ between: [eu, {to}], latency: {} }}", apart.text);
            let links = format!(", links: {{ {}, {} }}", link("sea", "us"), link("land", "asia"));
            ("place: eu", "place: [eu, us, asia]", links)
        }
    };
    run(&format!(
        "scenario: quorum
seed: 3
run: {{ horizon: {}ms, drain: 10m }}
messages: {{ Go: {{ kind: command, key: id, fields: {{ id: int }} }} }}
services:
  s:
    workers: unlimited
    {place}
    store:
      {stores}
      replication: {{ n: 3, write_quorum: {write_quorum}, read_quorum: {read_quorum}, write: {}, ack: {}, read: {}, respond: {} }}
      tables: {{ t: {{ key: id, columns: {{ id: int }} }}, stale: {{ key: id, columns: {{ id: int }} }} }}
    handlers:
      Go:
        - {{ insert: t, key: message.id }}
        - {{ wait: {after}ms }}
        - {{ read: t, key: message.id, as: r }}
        - {{ if: '!r.exists', then: [ {{ insert: stale, key: message.id }} ] }}
clients:
  c:
    arrivals: {{ every: 1ms, count: {trials} }}
    do: [ {{ let: {{ id: {{ counter: 1 }} }} }}, {{ send: s.Go, with: {{ id: id }} }} ]
network: {{ default: {{ latency: 1ms }}{links} }}
",
        trials + 1,
        write.text,
        SHORT.text,
        read.text,
        SHORT.text
    ))
}

#[test]
fn reads_of_partial_quorums_are_as_stale_as_their_delays_say() {
    const TRIALS: u32 = 4_000;
    let case = |write, read, write_quorum, read_quorum, after| Case {
        write,
        read,
        write_quorum,
        read_quorum,
        after,
        apart: None,
    };
    let far = |apart, of: Case| Case { apart: Some(apart), ..of };
    let cases = [
        case(&EXPONENTIAL, &SHORT, 1, 1, 0.0),
        case(&EXPONENTIAL, &SHORT, 1, 1, 10.0),
        case(&EXPONENTIAL, &EXPONENTIAL, 1, 1, 5.0),
        case(&EXPONENTIAL, &SHORT, 1, 2, 0.0),
        case(&EXPONENTIAL, &SHORT, 2, 1, 0.0),
        case(&HEAVY, &SHORT, 1, 1, 0.0),
        case(&HEAVY, &HEAVY, 1, 1, 10.0),
        // Replicas in other regions: whoever is near answers first, and has it first.
        far(&EXPONENTIAL, case(&EXPONENTIAL, &EXPONENTIAL, 1, 1, 0.0)),
        far(&HEAVY, case(&EXPONENTIAL, &SHORT, 1, 2, 0.0)),
        far(&HEAVY, case(&HEAVY, &HEAVY, 2, 1, 0.0)),
    ];
    for of in &cases {
        let run = simulated(of, TRIALS);
        assert_eq!(run.rows("s.t").len(), TRIALS as usize);
        let share = run.rows("s.stale").len() as f64 / f64::from(TRIALS);
        let by_hand = share_by_hand(of, 200_000);
        // Four standard errors of the two together.
        let deviation =
            4.0 * (by_hand * (1.0 - by_hand) * (1.0 / f64::from(TRIALS) + 1.0 / 200_000.0)).sqrt();
        let apart = of.apart.map(|apart| apart.text);
        let of = (of.write.text, of.read.text, of.write_quorum, of.read_quorum, of.after, apart);
        assert!((share - by_hand).abs() <= deviation, "{of:?}: {share} is not {by_hand} ± {deviation}");
        assert!(share > 0.0, "{of:?} shows nothing");
    }
    // A write and a read that overlap in one replica at least are never stale.
    for (write_quorum, read_quorum) in [(2, 2), (3, 1), (1, 3)] {
        let run = simulated(&case(&HEAVY, &HEAVY, write_quorum, read_quorum, 0.0), 1_000);
        assert_eq!(run.rows("s.stale").len(), 0, "{write_quorum} + {read_quorum} > 3");
    }
}

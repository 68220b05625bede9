//! Closed forms of queueing theory, each with its source, and held against a value published elsewhere
//! or worked out by hand. Numbers after a source are chapters. Rates are per unit of time, `offered` loads in erlangs.
//!
//! [K] Kleinrock, Queueing Systems I, 1975. [G] Gross, Shortle, Thompson and Harris, Fundamentals of
//! Queueing Theory, 4th ed., 2008. [M] Mitzenmacher, The Power of Two Choices in Randomized Load
//! Balancing, IEEE TPDS 12 (2001) 1094–1104.

/// One server, Poisson arrivals, exponential service. [K] 3, [G] 2.
#[derive(Clone, Copy, Debug)]
pub struct Mm1 {
    arrival_rate: f64,
    service_rate: f64,
}

impl Mm1 {
    /// Stable only with `arrival_rate` < `service_rate`.
    pub fn new(arrival_rate: f64, service_rate: f64) -> Self {
        Self { arrival_rate, service_rate }
    }

    pub fn utilization(&self) -> f64 {
        self.arrival_rate / self.service_rate
    }

    pub fn mean_sojourn(&self) -> f64 {
        1.0 / (self.service_rate - self.arrival_rate)
    }

    pub fn mean_wait(&self) -> f64 {
        self.utilization() * self.mean_sojourn()
    }

    /// The sojourn time is exponential.
    pub fn sojourn_quantile(&self, p: f64) -> f64 {
        -libm::log1p(-p) * self.mean_sojourn()
    }

    /// Probability of `n` in the system.
    pub fn probability(&self, n: u32) -> f64 {
        (1.0 - self.utilization()) * libm::pow(self.utilization(), f64::from(n))
    }

    pub fn mean_number(&self) -> f64 {
        self.utilization() / (1.0 - self.utilization())
    }

    pub fn mean_queue(&self) -> f64 {
        self.utilization() * self.mean_number()
    }
}

/// Erlang's loss formula: the share of arrivals lost by `servers` without a queue (M/M/c/c, and M/G/c/c).
/// [G] 2, by its recursion.
pub fn erlang_b(offered: f64, servers: u32) -> f64 {
    (1..=servers).fold(1.0, |loss, c| offered * loss / (f64::from(c) + offered * loss))
}

/// Erlang's delay formula: the share of arrivals of an M/M/c that wait. [G] 2.
pub fn erlang_c(offered: f64, servers: u32) -> f64 {
    let loss = erlang_b(offered, servers);
    let servers = f64::from(servers);
    servers * loss / (servers - offered * (1.0 - loss))
}

/// Mean number busy in an M/M/c/c: the offered load that is not lost, by Little's law.
pub fn loss_system_mean_busy(offered: f64, servers: u32) -> f64 {
    offered * (1.0 - erlang_b(offered, servers))
}

/// Several servers with one queue. [G] 2.
#[derive(Clone, Copy, Debug)]
pub struct Mmc {
    arrival_rate: f64,
    service_rate: f64,
    servers: u32,
}

impl Mmc {
    /// `service_rate` is that of one server.
    pub fn new(arrival_rate: f64, service_rate: f64, servers: u32) -> Self {
        Self { arrival_rate, service_rate, servers }
    }

    pub fn offered(&self) -> f64 {
        self.arrival_rate / self.service_rate
    }

    /// Rate at which a waiting line gets shorter.
    fn spare_rate(&self) -> f64 {
        f64::from(self.servers) * self.service_rate - self.arrival_rate
    }

    pub fn mean_wait(&self) -> f64 {
        erlang_c(self.offered(), self.servers) / self.spare_rate()
    }

    pub fn mean_sojourn(&self) -> f64 {
        self.mean_wait() + 1.0 / self.service_rate
    }

    /// Waiting times are 0, or else exponential.
    pub fn wait_quantile(&self, p: f64) -> f64 {
        (libm::log(erlang_c(self.offered(), self.servers) / (1.0 - p)) / self.spare_rate()).max(0.0)
    }
}

/// Mean wait in an M/G/1, by Pollaczek and Khinchine, from the first two moments of service. [K] 5.
pub fn mg1_mean_wait(arrival_rate: f64, mean_service: f64, mean_square_service: f64) -> f64 {
    arrival_rate * mean_square_service / (2.0 * (1.0 - arrival_rate * mean_service))
}

/// Mean wait with constant service: half that of the M/M/1. [K] 5.
pub fn md1_mean_wait(arrival_rate: f64, service: f64) -> f64 {
    mg1_mean_wait(arrival_rate, service, service * service)
}

/// One server and room for `room` in all, the one served included. [G] 2.
#[derive(Clone, Copy, Debug)]
pub struct Mm1k {
    arrival_rate: f64,
    service_rate: f64,
    room: u32,
}

impl Mm1k {
    pub fn new(arrival_rate: f64, service_rate: f64, room: u32) -> Self {
        Self { arrival_rate, service_rate, room }
    }

    /// Probability of `n` ≤ `room` in the system; any load.
    pub fn probability(&self, n: u32) -> f64 {
        let weight = |n: u32| libm::pow(self.arrival_rate / self.service_rate, f64::from(n));
        weight(n) / (0..=self.room).map(weight).sum::<f64>()
    }

    /// Share of arrivals turned away: they see what time sees.
    pub fn loss(&self) -> f64 {
        self.probability(self.room)
    }

    pub fn mean_number(&self) -> f64 {
        (0..=self.room).map(|n| f64::from(n) * self.probability(n)).sum()
    }

    /// Of those let in, by Little's law.
    pub fn mean_sojourn(&self) -> f64 {
        self.mean_number() / (self.arrival_rate * (1.0 - self.loss()))
    }
}

/// A class of customers at a server with priorities.
#[derive(Clone, Copy, Debug)]
pub struct PriorityClass {
    pub arrival_rate: f64,
    pub mean_service: f64,
    pub mean_square_service: f64,
}

/// Mean wait of each class, first served first, without pre-emption. Cobham, Operations Research 2
/// (1954) 70–76; Kleinrock, Queueing Systems II, 1976, 3.
pub fn priority_mean_waits(classes: &[PriorityClass]) -> Vec<f64> {
    let residual: f64 = classes.iter().map(|c| 0.5 * c.arrival_rate * c.mean_square_service).sum();
    let mut before = 0.0;
    let wait = |class: &PriorityClass| {
        let with = before + class.arrival_rate * class.mean_service;
        let wait = residual / ((1.0 - before) * (1.0 - with));
        before = with;
        wait
    };
    classes.iter().map(wait).collect()
}

/// `users` who each think for an exponential time, then wait for one of `servers`: M/M/c//N, the
/// machine repairman. [G] 2.
#[derive(Clone, Copy, Debug)]
pub struct FiniteSource {
    users: u32,
    mean_think: f64,
    mean_service: f64,
    servers: u32,
}

impl FiniteSource {
    pub fn new(users: u32, mean_think: f64, mean_service: f64, servers: u32) -> Self {
        Self { users, mean_think, mean_service, servers }
    }

    /// Probability of `n` users waiting or being served.
    pub fn probability(&self, n: u32) -> f64 {
        let ratio = self.mean_service / self.mean_think;
        let mut weight = 1.0;
        let mut weights = vec![weight];
        for n in 1..=self.users {
            weight *= ratio * f64::from(self.users - n + 1) / f64::from(n.min(self.servers));
            weights.push(weight);
        }
        weights[n as usize] / weights.iter().sum::<f64>()
    }

    pub fn throughput(&self) -> f64 {
        let busy = |n: u32| f64::from(n.min(self.servers)) * self.probability(n);
        (0..=self.users).map(busy).sum::<f64>() / self.mean_service
    }

    /// From asking to the end of service: the response time law N / X − Z.
    pub fn mean_response(&self) -> f64 {
        f64::from(self.users) / self.throughput() - self.mean_think
    }
}

/// Mean time through M/M/c stations in tandem: each is as if alone. Burke, Operations Research 4 (1956)
/// 699–704; Jackson, Operations Research 5 (1957) 518–521.
pub fn tandem_mean_sojourn(arrival_rate: f64, stations: &[(f64, u32)]) -> f64 {
    stations.iter().map(|&(rate, servers)| Mmc::new(arrival_rate, rate, servers).mean_sojourn()).sum()
}

/// Mean sojourn, in service times, when each arrival joins the shorter of two random queues, of infinitely
/// many at this utilization. [M]: Σ ρ^(2^i − 2), i ≥ 1.
pub fn two_choices_mean_sojourn(utilization: f64) -> f64 {
    (1..30).map(|i| libm::pow(utilization, f64::from((1_u32 << i) - 2))).sum()
}

/// Share of queues with at least `n` customers under two choices. [M]: ρ^(2^n − 1).
pub fn two_choices_share_at_least(utilization: f64, n: u32) -> f64 {
    libm::pow(utilization, libm::exp2(f64::from(n)) - 1.0)
}

mod checks {
    use super::*;

    fn assert_close(got: f64, wanted: f64) {
        assert!((got - wanted).abs() <= 1e-12 * wanted.abs().max(1.0), "{got} is not {wanted}");
    }

    #[test]
    fn mm1() {
        let queue = Mm1::new(3.0, 4.0);
        assert_close(queue.mean_sojourn(), 1.0);
        assert_close(queue.mean_wait(), 0.75);
        assert_close(queue.mean_number(), 3.0);
        assert_close(queue.mean_queue(), 2.25);
        assert_close(queue.probability(0), 0.25);
        assert_close((0..500).map(|n| queue.probability(n)).sum(), 1.0);
        assert_close(queue.sojourn_quantile(0.99), libm::log(100.0));
    }

    /// 4/19 and 4/9 by hand; 0.2146 from Erlang's table for ten erlangs on ten lines.
    #[test]
    fn erlang() {
        assert_close(erlang_b(2.0, 3), 4.0 / 19.0);
        assert_close(erlang_c(2.0, 3), 4.0 / 9.0);
        assert!((erlang_b(10.0, 10) - 0.2146).abs() < 5e-5);
        assert_close(erlang_b(0.5, 1), 1.0 / 3.0);
        assert_close(loss_system_mean_busy(2.0, 3), 30.0 / 19.0);
    }

    #[test]
    fn mmc() {
        let one = Mmc::new(3.0, 4.0, 1);
        assert_close(one.mean_sojourn(), Mm1::new(3.0, 4.0).mean_sojourn());
        let three = Mmc::new(2.0, 1.0, 3);
        assert_close(three.mean_wait(), 4.0 / 9.0);
        assert_close(three.mean_sojourn(), 13.0 / 9.0);
        assert_eq!(three.wait_quantile(0.5), 0.0, "5 of 9 do not wait");
        assert_close(three.wait_quantile(1.0 - 0.04 * 4.0 / 9.0), libm::log(25.0));
    }

    #[test]
    fn pollaczek_khinchine() {
        let markov = Mm1::new(0.8, 1.0).mean_wait();
        assert_close(mg1_mean_wait(0.8, 1.0, 2.0), markov);
        assert_close(md1_mean_wait(0.8, 1.0), 0.5 * markov);
        assert_close(md1_mean_wait(0.8, 1.0), 2.0);
    }

    #[test]
    fn limited_room() {
        let queue = Mm1k::new(1.0, 2.0, 2);
        assert_close(queue.loss(), 1.0 / 7.0);
        assert_close(queue.mean_number(), 4.0 / 7.0);
        assert_close(queue.mean_sojourn(), 2.0 / 3.0);
        assert_close(Mm1k::new(5.0, 5.0, 4).loss(), 0.2);
        assert_close(Mm1k::new(2.0, 1.0, 1).loss(), erlang_b(2.0, 1));
    }

    /// Two classes of 1/4 each, exponential of mean 1; and Kleinrock's conservation law.
    #[test]
    fn priorities() {
        let class = PriorityClass { arrival_rate: 0.25, mean_service: 1.0, mean_square_service: 2.0 };
        let waits = priority_mean_waits(&[class, class]);
        assert_close(waits[0], 2.0 / 3.0);
        assert_close(waits[1], 4.0 / 3.0);
        let unequal = PriorityClass { arrival_rate: 0.1, mean_service: 3.0, mean_square_service: 9.0 };
        let waits = priority_mean_waits(&[class, unequal]);
        let fifo = mg1_mean_wait(0.35, 0.55 / 0.35, (0.5 + 0.9) / 0.35);
        assert_close(0.25 * waits[0] + 0.3 * waits[1], 0.55 * fifo);
    }

    #[test]
    fn finite_source() {
        let two = FiniteSource::new(2, 1.0, 1.0, 1);
        assert_close(two.probability(0), 0.2);
        assert_close(two.throughput(), 0.8);
        assert_close(two.mean_response(), 1.5);
        let enough = FiniteSource::new(7, 3.0, 0.5, 7);
        assert_close(enough.mean_response(), 0.5);
        assert_close((0..=7).map(|n| enough.probability(n)).sum(), 1.0);
    }

    #[test]
    fn tandem() {
        assert_close(tandem_mean_sojourn(2.0, &[(1.0, 3), (4.0, 1)]), 13.0 / 9.0 + 0.5);
    }

    /// At ½ every term is a power of two; the mean number is Little's law.
    #[test]
    fn two_choices() {
        let by_hand = 1.0 + 0.25 + 1.0 / 64.0 + 1.0 / 16_384.0 + 1.0 / 1_073_741_824.0;
        assert_close(two_choices_mean_sojourn(0.5), by_hand);
        assert_close(two_choices_share_at_least(0.5, 2), 0.125);
        let mean_number: f64 = (1..30).map(|n| two_choices_share_at_least(0.9, n)).sum();
        assert_close(mean_number, 0.9 * two_choices_mean_sojourn(0.9));
    }
}

//! Services: who arrives, waits, is worked on or turned away.

use super::figures::{DurationFigures, ServiceFigures, ServiceTimes};
use super::occupancy::Occupancy;
use super::{AttemptTimes, BySlot, Window, late_quarters, seconds, unzipped};
use crate::kernel::ids::*;
use crate::kernel::time::{Nanos, SECOND};
use crate::model::{Model, NONE, Shed};
use crate::stats::series::{Buckets, LevelSeries};
use crate::stats::time_weighted::TimeWeighted;
use crate::world::record::{Outcome, SlotNumber};

/// All services.
pub struct Services {
    window: Window,
    /// By instance.
    service_of: Vec<u32>,
    /// By instance: how many of those still to be dropped were waiting when it crashed.
    lost_in_crash: Vec<u32>,
    /// By ticket: when it was drawn.
    arrivals: BySlot<Nanos>,
    meters: Vec<ServiceMeter>,
}

/// Laid out by cache line, what every attempt touches first.
#[repr(C, align(64))]
struct ServiceMeter {
    occupancy: Occupancy,
    /// In the window: those who came, those turned away, attempts that ended.
    arrived: u64,
    rejected: u64,
    ended: u64,
    times: ServiceTimes,
    sheds: bool,
    /// Instances that are up.
    up: TimeWeighted,
    up_over_time: LevelSeries,
    /// Of an instance; `None`: unlimited.
    workers: Option<u32>,
    buckets: Buckets,
}

impl Services {
    pub fn new(model: &Model, window: Window, buckets: Buckets) -> Self {
        let meter = |service: &crate::model::Service| {
            let mut up = TimeWeighted::new(window.from, window.to);
            up.set(0, u64::from(service.instances_at_start));
            let mut up_over_time = LevelSeries::new(buckets);
            up_over_time.set(0, u64::from(service.instances_at_start));
            ServiceMeter {
                occupancy: Occupancy::new(window, buckets),
                times: ServiceTimes::default(),
                arrived: 0,
                rejected: 0,
                ended: 0,
                sheds: service.shed != Shed::Reject,
                up,
                up_over_time,
                workers: (service.workers != u32::MAX).then_some(service.workers),
                buckets,
            }
        };
        Self {
            window,
            service_of: model.instances.iter().map(|instance| instance.service.0).collect(),
            lost_in_crash: vec![0; model.instances.len()],
            arrivals: BySlot::default(),
            meters: model.services.iter().map(meter).collect(),
        }
    }

    #[inline(always)]
    fn of(&mut self, instance: InstanceId) -> &mut ServiceMeter {
        &mut self.meters[self.service_of[instance.index()] as usize]
    }

    #[inline(always)]
    pub fn waits(&mut self, now: Nanos, instance: InstanceId, ticket: SlotNumber) {
        *self.arrivals.at(ticket) = now;
        let measured = self.window.contains(now);
        let service = self.of(instance);
        service.arrived += u64::from(measured);
        service.occupancy.begin_waiting(now);
    }

    #[inline]
    pub fn rejected(&mut self, now: Nanos, instance: InstanceId) {
        let measured = u64::from(self.window.contains(now));
        let service = self.of(instance);
        service.arrived += measured;
        service.rejected += measured;
    }

    /// What waited is gone: shed, lost with its instance, or wanted by nobody any more.
    pub fn dropped(&mut self, now: Nanos, instance: InstanceId, ticket: SlotNumber) {
        let arrived = *self.arrivals.at(ticket);
        let in_crash = &mut self.lost_in_crash[instance.index()];
        let was_shed = *in_crash == 0;
        *in_crash = in_crash.saturating_sub(1);
        let measured = was_shed && self.window.contains(arrived);
        let service = self.of(instance);
        service.rejected += u64::from(measured && service.sheds);
        service.occupancy.stop_waiting(now);
    }

    /// Gives the time of arrival.
    #[inline(always)]
    pub fn started(&mut self, now: Nanos, instance: InstanceId, ticket: SlotNumber) -> Nanos {
        let window = self.window;
        if ticket == NONE {
            let service = self.of(instance);
            service.occupancy.begin_work(now);
            if window.contains(now) {
                service.arrived += 1;
                service.times.waiting.record(0);
            }
            return now;
        }
        let arrived = *self.arrivals.at(ticket);
        let service = self.of(instance);
        service.occupancy.begin_work_after_waiting(now);
        if window.contains(arrived) {
            service.times.waiting.record(now - arrived);
        }
        arrived
    }

    #[inline(always)]
    pub fn ended(&mut self, now: Nanos, instance: InstanceId, times: AttemptTimes, outcome: Outcome) {
        let window = self.window;
        let service = self.of(instance);
        service.occupancy.end_work(now);
        if outcome == Outcome::Cut {
            return;
        }
        service.ended += u64::from(window.contains(now));
        if window.contains(times.arrived) {
            service.times.service.record(now - times.started);
            service.times.sojourn.record(now - times.arrived);
        }
    }

    pub fn down(&mut self, now: Nanos, instance: InstanceId, waiting: u32) {
        self.lost_in_crash[instance.index()] = waiting;
        let service = self.of(instance);
        service.instances_up(now, service.up.level() - 1);
    }

    pub fn up(&mut self, now: Nanos, instance: InstanceId) {
        let service = self.of(instance);
        service.instances_up(now, service.up.level() + 1);
    }

    pub fn finish(self, window: Window) -> (Vec<ServiceFigures>, Vec<ServiceTimes>) {
        unzipped(self.meters.into_iter().map(|meter| meter.finish(window)))
    }
}

impl ServiceMeter {
    fn instances_up(&mut self, now: Nanos, number: u64) {
        self.up.set(now, number);
        self.up_over_time.set(now, number);
    }

    fn finish(mut self, window: Window) -> (ServiceFigures, ServiceTimes) {
        self.occupancy.advance(window.to);
        let last_change = self.up.level();
        self.instances_up(window.to, last_change);
        let (waiting, busy) = self.occupancy.areas();
        let length = window.length() as f64;
        let (queue_length_over_time, busy_over_time) = self.occupancy.series();
        let workers = self.workers.map(f64::from);
        let of_workers = |busy: f64, up: f64| workers.map(|workers| busy / (workers * up));
        let utilization_over_time = busy_over_time
            .into_iter()
            .zip(self.up_over_time.means())
            .map(|(busy, up)| if up > 0.0 { of_workers(busy, up).unwrap_or(0.0) } else { 0.0 })
            .collect();
        let up = self.up.area() as f64;
        let figures = ServiceFigures {
            throughput: window.rate(self.ended),
            attempts: self.times.waiting.count(),
            utilization: if up > 0.0 { of_workers(busy as f64, up) } else { None },
            offered_load: self
                .times
                .service
                .mean()
                .map(|service| window.rate(self.arrived) * service / SECOND as f64),
            queue_length: waiting as f64 / length,
            in_system: (waiting + busy) as f64 / length,
            rejected: (self.arrived > 0).then(|| self.rejected as f64 / self.arrived as f64),
            waiting_time: DurationFigures::of(&self.times.waiting),
            service_time: DurationFigures::of(&self.times.service),
            sojourn_time: DurationFigures::of(&self.times.sojourn),
            number_in_system: self.occupancy.shares(),
            queue_length_late: late_quarters(&queue_length_over_time, self.buckets, window),
            queue_length_over_time,
            utilization_over_time,
            width: seconds(self.buckets.width() as f64),
        };
        (figures, self.times)
    }
}

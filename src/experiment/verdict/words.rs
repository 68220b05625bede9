//! How reasons put numbers and names.

use crate::kernel::time::SECOND;
use crate::model::promise::{Measure, MeasureUse, Statistic};
use crate::stats::confidence::Interval;

/// Most faults that a reason names.
const MOST_NAMED: usize = 3;

/// A share in percent, to three digits: `0.0266 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", number(100.0 * share))
}

/// A number to three digits that count, without idle zeros.
pub fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = libm::floor(libm::log10(value.abs()));
    if !(-5.0..15.0).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let places = (2.0 - magnitude).max(0.0) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `1 exposure`, `2 exposures`.
pub fn times(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Which faults hit nothing.
pub fn idle(faults: &[String]) -> String {
    let named = faults.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match faults.len() {
        1 => format!("The fault {named} never hit anything alive."),
        all if all <= MOST_NAMED => format!("The faults {named} never hit anything alive."),
        all => format!("The faults {named} and {} more never hit anything alive.", all - MOST_NAMED),
    }
}

/// A measure as scenario files write it: `p99(shopper.response_time)`.
pub fn measure_name(of: &MeasureUse) -> String {
    let name = format!("{}.{}", of.owner, measure_word(of.measure));
    match of.statistic {
        Statistic::Whole => name,
        Statistic::Sum => format!("sum({name})"),
        Statistic::Count => format!("count({name})"),
        Statistic::Mean => format!("mean({name})"),
        Statistic::Rate => format!("rate({name})"),
        Statistic::Share => format!("share({name})"),
        Statistic::Minimum => format!("min({name})"),
        Statistic::Maximum => format!("max({name})"),
        Statistic::Quantile(0.5) => format!("p50({name})"),
        Statistic::Quantile(0.9) => format!("p90({name})"),
        Statistic::Quantile(0.99) => format!("p99({name})"),
        Statistic::Quantile(0.999) => format!("p999({name})"),
        Statistic::Quantile(share) => format!("quantile({name}, {}%)", number(100.0 * share)),
    }
}

/// What a measure was: `p99(shopper.response_time) was 0.412 ± 0.03 s (10 replications)`.
pub fn measured(of: &MeasureUse, interval: &Interval) -> String {
    let name = measure_name(of);
    let Some(mean) = interval.mean else { return format!("{name} was nowhere to be measured") };
    let (scale, unit) = if is_duration(of) { (SECOND as f64, " s") } else { (1.0, "") };
    let spread = interval.half_width.map_or(String::new(), |half| format!(" ± {}", number(half / scale)));
    let replications = times(u64::from(interval.count), "replication");
    format!("{name} was {}{spread}{unit} ({replications})", number(mean / scale))
}

/// Whether the values of a measure are durations, in nanoseconds.
pub fn is_duration(of: &MeasureUse) -> bool {
    let of_durations = matches!(
        of.measure,
        Measure::ResponseTime
            | Measure::WaitingTime
            | Measure::ServiceTime
            | Measure::TimeInTopic
            | Measure::ViewLag
            | Measure::Window
            | Measure::Staleness
    );
    of_durations && of.statistic != Statistic::Count
}

fn measure_word(measure: Measure) -> &'static str {
    match measure {
        Measure::ResponseTime => "response_time",
        Measure::Throughput => "throughput",
        Measure::Succeeded => "succeeded",
        Measure::Failed => "failed",
        Measure::Timeouts => "timeouts",
        Measure::Amplification => "amplification",
        Measure::Utilization => "utilization",
        Measure::QueueLength => "queue_length",
        Measure::WaitingTime => "waiting_time",
        Measure::ServiceTime => "service_time",
        Measure::InFlight => "in_flight",
        Measure::GroupLag | Measure::ViewLag => "lag",
        Measure::TimeInTopic => "time_in_topic",
        Measure::Deliveries => "deliveries",
        Measure::Redeliveries => "redeliveries",
        Measure::Window => "window",
        Measure::FreshReads => "fresh_reads",
        Measure::Staleness => "staleness",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_count() {
        for (value, told) in [
            (0.0, "0 %"),
            (1.0, "100 %"),
            (0.95, "95 %"),
            (0.001, "0.1 %"),
            (0.07, "7 %"),
            (0.000_266_12, "0.0266 %"),
            (0.015_84, "1.58 %"),
            (3e-9, "3.00e-7 %"),
        ] {
            assert_eq!(percent(value), told);
        }
        assert_eq!(number(-0.088_123), "-0.0881");
        assert_eq!(number(123_456.0), "123456");
        assert_eq!(number(f64::INFINITY), "inf");
    }

    #[test]
    fn few_faults_are_named() {
        let faults: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        assert_eq!(idle(&faults[..1]), "The fault a never hit anything alive.");
        assert_eq!(idle(&faults[..2]), "The faults a, b never hit anything alive.");
        assert_eq!(idle(&faults), "The faults a, b, c and 2 more never hit anything alive.");
    }
}

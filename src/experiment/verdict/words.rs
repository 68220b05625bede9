//! How reasons put numbers and names.

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
    if !(-6.0..15.0).contains(&magnitude) {
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

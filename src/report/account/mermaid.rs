//! As a Mermaid sequence diagram, for a page of documentation.

use super::{ending, has_lifeline, lifelines, place, time};
use crate::experiment::results::account::{Account, Kind, Link, Part, Step};
use crate::report::text;

/// Longest text in a note or on an arrow, in characters.
const LONGEST: usize = 120;

/// The diagram, each line ended.
pub fn render(account: &Account) -> String {
    let all = lifelines(account);
    let number = |name: &str| all.iter().position(|(who, _)| *who == name);
    let mut lines = vec![
        "sequenceDiagram".to_owned(),
        format!("  %% {}", plain(&format!("{}: {}", account.measure, account.what))),
    ];
    for (index, (who, kind)) in all.iter().enumerate() {
        let what = if *kind == Kind::Client { "actor" } else { "participant" };
        lines.push(format!("  {what} p{index} as {}", plain(who)));
    }
    let last = all.len().saturating_sub(1);
    for (index, link) in account.chain.iter().enumerate() {
        let who = number(&link.who).filter(|_| has_lifeline(link));
        lines.extend(drawn(account, link, who, link.from.as_deref().and_then(number), last));
        if account.left_out > 0 && index + 1 == account.gap_after && last > 0 {
            lines.push(format!("  Note over p0,p{last}: … {} more", account.left_out));
        }
    }
    lines.iter().map(|line| line.clone() + "\n").collect()
}

fn drawn(
    account: &Account,
    link: &Link,
    who: Option<usize>,
    from: Option<usize>,
    last: usize,
) -> Vec<String> {
    let across = if last == 0 { "p0".to_owned() } else { format!("p0,p{last}") };
    let attempt = link.attempt.filter(|_| link.part == Part::Own);
    let attempt = attempt.map_or(String::new(), |attempt| format!("attempt {attempt}: "));
    let place = place(account, link);
    let place = if place.is_empty() { place } else { format!(" {place}") };
    let said = format!("{} {attempt}{}{}", time(link.at), plain(&link.text), plain(&place));
    match (who, from) {
        (None, _) if link.part == Part::Fault => vec![
            "  rect rgba(214, 39, 40, 0.15)".into(),
            format!(
                "  Note over {across}: {} FAULT {}",
                time(link.at),
                plain(&format!("{}: {}", link.who, link.text))
            ),
            "  end".into(),
        ],
        (None, _) => {
            vec![format!("  Note over {across}: {} {} {}", time(link.at), ending(link), plain(&link.text))]
        }
        (Some(who), Some(from)) => {
            let arrow = if link.step == Step::Told { "-->>" } else { "->>" };
            vec![format!("  p{from}{arrow}p{who}: {said}")]
        }
        (Some(who), None) if link.is_wrong => vec![
            "  rect rgba(214, 39, 40, 0.30)".into(),
            format!("  Note over p{who}: {said} ← here it goes wrong"),
            "  end".into(),
        ],
        (Some(who), None) => vec![format!("  Note over p{who}: {said}")],
    }
}

/// Text on one line in which nothing means anything to Mermaid: what does is written by its number.
fn plain(of: &str) -> String {
    let mut plain = String::new();
    for c in text::shortened(of, LONGEST).chars() {
        match c {
            '#' | ';' | '<' | '>' | '&' | '"' | '%' | '{' | '}' | '`' => {
                plain.push_str(&format!("#{};", u32::from(c)));
            }
            c => plain.push(c),
        }
    }
    // A word that would end a block is only a word inside a longer line.
    if plain == "end" { "end.".into() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn nothing_in_a_name_means_anything() {
        assert_eq!(plain("a;b:c#d"), "a#59;b:c#35;d");
        assert_eq!(plain("x\ny"), "x\\ny");
        assert_eq!(plain("%%{init}"), "#37;#37;#123;init#125;");
        assert_eq!(plain("end"), "end.");
        assert!(!plain("<script>").contains('<'));
    }
}

//! What the reader sees: a line for each measurement, and the table for docs/benchmarks.md.

use super::case::{Aim, Case};
use super::sample::{Sample, Series};

/// A case, with the series of each server, or why there are none.
pub(crate) struct Row {
    pub(crate) case: Case,
    pub(crate) measured: Result<Vec<Option<Series>>, String>,
}

/// One measurement.
pub(crate) fn progress(case: Case, sample: &Sample) -> String {
    let cost = figure(sample.cost);
    let rate = case.rate(sample.rate).unwrap_or_default();
    let p99 = sample
        .p99
        .map(|p99| format!("p99 {p99:.1} ms"))
        .unwrap_or_default();
    format!("{cost:>7} {:<33} {rate:>11}  {p99}", case.unit())
        .trim_end()
        .to_owned()
}

/// All cases.
pub(crate) fn text(rows: &[Row], versions: &[String], rounds: u32, seconds: u32) -> String {
    let mut lines = vec![
        String::new(),
        format!(
            "`cargo xtask bench proxy --rounds {rounds} --seconds {seconds}`: medians of all rounds, in brackets least \
             and most; rates and p99 in the order of the servers."
        ),
        String::new(),
        format!(
            "| case | unit | {} | ours / best | aim | result | rates | p99 ms |",
            versions.join(" | ")
        ),
        "|---|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    let (own, compared): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.case.is_own());
    lines.extend(compared.into_iter().map(Row::text));
    if !own.is_empty() {
        lines.push(String::new());
        lines.push(
            "| case | unit | with | without | ratio of cost | ratio of p99 | aim | result | rates | p99 ms |"
                .to_owned(),
        );
        lines.push("|---|---|---|---|---|---|---|---|---|---|".to_owned());
        lines.extend(own.into_iter().map(Row::own_text));
    }
    lines.join("\n")
}

impl Row {
    fn text(&self) -> String {
        let (case, aim) = (self.case, self.case.aim());
        let aim_text = match aim {
            Aim::Ratio(most) => format!("≤ {most:.2}"),
            Aim::Figure(most) => format!("≤ {most:.0} kB"),
            Aim::Own(_) | Aim::OwnP99(_) => return self.own_text(),
        };
        let (name, unit) = (case.name(), case.unit());
        let series = match &self.measured {
            Ok(series) => series,
            Err(error) => {
                let error = error
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .trim_end_matches(':');
                return format!(
                    "| {name} | {unit} | – | – | – | – | {aim_text} | failed: {error} | – | – |"
                );
            }
        };
        let costs: Vec<String> = series.iter().map(|series| cost(series.as_ref())).collect();
        let best = peers_best(series);
        let ours = series[0].as_ref().map(|series| series.cost().median);
        let ratio = ours.zip(best).map(|(ours, best)| ours / best);
        let (most, measured) = match aim {
            Aim::Figure(most) => (most, ours),
            Aim::Ratio(most) | Aim::Own(most) | Aim::OwnP99(most) => (most, ratio),
        };
        let verdict = verdict(most, measured);
        let ratio = ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let rates = each(series, |series| case.rate(series.rate()));
        let p99 = each(series, |series| series.p99().map(|p99| format!("{p99:.1}")));
        format!(
            "| {name} | {unit} | {} | {ratio} | {aim_text} | {verdict} | {rates} | {p99} |",
            costs.join(" | ")
        )
    }

    /// A row in which Gatehouse is compared with itself.
    fn own_text(&self) -> String {
        let (name, unit) = (self.case.name(), self.case.unit());
        let series = match &self.measured {
            Ok(series) => series,
            Err(error) => {
                let error = error.lines().next().unwrap_or_default();
                return format!(
                    "| {name} | {unit} | – | – | – | – | – | failed: {error} | – | – |"
                );
            }
        };
        let ratio = |value: &dyn Fn(&Series) -> Option<f64>| match series.as_slice() {
            [Some(with), Some(without)] => value(with)
                .zip(value(without))
                .map(|(with, without)| with / without),
            _ => None,
        };
        let cost_ratio = ratio(&|series| Some(series.cost().median));
        let p99_ratio = ratio(&Series::p99);
        let (aim, result) = match self.case.aim() {
            Aim::OwnP99(most) => (format!("p99 ≤ {most:.2}"), verdict(most, p99_ratio)),
            Aim::Own(most) | Aim::Ratio(most) | Aim::Figure(most) => {
                (format!("cost ≤ {most:.2}"), verdict(most, cost_ratio))
            }
        };
        let text =
            |ratio: Option<f64>| ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let costs: Vec<String> = series.iter().map(|series| cost(series.as_ref())).collect();
        let rates = each(series, |series| self.case.rate(series.rate()));
        let p99 = each(series, |series| series.p99().map(|p99| format!("{p99:.1}")));
        format!(
            "| {name} | {unit} | {} | {} | {} | {aim} | {result} | {rates} | {p99} |",
            costs.join(" | "),
            text(cost_ratio),
            text(p99_ratio),
        )
    }
}

/// Whether what was measured is at most so much.
pub(super) fn verdict(most: f64, measured: Option<f64>) -> &'static str {
    match measured {
        Some(value) if value <= most => "reached",
        Some(_) => "missed",
        None => "open",
    }
}

/// The median, with least and most in brackets.
pub(super) fn cost(series: Option<&Series>) -> String {
    let Some(series) = series else {
        return "not served".to_owned();
    };
    let cost = series.cost();
    format!(
        "{} ({}–{})",
        figure(cost.median),
        figure(cost.least),
        figure(cost.most)
    )
}

/// The least median of those we are compared with.
fn peers_best(series: &[Option<Series>]) -> Option<f64> {
    series[1..]
        .iter()
        .flatten()
        .map(|series| series.cost().median)
        .min_by(f64::total_cmp)
}

/// A value of each server, with strokes between them; one stroke where nobody has any.
fn each(series: &[Option<Series>], value: impl Fn(&Series) -> Option<String>) -> String {
    let values: Vec<Option<String>> = series
        .iter()
        .map(|series| series.as_ref().and_then(&value))
        .collect();
    if values.iter().all(Option::is_none) {
        return "–".to_owned();
    }
    let texts: Vec<String> = values
        .into_iter()
        .map(|value| value.unwrap_or_else(|| "–".to_owned()))
        .collect();
    texts.join(" / ")
}

/// With as many digits as mean anything.
pub(super) fn figure(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn series(micros: u64) -> Series {
        let mut series = Series::default();
        let second = Duration::from_secs(1);
        series.push(Sample::timed(
            Duration::from_micros(micros),
            1.0,
            second,
            Some(1.25),
        ));
        series
    }

    fn row(case: Case, costs: [Option<u64>; 3]) -> String {
        let measured = Ok(costs.map(|cost| cost.map(series)).into());
        Row { case, measured }.text()
    }

    #[test]
    fn ours_is_compared_with_the_best_of_the_others() {
        assert_eq!(
            row(Case::H1, [Some(12), Some(15), Some(18)]),
            "| h1 | CPU-µs per request | 12.0 (12.0–12.0) | 15.0 (15.0–15.0) | 18.0 (18.0–18.0) | 0.80 | ≤ 0.80 | \
             reached | 1/s / 1/s / 1/s | 1.2 / 1.2 / 1.2 |"
        );
        assert!(
            row(Case::H1, [Some(12), Some(30), Some(14)]).contains("| 0.86 | ≤ 0.80 | missed |")
        );
    }

    #[test]
    fn memory_has_an_aim_of_its_own() {
        let text = row(Case::Idle, [Some(24), Some(10), Some(10)]);
        assert!(text.contains("| 2.40 | ≤ 24 kB | reached | – |"), "{text}");
        let text = row(Case::Idle, [Some(25), Some(90), Some(90)]);
        assert!(text.contains("| 0.28 | ≤ 24 kB | missed | – |"), "{text}");
    }

    #[test]
    fn what_the_entrance_costs_is_compared_with_the_same_without_it() {
        let own = |case, with| {
            let measured = Ok(vec![Some(series(with)), Some(series(100))]);
            Row { case, measured }.text()
        };
        assert_eq!(
            own(Case::Cookie, 104),
            "| cookie | CPU-µs per request | 104 (104–104) | 100 (100–100) | 1.04 | 1.00 | cost ≤ 1.05 | reached | \
             1/s / 1/s | 1.2 / 1.2 |"
        );
        assert!(own(Case::Cookie, 106).contains("| cost ≤ 1.05 | missed |"));
        assert!(own(Case::Guesses, 106).contains("| p99 ≤ 2.00 | reached |"));
    }

    #[test]
    fn what_is_not_served_or_failed_is_said() {
        let text = row(Case::H2, [None, Some(15), Some(18)]);
        assert!(text.contains("| not served | 15.0"), "{text}");
        assert!(
            text.contains("| – | ≤ 0.90 | open | – / 1/s / 1/s |"),
            "{text}"
        );
        let failed = Row {
            case: Case::H2,
            measured: Err("nginx\nmore".to_owned()),
        };
        assert!(failed.text().contains("| failed: nginx |"));
    }
}

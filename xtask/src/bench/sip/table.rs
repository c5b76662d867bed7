//! What the reader sees: a line for each measurement, and the table for docs/benchmarks.md.

use super::case::{Aim, Case};
use crate::bench::sample::{Sample, Series};
use crate::bench::table::{cost, figure, verdict};

/// A case, with the series of ours and of the peer, or why there are none.
pub(super) struct Row {
    pub(super) case: Case,
    pub(super) measured: Result<[Series; 2], String>,
}

/// One measurement.
pub(super) fn progress(case: Case, sample: &Sample) -> String {
    let cost = figure(sample.cost);
    let rate = case.rate(sample.rate).unwrap_or_default();
    format!("{cost:>7} {:<30} {rate:>11}", case.unit())
        .trim_end()
        .to_owned()
}

/// All cases.
pub(super) fn text(rows: &[Row], versions: [&str; 2], rounds: u32, seconds: u32) -> String {
    let mut lines = vec![
        String::new(),
        format!(
            "`cargo xtask bench sip --rounds {rounds} --seconds {seconds}`: medians of all rounds, in brackets least and \
             most; rates in the order of the servers."
        ),
        String::new(),
        format!(
            "| case | unit | {} | ours / peer | aim | result | rates |",
            versions.join(" | ")
        ),
        "|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(rows.iter().map(Row::text));
    lines.join("\n")
}

impl Row {
    fn text(&self) -> String {
        let (name, unit) = (self.case.name(), self.case.unit());
        let aim = match self.case.aim() {
            Aim::Ratio(most) => format!("≤ {most:.2}"),
            Aim::Figure(most) => format!("≤ {most:.0} MB"),
            Aim::None => "–".to_owned(),
        };
        let measured = match &self.measured {
            Ok(measured) => measured,
            Err(error) => {
                return format!("| {name} | {unit} | – | – | – | {aim} | failed: {error} | – |");
            }
        };
        let [median, peer] = [0, 1].map(|which| measured[which].cost().median);
        let ratio = median / peer;
        let result = match self.case.aim() {
            Aim::Ratio(most) => verdict(most, Some(ratio)),
            Aim::Figure(most) => verdict(most, Some(median)),
            Aim::None => "–",
        };
        let costs = measured.each_ref().map(|series| cost(Some(series)));
        let rates = measured
            .each_ref()
            .map(|series| self.case.rate(series.rate()));
        let rates = match rates {
            [Some(ours), Some(peer)] => format!("{ours} / {peer}"),
            _ => "–".to_owned(),
        };
        format!(
            "| {name} | {unit} | {} | {ratio:.2} | {aim} | {result} | {rates} |",
            costs.join(" | ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn series(cost: u64) -> Series {
        let mut series = Series::default();
        let second = Duration::from_secs(1);
        series.push(Sample::timed(
            Duration::from_micros(cost),
            1.0,
            second,
            None,
        ));
        series
    }

    fn row(case: Case, ours: u64, peer: u64) -> String {
        let measured = Ok([series(ours), series(peer)]);
        Row { case, measured }.text()
    }

    #[test]
    fn the_pump_is_compared_with_the_peer_and_memory_with_a_figure() {
        assert_eq!(
            row(Case::Pump, 110, 100),
            "| pump | CPU-µs per MiB | 110 (110–110) | 100 (100–100) | 1.10 | ≤ 1.10 | reached | 1 MiB/s / 1 MiB/s |"
        );
        assert!(row(Case::PumpTls, 12, 10).contains("| 1.20 | ≤ 1.10 | missed |"));
        assert!(row(Case::IdleTls, 601, 900).contains("| 0.67 | ≤ 600 MB | missed | – |"));
        assert!(row(Case::Register, 2, 1).contains("| 2.00 | – | – | 1/s / 1/s |"));
    }

    #[test]
    fn a_failure_is_said() {
        let row = Row {
            case: Case::Pump,
            measured: Err("why".to_owned()),
        };
        assert!(row.text().contains("| failed: why |"));
    }
}

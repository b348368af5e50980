//! What is printed in the end.

use super::stub::Run;

/// All that was measured of one contender.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) runs: Vec<Run>,
    /// At a steady rate.
    pub(super) steady: Option<Run>,
}

impl Row {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            runs: Vec::new(),
            steady: None,
        }
    }

    fn tasks_per_second(&self) -> f64 {
        median(self.runs.iter().map(|run| run.tasks_per_second))
    }
}

/// Prints the table in Markdown, and the ratios between the first row and the others.
pub(super) fn print(rows: &[Row]) {
    println!("| | tasks/s | CPU µs a task | peak MB | held at 100/s, p50 ms | p99 ms |");
    println!("|---|---:|---:|---:|---:|---:|");
    for row in rows {
        let cpu = median(row.runs.iter().map(|run| run.cpu_micros));
        let peak = row.runs.iter().map(|run| run.peak_bytes).max().unwrap_or(0) >> 20;
        let peak = if peak == 0 { "–".to_owned() } else { peak.to_string() };
        let held = row.steady.as_ref().map_or_else(
            || "– | –".to_owned(),
            |run| format!("{:.2} | {:.2}", run.held.p50, run.held.p99),
        );
        println!(
            "| {} | {:.0} | {cpu:.0} | {peak} | {held} |",
            row.name,
            row.tasks_per_second()
        );
    }
    println!();
    let find = |name: &str| rows.iter().find(|row| row.name.contains(name));
    for (name, goal) in [("JavaScript client", 3.0), ("Java client", 4.0), ("Go client", 0.8)] {
        if let (Some(host), Some(other)) = (find("Rust worker"), find(name)) {
            let pairs = host.runs.iter().zip(&other.runs);
            let ratio = median(pairs.map(|(host, other)| host.tasks_per_second / other.tasks_per_second));
            println!("Rust worker / {}: {ratio:.2} (goal: {goal})", other.name);
        }
    }
}

/// The middle value; between two the lower one.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_a_value_that_was_measured() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([3.0, 1.0].into_iter()), 1.0);
        assert!(median(std::iter::empty()).is_nan());
    }
}

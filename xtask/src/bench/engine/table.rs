//! What was measured, beside what was to be reached.

use serde_json::{Value, json};

/// One measured value.
#[derive(Debug)]
pub(super) struct Row {
    section: &'static str,
    name: String,
    measured: f64,
    unit: &'static str,
    goal: Option<Goal>,
}

#[derive(Debug, Clone, Copy)]
enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn is_met(self, measured: f64) -> bool {
        match self {
            Self::AtLeast(bound) => measured >= bound,
            Self::AtMost(bound) => measured <= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}", number(bound)),
            Self::AtMost(bound) => format!("≤ {}", number(bound)),
        }
    }
}

impl Row {
    fn verdict(&self) -> &'static str {
        match self.goal.map(|goal| goal.is_met(self.measured)) {
            Some(true) => "ok",
            Some(false) => "not",
            None => "",
        }
    }
}

/// The rows of a run, in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Table {
    section: &'static str,
    rows: Vec<Row>,
    /// Sections that came to no end, and why.
    failed: Vec<(&'static str, String)>,
    /// What was not measured, and why.
    left_out: Vec<String>,
}

impl Table {
    /// Begins a section.
    pub(super) fn section(&mut self, name: &'static str) {
        eprintln!("\n{name}");
        self.section = name;
    }

    /// A value that is only told.
    pub(super) fn value(&mut self, name: impl Into<String>, measured: f64, unit: &'static str) {
        self.push(name.into(), measured, unit, None);
    }

    /// A value that should be `bound` or more.
    pub(super) fn at_least(&mut self, name: impl Into<String>, measured: f64, unit: &'static str, bound: f64) {
        self.push(name.into(), measured, unit, Some(Goal::AtLeast(bound)));
    }

    /// A value that should be `bound` or less.
    pub(super) fn at_most(&mut self, name: impl Into<String>, measured: f64, unit: &'static str, bound: f64) {
        self.push(name.into(), measured, unit, Some(Goal::AtMost(bound)));
    }

    fn push(&mut self, name: String, measured: f64, unit: &'static str, goal: Option<Goal>) {
        let row = Row {
            section: self.section,
            name,
            measured,
            unit,
            goal,
        };
        let goal = goal.map_or_else(String::new, |goal| format!("  (goal {})", goal.text()));
        eprintln!("  {}: {} {unit}{goal} {}", row.name, number(measured), row.verdict());
        self.rows.push(row);
    }

    /// Says what is not measured, and why.
    pub(super) fn left_out(&mut self, what: String) {
        eprintln!("  left out: {what}");
        self.left_out.push(what);
    }

    /// The section could not be measured to its end.
    pub(super) fn failed(&mut self, error: &anyhow::Error) {
        eprintln!("  failed: {error:#}");
        self.failed.push((self.section, format!("{error:#}")));
    }

    /// Whether all sections came to an end.
    pub(super) fn is_complete(&self) -> bool {
        self.failed.is_empty()
    }

    /// Prints it in Markdown.
    pub(super) fn print(&self) {
        println!("| | measured | goal | |");
        println!("|---|---:|---:|---|");
        let mut section = "";
        for row in &self.rows {
            if row.section != section {
                section = row.section;
                println!("| **{section}** | | | |");
            }
            let goal = row.goal.map_or_else(String::new, Goal::text);
            let (name, unit, verdict) = (&row.name, row.unit, row.verdict());
            println!("| {name} | {} {unit} | {goal} | {verdict} |", number(row.measured));
        }
        for what in &self.left_out {
            println!("left out: {what}");
        }
        for (section, error) in &self.failed {
            println!("failed: {section}: {error}");
        }
    }

    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let (at_least, at_most) = match row.goal {
                    Some(Goal::AtLeast(bound)) => (Some(bound), None),
                    Some(Goal::AtMost(bound)) => (None, Some(bound)),
                    None => (None, None),
                };
                json!({
                    "section": row.section,
                    "name": row.name,
                    "measured": row.measured,
                    "unit": row.unit,
                    "atLeast": at_least,
                    "atMost": at_most,
                    "ok": row.goal.map(|goal| goal.is_met(row.measured)),
                })
            })
            .collect();
        let failed: Vec<Value> = self
            .failed
            .iter()
            .map(|(section, error)| json!({"section": section, "error": error}))
            .collect();
        json!({"rows": rows, "leftOut": self.left_out, "failed": failed})
    }
}

/// Three digits, or all before the point, with a comma between thousands.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        small if small < 10.0 => 2,
        middle if middle < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let digits = whole.trim_start_matches('-');
    let mut grouped = String::from(&whole[..whole.len() - digits.len()]);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let texts = [0.0, 9.876, 98.76, 987.6, -1234.5, 1e6, f64::NAN].map(number);
        assert_eq!(texts, ["0.00", "9.88", "98.8", "988", "-1,234", "1,000,000", "NaN"]);
    }

    #[test]
    fn a_goal_is_met_or_not() {
        let mut table = Table::default();
        table.section("s");
        table.at_least("rate", 10.0, "/s", 10.0);
        table.at_most("time", 10.1, "ms", 10.0);
        table.at_most("nothing was measured", f64::NAN, "ms", 10.0);
        table.value("told", 1.0, "MB");
        let verdicts: Vec<_> = table.rows.iter().map(Row::verdict).collect();
        assert_eq!(verdicts, ["ok", "not", "not", ""]);
        assert!(table.is_complete());
        assert_eq!(table.json()["rows"][1]["ok"], false);
    }
}

//! What Prometheus reads at `GET /metrics`: the engine's counters, and those of the answers.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::response::{IntoResponse, Response};
use http::header;

use crate::service::Stats;

/// The classes of statuses that are counted: 2xx to 5xx.
const CLASSES: std::ops::RangeInclusive<usize> = 2..=5;

/// Answers since the engine was started, by the first digit of their status.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    answers: [AtomicU64; 6],
}

impl Counters {
    /// Notes an answer.
    pub(crate) fn answered(&self, status: http::StatusCode) {
        if let Some(counter) = self.answers.get(usize::from(status.as_u16() / 100)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The answer to `GET /metrics`.
    pub(crate) fn response(&self, stats: Stats) -> Response {
        let content_type = "text/plain; version=0.0.4; charset=utf-8";
        ([(header::CONTENT_TYPE, content_type)], self.text(stats)).into_response()
    }

    fn text(&self, stats: Stats) -> String {
        let mut text = String::new();
        for (name, help, value) in [
            (
                "handoff_engine_message_mismatches_total",
                "Messages that matched no receiver, or more than they may.",
                stats.mismatched_messages,
            ),
            ("handoff_engine_commits_total", "Commits.", stats.commits),
            (
                "handoff_engine_commands_total",
                "Commands that were decided, well or not.",
                stats.commands,
            ),
            (
                "handoff_engine_jobs_total",
                "Jobs that were run, well or not.",
                stats.jobs,
            ),
        ] {
            // Writing to a String cannot fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n");
        }
        let name = "handoff_engine_http_responses_total";
        let _ = write!(
            text,
            "# HELP {name} Answers by the class of their status.\n# TYPE {name} counter\n"
        );
        for class in CLASSES {
            let count = self.answers[class].load(Ordering::Relaxed);
            let _ = writeln!(text, "{name}{{class=\"{class}xx\"}} {count}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_their_class() {
        let counters = Counters::default();
        counters.answered(http::StatusCode::NO_CONTENT);
        counters.answered(http::StatusCode::NOT_FOUND);
        let text = counters.text(Stats {
            mismatched_messages: 3,
            ..Stats::default()
        });
        assert!(
            text.contains("\nhandoff_engine_http_responses_total{class=\"2xx\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("\nhandoff_engine_http_responses_total{class=\"5xx\"} 0\n"),
            "{text}"
        );
        assert!(text.contains("\nhandoff_engine_message_mismatches_total 3\n"), "{text}");
    }
}

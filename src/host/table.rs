//! A host's status as a table for people.

use serde_json::Value;

/// The longest cell of free text, in characters.
const MAX_TEXT: usize = 100;

/// The table of `GET /status`.
pub(super) fn render(status: &Value, now: u64) -> String {
    let ready = if status["ready"] == true { "ready" } else { "not ready" };
    let mut text = format!(
        "{ready}, {} of {} task slots in use\n",
        status["tasks"], status["taskSlots"]
    );
    if let Some(engines) = status["engines"].as_object().filter(|engines| !engines.is_empty()) {
        let rows = engines.iter().map(|(name, engine)| {
            let state = if engine["reachable"] == true {
                "answers"
            } else {
                "does not answer"
            };
            vec![
                name.clone(),
                state.to_owned(),
                engine["running"].to_string(),
                text_of(&engine["product"]),
                shortened(&text_of(&engine["fault"])),
            ]
        });
        text += "\n";
        text += &table(&["ENGINE", "STATE", "TASKS", "PRODUCT", "FAULT"], rows.collect());
    }
    let workers = status["workers"].as_array().map(Vec::as_slice).unwrap_or_default();
    text += "\n";
    if workers.is_empty() {
        return text + "no workers\n";
    }
    let rows = workers.iter().map(|worker| {
        let since = |key: &str| worker[key].as_u64().map(|at| ago(now.saturating_sub(at)));
        let millis = |key: &str| worker[key].as_f64().map_or("-".to_owned(), |ms| format!("{ms:.1}"));
        vec![
            text_of(&worker["name"]),
            text_of(&worker["state"]),
            text_of(&worker["version"]).chars().take(12).collect(),
            since("since").unwrap_or_else(|| "-".to_owned()),
            worker["tasks"].to_string(),
            worker["ended"].to_string(),
            worker["failed"].to_string(),
            millis("p50Ms"),
            millis("p99Ms"),
            last_error(worker, now),
        ]
    });
    let head = [
        "WORKER",
        "STATE",
        "VERSION",
        "SINCE",
        "TASKS",
        "ENDED",
        "FAILED",
        "P50 MS",
        "P99 MS",
        "LAST ERROR",
    ];
    text + &table(&head, rows.collect())
}

/// What is wrong with the files, else the last failure of a task.
fn last_error(worker: &Value, now: u64) -> String {
    let (message, at) = if worker["lastError"].is_string() {
        (&worker["lastError"], &worker["lastErrorAt"])
    } else {
        (&worker["lastFailure"], &worker["lastFailureAt"])
    };
    match (message.as_str(), at.as_u64()) {
        (Some(message), Some(at)) => {
            format!("{} ago: {}", ago(now.saturating_sub(at)), shortened(message))
        }
        (Some(message), None) => shortened(message),
        (None, _) => "-".to_owned(),
    }
}

/// What a worker is after a change, in one line.
pub(super) fn one(worker: &Value) -> String {
    let version: String = text_of(&worker["version"]).chars().take(12).collect();
    let mut text = format!(
        "{}: {}, version {version}",
        text_of(&worker["name"]),
        text_of(&worker["state"])
    );
    if let Some(displaced) = worker["pinned"]["displaced"].as_str() {
        text += &format!(", instead of {}", displaced.chars().take(12).collect::<String>());
    }
    if let Some(error) = worker["lastError"].as_str() {
        text += &format!("\n  {error}");
    }
    text
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

/// The first line, not too long, without control characters: what a worker says must not draw on the terminal.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut cut: String = line.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    if line.chars().count() > MAX_TEXT {
        cut.push('…');
    }
    cut
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(head.to_vec());
    for row in &rows {
        text += &line(row.iter().map(String::as_str).collect());
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_line_up_and_errors_are_short() {
        let status = json!({
            "ready": true, "tasks": 1, "taskSlots": 64,
            "engines": { "order": { "reachable": false, "running": 1, "product": null, "fault": "refused" } },
            "workers": [
                { "name": "ship", "state": "ready", "version": "0123456789abcdef", "since": 40, "tasks": 1, "ended": 7,
                  "failed": 1, "p50Ms": 1.25, "p99Ms": 9.0, "lastFailure": "worker ship: \u{1b}[31mred\nmore", "lastFailureAt": 90 },
                { "name": "count-stock", "state": "failed", "version": null, "since": null, "tasks": 0, "ended": 0,
                  "failed": 0, "lastError": "x".repeat(200), "lastErrorAt": 100 },
            ],
        });
        let text = render(&status, 100);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "ready, 1 of 64 task slots in use");
        assert_eq!(lines[3], "order   does not answer  1      -        refused");
        assert_eq!(
            lines[6],
            "ship         ready   0123456789ab  60 s   1      7      1       1.2     9.0     10 s ago: worker ship: [31mred"
        );
        assert!(
            lines[7].ends_with('…') && lines[7].starts_with("count-stock  failed  -"),
            "{}",
            lines[7]
        );
        assert_eq!(lines.len(), 8);
    }
}

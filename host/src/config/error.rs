//! What is wrong with the configuration, and where.

use std::path::{Path, PathBuf};

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {message}", file.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl ConfigError {
    pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        let message = format!("cannot be read: {error}; name the configuration with --config FILE");
        Self {
            file: file.to_owned(),
            line: None,
            message,
        }
    }

    pub(super) fn syntax(text: &str, file: &Path, error: &toml::de::Error) -> Self {
        let line = error
            .span()
            .map(|span| text.bytes().take(span.start).filter(|&b| b == b'\n').count() + 1);
        let source = line
            .and_then(|line| text.lines().nth(line - 1))
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(without_strings);
        let message = error.message().trim_end();
        let message = match source {
            Some(source) => format!("{message} (at `{source}`)"),
            None => message.to_owned(),
        };
        Self {
            file: file.to_owned(),
            line,
            message,
        }
    }
}

/// A line of TOML without what its strings say: somebody may have written a password where only a file's name belongs.
fn without_strings(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(['"', '\'']) {
        let quote = &rest[start..=start];
        shown.push_str(&rest[..start]);
        shown.push_str("\"…\"");
        let inside = &rest[start + 1..];
        let mut escaped = false;
        let end = inside.find(|c: char| {
            let ends = !escaped && quote.starts_with(c);
            escaped = quote == "\"" && !escaped && c == '\\';
            ends
        });
        rest = end.map_or("", |end| &inside[end + 1..]);
    }
    shown.push_str(rest);
    shown
}

/// What is wrong with a key of a table; its line is looked up where the text is known.
#[derive(Debug)]
pub(super) struct Complaint {
    table: String,
    key: &'static str,
    message: String,
}

impl Complaint {
    pub(super) fn new(table: impl Into<String>, key: &'static str, message: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            key,
            message: message.into(),
        }
    }

    pub(super) fn at(self, text: &str, file: &Path) -> ConfigError {
        let Self { table, key, message } = self;
        let message = format!("[{table}] {key} {message}");
        ConfigError {
            file: file.to_owned(),
            line: line_of(text, &table, key),
            message,
        }
    }
}

/// The line of a key within its table; else that of the table; none where both are written in another form.
fn line_of(text: &str, table: &str, key: &str) -> Option<usize> {
    let header = text.lines().position(|line| {
        let line = line.trim();
        line.strip_prefix('[')
            .and_then(|line| line.split(']').next())
            .is_some_and(|name| name.trim() == table)
    })?;
    let in_table = text
        .lines()
        .enumerate()
        .skip(header + 1)
        .take_while(|(_, line)| !line.trim_start().starts_with('['));
    let found = in_table
        .filter(|(_, line)| {
            line.trim_start()
                .strip_prefix(key)
                .is_some_and(|rest| rest.trim_start().starts_with('='))
        })
        .map(|(index, _)| index)
        .next();
    Some(found.unwrap_or(header) + 1)
}

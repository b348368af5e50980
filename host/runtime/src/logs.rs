//! What a call logs: the logging interface, standard output and standard error, bounded and redacted, with the tail kept
//! for the details of a failure.

mod stdio;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) use stdio::StdStream;

use crate::wit::logging::Level;

/// Lines that are kept for the details of a failure.
const TAIL_LINES: usize = 20;
/// The longest line, in bytes. What exceeds it is cut.
const MAX_LINE: usize = 4 << 10;
/// Fields of one line.
const MAX_FIELDS: usize = 32;
/// Shorter secrets are not looked for: replacing them would tear ordinary text apart.
const MIN_REDACTED: usize = 4;

/// The log of one call. Clones share it.
#[derive(Clone)]
pub(crate) struct RunLog(Arc<Mutex<Inner>>);

struct Inner {
    worker: Arc<str>,
    subject: String,
    lines_left: u32,
    dropped: u64,
    tail: VecDeque<String>,
    secrets: Vec<String>,
    /// What was written to a standard stream since its last line break.
    unfinished: [Vec<u8>; 2],
}

impl RunLog {
    /// `subject` is what the call is about: a task's id, a delegate's invocation.
    pub(crate) fn new(worker: Arc<str>, subject: String, max_lines: u32) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            worker,
            subject,
            lines_left: max_lines,
            dropped: 0,
            tail: VecDeque::new(),
            secrets: Vec::new(),
            unfinished: [Vec::new(), Vec::new()],
        })))
    }

    /// Logs a line. A line too many is counted and dropped.
    pub(crate) fn line(&self, level: Level, source: &'static str, message: &str, fields: &[(String, String)]) {
        self.lock().line(level, source, message, fields);
    }

    /// Logs what was written to a standard stream, line by line.
    fn bytes(&self, stream: StdStream, bytes: &[u8]) {
        self.lock().bytes(stream, bytes);
    }

    /// From now on the value is not shown.
    pub(crate) fn redact(&self, secret: &str) {
        let mut inner = self.lock();
        if secret.len() >= MIN_REDACTED && !inner.secrets.iter().any(|known| known == secret) {
            inner.secrets.push(secret.to_owned());
        }
    }

    /// A text without the secrets that the call was given.
    pub(crate) fn redacted(&self, text: &str) -> String {
        self.lock().redacted(text)
    }

    /// The last lines, oldest first, and how many lines were dropped.
    pub(crate) fn finish(&self) -> (Vec<String>, u64) {
        let mut inner = self.lock();
        for stream in [StdStream::Out, StdStream::Err] {
            if !inner.unfinished[stream as usize].is_empty() {
                inner.bytes(stream, b"\n");
            }
        }
        let dropped = inner.dropped;
        let mut tail: Vec<String> = std::mem::take(&mut inner.tail).into();
        if dropped > 0 {
            tail.push(format!(
                "({dropped} more lines were dropped: the worker's log-lines limit)"
            ));
        }
        (tail, dropped)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while a line was added leaves a log that is complete but for that line.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn line(&mut self, level: Level, source: &'static str, message: &str, fields: &[(String, String)]) {
        let Some(left) = self.lines_left.checked_sub(1) else {
            if self.dropped == 0 {
                tracing::warn!(
                    target: "handoff::worker", worker = &*self.worker, subject = self.subject,
                    "the worker logs more lines than its limit; the rest is dropped. Raise log-lines under [limits] in its manifest"
                );
            }
            self.dropped += 1;
            return;
        };
        self.lines_left = left;
        let message = self.redacted(cut(message, MAX_LINE));
        let fields = self.fields(fields);
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        let separator = if fields.is_empty() { "" } else { " " };
        self.tail
            .push_back(format!("{} {message}{separator}{fields}", name(level)));

        let (worker, subject) = (&*self.worker, self.subject.as_str());
        // The level of an event is part of its static metadata, hence one call for each.
        macro_rules! emit {
            ($level:ident) => {
                tracing::$level!(target: "handoff::worker", worker, subject, source, fields, "{message}")
            };
        }
        match level {
            Level::Trace => emit!(trace),
            Level::Debug => emit!(debug),
            Level::Info => emit!(info),
            Level::Warn => emit!(warn),
            Level::Error => emit!(error),
        }
    }

    fn bytes(&mut self, stream: StdStream, bytes: &[u8]) {
        let (level, source) = match stream {
            StdStream::Out => (Level::Info, "stdout"),
            StdStream::Err => (Level::Warn, "stderr"),
        };
        let mut pending = std::mem::take(&mut self.unfinished[stream as usize]);
        for piece in bytes.split_inclusive(|&b| b == b'\n') {
            // What exceeds a line's length would be cut anyway, so it is not kept.
            let room = (MAX_LINE + 1).saturating_sub(pending.len());
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            pending.extend_from_slice(&text[..text.len().min(room)]);
            if piece.ends_with(b"\n") {
                let line = String::from_utf8_lossy(&pending);
                let line = line.trim_end();
                if !line.is_empty() {
                    self.line(level, source, line, &[]);
                }
                pending.clear();
            }
        }
        self.unfinished[stream as usize] = pending;
    }

    /// The fields as `key=value` pairs, cut to the bounds of a line.
    fn fields(&self, fields: &[(String, String)]) -> String {
        let mut text = String::new();
        for (key, value) in fields.iter().take(MAX_FIELDS) {
            if text.len() >= MAX_LINE {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(cut(key, 128));
            text.push('=');
            text.push_str(&format!("{:?}", cut(value, MAX_LINE)));
        }
        self.redacted(cut(&text, 2 * MAX_LINE))
    }

    fn redacted(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) {
                text.replace(secret.as_str(), "***")
            } else {
                text
            }
        })
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    }
}

/// The longest prefix of `text` with at most `max` bytes that ends at a character's boundary.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(max_lines: u32) -> RunLog {
        RunLog::new("w".into(), "task-1".to_owned(), max_lines)
    }

    #[test]
    fn lines_beyond_the_limit_are_counted_and_dropped() {
        let log = log(2);
        for n in 0..1_000_000 {
            log.line(Level::Info, "log", "x", &[("n".to_owned(), n.to_string())]);
        }
        let (tail, dropped) = log.finish();
        assert_eq!(dropped, 999_998);
        assert_eq!(tail[..2], ["INFO x n=\"0\"", "INFO x n=\"1\""]);
        assert!(tail[2].contains("999998"));
    }

    #[test]
    fn standard_streams_are_logged_by_line() {
        let log = log(10);
        log.bytes(StdStream::Err, b"thread panicked\nno ");
        log.bytes(StdStream::Out, b"out\n\n");
        log.bytes(StdStream::Err, "gr\u{fc}n".as_bytes());
        assert_eq!(
            log.finish().0,
            ["WARN thread panicked", "INFO out", "WARN no gr\u{fc}n"]
        );
    }

    #[test]
    fn the_tail_is_bounded() {
        let log = log(1_000);
        for n in 0..100 {
            log.line(Level::Info, "log", &format!("{n} {}", "é".repeat(10_000)), &[]);
        }
        let (tail, _) = log.finish();
        assert_eq!(tail.len(), TAIL_LINES);
        assert!(tail[0].starts_with("INFO 80 ") && tail[0].len() <= MAX_LINE + 8);
    }

    #[test]
    fn secrets_are_not_shown() {
        let log = log(10);
        log.redact("hunter2!");
        log.line(
            Level::Error,
            "log",
            "the password is hunter2!",
            &[("p".to_owned(), "hunter2!".to_owned())],
        );
        assert_eq!(log.finish().0, ["ERROR the password is *** p=\"***\""]);
        assert_eq!(log.redacted("hunter2!"), "***");
    }
}

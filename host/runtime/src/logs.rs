//! What a call logs: the logging interface, standard output and standard error, bounded and redacted, with the tail kept
//! for the details of a failure.

mod redact;
mod stdio;
mod volume;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) use redact::Redact;
use redact::Redactor;
pub(crate) use stdio::StdStream;
pub(crate) use volume::LogVolume;

use crate::wit::logging::Level;

/// Lines that are kept for the details of a failure.
const TAIL_LINES: usize = 20;
/// The longest line, in bytes. What exceeds it is cut.
const MAX_LINE: usize = 4 << 10;
/// Fields of one line.
const MAX_FIELDS: usize = 32;

/// The log of one call. Clones share it.
#[derive(Clone)]
pub(crate) struct RunLog(Arc<Mutex<Inner>>);

struct Inner {
    worker: Arc<str>,
    subject: String,
    lines_left: u32,
    volume: Arc<LogVolume>,
    dropped: u64,
    tail: VecDeque<String>,
    secrets: Redactor,
    /// What was written to a standard stream since its last line break.
    unfinished: [Vec<u8>; 2],
}

impl RunLog {
    /// `subject` is what the call is about: a task's id, a delegate's invocation.
    pub(crate) fn new(worker: Arc<str>, subject: String, max_lines: u32, volume: Arc<LogVolume>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            worker,
            subject,
            lines_left: max_lines,
            volume,
            dropped: 0,
            tail: VecDeque::new(),
            secrets: Redactor::default(),
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
        self.lock().secrets.add(secret);
    }

    /// Takes the secrets that the call was given out of what it hands over for people to read.
    pub(crate) fn redact_in(&self, told: &mut impl Redact) {
        let inner = self.lock();
        if !inner.secrets.is_empty() {
            told.redact(&inner.secrets);
        }
    }

    /// A text without the secrets that the call was given.
    pub(crate) fn redacted(&self, text: &str) -> String {
        self.lock().secrets.redacted(text)
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
                "({dropped} lines are not in the log: the worker's log-lines limit, or the host's)"
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
        let message = self.secrets.cut_and_redacted(message, MAX_LINE);
        let fields = self.fields(fields);
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        let separator = if fields.is_empty() { "" } else { " " };
        self.tail
            .push_back(format!("{} {message}{separator}{fields}", name(level)));

        // The tail has it all the same: it is what a failure is understood by.
        if !self.volume.admit() {
            self.dropped += 1;
            return;
        }
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
            let room = (MAX_LINE + 1 + self.secrets.longest()).saturating_sub(pending.len());
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
            text.push_str(&self.secrets.cut_and_redacted(key, 128));
            text.push('=');
            // Before it is quoted, which may change what is looked for.
            text.push_str(&format!("{:?}", self.secrets.cut_and_redacted(value, MAX_LINE)));
        }
        cut(&text, 2 * MAX_LINE).to_owned()
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
        RunLog::new(
            "w".into(),
            "task-1".to_owned(),
            max_lines,
            Arc::new(LogVolume::new(1_000)),
        )
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

    #[test]
    fn neither_quoting_nor_cutting_nor_lines_show_a_secret() {
        let log = log(10);
        let secret = "a\"quoted\\secret";
        log.redact(secret);
        log.line(Level::Info, "log", "x", &[("p".to_owned(), secret.to_owned())]);
        log.line(
            Level::Info,
            "log",
            &format!("{}{secret}", "x".repeat(MAX_LINE - 5)),
            &[],
        );
        log.bytes(
            StdStream::Out,
            format!("{}{secret}\n", "x".repeat(MAX_LINE - 5)).as_bytes(),
        );
        log.redact("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----");
        log.bytes(StdStream::Err, b"key: MIIEvQIBADANBgkq\n");
        let (tail, _) = log.finish();
        assert_eq!(
            (tail[0].as_str(), tail[3].as_str()),
            ("INFO x p=\"***\"", "WARN key: ***")
        );
        for line in &tail {
            assert!(!line.contains("a\"quo") && line.len() <= MAX_LINE + 8, "{line}");
        }
    }
}

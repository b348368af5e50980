//! Timers: when they are due.

use super::calendar::{self, Next};
use super::context::Site;
use super::halt::{Halt, Run};
use super::work::Work;
use crate::expression::{Context, Datum, EvalError, HostObject};
use crate::id::Millis;
use crate::model::{Timer, TimerKind};

impl Work<'_> {
    /// When a timer of an instance is due first.
    pub(super) fn timer_due(&mut self, site: &Site, timer: &Timer) -> Run<Next> {
        let datum = self.evaluate(site, &timer.expression)?;
        resolve(timer, datum, self.now()).map_err(Halt::execution)
    }

    /// When a timer start event is due first: there is no instance yet, and so there are no variables.
    pub(super) fn start_timer_due(&mut self, timer: &Timer) -> Run<Next> {
        let datum = timer.expression.evaluate(&mut Nothing(self.now()))?;
        resolve(timer, datum, self.now()).map_err(Halt::execution)
    }
}

fn resolve(timer: &Timer, datum: Datum, now: Millis) -> Result<Next, String> {
    // An expression may give the date itself.
    if let Datum::Date(due) = datum {
        return Ok(Next { due, repeat: None });
    }
    let Some(text) = datum.into_text() else {
        return Err(format!(
            "Due date expression '{}' gives no date",
            timer.expression.source()
        ));
    };
    match timer.kind {
        // Camunda takes a period for a date too: from now on.
        TimerKind::Date if text.trim().starts_with('P') => {
            calendar::duration(&text, now).map(|due| Next { due, repeat: None })
        }
        TimerKind::Date => calendar::date(&text).map(|due| Next { due, repeat: None }),
        TimerKind::Duration => calendar::duration(&text, now).map(|due| Next { due, repeat: None }),
        TimerKind::Cycle => calendar::cycle(&text, now),
    }
}

/// Knows the time and nothing else.
struct Nothing(Millis);

impl Context for Nothing {
    fn resolve(&mut self, _: &str) -> Result<Option<Datum>, EvalError> {
        Ok(None)
    }

    fn property(&mut self, _: HostObject, _: &str) -> Result<Option<Datum>, EvalError> {
        Ok(None)
    }

    fn call(&mut self, _: HostObject, _: &str, _: &[Datum]) -> Result<Option<Datum>, EvalError> {
        Ok(None)
    }

    fn now(&self) -> Millis {
        self.0
    }
}

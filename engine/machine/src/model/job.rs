//! The jobs that a process can make: one job definition for each.

use super::element::Kind;
use super::event::{CatchKind, Timer, TimerKind, Trigger};
use super::process::ProcessModel;

/// `configuration` of the jobs before an activity.
pub const ASYNC_BEFORE: &str = "async-before";
/// `configuration` of the jobs after an activity.
pub const ASYNC_AFTER: &str = "async-after";

/// A kind of jobs, as Camunda's job definitions tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobDeclaration {
    /// The activity.
    pub activity: String,
    /// The type of the handler.
    pub job_type: &'static str,
    /// When they run.
    pub configuration: String,
}

fn timer_configuration(timer: &Timer) -> String {
    let kind = match timer.kind {
        TimerKind::Date => "DATE",
        TimerKind::Duration => "DURATION",
        TimerKind::Cycle => "CYCLE",
    };
    format!("{kind}: {}", timer.expression.source())
}

impl ProcessModel {
    /// The jobs of all elements, in XML order.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobDeclaration> {
        let mut jobs = Vec::new();
        for (_, element) in self.elements() {
            let mut push = |job_type, configuration: String| {
                jobs.push(JobDeclaration {
                    activity: element.id.clone(),
                    job_type,
                    configuration,
                });
            };
            if element.async_before {
                push("async-continuation", ASYNC_BEFORE.to_owned());
            }
            if element.async_after {
                push("async-continuation", ASYNC_AFTER.to_owned());
            }
            let timer = match &element.kind {
                Kind::Start(start) => Some((
                    &start.trigger,
                    if element.scope.is_some() {
                        "timer-start-event-subprocess"
                    } else {
                        "timer-start-event"
                    },
                )),
                Kind::Boundary(boundary) => Some((&boundary.trigger, "timer-transition")),
                Kind::Catch(CatchKind::Event(trigger)) => Some((trigger, "timer-intermediate-transition")),
                _ => None,
            };
            for timer in element
                .task_listeners
                .iter()
                .filter_map(|listener| listener.timer.as_ref())
            {
                push("timer-task-listener", timer_configuration(timer));
            }
            if let Some((Trigger::Timer(timer), job_type)) = timer {
                push(job_type, timer_configuration(timer));
            }
        }
        jobs
    }
}

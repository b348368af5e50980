//! What rows take in memory, about: themselves, their texts, and their places in the maps.

use handoff_machine::row::{
    EventSubscription, Execution, ExecutionState, ExternalTask, Incident, Instance, Job, UserTask, Variable,
};
use handoff_machine::value::Value;

/// The places in the maps.
const PLACE: usize = 64;

/// What something takes, in bytes.
pub(in crate::store) trait Weight: Sized {
    /// What is not in the value itself.
    fn texts(&self) -> usize;

    /// All of it.
    fn weight(&self) -> usize {
        size_of::<Self>() + PLACE + self.texts()
    }
}

fn long<const N: usize>(texts: [&Option<String>; N]) -> usize {
    texts.into_iter().flatten().map(String::len).sum()
}

impl Weight for Instance {
    fn texts(&self) -> usize {
        // It has a map's entry and its lists beside the row.
        size_of::<super::Resident>() + long([&self.business_key, &self.tenant])
    }
}

impl Weight for Execution {
    fn texts(&self) -> usize {
        let state = match &self.state {
            ExecutionState::AsyncAfter { flows } => flows.iter().map(|flow| size_of::<String>() + flow.len()).sum(),
            ExecutionState::Joining { flow } => flow.len(),
            _ => 0,
        };
        self.activity.len() + state + long([&self.entered_as])
    }
}

impl Weight for Variable {
    fn texts(&self) -> usize {
        self.name.len()
            + match &self.value {
                Value::String(text) | Value::Json(text) | Value::Xml(text) => text.len(),
                Value::Bytes(bytes) => bytes.len(),
                Value::Object(object) => long([&object.type_name, &object.format, &object.data]),
                Value::File(file) => file.name.len() + file.data.len() + long([&file.mimetype, &file.encoding]),
                _ => 0,
            }
    }
}

impl Weight for ExternalTask {
    fn texts(&self) -> usize {
        self.definition_key.len()
            + self.activity.len()
            + self.topic.len()
            + long([&self.worker, &self.error_message, &self.error_details, &self.tenant])
            + long([&self.business_key, &self.entered_as])
    }
}

impl Weight for Job {
    fn texts(&self) -> usize {
        // What a kind has of its own is a short text.
        self.activity.len()
            + long([&self.definition_key, &self.tenant, &self.failed_activity])
            + long([&self.exception_message, &self.exception_stacktrace])
    }
}

impl Weight for EventSubscription {
    fn texts(&self) -> usize {
        self.name.len() + self.activity.len() + long([&self.tenant, &self.business_key, &self.configuration])
    }
}

impl Weight for UserTask {
    fn texts(&self) -> usize {
        let place = |place: &handoff_machine::row::TaskPlace| place.activity.len() + long([&place.entered_as]);
        self.place.as_ref().map_or(0, place)
            + long([&self.name, &self.description, &self.assignee, &self.owner, &self.tenant])
    }
}

impl Weight for Incident {
    fn texts(&self) -> usize {
        self.kind.len()
            + self.activity.len()
            + long([
                &self.failed_activity,
                &self.custom,
                &self.message,
                &self.annotation,
                &self.tenant,
            ])
    }
}

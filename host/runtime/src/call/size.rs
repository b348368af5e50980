//! How much a call is given: the bytes of its strings and values, which is what the guest's memory has to hold.

use crate::wit::{
    delegate::Execution,
    types::{FileContent, FileReference, Task, Value, Variable},
};

/// The bytes of a task.
pub(super) fn task(task: &Task) -> usize {
    let Task {
        variables,
        attributes,
        extension_properties,
        error_message,
        error_details,
        ..
    } = task;
    variables_bytes(variables)
        + attributes.iter().map(|(name, v)| name.len() + value(v)).sum::<usize>()
        + extension_properties
            .iter()
            .map(|(name, v)| name.len() + v.len())
            .sum::<usize>()
        + error_message.as_ref().map_or(0, String::len)
        + error_details.as_ref().map_or(0, String::len)
}

/// The bytes of an execution.
pub(super) fn execution(execution: &Execution) -> usize {
    variables_bytes(&execution.variables)
        + execution
            .attributes
            .iter()
            .map(|(name, v)| name.len() + value(v))
            .sum::<usize>()
}

/// The files among variables whose content is elsewhere.
pub(super) fn files(variables: &[Variable]) -> Vec<FileReference> {
    let reference = |variable: &Variable| match &variable.value {
        Value::File(file) => match &file.content {
            FileContent::Reference(reference) => Some(reference.clone()),
            FileContent::Bytes(_) => None,
        },
        _ => None,
    };
    variables.iter().filter_map(reference).collect()
}

fn variables_bytes(variables: &[Variable]) -> usize {
    variables
        .iter()
        .map(|variable| variable.name.len() + value(&variable.value))
        .sum()
}

fn value(value: &Value) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    match value {
        Value::Null => 0,
        Value::Boolean(_)
        | Value::Short(_)
        | Value::Integer(_)
        | Value::Long(_)
        | Value::Double(_)
        | Value::Date(_) => 8,
        Value::Text(text) | Value::Json(text) | Value::Xml(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Object(object) => {
            optional(&object.object_type_name) + optional(&object.serialization_data_format) + optional(&object.data)
        }
        Value::File(file) => {
            file.name.len()
                + optional(&file.mimetype)
                + optional(&file.encoding)
                + match &file.content {
                    FileContent::Reference(r) => r.engine.len() + r.execution_id.len() + r.variable_name.len(),
                    FileContent::Bytes(bytes) => bytes.len(),
                }
        }
    }
}

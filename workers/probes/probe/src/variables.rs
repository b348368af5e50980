//! Variables of every type, there and back.

use handoff_sdk::{Completion, File, FileContent, Outcome, Result, Task, Value, tasks};

/// Completes with a copy of each variable that came, once for the process and once for the task's own scope. Files are
/// read, and copied with what is in them.
pub(crate) fn copy(task: &Task) -> Result<Outcome> {
    let mut completion = Completion::new().transient("passing", "seen until the next wait state");
    for variable in task.variables() {
        let value = match &variable.value {
            Value::File(file) => Value::File(read(file)?),
            other => other.clone(),
        };
        completion = completion
            .local_variable(format!("local_{}", variable.name), value.clone())
            .variable(format!("copy_{}", variable.name), value);
    }
    Ok(completion.into())
}

fn read(file: &File) -> Result<File> {
    let content = match &file.content {
        FileContent::Reference(reference) => FileContent::Bytes(tasks::read_file(reference)?),
        here => here.clone(),
    };
    Ok(File {
        content,
        ..file.clone()
    })
}

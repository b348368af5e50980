//! Files that a worker hands on without having read them: a reference becomes the content that it stands for, under the
//! same grants as reading it.

use super::grants::GrantKind;
use crate::{
    state::Run,
    wit::types::{EngineError, File, FileContent, FileReference, Value, Variable},
};

impl Run {
    /// Reads a file that came with the task, or one of an engine that is granted.
    pub(super) async fn read_file(&self, reference: FileReference) -> Result<Vec<u8>, EngineError> {
        if !self.own_files.contains(&reference) {
            self.grants
                .check(GrantKind::Tasks, "tasks.read-file", &reference.engine)
                .map_err(EngineError::Denied)?;
        }
        let max = self.payload_bytes;
        let content = self
            .on_host(|host, caller| async move { host.read_file(&caller, reference, max as u64).await })
            .await?;
        if content.len() > max {
            return Err(EngineError::LimitExceeded(format!(
                "the file has {} bytes; the worker's payload limit is {max}",
                content.len()
            )));
        }
        Ok(content)
    }

    /// The variables with the content of every file.
    pub(super) async fn with_contents(&self, mut variables: Vec<Variable>) -> Result<Vec<Variable>, EngineError> {
        for variable in &mut variables {
            if let Value::File(File { content, .. }) = &mut variable.value
                && let FileContent::Reference(reference) = content
            {
                *content = FileContent::Bytes(self.read_file(reference.clone()).await?);
            }
        }
        Ok(variables)
    }
}

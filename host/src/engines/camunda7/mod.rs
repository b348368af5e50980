//! Camunda 7's REST dialect: Camunda 7, Operaton, CIB seven, EximeeBPMS, and our own engine.
//!
//! Our own engine says at `GET /handoff` what it can do beyond the dialect; the others answer 404 there. What is beyond
//! is never sent on the assumption that it is understood: Camunda ignores unknown fields without a word.

mod correlate;
mod cut;
mod detached;
mod dto;
mod errors;
mod message_start;
mod start;
mod transport;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use handoff_runtime::wit::{
    processes::{Message, Receiver, StartRequest, Started},
    tasks::Ending,
    types::{FileReference, Variable},
};
use http::StatusCode;
use parking_lot::RwLock;
use serde::Deserialize;
use serde_json::json;

use self::{
    dto::{BpmnErrorDto, CompleteDto, ExtendLockDto, FailureDto, FetchDto, LockDto, LockedTaskDto, millis},
    message_start::MessageStarts,
    start::KeyLocks,
    transport::{Call, Transport, parse},
};
use super::{DEFAULT_RETRIES, Defect, Engine, Fault, Features, Fetch, Fetched, Holder, Settlement};
use crate::{config::EngineConfig, typed_json::write_variables};

/// The largest list of tasks.
const HELD_MAX_BYTES: u64 = 64 << 20;

/// One engine that speaks Camunda 7's dialect.
#[derive(Debug)]
pub struct Camunda7 {
    name: String,
    worker_id: String,
    transport: Transport,
    features: RwLock<Option<Arc<Features>>>,
    starts: KeyLocks,
    message_starts: MessageStarts,
}

/// What our engine answers at `GET /handoff`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HandoffDto {
    name: Option<String>,
    version: Option<String>,
    dedupe_key: Option<bool>,
}

#[derive(Deserialize)]
struct VersionDto {
    version: Option<String>,
}

impl Camunda7 {
    /// Prepares a connection; nothing is sent yet. Fails with what is wrong with the configuration.
    pub fn new(name: &str, worker_id: &str, config: &EngineConfig) -> Result<Self, String> {
        Ok(Self {
            name: name.to_owned(),
            worker_id: worker_id.to_owned(),
            transport: Transport::new(config)?,
            features: RwLock::default(),
            starts: KeyLocks::default(),
            message_starts: MessageStarts::default(),
        })
    }

    /// What the engine can do, asking it if that is not known yet.
    async fn features(&self) -> Result<Arc<Features>, Fault> {
        if let Some(features) = &*self.features.read() {
            return Ok(features.clone());
        }
        self.probe().await.map(Arc::new)
    }

    async fn plain_features(&self) -> Result<Features, Fault> {
        let version: VersionDto = self.transport.read(Call::get(&["version"])).await?;
        let version = version.version.unwrap_or_else(|| "of unknown version".to_owned());
        Ok(Features {
            product: format!("Camunda 7 dialect, {version}"),
            ..Features::default()
        })
    }

    /// Ends a task in the name of `worker_id`.
    async fn settle_as(&self, task_id: &str, worker_id: &str, settlement: &Settlement) -> Result<(), Fault> {
        match settlement {
            Settlement::Complete(completion) => {
                let body = CompleteDto {
                    worker_id,
                    variables: write_variables(&completion.variables)?,
                    local_variables: write_variables(&completion.local_variables)?,
                };
                self.transport
                    .tell(Call::post(&["external-task", task_id, "complete"]), &body)
                    .await
            }
            Settlement::Error(error) => {
                let body = BpmnErrorDto {
                    worker_id,
                    error_code: &error.code,
                    error_message: error.message.as_deref(),
                    variables: write_variables(&error.variables)?,
                };
                self.transport
                    .tell(Call::post(&["external-task", task_id, "bpmnError"]), &body)
                    .await
            }
            Settlement::Failure(failure) => {
                let retries = failure.retries.unwrap_or(DEFAULT_RETRIES - 1);
                let body = FailureDto {
                    worker_id,
                    error_message: &failure.message,
                    error_details: failure.details.as_deref(),
                    retries: i32::try_from(retries).unwrap_or(i32::MAX),
                    retry_timeout: millis(failure.retry_after),
                    variables: write_variables(&failure.variables)?,
                    local_variables: write_variables(&failure.local_variables)?,
                };
                self.transport
                    .tell(Call::post(&["external-task", task_id, "failure"]), &body)
                    .await
            }
        }
    }

    async fn extend_as(&self, task_id: &str, worker_id: &str, duration: Duration) -> Result<(), Fault> {
        let body = ExtendLockDto {
            worker_id,
            new_duration: millis(duration),
        };
        self.transport
            .tell(Call::post(&["external-task", task_id, "extendLock"]), &body)
            .await
    }

    async fn lock_for_us(&self, task_id: &str, duration: Duration) -> Result<(), Fault> {
        let body = LockDto {
            worker_id: &self.worker_id,
            lock_duration: millis(duration),
        };
        self.transport
            .tell(Call::post(&["external-task", task_id, "lock"]), &body)
            .await
    }

    /// Reads a task; none if there is none.
    async fn task(&self, task_id: &str) -> Result<Option<LockedTaskDto>, Fault> {
        match self.transport.read(Call::get(&["external-task", task_id])).await {
            Ok(task) => Ok(Some(task)),
            Err(Fault::NotFound(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

#[async_trait]
impl Engine for Camunda7 {
    fn name(&self) -> &str {
        &self.name
    }

    fn worker_id(&self) -> &str {
        &self.worker_id
    }

    fn topics_per_fetch(&self) -> usize {
        usize::MAX
    }

    async fn probe(&self) -> Result<Features, Fault> {
        let reply = self.transport.send(Call::get(&["handoff"]), None).await?;
        let features = if reply.status == StatusCode::NOT_FOUND {
            self.plain_features().await?
        } else if reply.status.is_success() {
            match serde_json::from_slice::<HandoffDto>(&reply.body) {
                Ok(dto) if dto.name.as_deref() == Some("handoff") => Features {
                    product: format!("Handoff {}", dto.version.unwrap_or_default()),
                    dedupe_keys: dto.dedupe_key.unwrap_or(false),
                    drops_abandoned_fetches: true,
                },
                _ => self.plain_features().await?,
            }
        } else {
            return Err(errors::classify(&reply));
        };
        *self.features.write() = Some(Arc::new(features.clone()));
        Ok(features)
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<Fetched, Fault> {
        let body = FetchDto::new(&self.worker_id, fetch);
        let call = Call {
            wait: fetch.wait,
            cut: true,
            ..Call::post(&["external-task", "fetchAndLock"])
        };
        let sent = Instant::now();
        let reply = self.transport.answer(call, &body).await?;
        let locked = |task: LockedTaskDto| task.into_locked(&self.name, fetch, sent);
        let Some(fault) = reply.cut.clone() else {
            let tasks: Vec<LockedTaskDto> = parse(&reply)?;
            return Ok(Fetched {
                tasks: tasks.into_iter().map(locked).collect(),
                cut: None,
            });
        };
        let beginning = cut::read(&reply.body);
        let mut tasks: Vec<_> = beginning.whole.into_iter().map(locked).collect();
        let mut cut = Some(fault.clone());
        if tasks.is_empty() {
            // Not even the first has room: it is too large by itself. Without its name nothing can be said of it.
            let mut first = locked(beginning.broken.ok_or(fault)?);
            first.defect = Some(Defect::TooLarge(format!(
                "task {id} with its variables is larger than an answer of the engine may be: max-answer-mb = {limit} \
                 under [engines.{engine}]; name the variables that the worker needs as `variables` of topic `{topic}` \
                 in its manifest, or raise max-answer-mb, and then set the task's retries",
                id = first.task.id.id,
                limit = self.transport.max_mb(),
                engine = self.name,
                topic = first.task.topic,
            )));
            tasks.push(first);
            cut = cut.filter(|_| fetch.max_tasks > 1);
        }
        Ok(Fetched { tasks, cut })
    }

    async fn held(&self, max: u32) -> Result<Vec<String>, Fault> {
        let max = max.to_string();
        let query = [
            ("workerId", self.worker_id.as_str()),
            ("locked", "true"),
            ("maxResults", max.as_str()),
        ];
        // Without their variables, so many tasks are never large.
        let call = Call {
            max_bytes: Some(HELD_MAX_BYTES),
            ..Call::get(&["external-task"]).query(&query)
        };
        let tasks: Vec<LockedTaskDto> = self.transport.read(call).await?;
        // The filter is repeated here: releasing a task that an engine listed although it is somebody else's would be
        // worse than leaving one.
        Ok(tasks
            .into_iter()
            .filter(|t| t.worker_id.as_deref() == Some(&self.worker_id))
            .map(|t| t.id)
            .collect())
    }

    async fn holder(&self, task_id: &str) -> Result<Holder, Fault> {
        Ok(match self.task(task_id).await?.map(|task| task.worker_id) {
            None => Holder::Gone,
            Some(None) => Holder::Nobody,
            Some(Some(holder)) if holder == self.worker_id => Holder::Us,
            Some(Some(holder)) => Holder::Other(holder),
        })
    }

    async fn report(&self, task_id: &str, settlement: &Settlement) -> Result<(), Fault> {
        self.settle_as(task_id, &self.worker_id, settlement).await
    }

    async fn extend(&self, task_id: &str, duration: Duration) -> Result<(), Fault> {
        self.extend_as(task_id, &self.worker_id, duration).await
    }

    async fn release(&self, task_id: &str) -> Result<(), Fault> {
        self.transport
            .ask(Call::post(&["external-task", task_id, "unlock"]))
            .await
    }

    async fn settle_detached(&self, task_id: &str, settlement: &Settlement) -> Result<Ending, Fault> {
        detached::settle(self, task_id, settlement).await
    }

    async fn extend_detached(&self, task_id: &str, duration: Duration) -> Result<Ending, Fault> {
        detached::extend(self, task_id, duration).await
    }

    async fn unlock_detached(&self, task_id: &str) -> Result<Ending, Fault> {
        match self.release(task_id).await {
            Ok(()) => Ok(Ending::Completed),
            Err(Fault::NotFound(_)) => Ok(Ending::Gone),
            Err(fault) => Err(fault),
        }
    }

    async fn start(&self, request: &StartRequest) -> Result<Started, Fault> {
        start::start(self, request).await
    }

    async fn correlate(&self, message: &Message) -> Result<Vec<Receiver>, Fault> {
        correlate::correlate(self, message).await
    }

    async fn set_variables(&self, process_instance_id: &str, variables: &[Variable]) -> Result<(), Fault> {
        let body = json!({ "modifications": write_variables(variables)? });
        self.transport
            .tell(
                Call::post(&["process-instance", process_instance_id, "variables"]),
                &body,
            )
            .await
    }

    async fn read_file(&self, reference: &FileReference, max_bytes: u64) -> Result<Vec<u8>, Fault> {
        // An execution's id stands for an instance's here, and the variable is looked for in its outer scopes too.
        let path = [
            "process-instance",
            reference.execution_id.as_str(),
            "variables",
            reference.variable_name.as_str(),
            "data",
        ];
        self.transport
            .succeed(
                Call {
                    max_bytes: Some(max_bytes),
                    ..Call::get(&path)
                },
                None,
            )
            .await
            .map(|content| content.to_vec())
    }
}

//! What a call for many things is about: ids, a query, or both.

use std::collections::BTreeSet;

use handoff_machine::Id;
use handoff_machine::command::{BatchWork, NewBatch};
use handoff_machine::row::{Batch, DefinitionRow, HistoricInstance, Instance};
use handoff_machine::{Command, Reply};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::texts;
use super::error::{RestError, Result};
use super::id::Ids;
use super::query::{Params, Select};
use super::{date, history, process_instance};

/// The most things that one call may be about.
pub(crate) const TARGETS_MAX: usize = 1_000_000;

/// The instances that are meant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct InstancesDto {
    #[serde(deserialize_with = "texts")]
    process_instance_ids: Option<Vec<String>>,
    #[serde(deserialize_with = "texts")]
    historic_process_instance_ids: Option<Vec<String>>,
    /// Some calls name the ids so.
    #[serde(deserialize_with = "texts")]
    process_instances: Option<Vec<String>>,
    process_instance_query: Option<Json>,
    historic_process_instance_query: Option<Json>,
}

impl InstancesDto {
    /// The ids and what the queries find, each once.
    ///
    /// # Errors
    /// 400: a query that is none, nothing was said, or too much is meant.
    pub(crate) async fn resolve(self, api: &Api) -> Result<Vec<Id>> {
        let found = self.found(api).await?;
        if found.is_empty() {
            return Err(empty("processInstanceIds"));
        }
        Ok(found)
    }

    /// As [`Self::resolve`], also where nothing is meant.
    ///
    /// # Errors
    /// 400: a query that is none, or too much is meant.
    pub(crate) async fn found(self, api: &Api) -> Result<Vec<Id>> {
        let running = self.process_instance_query.map(Params::of_json).transpose()?;
        let running: Option<Select<Instance>> = running
            .map(|params| process_instance::select(api, &params))
            .transpose()?;
        let historic = self.historic_process_instance_query.map(Params::of_json).transpose()?;
        let historic: Option<Select<HistoricInstance>> =
            historic.map(|params| history::instances(api, &params)).transpose()?;
        let named = [
            self.process_instance_ids,
            self.historic_process_instance_ids,
            self.process_instances,
        ];
        let mut found: BTreeSet<Id> = named
            .into_iter()
            .flatten()
            .flatten()
            .map(|text| api.ids.read(&text))
            .collect();
        found.extend(
            api.read(move |reader| {
                let mut ids = Vec::new();
                if let Some(select) = running {
                    ids.extend(select.ids(reader.connection, TARGETS_MAX)?);
                }
                if let Some(select) = historic {
                    ids.extend(select.ids(reader.connection, TARGETS_MAX)?);
                }
                Ok(ids)
            })
            .await?,
        );
        Ok(found.into_iter().collect())
    }
}

/// 400: nothing is meant.
pub(crate) fn empty(name: &str) -> RestError {
    RestError::invalid(format!("{name} is empty"))
}

/// The instances' definition, which must be there.
///
/// # Errors
/// 400: it is not.
pub(crate) async fn definition(api: &Api, text: &str) -> Result<Id> {
    let id = api.ids.read_definition(text);
    let found = api
        .read(move |reader| Select::<DefinitionRow>::by_id(reader.connection, id))
        .await?;
    let unknown = || {
        RestError::invalid(format!(
            "no deployed process definition found with id '{text}': processDefinition is null"
        ))
    };
    found.map(|row| row.id).ok_or_else(unknown)
}

/// Makes a batch, and answers it.
///
/// # Errors
/// The engine's.
pub(crate) async fn start_batch(api: &Api, work: BatchWork, items: Vec<Id>) -> Result<Json> {
    let user = api.user.as_deref().map(str::to_owned);
    let reply = api.submit(Command::StartBatch(NewBatch { work, items, user })).await?;
    match reply {
        Reply::Batch(batch) => Ok(batch_dto(api.ids, &batch)),
        other => Err(RestError::unexpected(&other)),
    }
}

/// Does at once what a batch would do: all of it or nothing.
///
/// # Errors
/// The engine's.
pub(crate) async fn do_at_once(api: &Api, work: BatchWork, items: Vec<Id>) -> Result<()> {
    let user = api.user.as_deref().map(str::to_owned);
    api.run(Command::DoAtOnce(NewBatch { work, items, user })).await
}

/// A batch in answers.
pub(crate) fn batch_dto(ids: Ids, batch: &Batch) -> Json {
    json!({
        "id": ids.text(batch.id),
        "type": batch.kind,
        "totalJobs": batch.total_jobs,
        "jobsCreated": batch.jobs_created,
        "batchJobsPerSeed": batch.jobs_per_seed,
        "invocationsPerBatchJob": batch.invocations_per_job,
        "seedJobDefinitionId": ids.text(batch.seed_definition),
        "monitorJobDefinitionId": ids.text(batch.monitor_definition),
        "batchJobDefinitionId": ids.text(batch.job_definition),
        "suspended": batch.suspended,
        "tenantId": batch.tenant,
        "createUserId": batch.user,
        "startTime": date::format(batch.start_time),
        "executionStartTime": batch.execution_start.map(date::format),
    })
}

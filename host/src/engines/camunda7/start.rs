//! Starting a process instance once (design, F2).
//!
//! Our engine keeps the dedupe key with the instance, in the same commit and past its end: there a start is one call.
//! Plain Camunda 7 keeps none. There the key is written into a variable, this host does one start per key at a time,
//! and it looks at running and historic instances first. Two hosts can still race, and with the history level `none`
//! an instance that has ended is not seen.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use handoff_runtime::wit::{
    processes::{IfRunning, StartRequest, StartStatus, StartTarget, Started},
    types::{Value, Variable},
};
use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};

use super::{
    Camunda7,
    dto::{CorrelatedDto, HistoricInstanceDto, InstanceDto},
    transport::Call,
};
use crate::{engines::Fault, typed_json::write_variables};

/// The variable that keeps the dedupe key of an instance on an engine that keeps none itself.
pub(super) const DEDUPE_VARIABLE: &str = "handoffDedupeKey";

/// Candidates with the same business key that are looked at.
const CANDIDATES_MAX: &str = "50";

pub(super) async fn start(engine: &Camunda7, request: &StartRequest) -> Result<Started, Fault> {
    if engine.features().await?.dedupe_keys {
        return send(engine, request, true).await;
    }
    if request.dedupe_key.is_none() && matches!(request.if_running, IfRunning::Another) {
        return send(engine, request, false).await;
    }
    // Serialised by both keys, the business key last, so that two orders of taking them cannot meet.
    let _dedupe = engine.starts.lock("dedupe", request.dedupe_key.as_deref()).await;
    let _business = engine.starts.lock("business", request.business_key.as_deref()).await;
    if let Some(key) = &request.dedupe_key
        && let Some(started) = started_before(engine, request, key).await?
    {
        return Ok(started);
    }
    if !matches!(request.if_running, IfRunning::Another)
        && let Some(running) = running(engine, request).await?
    {
        return match request.if_running {
            IfRunning::Reject => Err(Fault::Rejected(format!(
                "instance {} runs already with business key {:?}",
                running.id,
                request.business_key.as_deref().unwrap_or_default()
            ))),
            _ => Ok(result(
                engine,
                running.id,
                running.definition_id,
                running.business_key,
                StartStatus::AlreadyRunning,
            )),
        };
    }
    let mut request = request.clone();
    if let Some(key) = &request.dedupe_key {
        let value = Value::Text(key.clone());
        request.variables.push(Variable {
            name: DEDUPE_VARIABLE.to_owned(),
            value,
            transient: false,
        });
    }
    send(engine, &request, false).await
}

/// The one request that starts.
async fn send(engine: &Camunda7, request: &StartRequest, extended: bool) -> Result<Started, Fault> {
    let mut body = Map::new();
    body.insert("businessKey".into(), json!(request.business_key));
    if extended {
        if let Some(key) = &request.dedupe_key {
            body.insert("dedupeKey".into(), json!(key));
        }
        body.insert("ifRunning".into(), json!(if_running(request.if_running)));
    }
    let variables = json!(write_variables(&request.variables)?);
    let tenant = request.tenant_id.as_deref();
    let instance = match &request.target {
        StartTarget::Message(name) => {
            body.insert("messageName".into(), json!(name));
            body.insert("processVariables".into(), variables);
            body.insert("resultEnabled".into(), json!(true));
            if let Some(tenant) = tenant {
                body.insert("tenantId".into(), json!(tenant));
            }
            let results: Vec<CorrelatedDto> = engine.transport.exchange(Call::post(&["message"]), &body).await?;
            started_by_message(name, results)?
        }
        StartTarget::DefinitionKey(key) => {
            body.insert("variables".into(), variables);
            let with_tenant = [
                "process-definition",
                "key",
                key,
                "tenant-id",
                tenant.unwrap_or_default(),
                "start",
            ];
            let without = ["process-definition", "key", key, "start"];
            let path: &[&str] = if tenant.is_some() { &with_tenant } else { &without };
            engine.transport.exchange(Call::post(path), &body).await?
        }
        StartTarget::DefinitionId(id) => {
            body.insert("variables".into(), variables);
            engine
                .transport
                .exchange(Call::post(&["process-definition", id, "start"]), &body)
                .await?
        }
    };
    let status = match instance.handoff.as_ref().and_then(|handoff| handoff.status.as_deref()) {
        Some("already-running") => StartStatus::AlreadyRunning,
        Some("already-ended") => StartStatus::AlreadyEnded,
        _ => StartStatus::Created,
    };
    Ok(result(
        engine,
        instance.id,
        instance.definition_id,
        instance.business_key,
        status,
    ))
}

/// Takes the instance out of a correlation's results. A message can also reach a running execution, which is no start.
fn started_by_message(name: &str, results: Vec<CorrelatedDto>) -> Result<InstanceDto, Fault> {
    let mut received_by = None;
    for result in results {
        if let Some(mut instance) = result.process_instance {
            instance.handoff = instance.handoff.or(result.handoff);
            return Ok(instance);
        }
        received_by = received_by.or(result.execution.map(|execution| execution.id));
    }
    Err(Fault::Mismatch(match received_by {
        Some(id) => format!("message {name:?} started nothing: execution {id}, which waited for it, received it"),
        None => format!("message {name:?} started nothing"),
    }))
}

/// An instance with the dedupe key, running or ended.
async fn started_before(engine: &Camunda7, request: &StartRequest, key: &str) -> Result<Option<Started>, Fault> {
    let mut query = json!({ "variables": [{ "name": DEDUPE_VARIABLE, "operator": "eq", "value": key }] });
    if let Some(tenant) = &request.tenant_id {
        query["tenantIdIn"] = json!([tenant]);
    }
    let history = ["history", "process-instance"];
    let historic: Vec<HistoricInstanceDto> = engine.transport.exchange(Call::post(&history), &query).await?;
    if let Some(found) = historic.into_iter().next() {
        let status = if found.end_time.is_some() {
            StartStatus::AlreadyEnded
        } else {
            StartStatus::AlreadyRunning
        };
        return Ok(Some(result(
            engine,
            found.id,
            found.process_definition_id,
            found.business_key,
            status,
        )));
    }
    // Engines write history up to their level, which may be none; running instances are always there.
    let running: Vec<InstanceDto> = engine
        .transport
        .exchange(Call::post(&["process-instance"]), &query)
        .await?;
    Ok(running.into_iter().next().map(|found| {
        result(
            engine,
            found.id,
            found.definition_id,
            found.business_key,
            StartStatus::AlreadyRunning,
        )
    }))
}

/// A running instance with the business key, of a definition that the request would start.
async fn running(engine: &Camunda7, request: &StartRequest) -> Result<Option<InstanceDto>, Fault> {
    let Some(business_key) = &request.business_key else {
        return Ok(None);
    };
    let mut query = Map::from_iter([("businessKey".to_owned(), json!(business_key))]);
    if let Some(tenant) = &request.tenant_id {
        query.insert("tenantIdIn".into(), json!([tenant]));
    }
    match &request.target {
        StartTarget::DefinitionKey(key) => query.insert("processDefinitionKey".into(), json!(key)),
        StartTarget::DefinitionId(id) => query.insert("processDefinitionId".into(), json!(id)),
        StartTarget::Message(_) => None,
    };
    let call = Call::post(&["process-instance"]).query(&[("maxResults", CANDIDATES_MAX)]);
    let candidates: Vec<InstanceDto> = engine.transport.exchange(call, &Json::Object(query)).await?;
    let StartTarget::Message(message) = &request.target else {
        return Ok(candidates.into_iter().next());
    };
    for candidate in candidates {
        let Some(definition) = &candidate.definition_id else {
            continue;
        };
        if engine
            .message_starts
            .starts(&engine.transport, definition, message)
            .await?
        {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

const fn if_running(if_running: IfRunning) -> &'static str {
    match if_running {
        IfRunning::Join => "join",
        IfRunning::Reject => "reject",
        IfRunning::Another => "another",
    }
}

fn result(
    engine: &Camunda7,
    id: String,
    definition_id: Option<String>,
    business_key: Option<String>,
    status: StartStatus,
) -> Started {
    Started {
        engine: engine.name.clone(),
        process_instance_id: id,
        process_definition_id: definition_id,
        business_key,
        status,
        attributes: Vec::new(),
    }
}

/// One start per key at a time within this host. A key is forgotten when nobody holds it any more.
#[derive(Debug, Default)]
pub(super) struct KeyLocks {
    locks: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl KeyLocks {
    /// Waits for a key's turn; at once where there is no key.
    async fn lock(&self, scope: &str, key: Option<&str>) -> Option<tokio::sync::OwnedMutexGuard<()>> {
        let key = format!("{scope}\u{0}{}", key?);
        let lock = {
            let mut locks = self.locks.lock();
            if locks.len() >= 1_024 {
                locks.retain(|_, lock| lock.strong_count() > 0);
            }
            locks.get(&key).and_then(Weak::upgrade).unwrap_or_else(|| {
                let lock = Arc::new(tokio::sync::Mutex::new(()));
                locks.insert(key, Arc::downgrade(&lock));
                lock
            })
        };
        Some(lock.lock_owned().await)
    }
}

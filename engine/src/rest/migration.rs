//! `/migration`: plans are generated and looked through, and instances go on by another definition.

mod dto;
mod report;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use handoff_machine::command::{BatchWork, MigratingInstruction, Migration, VariableInput};
use handoff_machine::migration::{Side, generate, validate};
use handoff_machine::view::Definition;
use handoff_machine::{Command, Id};
use http::StatusCode;
use serde_json::json;

use self::dto::{ExecutionDto, GenerationDto, PlanDto, Planned, instruction};
use self::report::PlanReport;
use super::api::Api;
use super::body::{Body, no_content, ok};
use super::error::{RestError, Result};
use super::id::NOBODY;
use super::process_instance;
use super::query::Params;
use super::targets::{TARGETS_MAX, start_batch};
use super::variables::{Objects, VariablesDto, inputs, typed};

pub(crate) use self::report::instance_report;

/// Instances that are migrated in one transaction, while the caller waits.
const SYNCHRONOUS_MAX: usize = 1_000;
/// The most instructions of one plan.
const INSTRUCTIONS_MAX: usize = 10_000;

/// The routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/migration/generate", post(generate_plan))
        .route("/migration/validate", post(validate_plan))
        .route("/migration/execute", post(execute))
        .route("/migration/executeAsync", post(execute_async))
}

/// The definitions of a plan.
struct Sides {
    source: Arc<Definition>,
    target: Arc<Definition>,
    source_id: String,
    target_id: String,
}

impl Sides {
    async fn find(api: &Api, source: Option<&str>, target: Option<&str>) -> Result<Self> {
        let source = definition(api, "Source", source).await?;
        let target = definition(api, "Target", target).await?;
        let id = |definition: &Definition| {
            let row = &definition.row;
            api.ids.definition(&row.key, row.version, row.id)
        };
        if let (Some(one), Some(two)) = (&source.row.tenant, &target.row.tenant)
            && one != two
        {
            return Err(RestError::of_engine(
                StatusCode::INTERNAL_SERVER_ERROR,
                "ProcessEngineException",
                format!(
                    "ENGINE-2309 Cannot migrate process instances between processes of different tenants ('{one}' != '{two}')"
                ),
            ));
        }
        Ok(Self {
            source_id: id(&source),
            target_id: id(&target),
            source,
            target,
        })
    }

    fn source(&self) -> Side<'_> {
        Side {
            model: &self.source.model,
            id: &self.source_id,
        }
    }

    fn target(&self) -> Side<'_> {
        Side {
            model: &self.target.model,
            id: &self.target_id,
        }
    }
}

async fn definition(api: &Api, side: &str, id: Option<&str>) -> Result<Arc<Definition>> {
    let wrong = |message| RestError::of_engine(StatusCode::BAD_REQUEST, "InvalidRequestException", message);
    let Some(text) = id else {
        return Err(wrong(format!("{side} process definition id is null")));
    };
    let found = api.engine.definition(api.ids.read_definition(text)).await?;
    found.ok_or_else(|| {
        wrong(format!(
            "ENGINE-23008 {side} process definition with id '{text}' does not exist"
        ))
    })
}

/// `POST /migration/generate`
async fn generate_plan(api: Api, Body(dto): Body<GenerationDto>) -> Result<Response> {
    let variables = inputs(&dto.variables)?;
    let sides = Sides::find(
        &api,
        dto.source_process_definition_id.as_deref(),
        dto.target_process_definition_id.as_deref(),
    )
    .await?;
    let update = dto.update_event_triggers.unwrap_or(false);
    let instructions = generate(sides.source(), sides.target(), update);
    let report = PlanReport {
        nameless: Vec::new(),
        instructions: validate(sides.source(), sides.target(), &instructions),
        variables: report::prohibited(&variables),
    };
    if !report.is_empty() {
        return Err(report.into_error(&sides.source_id, &sides.target_id));
    }
    let shown = dto.variables.is_some().then(|| {
        let shown = |input: &VariableInput| (input.name.clone(), typed(&input.value, Objects::Serialised).into());
        variables.iter().map(shown).collect::<serde_json::Map<_, _>>()
    });
    Ok(ok(json!({
        "sourceProcessDefinitionId": sides.source_id,
        "targetProcessDefinitionId": sides.target_id,
        "instructions": instructions.iter().map(instruction).collect::<Vec<_>>(),
        "variables": shown,
    })))
}

/// A plan that was read, and what is wrong with it.
struct Plan {
    sides: Sides,
    instructions: Vec<MigratingInstruction>,
    variables: Vec<VariableInput>,
    report: PlanReport,
}

async fn read_plan(api: &Api, dto: PlanDto) -> Result<Plan> {
    let variables = inputs(&dto.variables)?;
    let list = dto.instructions.unwrap_or_default();
    if list.len() > INSTRUCTIONS_MAX {
        return Err(RestError::invalid(format!(
            "a plan may have {INSTRUCTIONS_MAX} instructions at most"
        )));
    }
    let planned: Vec<Planned> = list.into_iter().map(Planned::read).collect::<Result<_>>()?;
    let sides = Sides::find(
        api,
        dto.source_process_definition_id.as_deref(),
        dto.target_process_definition_id.as_deref(),
    )
    .await?;
    let instructions: Vec<MigratingInstruction> = planned.iter().filter_map(Planned::whole).collect();
    let report = PlanReport {
        nameless: planned
            .into_iter()
            .filter(|planned| planned.whole().is_none())
            .collect(),
        instructions: validate(sides.source(), sides.target(), &instructions),
        variables: report::prohibited(&variables),
    };
    Ok(Plan {
        sides,
        instructions,
        variables,
        report,
    })
}

/// `POST /migration/validate`
async fn validate_plan(api: Api, Body(dto): Body<PlanDto>) -> Result<Response> {
    Ok(ok(read_plan(&api, dto).await?.report.to_json()))
}

/// What is to be done, and with which instances.
async fn read(api: &Api, dto: ExecutionDto) -> Result<(Migration, Vec<Id>)> {
    let Some(plan) = dto.migration_plan else {
        return Err(RestError::invalid("'migrationPlan' must be set"));
    };
    let plan = read_plan(api, plan).await?;
    if !plan.report.is_empty() {
        return Err(plan.report.into_error(&plan.sides.source_id, &plan.sides.target_id));
    }
    let migration = Migration {
        source: plan.sides.source.row.id,
        target: plan.sides.target.row.id,
        instructions: plan.instructions,
        variables: plan.variables,
        skip_custom_listeners: dto.skip_custom_listeners.unwrap_or(false),
        skip_io_mappings: dto.skip_io_mappings.unwrap_or(false),
    };
    let instances = instances(api, dto.process_instance_ids, dto.process_instance_query).await?;
    Ok((migration, instances))
}

async fn instances(api: &Api, named: Option<Vec<Option<String>>>, query: Option<serde_json::Value>) -> Result<Vec<Id>> {
    let bad = |message: &str| RestError::of_engine(StatusCode::BAD_REQUEST, "BadUserRequestException", message);
    let mut found = BTreeSet::new();
    let mut has_null = false;
    for text in named.into_iter().flatten() {
        let Some(text) = text else {
            has_null = true;
            continue;
        };
        let id = api.ids.read(&text);
        if id == NOBODY {
            return Err(RestError::of_engine(
                StatusCode::INTERNAL_SERVER_ERROR,
                "ProcessEngineException",
                format!(
                    "ENGINE-23003 Process instance '{text}' cannot be migrated. The process instance does not exist"
                ),
            ));
        }
        found.insert(id);
    }
    if let Some(query) = query {
        let select = process_instance::select(api, &Params::of_json(query)?)?;
        found.extend(
            api.read(move |reader| select.ids(reader.connection, TARGETS_MAX))
                .await?,
        );
    }
    if has_null {
        return Err(bad(
            "Process instance ids cannot be null: process instance ids contains null value",
        ));
    }
    if found.is_empty() {
        return Err(bad("Process instance ids cannot empty: process instance ids is empty"));
    }
    Ok(found.into_iter().collect())
}

/// `POST /migration/execute`
async fn execute(api: Api, Body(dto): Body<ExecutionDto>) -> Result<Response> {
    let (migration, instances) = read(&api, dto).await?;
    if instances.len() > SYNCHRONOUS_MAX {
        return Err(RestError::invalid(format!(
            "at most {SYNCHRONOUS_MAX} instances are migrated at once: use /migration/executeAsync"
        )));
    }
    api.run(Command::MigrateInstances {
        migration: Box::new(migration),
        instances,
    })
    .await?;
    Ok(no_content())
}

/// `POST /migration/executeAsync`
async fn execute_async(api: Api, Body(dto): Body<ExecutionDto>) -> Result<Response> {
    let (migration, instances) = read(&api, dto).await?;
    let work = BatchWork::Migrate(Box::new(migration));
    Ok(ok(start_batch(&api, work, instances).await?))
}

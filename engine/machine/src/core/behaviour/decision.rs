//! Business rule task that evaluates a decision. What fails may be caught by an event that catches exceptions of Java.

use std::sync::Arc;

use crate::core::context::Site;
use crate::core::decision::Visible;
use crate::core::halt::{Halt, Run};
use crate::core::place::Place;
use crate::core::work::Work;
use crate::decision::DecisionError;
use crate::error::MachineError;
use crate::model::{Binding, DecisionTask};
use crate::row::DecisionPlace;
use crate::view::{DecisionDefinition, DecisionQuery, Tenant};

/// The local variable that has the whole result.
const RESULT: &str = "decisionResult";

pub(super) fn execute(work: &mut Work<'_>, place: &Place, task: &DecisionTask) -> Run<()> {
    let site = Site::from(place);
    let failure = |error: MachineError| Halt::failure(error, place.execution);
    let definition = find(work, &site, task)?;
    let result = work
        .decide(&definition, &mut Visible(place.execution))
        .map_err(|error| match error {
            DecisionError::Failed { class, message } => failure(MachineError::Java { class, message }),
            DecisionError::View(error) => error.into(),
        })?;
    let root = work.instance(place.instance)?.map_or(place.instance, |row| row.root);
    let history_place = DecisionPlace {
        instance: place.instance,
        root,
        definition: place.definition.row.id,
        definition_key: place.definition.row.key.clone(),
        execution: place.execution,
        activity: place.element().id.clone(),
    };
    let result = work.record_decision(&definition, result, Some(history_place))?;
    let local = work.local_scope(place.execution)?;
    let datum = result.to_datum();
    work.set_local_variable(local, RESULT, datum.clone().into_value(), true)?;
    work.decision_results.insert(local, datum);
    if let Some(name) = &task.result_variable {
        let value = result
            .map(task.mapper)
            .map_err(|error| failure(MachineError::Execution(error.to_string())))?;
        work.set_variable(place.execution, name, value, false)?;
    }
    work.leave(place)
}

fn find(work: &mut Work<'_>, site: &Site, task: &DecisionTask) -> Run<Arc<DecisionDefinition>> {
    let key = work.evaluate_text(site, &task.decision)?.unwrap_or_default();
    let tenant = match work.optional_text(site, task.tenant.as_ref())? {
        Some(tenant) => Some(tenant),
        None => work.instance(site.instance)?.and_then(|row| row.tenant.clone()),
    };
    let tenant_text = tenant.clone().unwrap_or_else(|| "null".to_owned());
    let tenant = tenant.map_or(Tenant::None, Tenant::Is);
    let (query, told) = match &task.binding {
        Binding::Latest => {
            let told = format!("with key '{key}' and tenant-id '{tenant_text}'");
            (DecisionQuery::Latest { key, tenant }, told)
        }
        Binding::Deployment => {
            let deployment = site.definition.row.deployment;
            let told = format!("with key = '{key}' in deployment = '{}'", work.text(deployment));
            (DecisionQuery::Deployment { key, deployment }, told)
        }
        Binding::Version(version) => {
            let version = work.whole_number(site, version)?;
            let told = format!("with key = '{key}', version = '{version}' and tenant-id '{tenant_text}'");
            (DecisionQuery::Version { key, version, tenant }, told)
        }
        Binding::VersionTag(tag) => {
            let tag = work.evaluate_text(site, tag)?.unwrap_or_default();
            let told = format!("with key = '{key}', versionTag = '{tag}' and tenant-id '{tenant_text}'");
            (DecisionQuery::VersionTag { key, tag, tenant }, told)
        }
    };
    work.view.decision(&query)?.ok_or_else(|| {
        Halt::execution(format!(
            "no decision definition deployed {told}: decisionDefinition is null"
        ))
    })
}

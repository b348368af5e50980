//! `GET /process-instance/{id}/activity-instances`: what is open, as a tree.
//!
//! A token before or after an asynchronous continuation is no activity instance, but a transition instance.

use std::collections::HashMap;

use axum::response::Response;
use handoff_machine::Id;
use handoff_machine::model::Element;
use handoff_machine::row::{Execution, ExecutionState, Incident, Instance};
use handoff_machine::view::Definition;
use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use crate::rest::api::Api;
use crate::rest::body::ok;
use crate::rest::error::{RestError, Result};
use crate::rest::id::Ids;
use crate::rest::path::Path;
use crate::rest::query::Select;

/// The rows of one instance.
struct Rows {
    instance: Instance,
    executions: Vec<Execution>,
    incidents: Vec<Incident>,
}

/// `GET /process-instance/{id}/activity-instances`
pub(super) async fn activity_instances(api: Api, Path(text): Path<String>) -> Result<Response> {
    let id = api.ids.read(&text);
    let rows = api.read(move |reader| {
        let Some(instance) = Select::<Instance>::by_id(reader.connection, id)? else {
            return Ok(None);
        };
        let mut executions = Select::<Execution>::new();
        executions.with("instance = ?", Some(id.0));
        let mut incidents = Select::<Incident>::new();
        incidents.with("instance = ?", Some(id.0));
        let (executions, incidents) = (executions.rows(reader.connection)?, incidents.rows(reader.connection)?);
        Ok(Some(Rows {
            instance,
            executions,
            incidents,
        }))
    });
    let unknown = || {
        let message = format!("Process instance with id {text} does not exist");
        RestError::new(StatusCode::NOT_FOUND, "InvalidRequestException", message)
    };
    let rows = rows.await?.ok_or_else(unknown)?;
    let definition = api
        .engine
        .definition(rows.instance.definition)
        .await?
        .ok_or_else(unknown)?;
    Ok(ok(Tree::new(api.ids, &rows, &definition).root()))
}

/// The tree in the making.
struct Tree<'r> {
    ids: Ids,
    rows: &'r Rows,
    definition: &'r Definition,
    definition_id: String,
    children: HashMap<Id, Vec<&'r Execution>>,
}

/// The scope that an execution is in. What compensates runs below the event that throws it, but is in the scope of its
/// own element.
fn logical_parent(execution: &Execution, rows: &Rows, definition: &Definition) -> Id {
    let model = &definition.model;
    let by_id = |id| rows.executions.iter().find(|row| row.id == id);
    let thrower = by_id(execution.parent).filter(|parent| {
        model
            .element(&parent.activity)
            .is_some_and(Element::throws_compensation)
    });
    let Some(thrower) = thrower else {
        return execution.parent;
    };
    let scope = model
        .element(&execution.activity)
        .and_then(|element| element.scope)
        .map(|scope| model.at(scope).id.as_str());
    let mut at = thrower;
    while let Some(around) = by_id(at.parent) {
        if Some(around.activity.as_str()) == scope {
            return around.id;
        }
        at = around;
    }
    at.parent
}

impl<'r> Tree<'r> {
    fn new(ids: Ids, rows: &'r Rows, definition: &'r Definition) -> Self {
        let mut children = HashMap::<Id, Vec<&Execution>>::new();
        for execution in rows
            .executions
            .iter()
            .filter(|execution| execution.state != ExecutionState::Ended)
        {
            let parent = logical_parent(execution, rows, definition);
            children.entry(parent).or_default().push(execution);
        }
        let row = &definition.row;
        Self {
            ids,
            rows,
            definition,
            definition_id: ids.definition(&row.key, row.version, row.id),
            children,
        }
    }

    fn root(&self) -> Json {
        let id = self.ids.text(self.rows.instance.id);
        let mut node = self.node(self.rows.instance.id, &id, None);
        node.insert("activityId".into(), self.definition_id.clone().into());
        node.insert("activityType".into(), "processDefinition".into());
        self.name(&mut node, self.definition.row.name.as_deref());
        Json::Object(node)
    }

    fn activity(&self, execution: &Execution, parent: &str) -> Json {
        let id = self.ids.activity(Some(execution.entered()), execution.id);
        let (kind, name) = super::element(self.definition, &execution.activity);
        let mut node = self.node(execution.id, &id, Some(parent));
        node.insert("activityId".into(), execution.activity.clone().into());
        node.insert("activityType".into(), kind.into());
        self.name(&mut node, name);
        Json::Object(node)
    }

    /// What activity instances have, whatever they are of.
    fn node(&self, execution: Id, id: &str, parent: Option<&str>) -> Map<String, Json> {
        let (mut activities, mut transitions) = (Vec::new(), Vec::new());
        for child in self.children.get(&execution).into_iter().flatten() {
            match child.state {
                ExecutionState::AsyncBefore | ExecutionState::AsyncAfter { .. } => {
                    transitions.push(self.transition(child, id));
                }
                ExecutionState::Active | ExecutionState::Joining { .. } | ExecutionState::Compensating => {
                    activities.push(self.activity(child, id));
                }
                ExecutionState::Ended => {}
            }
        }
        let mut node = Map::new();
        node.insert("id".into(), id.into());
        node.insert("parentActivityInstanceId".into(), parent.into());
        node.insert("processInstanceId".into(), self.ids.json(self.rows.instance.id));
        node.insert("processDefinitionId".into(), self.definition_id.clone().into());
        node.insert("childActivityInstances".into(), activities.into());
        node.insert("childTransitionInstances".into(), transitions.into());
        node.insert("executionIds".into(), json!([self.ids.text(execution)]));
        self.incidents(&mut node, execution);
        node
    }

    fn transition(&self, execution: &Execution, parent: &str) -> Json {
        let (kind, name) = super::element(self.definition, &execution.activity);
        let mut node = Map::new();
        node.insert("id".into(), self.ids.json(execution.id));
        node.insert("parentActivityInstanceId".into(), parent.into());
        node.insert("processInstanceId".into(), self.ids.json(self.rows.instance.id));
        node.insert("processDefinitionId".into(), self.definition_id.clone().into());
        node.insert("activityId".into(), execution.activity.clone().into());
        node.insert("activityName".into(), name.into());
        node.insert("activityType".into(), kind.into());
        node.insert("executionId".into(), self.ids.json(execution.id));
        node.insert("targetActivityId".into(), execution.activity.clone().into());
        self.incidents(&mut node, execution.id);
        Json::Object(node)
    }

    fn name(&self, node: &mut Map<String, Json>, name: Option<&str>) {
        node.insert("activityName".into(), name.into());
        node.insert("name".into(), name.into());
    }

    fn incidents(&self, node: &mut Map<String, Json>, execution: Id) {
        let own = || {
            self.rows
                .incidents
                .iter()
                .filter(|incident| incident.execution == Some(execution))
        };
        node.insert(
            "incidentIds".into(),
            own().map(|incident| self.ids.json(incident.id)).collect(),
        );
        let shown = |incident: &Incident| json!({ "id": self.ids.text(incident.id), "activityId": incident.activity });
        node.insert("incidents".into(), own().map(shown).collect());
    }
}

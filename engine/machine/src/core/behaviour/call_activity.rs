//! Call activity: starts an instance of another definition and waits for its end.

use std::sync::Arc;

use crate::core::agenda::Op;
use crate::core::context::Site;
use crate::core::halt::{Halt, Run};
use crate::core::place::Place;
use crate::core::work::Work;
use crate::id::Id;
use crate::model::{Binding, CallActivity, Kind, Mapping};
use crate::row::Instance;
use crate::value::Value;
use crate::view::{Definition, Tenant};

/// How deep calls may nest: a definition that calls itself without end stops here.
const DEPTH_MAX: usize = 64;

pub(super) fn execute(work: &mut Work<'_>, place: &Place, call: &CallActivity) -> Run<()> {
    check_depth(work, place)?;
    if let Some(name) = &call.mapping_delegate {
        return Err(Halt::execution(format!(
            "the variable mapping '{name}' of '{}' cannot be called: use camunda:in and camunda:out",
            place.element().id
        )));
    }
    let site = Site::from(place);
    let definition = called_definition(work, &site, call)?;
    let mut business_key = None;
    let mut variables = Vec::new();
    for mapping in &call.inputs {
        match mapping {
            Mapping::BusinessKey(expression) => business_key = work.evaluate_text(&site, expression)?,
            other => variables.extend(mapped(work, &site, other)?),
        }
    }
    work.start_called(&site, &definition, business_key, variables)
}

fn check_depth(work: &mut Work<'_>, place: &Place) -> Run<()> {
    let mut instance = place.instance;
    for _ in 0..DEPTH_MAX {
        match work.instance(instance)?.and_then(|row| row.super_instance) {
            Some(caller) => instance = caller,
            None => return Ok(()),
        }
    }
    Err(Halt::execution(format!(
        "calls are nested deeper than {DEPTH_MAX} levels at '{}'",
        place.element().id
    )))
}

fn called_definition(work: &mut Work<'_>, site: &Site, call: &CallActivity) -> Run<Arc<Definition>> {
    let key = work.evaluate_text(site, &call.called)?.unwrap_or_default();
    let tenant = match work.optional_text(site, call.tenant.as_ref())? {
        Some(tenant) => Some(tenant),
        None => site.definition.row.tenant.clone(),
    };
    let tenant = tenant.map_or(Tenant::None, Tenant::Is);
    let found = match &call.binding {
        Binding::Latest => work.view.latest_definitions(&key, &tenant)?.into_iter().next(),
        Binding::Deployment => work
            .view
            .definitions_of_deployment(site.definition.row.deployment)?
            .into_iter()
            .find(|definition| definition.row.key == key),
        Binding::Version(version) => {
            let version = work.whole_number(site, version)?;
            work.view.definition_by_version(&key, version, &tenant)?
        }
        Binding::VersionTag(tag) => {
            let tag = work.evaluate_text(site, tag)?;
            tagged(work, &key, tag.as_deref(), &tenant)?
        }
    };
    let definition = found.ok_or_else(|| Halt::execution(format!("no processes deployed with key '{key}'")))?;
    work.put_definition(Arc::clone(&definition));
    Ok(definition)
}

/// The latest version with a tag.
fn tagged(work: &mut Work<'_>, key: &str, tag: Option<&str>, tenant: &Tenant) -> Run<Option<Arc<Definition>>> {
    let Some(latest) = work.view.latest_definitions(key, tenant)?.into_iter().next() else {
        return Ok(None);
    };
    for version in (1..=latest.row.version).rev() {
        if let Some(definition) = work.view.definition_by_version(key, version, tenant)?
            && definition.row.version_tag.as_deref() == tag
        {
            return Ok(Some(definition));
        }
    }
    Ok(None)
}

/// The variables that a mapping takes from one side.
pub(super) fn mapped(work: &mut Work<'_>, from: &Site, mapping: &Mapping) -> Run<Vec<(String, Value, bool)>> {
    Ok(match mapping {
        Mapping::All { local } => {
            let values = if *local {
                work.local_values(from.execution)?
            } else {
                work.visible_values(from.execution)?
            };
            values.into_iter().map(|(name, value)| (name, value, *local)).collect()
        }
        Mapping::Variable { source, target, local } => {
            let value = work.value(from.execution, source)?.unwrap_or(Value::Null);
            vec![(target.clone(), value, *local)]
        }
        Mapping::Expression { source, target, local } => {
            vec![(target.clone(), work.evaluate(from, source)?.into_value(), *local)]
        }
        Mapping::BusinessKey(_) => Vec::new(),
    })
}

impl Work<'_> {
    /// Starts the called instance.
    fn start_called(
        &mut self,
        caller: &Site,
        definition: &Arc<Definition>,
        business_key: Option<String>,
        variables: Vec<(String, Value, bool)>,
    ) -> Run<()> {
        let start = definition.model.initial.ok_or_else(|| no_start(definition))?;
        let id = self.new_instance(definition, business_key, Some(caller), Some(start))?;
        self.history.activity_called(caller.execution, id);
        self.called.insert(caller.execution, id);
        let inputs: Vec<_> = variables
            .into_iter()
            .map(|(name, value, _)| crate::command::VariableInput {
                name,
                value,
                transient: false,
            })
            .collect();
        self.launch(definition, id, start, &inputs, &[])
    }

    /// The instance that a call activity's execution has started and that runs.
    pub(in crate::core) fn called_instance(&mut self, execution: Id) -> Run<Option<Id>> {
        if let Some(id) = self.called.get(&execution) {
            return Ok(self.instance(*id)?.map(|row| row.id).or(None));
        }
        let found = self.view.called_instance(execution)?;
        Ok(found.map(|row| {
            let id = row.id;
            self.tables.instances.load(row);
            id
        }))
    }

    /// An instance ends: where a call activity has started it, its variables go there, and it goes on.
    pub(in crate::core) fn return_to_caller(&mut self, instance: &Instance, deleted: bool) -> Run<()> {
        let Some(caller) = instance.super_execution else {
            return Ok(());
        };
        if deleted {
            return Ok(());
        }
        let place = self.place(caller)?;
        self.map_called_outputs(instance.id, &place)?;
        self.agenda.push(Op::Returned { execution: caller });
        Ok(())
    }

    /// Variables of the called instance go to the caller.
    pub(in crate::core) fn map_called_outputs(&mut self, called: Id, caller: &Place) -> Run<()> {
        let Kind::Call(call) = &caller.element().kind else {
            return Ok(());
        };
        let Some(definition) = self.instance(called)?.map(|row| row.definition) else {
            return Ok(());
        };
        let definition = self.known_definition(definition)?;
        let from = Site {
            execution: called,
            instance: called,
            definition,
            ix: None,
        };
        for mapping in &call.outputs {
            for (name, value, local) in mapped(self, &from, mapping)? {
                if local {
                    self.set_local_variable(caller.execution, &name, value, false)?;
                } else {
                    self.set_variable(caller.execution, &name, value, false)?;
                }
            }
        }
        Ok(())
    }
}

/// A definition that cannot be started by its key.
pub(in crate::core) fn no_start(definition: &Definition) -> Halt {
    Halt::execution(format!(
        "Process definition '{}' has no default start activity (e.g. none start event), hence you cannot use startProcessInstanceBy... but have to start using one of the modeled start events (e.g. message start events).",
        definition.row.key
    ))
}

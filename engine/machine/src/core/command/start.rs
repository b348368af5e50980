//! Starting instances.

use std::sync::Arc;

use crate::command::{Once, Reply, Start, StartAt, StartStatus, StartTarget, Started, VariableInput};
use crate::core::behaviour::{SignalPayload, no_start};
use crate::core::context::Site;
use crate::core::halt::{Halt, Run};
use crate::core::scope::MILLIS_OF_DAY;
use crate::core::work::Work;
use crate::error::{Entity, MachineError};
use crate::id::{Id, Millis};
use crate::model::{ElementIx, ListenerEvent};
use crate::row::{EventSubscription, HistoricInstance, Instance, InstanceState, Job};
use crate::value::Value;
use crate::view::{Definition, Tenant};

/// How an instance is started.
pub(super) struct Launch<'l> {
    pub(super) definition: &'l Arc<Definition>,
    /// None: by the instructions.
    pub(super) start: Option<ElementIx>,
    /// Where to start instead of the start event.
    pub(super) at: &'l [StartAt],
    /// The instance that is started again.
    pub(super) restarted: Option<Id>,
    pub(super) business_key: Option<&'l str>,
    pub(super) variables: &'l [VariableInput],
    /// Set on the start event's execution.
    pub(super) triggered: &'l [VariableInput],
    /// The variables were submitted with the form of the start event.
    pub(super) form: bool,
    pub(super) once: &'l Once,
    pub(super) with_variables: bool,
}

impl Work<'_> {
    /// By a call, or by a form whose fields are submitted with it.
    pub(super) fn start(&mut self, start: &Start, form: bool) -> Run<Reply> {
        let definition = self.start_target(&start.target)?;
        let initial = match definition.model.initial {
            _ if !start.at.is_empty() => None,
            None => return Err(no_start(&definition)),
            initial => initial,
        };
        self.skip_listeners |= start.skip_custom_listeners;
        self.skip_io_mappings |= start.skip_io_mappings;
        let started = self.start_once(&Launch {
            definition: &definition,
            start: initial,
            at: &start.at,
            restarted: None,
            business_key: start.business_key.as_deref(),
            variables: &start.variables,
            triggered: &[],
            form,
            once: &start.once,
            with_variables: start.with_variables,
        })?;
        Ok(Reply::Started(Box::new(started)))
    }

    fn start_target(&mut self, target: &StartTarget) -> Run<Arc<Definition>> {
        let not_found = |message| MachineError::NotFound {
            kind: Entity::ProcessDefinition,
            message,
        };
        match target {
            StartTarget::Definition(id) => {
                let text = self.text(*id);
                Ok(self
                    .definition(*id)?
                    .ok_or_else(|| not_found(format!("no deployed process definition found with id '{text}'")))?)
            }
            StartTarget::Key { key, tenant } => {
                let mut found = self.view.latest_definitions(key, tenant)?;
                if found.len() > 1 {
                    return Err(MachineError::BadUserRequest(format!(
                        "multiple tenants have a process definition with key '{key}': name one of them"
                    ))
                    .into());
                }
                let definition = found.pop().ok_or_else(|| {
                    not_found(match tenant {
                        Tenant::Is(tenant) => {
                            format!("No matching process definition with key: {key} and tenant-id: {tenant}")
                        }
                        _ => format!("No matching process definition with key: {key} and no tenant-id"),
                    })
                })?;
                self.put_definition(Arc::clone(&definition));
                Ok(definition)
            }
        }
    }

    /// Starts an instance, unless it has been started before, and runs it to its wait states.
    pub(super) fn start_once(&mut self, launch: &Launch<'_>) -> Run<Started> {
        if let Some(mut started) = self.started_before(launch.once, launch.definition, launch.business_key)? {
            if launch.with_variables && !started.ended {
                started.variables = self.local_values(started.instance.id)?;
            }
            return Ok(started);
        }
        self.keep_variables |= launch.with_variables;
        let id = self.begin_instance(launch)?;
        self.keep_dedupe_key(launch.once, launch.definition, id, launch.business_key);
        self.run_agenda()?;
        self.started(id, launch)
    }

    fn begin_instance(&mut self, launch: &Launch<'_>) -> Run<Id> {
        if launch.definition.row.suspended {
            return Err(MachineError::Suspended(format!(
                "ENGINE-03043 Process definition with id '{}' is suspended.",
                self.definition_text(&launch.definition.row)
            ))
            .into());
        }
        self.put_definition(Arc::clone(launch.definition));
        let business_key = launch.business_key.map(str::to_owned);
        let id = self.new_instance(launch.definition, business_key, None, launch.start)?;
        if let Some(restarted) = launch.restarted {
            self.history.restarted(id, restarted);
        }
        match launch.start {
            Some(start) if launch.form => {
                self.attempt(|work| {
                    let site = work.open_instance(launch.definition, id, &[])?;
                    work.submit_start_form(&site, launch.variables)?;
                    work.go(&site, start, launch.triggered)
                })?;
            }
            Some(start) => {
                self.attempt(|work| work.launch(launch.definition, id, start, launch.variables, launch.triggered))?;
            }
            None => {
                self.attempt(|work| {
                    let site = work.open_instance(launch.definition, id, launch.variables)?;
                    work.start_process(&site).map(drop)
                })?;
                self.start_by_instructions(id, launch.at)?;
            }
        }
        Ok(id)
    }

    fn started(&mut self, id: Id, launch: &Launch<'_>) -> Run<Started> {
        let definition = launch.definition.row.clone();
        let status = StartStatus::Created;
        if let Some(ended) = self.ended.get(&id).cloned() {
            let (instance, variables) = (ended.instance, ended.variables);
            return Ok(Started {
                instance,
                definition,
                ended: true,
                status,
                variables,
            });
        }
        let variables = if launch.with_variables {
            self.local_values(id)?
        } else {
            Vec::new()
        };
        match self.instance(id)?.cloned() {
            Some(instance) => Ok(Started {
                instance,
                definition,
                ended: false,
                status,
                variables,
            }),
            None => Err(Halt::execution("the started instance is missing")),
        }
    }

    /// Makes an instance; its history begins.
    pub(in crate::core) fn new_instance(
        &mut self,
        definition: &Arc<Definition>,
        business_key: Option<String>,
        caller: Option<&Site>,
        start: Option<ElementIx>,
    ) -> Run<Id> {
        let id = self.id()?;
        let root = match caller {
            Some(caller) => self.instance(caller.instance)?.map_or(id, |row| row.root),
            None => id,
        };
        let removal_time = self.removal_time_at_start(root, id, definition)?;
        let instance = Instance {
            id,
            definition: definition.row.id,
            business_key,
            tenant: definition.row.tenant.clone(),
            root,
            super_instance: caller.map(|caller| caller.instance),
            super_execution: caller.map(|caller| caller.execution),
            start_time: self.now(),
            suspended: false,
        };
        self.history.instance_start(HistoricInstance {
            id,
            definition: instance.definition,
            definition_key: definition.row.key.clone(),
            business_key: instance.business_key.clone(),
            tenant: instance.tenant.clone(),
            root,
            super_instance: instance.super_instance,
            start_time: instance.start_time,
            start_activity: start.map(|start| definition.model.at(start).id.clone()),
            end_time: None,
            end_activity: None,
            delete_reason: None,
            state: InstanceState::Active,
            start_user: self.env.user.clone(),
            restarted: None,
            removal_time,
        });
        self.insert(instance);
        Ok(id)
    }

    /// Sets an instance going: subscriptions of its event sub-processes, variables, timers, start listeners, and a
    /// token at its start event.
    pub(in crate::core) fn launch(
        &mut self,
        definition: &Arc<Definition>,
        id: Id,
        start: ElementIx,
        variables: &[VariableInput],
        triggered: &[VariableInput],
    ) -> Run<()> {
        let site = self.open_instance(definition, id, variables)?;
        self.go(&site, start, triggered)
    }

    /// Start listeners, and a token at the start event.
    fn go(&mut self, site: &Site, start: ElementIx, triggered: &[VariableInput]) -> Run<()> {
        // Where a job stands before the start event, all this happens in the job.
        if !site.definition.model.at(start).async_before && !self.start_process(site)? {
            return Ok(());
        }
        let execution = self.send(site.instance, site.instance, &site.definition, start)?;
        self.set_local_variables(execution, triggered)
    }

    fn submit_start_form(&mut self, site: &Site, variables: &[VariableInput]) -> Run<()> {
        let definition = Arc::clone(&site.definition);
        self.initial_variables = true;
        let set = self.submit_form(site, &definition.model.start_form, None, variables);
        self.initial_variables = false;
        set
    }

    /// When the history of an instance goes, where that counts from the start of the one at the top.
    fn removal_time_at_start(&mut self, root: Id, id: Id, definition: &Definition) -> Run<Option<Millis>> {
        if !self.env.removal_time_at_start {
            return Ok(None);
        }
        let (begun, days) = if root == id {
            (self.now(), definition.row.history_time_to_live)
        } else {
            let Some((begun, top)) = self.instance(root)?.map(|row| (row.start_time, row.definition)) else {
                return Ok(None);
            };
            (begun, self.known_definition(top)?.row.history_time_to_live)
        };
        Ok(days.map(|days| begun + Millis::from(days) * MILLIS_OF_DAY))
    }

    /// Subscriptions of the event sub-processes of an instance, variables and timers.
    fn open_instance(&mut self, definition: &Arc<Definition>, id: Id, variables: &[VariableInput]) -> Run<Site> {
        let site = Site {
            execution: id,
            instance: id,
            definition: Arc::clone(definition),
            ix: None,
        };
        self.subscribe_process(&site)?;
        if let Some(name) = &definition.model.initiator {
            // Nobody is logged in to an engine without users.
            let user = self.env.user.clone().map_or(Value::Null, Value::String);
            self.set_local_variable(id, name, user, false)?;
        }
        self.initial_variables = true;
        let set = self.set_local_variables(id, variables);
        self.initial_variables = false;
        set?;
        self.start_process_timers(&site)?;
        Ok(site)
    }

    /// The start listeners of a process, and its conditions; whether its start event begins.
    pub(in crate::core) fn start_process(&mut self, site: &Site) -> Run<bool> {
        let definition = Arc::clone(&site.definition);
        for listener in definition
            .model
            .listeners
            .iter()
            .filter(|listener| listener.event == ListenerEvent::Start)
        {
            self.call_listener(site, listener, None)?;
        }
        Ok(!definition.model.conditional || self.show_scope(site.execution)?)
    }

    /// A timer start event is due.
    pub(in crate::core) fn start_by_timer(&mut self, job: &Job) -> Run<()> {
        let Some(definition) = job.definition else {
            return Err(Halt::execution("the job has no definition"));
        };
        let definition = self.known_definition(definition)?;
        self.start_at(&definition, &job.activity, None, &[])
    }

    /// A signal start event has its signal. A definition that is suspended does not start.
    pub(in crate::core) fn start_by_signal(
        &mut self,
        subscription: &EventSubscription,
        payload: &SignalPayload,
    ) -> Run<()> {
        let definition = self.known_definition(subscription.definition)?;
        if definition.row.suspended {
            return Ok(());
        }
        let business_key = payload.business_key.as_deref();
        self.start_at(&definition, &subscription.activity, business_key, &payload.variables)
    }

    fn start_at(
        &mut self,
        definition: &Arc<Definition>,
        activity: &str,
        business_key: Option<&str>,
        variables: &[VariableInput],
    ) -> Run<()> {
        let Some(start) = definition.model.find(activity) else {
            return Err(Halt::execution(format!(
                "the process model has no element '{activity}'"
            )));
        };
        let once = Once::default();
        self.begin_instance(&Launch {
            definition,
            start: Some(start),
            at: &[],
            restarted: None,
            business_key,
            variables,
            triggered: &[],
            form: false,
            once: &once,
            with_variables: false,
        })
        .map(drop)
    }
}

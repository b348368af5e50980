//! `POST /signal` and `POST /condition`: events that are for everyone.

use std::sync::Arc;

use crate::command::{Evaluate, Reply, Signal, Started};
use crate::core::behaviour::SignalPayload;
use crate::core::context::Site;
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::error::{Entity, MachineError};
use crate::expression::{Context, Datum, EvalError, HostObject};
use crate::id::Millis;
use crate::model::{Condition, ConditionDefinition, ElementIx, Script, Trigger};
use crate::row::EventKind;
use crate::view::{Definition, Tenant};

use super::start::Launch;

impl Work<'_> {
    /// Hands a signal to its receivers, one after the other; each runs to its wait states.
    pub(super) fn receive_signal(&mut self, signal: &Signal) -> Run<Reply> {
        let payload = SignalPayload {
            variables: signal.variables.clone(),
            business_key: None,
        };
        let receivers = match signal.execution {
            None => self.signal_receivers(&signal.name, &signal.tenant)?,
            Some(_) if signal.tenant != Tenant::Any => {
                return Err(MachineError::BadUserRequest(
                    "Cannot specify a tenant-id when deliver a signal to a single execution.".to_owned(),
                )
                .into());
            }
            Some(execution) => {
                let text = self.text(execution);
                if self.execution(execution)?.is_none() && self.instance(execution)?.is_none() {
                    return Err(MachineError::NullValue(format!(
                        "Cannot find execution with id '{text}': execution is null"
                    ))
                    .into());
                }
                let mut found = Vec::new();
                for id in self.subscriptions_of(execution)? {
                    if self
                        .subscription(id)?
                        .is_some_and(|row| row.kind == EventKind::Signal && row.name == signal.name)
                    {
                        found.push(id);
                    }
                }
                if found.is_empty() {
                    return Err(MachineError::NotFound {
                        kind: Entity::EventSubscription,
                        message: format!(
                            "Execution '{text}' has not subscribed to a signal event with name '{}'.",
                            signal.name
                        ),
                    }
                    .into());
                }
                found
            }
        };
        // Those who wait come before what is started.
        let mut starts = Vec::new();
        for id in receivers {
            match self.subscription(id)?.cloned() {
                Some(row) if row.execution.is_none() => starts.push(row),
                Some(row) => {
                    self.deliver_signal(&row, &payload)?;
                    self.run_agenda()?;
                }
                // One receiver may have ended another.
                None => {}
            }
        }
        for row in starts {
            self.deliver_signal(&row, &payload)?;
            self.run_agenda()?;
        }
        Ok(Reply::Done)
    }

    /// Starts an instance for each conditional start event whose condition holds.
    pub(super) fn evaluate_starts(&mut self, evaluate: &Evaluate) -> Run<Reply> {
        let mut launches = Vec::new();
        for (definition, start) in self.conditional_starts(evaluate)? {
            let Some(Trigger::Condition(condition)) = definition.model.trigger(start) else {
                continue;
            };
            if !definition.row.suspended && self.holds_for(&definition, start, condition, evaluate)? {
                launches.push((definition, start));
            }
        }
        let mut started: Vec<Started> = Vec::new();
        for (definition, start) in launches {
            started.push(self.start_once(&Launch {
                definition: &definition,
                start: Some(start),
                at: &[],
                restarted: None,
                business_key: evaluate.business_key.as_deref(),
                variables: &evaluate.variables,
                triggered: &[],
                form: false,
                once: &crate::command::Once::default(),
                with_variables: false,
            })?);
        }
        Ok(Reply::StartedAll(started))
    }

    fn conditional_starts(&mut self, evaluate: &Evaluate) -> Run<Vec<(Arc<Definition>, ElementIx)>> {
        let Some(id) = evaluate.definition else {
            let rows = self
                .view
                .start_subscriptions(EventKind::Conditional, "", &evaluate.tenant)?;
            let mut starts = Vec::new();
            for row in rows {
                let definition = self.known_definition(row.definition)?;
                if let Some(start) = definition.model.find(&row.activity) {
                    starts.push((definition, start));
                }
            }
            if starts.is_empty() {
                return Err(MachineError::Execution(
                    "ENGINE-13043 No subscriptions were found during evaluation of the conditional start events."
                        .to_owned(),
                )
                .into());
            }
            return Ok(starts);
        };
        let text = self.text(id);
        let definition = self.definition(id)?.ok_or_else(|| MachineError::NotFound {
            kind: Entity::ProcessDefinition,
            message: format!("no deployed process definition found with id '{text}'"),
        })?;
        let starts: Vec<_> = definition
            .model
            .start_events()
            .filter(|(_, _, start)| matches!(start.trigger, Trigger::Condition(_)))
            .map(|(ix, _, _)| (Arc::clone(&definition), ix))
            .collect();
        if starts.is_empty() && !definition.row.suspended {
            return Err(MachineError::Execution(format!(
                "ENGINE-13042 Process definition with id '{}' does not declare conditional start event.",
                self.definition_text(&definition.row)
            ))
            .into());
        }
        Ok(starts)
    }

    fn holds_for(
        &mut self,
        definition: &Arc<Definition>,
        start: ElementIx,
        condition: &ConditionDefinition,
        evaluate: &Evaluate,
    ) -> Run<bool> {
        if let Some(wanted) = &condition.variable
            && !evaluate.variables.iter().any(|input| input.name == *wanted)
        {
            return Ok(false);
        }
        let expression = match &condition.condition {
            Condition::Expression(expression) | Condition::Script(Script::Juel(expression)) => expression,
            Condition::Script(Script::Source { format, source }) => {
                let nobody = self.id()?;
                let site = Site {
                    execution: nobody,
                    instance: nobody,
                    definition: Arc::clone(definition),
                    ix: Some(start),
                };
                let given = evaluate.variables.iter();
                let given = given.map(|input| (input.name.clone(), input.value.clone())).collect();
                return self.holds_before(&site, (format, source), given);
            }
        };
        let mut given = Given {
            evaluate,
            now: self.now(),
        };
        match expression.condition(&mut given) {
            Ok(holds) => Ok(holds),
            Err(EvalError::Unknown(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Knows the variables of the request: there is no instance yet.
struct Given<'e> {
    evaluate: &'e Evaluate,
    now: Millis,
}

impl Context for Given<'_> {
    fn resolve(&mut self, name: &str) -> Result<Option<Datum>, EvalError> {
        let mut variables = self.evaluate.variables.iter().rev();
        Ok(variables
            .find(|input| input.name == name)
            .map(|input| Datum::from(&input.value)))
    }

    fn property(&mut self, _: HostObject, _: &str) -> Result<Option<Datum>, EvalError> {
        Ok(None)
    }

    fn call(&mut self, _: HostObject, _: &str, _: &[Datum]) -> Result<Option<Datum>, EvalError> {
        Ok(None)
    }

    fn now(&self) -> Millis {
        self.now
    }
}

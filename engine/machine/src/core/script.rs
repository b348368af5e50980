//! Scripts: `juel` is evaluated here; every other language is a request, whose answer brings the result and what the
//! script set.

use super::context::Site;
use super::halt::{Halt, Run};
use super::outside::OnFailure;
use super::work::Work;
use crate::error::MachineError;
use crate::expression::Datum;
use crate::id::Id;
use crate::model::{Condition, Script, ScriptSource};
use crate::request::{Answer, RequestKind, ScriptCall};
use crate::row::UserTask;
use crate::value::Value;

/// Where a resource of the deployment is named.
const DEPLOYMENT: &str = "deployment://";

/// What a script is run for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Occasion<'o> {
    /// `eventName` of the execution or task.
    pub(super) event: Option<&'o str>,
    /// The sequence flow of a take listener.
    pub(super) transition: Option<&'o str>,
    /// Of a task listener.
    pub(super) task: Option<Id>,
}

/// What a condition's script gave.
fn truth(result: &Datum) -> Run<bool> {
    match result {
        Datum::Boolean(truth) => Ok(*truth),
        Datum::Null => Err(Halt::execution("condition script returns null")),
        _ => Err(Halt::execution("condition script returns non-Boolean")),
    }
}

impl Work<'_> {
    /// Runs a script, and sets the variables that it set.
    pub(super) fn run_script(
        &mut self,
        site: &Site,
        script: &Script,
        occasion: Occasion<'_>,
        on_failure: OnFailure,
    ) -> Run<Datum> {
        let failed = |error: MachineError| match on_failure {
            OnFailure::EndCommand => Halt::Error(error),
            OnFailure::Throw => Halt::failure(error, site.execution),
        };
        let (format, source) = match script {
            Script::Juel(expression) => {
                let result = self.evaluate_with(site, expression, None, occasion.task);
                return result.map_err(|error| failed(error.into()));
            }
            Script::Source { format, source } => (format.clone(), self.script_text(site, source)?),
        };
        let call = self.script_call(site, format, source, occasion)?;
        match self.ask(site.instance, |_| RequestKind::Script(call))? {
            Answer::Evaluated {
                result,
                variables,
                local_variables,
                removed,
                task,
            } => {
                let local = self.local_scope(site.execution)?;
                self.set_local_variables(local, local_variables)?;
                self.set_variables(site.execution, variables)?;
                for name in removed {
                    self.remove_variable(site.execution, name)?;
                }
                if let Some(id) = occasion.task {
                    for (name, value) in task {
                        self.set_task_property(id, name, value)?;
                    }
                }
                Ok(Datum::from(result))
            }
            Answer::BpmnError {
                code,
                message,
                variables,
            } => {
                self.set_variables(site.execution, variables)?;
                Err(Halt::bpmn(code.clone(), message.clone(), site.execution))
            }
            Answer::Failed { message } => {
                let failure = self.script_failure(site, message);
                Err(failed(failure))
            }
            Answer::Delegated { .. } => Err(Halt::execution("a script was answered as a delegate")),
        }
    }

    /// Whether the condition of a sequence flow or event holds.
    pub(super) fn condition_holds(&mut self, site: &Site, condition: &Condition) -> Run<bool> {
        match condition {
            Condition::Expression(expression) => Ok(self.condition(site, expression)?),
            Condition::Script(script) => {
                truth(&self.run_script(site, script, Occasion::default(), OnFailure::EndCommand)?)
            }
        }
    }

    /// Whether the script of a start event's condition holds over variables of which no instance exists yet. What it
    /// sets is set on nothing.
    pub(super) fn holds_before(
        &mut self,
        site: &Site,
        (format, source): (&str, &ScriptSource),
        variables: Vec<(String, Value)>,
    ) -> Run<bool> {
        let source = self.script_text(site, source)?;
        let call = ScriptCall {
            local_variables: variables.clone(),
            variables,
            ..self.script_call(site, format.to_owned(), source, Occasion::default())?
        };
        match self.ask(site.instance, |_| RequestKind::Script(call))? {
            Answer::Evaluated { result, .. } => truth(&Datum::from(result)),
            Answer::Failed { message } => Err(Halt::Error(self.script_failure(site, message))),
            Answer::BpmnError { .. } => Err(Halt::execution(
                "nobody can catch an error of a start event's condition",
            )),
            Answer::Delegated { .. } => Err(Halt::execution("a script was answered as a delegate")),
        }
    }

    fn script_failure(&self, site: &Site, message: &str) -> MachineError {
        MachineError::Script(format!(
            "Unable to evaluate script while executing activity '{}' in the process definition with id '{}': {message}",
            site.activity_id(),
            self.definition_text(&site.definition.row)
        ))
    }

    fn script_text(&mut self, site: &Site, source: &ScriptSource) -> Run<String> {
        match source {
            ScriptSource::Text(text) => Ok(text.clone()),
            ScriptSource::Dynamic(expression) => Ok(self.evaluate_text(site, expression)?.unwrap_or_default()),
            ScriptSource::Resource(expression) => {
                let name = self.evaluate_text(site, expression)?.unwrap_or_default();
                let wanted = name.strip_prefix(DEPLOYMENT).unwrap_or(&name);
                let resources = self.view.resources(site.definition.row.deployment)?;
                let found = resources.into_iter().find(|resource| resource.name == wanted);
                let text = found.and_then(|resource| String::from_utf8(resource.bytes).ok());
                text.ok_or_else(|| {
                    Halt::execution(format!(
                        "the deployment has no script '{name}': deploy it with the model, and name it '{DEPLOYMENT}{wanted}'"
                    ))
                })
            }
        }
    }

    fn script_call(&mut self, site: &Site, format: String, source: String, occasion: Occasion<'_>) -> Run<ScriptCall> {
        let instance = self.instance(site.instance)?.cloned();
        let local = self.local_scope(site.execution)?;
        let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
        let activity_instance = match site.ix {
            Some(_) => format!("{}:{}", site.activity_id(), self.text(site.execution)),
            None => self.text(site.instance),
        };
        let business_key = text(instance.as_ref().and_then(|row| row.business_key.clone()));
        let execution = [
            ("id", Value::String(self.text(site.execution))),
            ("processInstanceId", Value::String(self.text(site.instance))),
            ("businessKey", business_key.clone()),
            ("processBusinessKey", business_key),
            ("tenantId", text(instance.and_then(|row| row.tenant))),
            (
                "processDefinitionId",
                Value::String(self.definition_text(&site.definition.row)),
            ),
            ("processDefinitionKey", Value::String(site.definition.row.key.clone())),
            ("currentActivityId", Value::String(site.activity_id().to_owned())),
            ("currentActivityName", text(site.activity_name().map(str::to_owned))),
            ("currentTransitionId", text(occasion.transition.map(str::to_owned))),
            ("activityInstanceId", Value::String(activity_instance)),
            ("eventName", text(occasion.event.map(str::to_owned))),
        ];
        let task = match occasion.task {
            Some(id) => self
                .task(id)?
                .cloned()
                .map(|task| self.task_facts(&task, occasion.event)),
            None => None,
        };
        Ok(ScriptCall {
            format,
            source,
            activity_id: site.activity_id().to_owned(),
            variables: self.visible_values(site.execution)?,
            local_variables: self.local_values(local)?,
            execution: execution
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            task,
        })
    }

    fn task_facts(&self, task: &UserTask, event: Option<&str>) -> Vec<(String, Value)> {
        let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::String);
        let date = |date: Option<i64>| date.map_or(Value::Null, Value::Date);
        [
            ("id", Value::String(self.text(task.id))),
            ("name", text(&task.name)),
            ("description", text(&task.description)),
            ("assignee", text(&task.assignee)),
            ("owner", text(&task.owner)),
            ("priority", Value::Integer(task.priority)),
            ("taskDefinitionKey", text(&task.activity().map(str::to_owned))),
            ("dueDate", date(task.due)),
            ("followUpDate", date(task.follow_up)),
            ("createTime", Value::Date(task.created)),
            (
                "eventName",
                event.map_or(Value::Null, |event| Value::String(event.to_owned())),
            ),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

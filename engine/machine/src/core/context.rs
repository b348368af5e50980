//! What expressions see: the variables of a place and `execution`.

use std::sync::Arc;

use super::halt::{Halt, Run};
use super::place::Place;
use super::work::Work;
use crate::error::MachineError;
use crate::expression::{Context, Datum, EvalError, Expression, HostObject, decapitalise};
use crate::id::{Id, Millis};
use crate::model::{Element, ElementIx};
use crate::value::Value;
use crate::view::Definition;

/// Where an expression is evaluated: an execution, or an instance itself.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) execution: Id,
    pub(super) instance: Id,
    pub(super) definition: Arc<Definition>,
    /// None for the process itself.
    pub(super) ix: Option<ElementIx>,
}

impl From<&Place> for Site {
    fn from(place: &Place) -> Self {
        Self {
            execution: place.execution,
            instance: place.instance,
            definition: Arc::clone(&place.definition),
            ix: Some(place.ix),
        }
    }
}

impl Site {
    fn element(&self) -> Option<&Element> {
        self.ix.map(|ix| self.definition.model.at(ix))
    }

    /// The id of the element; that of the process where it is the process itself.
    pub(super) fn activity_id(&self) -> &str {
        self.element().map_or(&self.definition.model.key, |element| &element.id)
    }

    pub(super) fn activity_name(&self) -> Option<&str> {
        self.element().and_then(|element| element.name.as_deref())
    }

    pub(super) fn properties(&self) -> &[(String, String)] {
        self.element()
            .map_or(&self.definition.model.properties, |element| &element.properties)
    }
}

impl Work<'_> {
    pub(super) fn evaluate(&mut self, site: &Site, expression: &Expression) -> Result<Datum, EvalError> {
        expression.evaluate(&mut Sight {
            work: self,
            site,
            external_task: None,
            task: None,
        })
    }

    /// Evaluates an expression that may also see `externalTask`.
    pub(super) fn evaluate_with(
        &mut self,
        site: &Site,
        expression: &Expression,
        external_task: Option<Id>,
        task: Option<Id>,
    ) -> Result<Datum, EvalError> {
        expression.evaluate(&mut Sight {
            work: self,
            site,
            external_task,
            task,
        })
    }

    pub(super) fn condition(&mut self, site: &Site, expression: &Expression) -> Result<bool, EvalError> {
        expression.condition(&mut Sight {
            work: self,
            site,
            external_task: None,
            task: None,
        })
    }

    /// The text that an expression gives; null is none.
    pub(super) fn evaluate_text(&mut self, site: &Site, expression: &Expression) -> Result<Option<String>, EvalError> {
        match expression.literal() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Ok(self.evaluate(site, expression)?.into_text()),
        }
    }

    pub(super) fn optional_text(&mut self, site: &Site, expression: Option<&Expression>) -> Run<Option<String>> {
        match expression {
            Some(expression) => Ok(self.evaluate_text(site, expression)?),
            None => Ok(None),
        }
    }

    /// The priority of a job or external task. As in Camunda, an expression that cannot be evaluated makes it 0: a job
    /// must not fail for its priority alone.
    pub(super) fn priority(&mut self, site: &Site, expression: Option<&Expression>) -> Run<i64> {
        let Some(expression) = expression else { return Ok(0) };
        if let Some(text) = expression.literal() {
            return text
                .trim()
                .parse()
                .map_err(|_| Halt::execution(format!("Priority value is not an Integer: {}", expression.source())));
        }
        match self.evaluate(site, expression) {
            Ok(Datum::Short(number)) => Ok(number.into()),
            Ok(Datum::Integer(number)) => Ok(number.into()),
            Ok(Datum::Long(number)) => Ok(number),
            Ok(_) => Err(Halt::execution(format!(
                "Priority value is not an Integer: {}",
                expression.source()
            ))),
            Err(EvalError::Failed(_) | EvalError::Unknown(_)) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// A whole number of 32 bits, or a text that is one. Java's own exceptions end what is none of both, as in Camunda's
    /// `BaseCallableElement.getVersion` and `MultiInstanceActivityBehavior.resolveLoopCardinality`.
    pub(super) fn whole_number(&mut self, site: &Site, expression: &Expression) -> Run<i32> {
        match self.evaluate(site, expression)? {
            Datum::Text(text) => text.parse().map_err(|_| MachineError::number_format(&text).into()),
            Datum::Short(number) => Ok(number.into()),
            Datum::Integer(number) => Ok(number),
            Datum::Long(number) => {
                i32::try_from(number).map_err(|_| MachineError::number_format(&number.to_string()).into())
            }
            Datum::Double(number) => Ok(number as i32),
            _ => Err(Halt::execution(format!(
                "'{}' is neither a whole number nor a text that is one",
                expression.source()
            ))),
        }
    }

    /// A text that Camunda casts: every other value ends in a `ClassCastException`.
    pub(super) fn cast_text(&mut self, site: &Site, expression: Option<&Expression>) -> Run<Option<String>> {
        let Some(expression) = expression else { return Ok(None) };
        match self.evaluate(site, expression)? {
            Datum::Null => Ok(None),
            Datum::Text(text) => Ok(Some(text.to_string())),
            other => Err(MachineError::Java {
                class: "ClassCastException",
                message: format!(
                    "class {} cannot be cast to class java.lang.String ({})",
                    other.type_name(),
                    expression.source()
                ),
            }
            .into()),
        }
    }
}

struct Sight<'w, 'a, 's> {
    work: &'w mut Work<'a>,
    site: &'s Site,
    external_task: Option<Id>,
    task: Option<Id>,
}

/// Within an evaluation nothing is asked of the outside: only failures come back.
fn failed(halt: Halt) -> EvalError {
    match halt {
        Halt::Error(crate::MachineError::View(error)) => EvalError::View(error),
        Halt::Error(error) => EvalError::Failed(error.to_string()),
        Halt::Need(_) => EvalError::Failed("an expression cannot wait for an answer".to_owned()),
        Halt::Thrown(thrown) => EvalError::Failed(thrown.into_error().to_string()),
    }
}

fn text(text: Option<impl AsRef<str>>) -> Datum {
    text.map_or(Datum::Null, Datum::text)
}

impl Context for Sight<'_, '_, '_> {
    fn resolve(&mut self, name: &str) -> Result<Option<Datum>, EvalError> {
        match name {
            "execution" => return Ok(Some(Datum::Host(HostObject::Execution(self.site.execution)))),
            "externalTask" if self.external_task.is_some() => {
                return Ok(self.external_task.map(|id| Datum::Host(HostObject::ExternalTask(id))));
            }
            // Nobody is logged in to an engine without users.
            "authenticatedUserId" => return Ok(Some(Datum::Null)),
            "decisionResult" => {
                if let Some(result) = self.work.decision_result(self.site.execution)? {
                    return Ok(Some(result));
                }
            }
            "task" if self.task.is_some() => return Ok(self.task.map(|id| Datum::Host(HostObject::Task(id)))),
            _ => {}
        }
        Ok(self.work.value(self.site.execution, name)?.as_ref().map(Datum::from))
    }

    fn property(&mut self, object: HostObject, name: &str) -> Result<Option<Datum>, EvalError> {
        match object {
            HostObject::Execution(_) => self.execution_property(name),
            HostObject::ExternalTask(id) => {
                let Some(task) = self.work.external_task(id)?.cloned() else {
                    return Ok(None);
                };
                Ok(Some(match name {
                    "id" => Datum::text(self.work.text(id)),
                    "workerId" => text(task.worker),
                    "topicName" => Datum::text(task.topic),
                    "errorMessage" => text(task.error_message),
                    "errorDetails" => text(task.error_details),
                    "retries" => task.retries.map_or(Datum::Null, Datum::Integer),
                    "priority" => Datum::Long(task.priority),
                    "businessKey" => text(task.business_key),
                    "activityId" => Datum::text(task.activity),
                    "processInstanceId" => Datum::text(self.work.text(task.instance)),
                    _ => return Ok(None),
                }))
            }
            HostObject::Task(id) => {
                let Some(task) = self.work.task(id)?.cloned() else {
                    return Ok(None);
                };
                Ok(Some(match name {
                    "id" => Datum::text(self.work.text(id)),
                    "name" => text(task.name),
                    "description" => text(task.description),
                    "assignee" => text(task.assignee),
                    "owner" => text(task.owner),
                    "priority" => Datum::Integer(task.priority),
                    "taskDefinitionKey" => text(task.activity()),
                    "dueDate" => task.due.map_or(Datum::Null, Datum::Date),
                    "followUpDate" => task.follow_up.map_or(Datum::Null, Datum::Date),
                    "createTime" => Datum::Date(task.created),
                    "processInstanceId" => text(task.instance().map(|id| self.work.text(id))),
                    "execution" => Datum::Host(HostObject::Execution(self.site.execution)),
                    _ => return Ok(None),
                }))
            }
        }
    }

    fn call(&mut self, object: HostObject, method: &str, arguments: &[Datum]) -> Result<Option<Datum>, EvalError> {
        let scope = self.site.execution;
        let set = |work: &mut Work<'_>, local: bool, name: &Datum, value: Value| {
            let name = name.clone().into_text().unwrap_or_default();
            let outcome = match local {
                true => work
                    .local_scope(scope)
                    .and_then(|scope| work.set_local_variable(scope, &name, value, false)),
                false => work.set_variable(scope, &name, value, false),
            };
            outcome.map(|()| Some(Datum::Null)).map_err(failed)
        };
        let name = |datum: &Datum| datum.clone().into_text().unwrap_or_default();
        match (method, arguments) {
            ("getVariable", [key]) => {
                let value = self.work.value(scope, &name(key))?;
                Ok(Some(value.as_ref().map_or(Datum::Null, Datum::from)))
            }
            ("getVariableLocal", [key]) => {
                let local = self.work.local_scope(scope).map_err(failed)?;
                let value = self.work.local_value(local, &name(key))?;
                Ok(Some(value.as_ref().map_or(Datum::Null, Datum::from)))
            }
            // As it is stored, with its type: a file or a null that is passed on stays what it is.
            ("getVariableTyped", [key] | [key, Datum::Boolean(_)]) => {
                let value = self.work.value(scope, &name(key))?;
                Ok(Some(value.map_or(Datum::Null, |value| Datum::Opaque(value.into()))))
            }
            ("getVariableLocalTyped", [key] | [key, Datum::Boolean(_)]) => {
                let local = self.work.local_scope(scope).map_err(failed)?;
                let value = self.work.local_value(local, &name(key))?;
                Ok(Some(value.map_or(Datum::Null, |value| Datum::Opaque(value.into()))))
            }
            ("hasVariable", [key]) => Ok(Some(Datum::Boolean(self.work.value(scope, &name(key))?.is_some()))),
            ("addCandidateUser" | "addCandidateGroup", [value]) if matches!(object, HostObject::Task(_)) => {
                let HostObject::Task(id) = object else { return Ok(None) };
                let (user, group) = match method {
                    "addCandidateUser" => (Some(name(value)), None),
                    _ => (None, Some(name(value))),
                };
                self.work.add_link(id, user, group, "candidate").map_err(failed)?;
                Ok(Some(Datum::Null))
            }
            (setter, [value]) if matches!(object, HostObject::Task(_)) && setter.starts_with("set") => {
                let HostObject::Task(id) = object else { return Ok(None) };
                let property = decapitalise(&setter["set".len()..]);
                self.work
                    .set_task_property(id, &property, &value.clone().into_value())
                    .map_err(failed)?;
                Ok(Some(Datum::Null))
            }
            ("setVariable", [key, value]) => set(self.work, false, key, value.clone().into_value()),
            ("setVariableLocal", [key, value]) => set(self.work, true, key, value.clone().into_value()),
            ("removeVariable", [key]) => {
                self.work.remove_variable(scope, &name(key)).map_err(failed)?;
                Ok(Some(Datum::Null))
            }
            ("getVariables", []) => self.property(object, "variables"),
            ("getExecution", []) if matches!(object, HostObject::Task(_)) => {
                Ok(Some(Datum::Host(HostObject::Execution(scope))))
            }
            (getter, []) => match getter.strip_prefix("get") {
                Some(property) => self.property(object, &decapitalise(property)),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn now(&self) -> Millis {
        self.work.now()
    }
}

impl Sight<'_, '_, '_> {
    fn execution_property(&mut self, name: &str) -> Result<Option<Datum>, EvalError> {
        let site = self.site;
        Ok(Some(match name {
            "id" => Datum::text(self.work.text(site.execution)),
            "processInstanceId" => Datum::text(self.work.text(site.instance)),
            "businessKey" | "processBusinessKey" => text(
                self.work
                    .instance(site.instance)?
                    .and_then(|row| row.business_key.clone()),
            ),
            "tenantId" => text(self.work.instance(site.instance)?.and_then(|row| row.tenant.clone())),
            "processDefinitionId" => Datum::text(self.work.definition_text(&site.definition.row)),
            "processDefinitionKey" => Datum::text(&site.definition.row.key),
            "currentActivityId" => Datum::text(site.activity_id()),
            "currentActivityName" => text(site.activity_name()),
            "activityInstanceId" => match site.ix {
                Some(_) => Datum::text(format!("{}:{}", site.activity_id(), self.work.text(site.execution))),
                None => Datum::text(self.work.text(site.instance)),
            },
            "parentId" => match self.work.execution(site.execution)?.map(|row| row.parent) {
                Some(parent) => Datum::text(self.work.text(parent)),
                None => Datum::Null,
            },
            "variables" => {
                let values = self.work.visible_values(site.execution)?;
                let map: indexmap::IndexMap<_, _> = values
                    .iter()
                    .map(|(name, value)| (name.clone(), Datum::from(value)))
                    .collect();
                Datum::from(map)
            }
            _ => return Ok(None),
        }))
    }
}

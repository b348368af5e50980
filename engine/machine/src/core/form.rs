//! Forms that are made of fields: what is submitted with them is checked, converted and kept, and what they show is read
//! (Camunda's `DefaultFormHandler`).
//!
//! A validator looks at the value as it was sent, before it is converted to the field's type. Its limits are Camunda's:
//! `max` itself is too much already.

mod convert;
mod date;
mod validate;

use super::context::Site;
use super::halt::{Halt, Run};
use super::work::Work;
use crate::command::VariableInput;
use crate::delta::Change;
use crate::error::MachineError;
use crate::id::Id;
use crate::model::{Form, FormField, FormName, FormProperty, NamedForm};
use crate::question::FieldValue;
use crate::row::{DetailKind, HistoricDetail};
use crate::value::Value;

impl Work<'_> {
    /// Sets what was submitted with a form: fields in their order, then what the form does not name.
    pub(super) fn submit_form(
        &mut self,
        site: &Site,
        form: &Form,
        task: Option<Id>,
        inputs: &[VariableInput],
    ) -> Run<()> {
        let mut rest: Vec<&VariableInput> = inputs.iter().collect();
        let mut take = |id: &str| {
            let at = rest.iter().position(|input| input.name == id)?;
            Some(rest.remove(at))
        };
        for property in &form.properties {
            let submitted = take(&property.id);
            self.submit_property(site, property, submitted)?;
        }
        for field in &form.fields {
            let submitted = take(&field.id);
            self.submit_field(site, field, submitted)?;
        }
        for input in rest {
            self.set_variable(site.execution, &input.name, input.value.clone(), input.transient)?;
        }
        for input in inputs {
            if let Value::String(text) = &input.value {
                self.form_detail(site, task, &input.name, text)?;
            }
        }
        Ok(())
    }

    fn submit_field(&mut self, site: &Site, field: &FormField, submitted: Option<&VariableInput>) -> Run<()> {
        let sent = submitted.map(|input| &input.value).filter(|value| !value.is_null());
        for (name, config) in &field.constraints {
            if !self.is_valid(site, field, name, config.as_deref(), sent)? {
                let of = config
                    .as_deref()
                    .map(|config| format!("({config})"))
                    .unwrap_or_default();
                return Err(Halt::execution(format!(
                    "Invalid value submitted for form field '{}': validation of {name}{of} failed.",
                    field.id
                )));
            }
        }
        let (value, transient) = match (submitted, &field.default) {
            (Some(input), _) => (input.value.clone(), input.transient),
            (None, Some(default)) => (self.evaluate(site, default)?.into_value(), false),
            (None, None) => return Ok(()),
        };
        let value = convert::to_model(field, value, self.now())?;
        self.set_variable(site.execution, &field.id, value, transient)
    }

    /// The older `camunda:formProperty`.
    fn submit_property(&mut self, site: &Site, property: &FormProperty, submitted: Option<&VariableInput>) -> Run<()> {
        let id = &property.id;
        let refuse = |what: &str| Err(Halt::execution(format!("form property '{id}' is {what}")));
        let value = match (submitted, &property.default) {
            (Some(_), _) if !property.writable => return refuse("not writable"),
            (Some(input), _) => input.value.clone(),
            (None, Some(default)) => match self.evaluate(site, default)?.into_text() {
                Some(text) => Value::String(text),
                None if property.required => return refuse("required"),
                None => return Ok(()),
            },
            (None, None) if property.required => return refuse("required"),
            (None, None) => return Ok(()),
        };
        let value = match &property.type_name {
            Some(kind) => convert::from_form(kind, property.pattern.as_deref(), &property.values, value, self.now())?,
            None => value,
        };
        let name = property.variable.as_ref().unwrap_or(id);
        self.set_variable(site.execution, name, value, false)
    }

    /// What a form is called. Camunda evaluates that whenever somebody asks for the task.
    pub(super) fn form_name(&mut self, site: &Site, form: &Form) -> Run<FormName> {
        let key = self.cast_text(site, form.key.as_ref())?;
        let Some(reference) = &form.reference else {
            return Ok(FormName { key, reference: None });
        };
        let Some(named) = self.cast_text(site, Some(&reference.key))? else {
            return Ok(FormName { key, reference: None });
        };
        let version = match self.cast_text(site, reference.version.as_ref())? {
            Some(text) => Some(text.parse().map_err(|_| MachineError::number_format(&text))?),
            None => None,
        };
        let reference = Some(NamedForm {
            key: named,
            binding: reference.binding.clone(),
            version,
        });
        Ok(FormName { key, reference })
    }

    /// What the fields of a form show: the variables of their names, else their defaults.
    pub(super) fn form_values(&mut self, site: &Site, form: &Form) -> Run<Vec<FieldValue>> {
        let mut values = Vec::with_capacity(form.fields.len());
        for field in &form.fields {
            let default = match &field.default {
                Some(default) => self.evaluate(site, default)?.into_text(),
                None => None,
            };
            let default = match default {
                Some(text) => convert::from_form(
                    field.type_name.as_deref().unwrap_or_default(),
                    field.pattern.as_deref(),
                    &field.values,
                    Value::String(text),
                    self.now(),
                )?,
                None => Value::Null,
            };
            let known = self.value(site.execution, &field.id)?;
            values.push(convert::shown(field, known.unwrap_or(default))?);
        }
        Ok(values)
    }

    fn form_detail(&mut self, site: &Site, task: Option<Id>, name: &str, text: &str) -> Run<()> {
        let Some((root, tenant)) = self.instance(site.instance)?.map(|row| (row.root, row.tenant.clone())) else {
            return Ok(());
        };
        let detail = HistoricDetail {
            id: self.id()?,
            kind: DetailKind::FormField,
            instance: site.instance,
            root,
            definition: site.definition.row.id,
            definition_key: site.definition.row.key.clone(),
            scope: site.execution,
            scope_activity: site.ix.map(|ix| site.definition.model.at(ix).id.clone()),
            task,
            variable: None,
            name: name.to_owned(),
            value: Value::String(text.to_owned()),
            revision: 0,
            time: self.now(),
            initial: false,
            tenant,
            removal_time: None,
        };
        self.history.push(Change::HistoryDetail(detail));
        Ok(())
    }
}

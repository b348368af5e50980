//! Answers questions.

use std::sync::Arc;

use super::context::Site;
use super::halt::Run;
use super::work::Work;
use crate::id::Id;
use crate::model::{Form, Kind};
use crate::question::{FieldValue, Question, Told};
use crate::row::UserTask;

impl Work<'_> {
    pub(super) fn answer(&mut self, question: &Question) -> Run<Told> {
        match question {
            Question::TaskFields(id) => self.task_fields(*id).map(Told::Fields),
            Question::StartFields(definition) => self.start_fields(*definition).map(Told::Fields),
            Question::TaskForms(ids) => {
                let mut forms = Vec::with_capacity(ids.len());
                for id in ids {
                    if let Some((site, form)) = self.form_of(*id)? {
                        forms.push((*id, self.form_name(&site, &form)?));
                    }
                }
                Ok(Told::Forms(forms))
            }
        }
    }

    /// The form of a task, where that is in a process.
    fn form_of(&mut self, id: Id) -> Run<Option<(Site, Form)>> {
        let Some(execution) = self.task(id)?.and_then(UserTask::execution) else {
            return Ok(None);
        };
        let place = self.place(execution)?;
        Ok(match &place.element().kind {
            Kind::User(task) => Some((Site::from(&place), task.form.clone())),
            _ => None,
        })
    }

    fn task_fields(&mut self, id: Id) -> Run<Vec<FieldValue>> {
        let Some((site, form)) = self.form_of(id)? else {
            return Ok(Vec::new());
        };
        // Camunda looks for the form first, and fails where its name does.
        self.form_name(&site, &form)?;
        self.form_values(&site, &form)
    }

    /// Before anything has started, there are no variables.
    fn start_fields(&mut self, definition: Id) -> Run<Vec<FieldValue>> {
        let definition = self.known_definition(definition)?;
        definition.model.start_form.name_as_written()?;
        let nobody = self.id()?;
        let site = Site {
            execution: nobody,
            instance: nobody,
            definition: Arc::clone(&definition),
            ix: None,
        };
        self.form_values(&site, &definition.model.start_form)
    }
}

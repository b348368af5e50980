//! What can be asked of an engine that has to be evaluated: it changes nothing, and waits for nobody.

use crate::id::Id;
use crate::model::FormName;
use crate::value::Value;

/// A question.
#[derive(Clone, Debug)]
pub enum Question {
    /// `GET /task/{id}/form-variables`: what the fields of a task's form show. [`Told::Fields`].
    TaskFields(Id),
    /// `GET /process-definition/{id}/form-variables`, of a definition. [`Told::Fields`].
    StartFields(Id),
    /// What the forms of tasks are called, of those tasks that there are. [`Told::Forms`].
    TaskForms(Vec<Id>),
}

/// The answer to a question.
#[derive(Clone, Debug)]
pub enum Told {
    /// In the order of the form.
    Fields(Vec<FieldValue>),
    /// By the tasks' ids.
    Forms(Vec<(Id, FormName)>),
}

/// What a field of a form shows.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldValue {
    /// The field.
    pub name: String,
    /// The value. A null has the field's type.
    pub value: Value,
}

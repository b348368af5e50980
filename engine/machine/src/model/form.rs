//! Forms of user tasks and start events.

use crate::error::MachineError;
use crate::expression::Expression;

/// The form of a user task or of the start event that a start by key takes.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// `camunda:formKey`
    pub key: Option<Expression>,
    /// `camunda:formRef`
    pub reference: Option<FormRef>,
    /// The older `camunda:formProperty`.
    pub properties: Vec<FormProperty>,
    /// The fields of `camunda:formData`.
    pub fields: Vec<FormField>,
    /// `businessKey` of `camunda:formData`: the field that has the business key.
    pub business_key_field: Option<String>,
}

/// A reference to a Camunda Form.
#[derive(Clone, Debug)]
pub struct FormRef {
    /// The key of the form.
    pub key: Expression,
    /// `deployment`, `latest` or `version`
    pub binding: String,
    /// `camunda:formRefVersion`
    pub version: Option<Expression>,
}

/// What a form is called: by a key, by a reference to a Camunda Form, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormName {
    /// `camunda:formKey`
    pub key: Option<String>,
    /// `camunda:formRef`
    pub reference: Option<NamedForm>,
}

/// A [`FormRef`] without expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedForm {
    /// The key of the form.
    pub key: String,
    /// As the reference's.
    pub binding: String,
    /// Where the binding is by `version`.
    pub version: Option<i32>,
}

impl Form {
    /// Whether its name has no expression that is to be evaluated.
    #[must_use]
    pub fn is_named_literally(&self) -> bool {
        let reference = self.reference.iter();
        let reference = reference.flat_map(|reference| std::iter::once(&reference.key).chain(&reference.version));
        self.key
            .iter()
            .chain(reference)
            .all(|expression| expression.literal().is_some())
    }

    /// What it is called, with expressions as they are written. So are forms of start events always.
    ///
    /// # Errors
    /// `NumberFormatException`: the version of a reference is no number.
    pub fn name_as_written(&self) -> Result<FormName, MachineError> {
        let text = |expression: &Expression| expression.literal().unwrap_or(expression.source()).to_owned();
        let reference = match &self.reference {
            Some(reference) => {
                let version = reference.version.as_ref().map(text);
                let version = version.map(|text| text.parse().map_err(|_| MachineError::number_format(&text)));
                Some(NamedForm {
                    key: text(&reference.key),
                    binding: reference.binding.clone(),
                    version: version.transpose()?,
                })
            }
            None => None,
        };
        Ok(FormName {
            key: self.key.as_ref().map(text),
            reference,
        })
    }
}

/// A field of a generated form.
#[derive(Clone, Debug)]
pub struct FormField {
    /// The variable.
    pub id: String,
    /// `label`
    pub label: Option<Expression>,
    /// `string`, `long`, `date`, `boolean` or `enum`
    pub type_name: Option<String>,
    /// `datePattern`
    pub pattern: Option<String>,
    /// `defaultValue`
    pub default: Option<Expression>,
    /// The values of an `enum` by id, with their names.
    pub values: Vec<(String, String)>,
    /// The constraints of `camunda:validation`: name and configuration.
    pub constraints: Vec<(String, Option<String>)>,
    /// `camunda:properties`
    pub properties: Vec<(String, String)>,
}

/// A property of the older kind of form.
#[derive(Clone, Debug)]
pub struct FormProperty {
    /// What is submitted.
    pub id: String,
    /// `name`
    pub label: Option<Expression>,
    /// As a field's.
    pub type_name: Option<String>,
    /// `datePattern`
    pub pattern: Option<String>,
    /// The variable that it goes to, where it is another.
    pub variable: Option<String>,
    /// `expression`, else `default`.
    pub default: Option<Expression>,
    /// The values of an `enum` by id, with their names.
    pub values: Vec<(String, String)>,
    /// It must be submitted.
    pub required: bool,
    /// It may be submitted.
    pub writable: bool,
}

//! Forms of user tasks and start events.

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

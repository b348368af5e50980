//! The constraints of form fields (Camunda's `FormFieldValidator`s).

use crate::core::context::Site;
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::model::FormField;
use crate::value::Value;

impl Work<'_> {
    /// Whether a value as it was sent meets a constraint. Of nothing, only what is required can be wrong.
    pub(super) fn is_valid(
        &mut self,
        site: &Site,
        field: &FormField,
        name: &str,
        config: Option<&str>,
        sent: Option<&Value>,
    ) -> Run<bool> {
        let config = config.unwrap_or("null");
        match (name, sent) {
            ("required", None) => {
                let known = self.value(site.execution, &field.id)?;
                Ok(known.is_some_and(|value| !value.is_null()))
            }
            ("required", Some(value)) => Ok(*value != Value::String(String::new())),
            ("readonly", sent) => Ok(sent.is_none()),
            ("min" | "max" | "minlength" | "maxlength", None) => Ok(true),
            ("min", Some(value)) => within(value, config, |value, limit| value >= limit),
            ("max", Some(value)) => within(value, config, |value, limit| value < limit),
            ("minlength", Some(value)) => has_length(value, name, config, |length, limit| length >= limit),
            ("maxlength", Some(value)) => has_length(value, name, config, |length, limit| length <= limit),
            // A class or bean; the deployment has warned that none is called.
            _ => Ok(true),
        }
    }
}

/// What is no number is within no limits.
fn within(value: &Value, config: &str, holds: fn(f64, f64) -> bool) -> Run<bool> {
    let (number, whole) = match value {
        Value::Short(number) => (f64::from(*number), true),
        Value::Integer(number) => (f64::from(*number), true),
        Value::Long(number) => (*number as f64, true),
        Value::Double(number) => (*number, false),
        _ => return Ok(false),
    };
    let limit = match whole {
        true => config.parse::<i64>().ok().map(|limit| limit as f64),
        false => config.parse::<f64>().ok(),
    };
    match limit {
        Some(limit) => Ok(holds(number, limit)),
        None => Err(Halt::execution(format!(
            "Cannot validate {kind} value {number}: configuration {config} cannot be parsed as {kind}.",
            kind = value.type_name()
        ))),
    }
}

fn has_length(value: &Value, name: &str, config: &str, holds: fn(usize, usize) -> bool) -> Run<bool> {
    let Value::String(text) = value else {
        let validator = if name == "minlength" {
            "MinLengthValidator"
        } else {
            "MaxLengthValidator"
        };
        return Err(Halt::execution(format!(
            "String validator {validator} cannot be used on non-string value of type class java.lang.{}",
            value.type_name()
        )));
    };
    match config.parse() {
        // As Java counts: in units of UTF-16.
        Ok(limit) => Ok(holds(text.encode_utf16().count(), limit)),
        Err(_) => Err(Halt::execution(format!(
            "Cannot validate \"{name}\": configuration {config} cannot be interpreted as Integer"
        ))),
    }
}

//! Forms, with the refusals of Camunda's form handlers (`DefaultFormHandler`, `FormTypes`, `FormValidators`).

use super::super::form::{Form, FormField, FormProperty, FormRef};
use super::super::xml::Node;
use super::process::Builder;

/// The types of fields.
const TYPES: [&str; 5] = ["string", "long", "date", "boolean", "enum"];

/// The constraints that Camunda knows, beside `validator`.
const CONSTRAINTS: [&str; 6] = ["min", "max", "minlength", "maxlength", "required", "readonly"];

/// What may be written for true and false.
const SWITCHES: [&str; 10] = [
    "on", "yes", "true", "enabled", "active", "off", "no", "false", "disabled", "inactive",
];

/// Those that mean true.
const SWITCHES_ON: [&str; 5] = ["on", "yes", "true", "enabled", "active"];

/// The bindings of a reference to a form.
const BINDINGS: [&str; 3] = ["deployment", "latest", "version"];

/// Reads the form of a user task or start event.
pub(super) fn read(builder: &mut Builder<'_>, node: &Node) -> Form {
    if let Some(class) = node.camunda("formHandlerClass") {
        // Camunda loads it while it parses, and refuses as here what it does not find.
        let message = format!("Exception while instantiating class '{class}': a class cannot be loaded here");
        builder.problems.malformed(node, message);
    }
    let mut form = Form::default();
    for property in node.extensions("formProperty") {
        form.properties.extend(old_property(builder, property));
    }
    if let Some(data) = node.extensions("formData").next() {
        form.business_key_field = data.attribute("businessKey").map(str::to_owned);
        for field in data.camunda_children("formField") {
            form.fields.extend(form_field(builder, field));
        }
    }
    let (key, reference) = (node.camunda("formKey"), node.camunda("formRef"));
    if key.is_some() && reference.is_some() {
        builder.problems.error(
            node,
            "Invalid element definition: only one of the attributes formKey and formRef is allowed.",
        );
    }
    form.key = key.and_then(|key| builder.problems.expression(node, key));
    if let Some(reference) = reference {
        let binding = node.camunda("formRefBinding");
        if !binding.is_some_and(|binding| BINDINGS.contains(&binding)) {
            let message = format!(
                "Invalid element definition: value for formRefBinding attribute has to be one of [{}] but was {}",
                BINDINGS.join(", "),
                binding.unwrap_or("null")
            );
            builder.problems.error(node, message);
        }
        let version = match (binding, node.camunda("formRefVersion")) {
            (Some("version"), Some(version)) => builder.problems.expression(node, version),
            (Some("version"), None) => {
                let message = "formRefBinding=\"version\" needs an attribute formRefVersion";
                builder.problems.malformed(node, message.to_owned());
                None
            }
            _ => None,
        };
        form.reference = builder.problems.expression(node, reference).map(|key| FormRef {
            key,
            binding: binding.unwrap_or_default().to_owned(),
            version,
        });
    }
    form
}

fn form_field(builder: &mut Builder<'_>, node: &Node) -> Option<FormField> {
    let id = node.attribute("id").unwrap_or_default();
    if id.is_empty() {
        builder.problems.error(
            node,
            "attribute id must be set for FormFieldGroup and must have a non-empty value",
        );
    }
    let mut constraints = Vec::new();
    for constraint in node
        .camunda_children("validation")
        .flat_map(|validation| validation.camunda_children("constraint"))
    {
        constraints.extend(self::constraint(builder, constraint));
    }
    let properties = node
        .camunda_children("properties")
        .flat_map(|properties| properties.camunda_children("property"))
        .map(|property| {
            let text = |name| property.attribute(name).unwrap_or_default().to_owned();
            (text("id"), text("value"))
        })
        .collect();
    let mut text = |name: &str| {
        node.attribute(name)
            .and_then(|text| builder.problems.expression(node, text))
    };
    let (label, default) = (text("label"), text("defaultValue"));
    let type_name = type_name(builder, node, true);
    Some(FormField {
        id: id.to_owned(),
        label,
        type_name,
        pattern: node.attribute("datePattern").map(str::to_owned),
        default,
        values: values(node),
        constraints,
        properties,
    })
}

fn constraint(builder: &mut Builder<'_>, node: &Node) -> Option<(String, Option<String>)> {
    let name = node.attribute("name").unwrap_or_default();
    let config = node.attribute("config");
    if name == "validator" {
        match config.filter(|config| !config.is_empty()) {
            Some(_) => builder
                .problems
                .warn(node, "a validator class of a form field is not called"),
            None => builder.problems.error(
                node,
                "validator configuration needs to provide either a fully qualified classname or an expression resolving to a custom FormFieldValidator implementation.",
            ),
        }
    } else if !CONSTRAINTS.contains(&name) {
        let message = format!("Cannot find validator implementation for name '{name}'.");
        builder.problems.error(node, message);
        return None;
    }
    Some((name.to_owned(), config.map(str::to_owned)))
}

fn old_property(builder: &mut Builder<'_>, node: &Node) -> Option<FormProperty> {
    let Some(id) = node.attribute("id") else {
        builder.problems.error(node, "attribute 'id' is required");
        return None;
    };
    for name in ["required", "readable", "writable"] {
        if node.attribute(name).is_some_and(|value| !SWITCHES.contains(&value)) {
            let message = format!(
                "attribute '{name}' must be one of {{on|yes|true|enabled|active|off|no|false|disabled|inactive}}"
            );
            builder.problems.error(node, message);
        }
    }
    let type_name = type_name(builder, node, false);
    let mut text = |name: &str| {
        node.attribute(name)
            .and_then(|text| builder.problems.expression(node, text))
    };
    let (default, expression, label) = (text("default"), text("expression"), text("name"));
    let is = |name: &str, otherwise: bool| match node.attribute(name) {
        Some(text) => SWITCHES_ON.contains(&text),
        None => otherwise,
    };
    Some(FormProperty {
        id: id.to_owned(),
        label,
        type_name,
        pattern: node.attribute("datePattern").map(str::to_owned),
        variable: node.attribute("variable").map(str::to_owned),
        default: expression.or(default),
        values: values(node),
        required: is("required", false),
        writable: is("writable", true),
    })
}

fn type_name(builder: &mut Builder<'_>, node: &Node, required: bool) -> Option<String> {
    let name = node.attribute("type");
    match name {
        None if required => builder.problems.error(node, "form field must have a 'type' attribute"),
        Some(name) if !TYPES.contains(&name) => builder.problems.error(node, format!("unknown type '{name}'")),
        _ => {}
    }
    name.map(str::to_owned)
}

fn values(node: &Node) -> Vec<(String, String)> {
    node.camunda_children("value")
        .map(|value| {
            let text = |name| value.attribute(name).unwrap_or_default().to_owned();
            (text("id"), text("name"))
        })
        .collect()
}

//! From the tables to OpenAPI 3.1.

use serde_json::{Map, Value as Json, json};

use super::table::{Content, Operation, Resource};

/// The whole description.
pub(super) fn document(resources: &[Resource]) -> Json {
    let mut paths = Map::new();
    let mut schemas = common();
    let mut tags = Vec::new();
    for resource in resources {
        tags.push(json!({ "name": resource.tag }));
        for (name, fields) in &resource.schemas {
            schemas.insert((*name).into(), object(fields, true));
        }
        for operation in &resource.operations {
            let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
            path[operation.method.to_ascii_lowercase()] = described(operation, resource.tag);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Handoff engine",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The Camunda 7 REST dialect. The same tree is served below /engine-rest/engine/{name}.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/engine-rest" }],
        "security": [{}, { "basic": [] }, { "bearer": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "basic": { "type": "http", "scheme": "basic" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

/// The schemas that all resources share.
fn common() -> Map<String, Json> {
    let schemas = json!({
        "Error": {
            "type": "object",
            "required": ["type", "message", "code"],
            "properties": {
                "type": { "type": "string", "description": "The simple name of Camunda's exception" },
                "message": { "type": ["string", "null"] },
                "code": { "type": ["integer", "null"],
                    "description": "0 of an engine's error, 1 where another try cures it, null of the REST's own" },
                "details": { "type": "object", "description": "Of a model that cannot be deployed: by file, what is wrong where" },
            },
        },
        "Count": { "type": "object", "required": ["count"], "properties": { "count": { "type": "integer" } } },
        "Link": object("method href rel", true),
        "Sorting": {
            "type": "object",
            "required": ["sortBy", "sortOrder"],
            "properties": { "sortBy": { "type": "string" }, "sortOrder": { "enum": ["asc", "desc"] } },
        },
        "VariableFilter": {
            "type": "object",
            "required": ["name", "operator", "value"],
            "properties": {
                "name": { "type": "string" },
                "operator": { "enum": ["eq", "neq", "gt", "gteq", "lt", "lteq", "like", "notLike"] },
                "value": {},
            },
        },
        "VariableValue": {
            "type": "object",
            "properties": {
                "type": { "type": ["string", "null"], "examples": ["String", "Integer", "Json", "File"] },
                "value": {},
                "valueInfo": { "type": ["object", "null"] },
            },
        },
    });
    match schemas {
        Json::Object(schemas) => schemas,
        _ => Map::new(),
    }
}

fn described(operation: &Operation, tag: &str) -> Json {
    let mut described = json!({
        "tags": [tag],
        "summary": operation.about,
        "operationId": operation_id(operation),
        "responses": responses(operation),
    });
    let mut parameters = path_parameters(&operation.path);
    for (name, _, kind) in fields(&operation.query) {
        parameters.push(json!({
            "name": name, "in": "query", "schema": in_query(kind),
        }));
    }
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = &operation.body {
        described["requestBody"] = json!({ "content": content(body, false) });
    }
    described
}

/// `GET /task/{id}/form-variables` → `getTaskFormVariables`, with what is a parameter as `By…`.
fn operation_id(operation: &Operation) -> String {
    let mut id = operation.method.to_ascii_lowercase();
    for part in operation.path.split('/').filter(|part| !part.is_empty()) {
        let (by, word) = match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => ("By", name),
            None => ("", part),
        };
        id.push_str(by);
        for word in word.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut chars = word.chars();
            id.extend(chars.next().map(|first| first.to_ascii_uppercase()));
            id.push_str(chars.as_str());
        }
    }
    id
}

fn path_parameters(path: &str) -> Vec<Json> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }))
        .collect()
}

fn responses(operation: &Operation) -> Json {
    let (status, body) = &operation.success;
    let mut success = json!({ "description": if body.is_some() { "What was asked for" } else { "It is done" } });
    if let Some(body) = body {
        success["content"] = content(body, true);
    }
    let mut responses = Map::new();
    responses.insert(status.to_string(), success);
    if operation.about.ends_with("withVariablesInReturn") {
        responses.insert(
            "200".into(),
            json!({ "description": "The variables", "content": content(&Content::Type("vars".into()), true) }),
        );
    }
    let error = json!({
        "description": "It is refused",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
    });
    responses.insert("default".into(), error);
    Json::Object(responses)
}

fn content(content: &Content, answer: bool) -> Json {
    match content {
        Content::Fields(fields) => json!({ "application/json": { "schema": object(fields, answer) } }),
        Content::Type(kind) => json!({ "application/json": { "schema": of_type(kind, answer) } }),
        Content::Form(fields) => json!({ "multipart/form-data": { "schema": form(fields) } }),
        Content::Raw(media) => json!({ *media: { "schema": { "type": "string", "format": "binary" } } }),
    }
}

/// `name!:type` → name, whether it must be there, type.
fn fields(text: &str) -> impl Iterator<Item = (&str, bool, &str)> {
    text.split_whitespace().map(|field| {
        let (name, kind) = field.split_once(':').unwrap_or((field, "text"));
        match name.strip_suffix('!') {
            Some(name) => (name, true, kind),
            None => (name, false, kind),
        }
    })
}

/// An object. In answers everything may be null; in requests too, as clients send it.
fn object(text: &str, answer: bool) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, must, kind) in fields(text) {
        properties.insert(name.into(), of_type(kind, answer));
        if must {
            required.push(name);
        }
    }
    let mut object = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        object["required"] = required.into();
    }
    object
}

fn form(text: &str) -> Json {
    let mut properties = Map::new();
    for (name, _, kind) in fields(text) {
        let kind = match kind {
            "any" => json!({ "type": "string", "format": "binary" }),
            _ => json!({ "type": "string" }),
        };
        properties.insert(name.into(), kind);
    }
    let required: Vec<&str> = fields(text)
        .filter(|(_, must, _)| *must)
        .map(|(name, ..)| name)
        .collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// Lists are sent with commas between, flags and numbers as text.
fn in_query(kind: &str) -> Json {
    match kind {
        "int" => json!({ "type": "integer" }),
        "bool" => json!({ "type": "boolean" }),
        "date" => json!({ "type": "string", "examples": ["2026-01-31T08:15:30.123+0000"] }),
        "list" => json!({ "type": "string", "description": "Values with commas between" }),
        "filters" => json!({ "type": "string", "description": "name_operator_value, with commas between" }),
        _ => json!({ "type": "string" }),
    }
}

fn of_type(kind: &str, answer: bool) -> Json {
    match kind {
        "text" => json!({ "type": ["string", "null"] }),
        "int" => json!({ "type": ["integer", "null"] }),
        "num" => json!({ "type": ["number", "null"] }),
        "bool" => json!({ "type": ["boolean", "null"] }),
        "date" => json!({ "type": ["string", "null"], "examples": ["2026-01-31T08:15:30.123+0000"] }),
        "list" => json!({ "type": ["array", "null"], "items": { "type": "string" } }),
        "vars" => json!({
            "type": ["object", "null"],
            "additionalProperties": { "$ref": "#/components/schemas/VariableValue" },
        }),
        "filters" => json!({ "type": ["array", "null"], "items": { "$ref": "#/components/schemas/VariableFilter" } }),
        "obj" => json!({ "type": ["object", "null"] }),
        "any" => json!({}),
        _ => match kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
            Some(item) => {
                json!({ "type": if answer { json!("array") } else { json!(["array", "null"]) }, "items": of_type(item, answer) })
            }
            None => json!({ "$ref": format!("#/components/schemas/{kind}") }),
        },
    }
}

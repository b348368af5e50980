//! Variables.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::Bench;
use crate::models::{LOOK, PASS, around_task, process};

const CONTENT: &str = "content of the file, ü\n";

/// A variable of each type, as a client sends it.
fn every_type() -> Value {
    json!({
        "null": {"type": "Null", "value": null},
        "boolean": {"type": "Boolean", "value": true},
        "short": {"type": "Short", "value": -7},
        "integer": {"type": "Integer", "value": i32::MIN},
        "long": {"type": "Long", "value": 9_007_199_254_740_993_i64},
        "double": {"type": "Double", "value": 0.1},
        "string": {"type": "String", "value": "größer als \"7\" \u{1f680}"},
        "empty": {"type": "String", "value": ""},
        "date": {"type": "Date", "value": "2015-10-06T16:34:42.123+0200"},
        "bytes": {"type": "Bytes", "value": "AAH/gA=="},
        "json": {"type": "Json", "value": "{\"a\":[1,2,{\"b\":null}]}"},
        "xml": {"type": "Xml", "value": "<a><b>1</b></a>"},
        "object": {"type": "Object", "value": "[1,2]",
            "valueInfo": {"objectTypeName": "java.util.ArrayList", "serializationDataFormat": "application/json"}},
        "file": {"type": "File", "value": "Y29udGVudCBvZiB0aGUgZmlsZSwgw7wK",
            "valueInfo": {"filename": "a file.txt", "mimeType": "text/plain", "encoding": "UTF-8"}},
    })
}

pub(super) fn types(bench: &Bench) -> Result<&'static str> {
    let model = process("types", &around_task("probe-types", "", "", LOOK));
    let instance = bench.run("types", &model, every_type())?;
    bench.until("the copies", || {
        let tasks = bench.rest.get(&format!("/task?processInstanceId={instance}"))?;
        Ok(tasks.get(0).cloned())
    })?;
    let variables = format!("/process-instance/{instance}/variables");
    let all = bench.rest.get(&format!("{variables}?deserializeValues=false"))?;
    for (name, sent) in every_type().as_object().into_iter().flatten() {
        let (original, copy) = (&all[name], &all[format!("copy_{name}")]);
        ensure!(original["type"] == sent["type"], "{name} is a {}", original["type"]);
        ensure!(copy == original, "{name}: sent {original}, came back {copy}");
        if name != "file" && name != "date" {
            ensure!(copy["value"] == sent["value"], "{name}: sent {sent}, came back {copy}");
        }
    }
    ensure!(all.get("passing").is_none(), "a transient variable was stored");
    let file = bench.rest.try_get(&format!("{variables}/copy_file/data"))?.success()?;
    ensure!(file.text == CONTENT, "the file has {:?}", file.text);
    Ok("yes")
}

pub(super) fn local(bench: &Bench) -> Result<&'static str> {
    // A mapping makes the task a scope; what is local to it can be mapped out of it, and is gone with it.
    let mapping = r#"<bpmn:extensionElements><camunda:inputOutput>
        <camunda:inputParameter name="given">5</camunda:inputParameter>
        <camunda:outputParameter name="taken">${local_amount}</camunda:outputParameter>
      </camunda:inputOutput></bpmn:extensionElements>"#;
    let model = process("local", &around_task("probe-types", "", mapping, PASS));
    let instance = bench.run("local", &model, json!({"amount": {"type": "Integer", "value": 5}}))?;
    bench.until_completed(&instance)?;
    ensure!(bench.variable(&instance, "taken")? == 5);
    let scope_of = |name: &str| -> Result<Value> {
        let query = format!("/history/variable-instance?processInstanceId={instance}&variableName={name}");
        Ok(bench.rest.get(&query)?[0]["activityInstanceId"].clone())
    };
    let (of_task, of_instance) = (scope_of("local_amount")?, scope_of("copy_amount")?);
    ensure!(
        of_instance == json!(instance),
        "a variable of the process is in {of_instance}"
    );
    ensure!(
        of_task.as_str().is_some_and(|scope| scope.starts_with("work:")),
        "a local variable is in {of_task}"
    );
    Ok("yes")
}

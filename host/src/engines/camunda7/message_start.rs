//! Which process definitions a message starts.
//!
//! Camunda's REST API does not say. The definition's XML does, and never changes, so what was read of it is kept.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;
use quick_xml::{Reader, events::Event};
use serde::Deserialize;

use super::transport::{Call, Transport};
use crate::engines::Fault;

/// Definitions that are remembered; beyond them everything is read again.
const REMEMBERED_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct MessageStarts {
    by_definition: Mutex<HashMap<String, HashSet<String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct XmlDto {
    bpmn20_xml: String,
}

impl MessageStarts {
    /// Whether instances of a definition are started by a message.
    pub(super) async fn starts(
        &self,
        transport: &Transport,
        definition_id: &str,
        message: &str,
    ) -> Result<bool, Fault> {
        if let Some(names) = self.by_definition.lock().get(definition_id) {
            return Ok(names.contains(message));
        }
        let xml: XmlDto = transport
            .read(Call::get(&["process-definition", definition_id, "xml"]))
            .await?;
        let key = definition_id.split(':').next().unwrap_or(definition_id);
        let names = start_messages(&xml.bpmn20_xml, key)
            .map_err(|error| Fault::Foreign(format!("the XML of definition {definition_id}: {error}")))?;
        let found = names.contains(message);
        let mut remembered = self.by_definition.lock();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(definition_id.to_owned(), names);
        Ok(found)
    }
}

/// The names of the messages that start the process with this key, or any process of the model if none has the key
/// (long definition ids are plain UUIDs without it).
fn start_messages(xml: &str, key: &str) -> Result<HashSet<String>, quick_xml::Error> {
    let mut reader = Reader::from_str(xml);
    let mut names = HashMap::new();
    // (process, message reference) of the start events that are not within a subprocess: those cannot start an instance.
    let mut references: Vec<(String, String)> = Vec::new();
    let (mut process, mut subprocesses, mut in_start) = (String::new(), 0_u32, false);
    loop {
        let event = reader.read_event()?;
        let opens = matches!(event, Event::Start(_));
        match &event {
            Event::Start(element) | Event::Empty(element) => {
                let attribute = |name: &str| {
                    element
                        .attributes()
                        .flatten()
                        .find(|a| a.key.as_ref() == name)
                        .and_then(|a| {
                            a.normalized_value(quick_xml::XmlVersion::Implicit1_0)
                                .ok()
                                .map(std::borrow::Cow::into_owned)
                        })
                };
                match element.local_name().as_ref() {
                    "message" => {
                        if let (Some(id), Some(name)) = (attribute("id"), attribute("name")) {
                            names.insert(id, name);
                        }
                    }
                    "process" => process = attribute("id").unwrap_or_default(),
                    "subProcess" | "transaction" | "adHocSubProcess" if opens => subprocesses += 1,
                    "startEvent" => in_start = opens,
                    "messageEventDefinition" if in_start && subprocesses == 0 => {
                        references.extend(attribute("messageRef").map(|reference| (process.clone(), reference)));
                    }
                    _ => {}
                }
            }
            Event::End(element) => match element.local_name().as_ref() {
                "subProcess" | "transaction" | "adHocSubProcess" => subprocesses = subprocesses.saturating_sub(1),
                "startEvent" => in_start = false,
                _ => {}
            },
            Event::Eof => break,
            _ => {}
        }
    }
    let known = references.iter().any(|(process, _)| process == key);
    Ok(references
        .into_iter()
        .filter(|(process, _)| !known || process == key)
        .filter_map(|(_, reference)| {
            // A reference is a QName; models rarely write its prefix.
            names
                .get(&reference)
                .or_else(|| names.get(reference.rsplit(':').next()?))
                .cloned()
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_start_events_of_the_process_itself_count() {
        let xml = r#"<bpmn:definitions xmlns:bpmn="b">
          <bpmn:message id="m1" name="needed"/><bpmn:message id="m2" name="inner &amp; more"/><bpmn:message id="m3" name="caught"/>
          <bpmn:process id="inventory"><bpmn:startEvent id="s"><bpmn:messageEventDefinition messageRef="m1"/></bpmn:startEvent>
            <bpmn:subProcess id="sub" triggeredByEvent="true"><bpmn:startEvent id="i"><bpmn:messageEventDefinition messageRef="m2"/></bpmn:startEvent></bpmn:subProcess>
            <bpmn:intermediateCatchEvent id="c"><bpmn:messageEventDefinition messageRef="m3"/></bpmn:intermediateCatchEvent>
          </bpmn:process></bpmn:definitions>"#;
        assert_eq!(
            start_messages(xml, "inventory").unwrap(),
            HashSet::from(["needed".to_owned()])
        );
    }
}

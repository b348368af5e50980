//! Small models around one external task.

/// A model with one process.
pub(crate) fn process(id: &str, content: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="definitions-{id}" targetNamespace="engines">
  <bpmn:message id="message" name="message-of-{id}" />
  <bpmn:error id="error" name="an error" errorCode="OUT_OF_ORDER" />
  <bpmn:process id="{id}" isExecutable="true" camunda:historyTimeToLive="P1D">
{content}
  </bpmn:process>
</bpmn:definitions>"#
    )
}

/// A flow.
pub(crate) fn flow(from: &str, to: &str) -> String {
    format!(r#"    <bpmn:sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}" />"#)
}

/// start → `work` (an external task of this topic, with these attributes and content) → `after`, which is the element
/// given, → end.
pub(crate) fn around_task(topic: &str, attributes: &str, inside: &str, after: &str) -> String {
    let elements = [
        r#"    <bpmn:startEvent id="start" />"#.to_owned(),
        format!(
            r#"    <bpmn:serviceTask id="work" camunda:type="external" camunda:topic="{topic}" {attributes}>{inside}</bpmn:serviceTask>"#
        ),
        format!("    {after}"),
        r#"    <bpmn:endEvent id="end" />"#.to_owned(),
        flow("start", "work"),
        flow("work", "after"),
        flow("after", "end"),
    ];
    elements.join("\n")
}

/// The usual one: the instance ends after its task.
pub(crate) fn task_only(id: &str, topic: &str) -> String {
    process(id, &around_task(topic, "", "", PASS))
}

/// An element that is passed through.
pub(crate) const PASS: &str = r#"<bpmn:intermediateThrowEvent id="after" />"#;
/// An element that waits until somebody looked at the instance.
pub(crate) const LOOK: &str = r#"<bpmn:userTask id="after" />"#;

/// The message's receiver: an instance that waits for it, under the process's own message.
pub(crate) fn receiver(id: &str) -> String {
    let elements = [
        r#"    <bpmn:startEvent id="start" />"#,
        r#"    <bpmn:receiveTask id="wait" messageRef="message" />"#,
        r#"    <bpmn:endEvent id="end" />"#,
        &flow("start", "wait"),
        &flow("wait", "end"),
    ];
    process(id, &elements.join("\n"))
}

/// What a message starts: an instance that stays until its user task is completed.
pub(crate) fn started_by_message(id: &str) -> String {
    let elements = [
        r#"    <bpmn:startEvent id="start"><bpmn:messageEventDefinition id="by-message" messageRef="message" /></bpmn:startEvent>"#,
        r#"    <bpmn:userTask id="stay" />"#,
        r#"    <bpmn:endEvent id="end" />"#,
        &flow("start", "stay"),
        &flow("stay", "end"),
    ];
    process(id, &elements.join("\n"))
}

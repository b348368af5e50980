//! Small models, made for one question each.

/// A process `p` with what is between its start and its end.
pub(crate) fn process(inner: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    targetNamespace="test" id="d">
  <message id="go" name="go"/>
  <message id="begin" name="begin"/>
  <process id="p" isExecutable="true" camunda:historyTimeToLive="1">{inner}</process>
</definitions>"#
    )
}

/// One external task `work` of topic `t`.
pub(crate) fn external_task() -> String {
    process(
        r#"<startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" camunda:type="external" camunda:topic="t"/>
    <sequenceFlow id="f2" sourceRef="work" targetRef="end"/>
    <endEvent id="end"/>"#,
    )
}

/// Started by the message `begin`, then one external task of topic `t`.
pub(crate) fn message_start() -> String {
    process(
        r#"<startEvent id="start"><messageEventDefinition messageRef="begin"/></startEvent>
    <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" camunda:type="external" camunda:topic="t"/>
    <sequenceFlow id="f2" sourceRef="work" targetRef="end"/>
    <endEvent id="end"/>"#,
    )
}

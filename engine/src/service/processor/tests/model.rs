//! The models of the tests.

fn process(key: &str, body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
             xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
             xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="test">
  <process id="{key}" isExecutable="true" camunda:historyTimeToLive="P30D">
    <startEvent id="start"/>
    {body}
    <endEvent id="end"/>
  </process>
</definitions>"#
    )
}

/// A flow through these elements, from start to end.
fn flows(elements: &[&str]) -> String {
    let path: Vec<&str> = std::iter::once("start")
        .chain(elements.iter().copied())
        .chain(["end"])
        .collect();
    path.windows(2)
        .enumerate()
        .map(|(number, pair)| {
            format!(
                r#"<sequenceFlow id="flow{number}" sourceRef="{}" targetRef="{}"/>"#,
                pair[0], pair[1]
            )
        })
        .collect()
}

/// One external task.
pub(super) fn task(key: &str, topic: &str, attributes: &str) -> String {
    let task = format!(
        r#"<serviceTask id="work" camunda:type="external" camunda:topic="{topic}" {attributes}>
             <extensionElements><camunda:properties><camunda:property name="colour" value="red"/></camunda:properties>
             </extensionElements></serviceTask>"#
    );
    process(key, &format!("{task}{}", flows(&["work"])))
}

/// It ends as soon as it has started.
pub(super) fn nothing(key: &str) -> String {
    process(key, r#"<sequenceFlow id="on" sourceRef="start" targetRef="end"/>"#)
}

/// A delegate behind an asynchronous continuation, then an external task.
pub(super) fn async_delegate(key: &str, delegate: &str) -> String {
    let body = format!(
        r#"<serviceTask id="call" camunda:asyncBefore="true" camunda:delegateExpression="${{{delegate}}}"/>
           <serviceTask id="work" camunda:type="external" camunda:topic="after"/>"#
    );
    process(key, &format!("{body}{}", flows(&["call", "work"])))
}

/// An external task, then a delegate in the same transaction as its completion.
pub(super) fn delegate_after_task(key: &str, delegate: &str) -> String {
    let body = format!(
        r#"<serviceTask id="work" camunda:type="external" camunda:topic="t"/>
           <serviceTask id="call" camunda:delegateExpression="${{{delegate}}}"/>"#
    );
    process(key, &format!("{body}{}", flows(&["work", "call"])))
}

/// A timer of ten seconds, then an external task.
pub(super) fn timer(key: &str) -> String {
    let body = r#"<intermediateCatchEvent id="wait"><timerEventDefinition>
           <timeDuration xsi:type="tFormalExpression">PT10S</timeDuration></timerEventDefinition></intermediateCatchEvent>
           <serviceTask id="work" camunda:type="external" camunda:topic="late"/>"#;
    process(key, &format!("{body}{}", flows(&["wait", "work"])))
}

/// A user task and an external task beside each other.
pub(super) fn two_ways(key: &str) -> String {
    let body = r#"<parallelGateway id="fork"/><userTask id="check"/>
           <serviceTask id="work" camunda:type="external" camunda:topic="t"/><parallelGateway id="join"/>
           <sequenceFlow id="in" sourceRef="start" targetRef="fork"/>
           <sequenceFlow id="a1" sourceRef="fork" targetRef="check"/><sequenceFlow id="a2" sourceRef="check" targetRef="join"/>
           <sequenceFlow id="b1" sourceRef="fork" targetRef="work"/><sequenceFlow id="b2" sourceRef="work" targetRef="join"/>
           <sequenceFlow id="out" sourceRef="join" targetRef="end"/>"#;
    process(key, body)
}

/// A message that is waited for at most ten seconds, then an external task.
pub(super) fn message(key: &str) -> String {
    let body = r#"<receiveTask id="wait" messageRef="m"/>
           <boundaryEvent id="late" attachedToRef="wait"><timerEventDefinition>
           <timeDuration xsi:type="tFormalExpression">PT10S</timeDuration></timerEventDefinition></boundaryEvent>
           <serviceTask id="work" camunda:type="external" camunda:topic="late"/>
           <sequenceFlow id="escape" sourceRef="late" targetRef="end"/>"#;
    let xml = process(key, &format!("{body}{}", flows(&["wait", "work"])));
    xml.replace("<process ", r#"<message id="m" name="paid"/><process "#)
}

/// Three external tasks at once within a sub-process, with a reminder beside them after ten seconds.
pub(super) fn many(key: &str) -> String {
    let body = r#"<subProcess id="all">
             <multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>
             <startEvent id="begin"/><serviceTask id="work" camunda:type="external" camunda:topic="t" camunda:asyncAfter="true"/>
             <endEvent id="done"/>
             <sequenceFlow id="i1" sourceRef="begin" targetRef="work"/><sequenceFlow id="i2" sourceRef="work" targetRef="done"/>
           </subProcess>
           <boundaryEvent id="remind" attachedToRef="all" cancelActivity="false"><timerEventDefinition>
           <timeDuration xsi:type="tFormalExpression">PT10S</timeDuration></timerEventDefinition></boundaryEvent>
           <serviceTask id="hurry" camunda:type="external" camunda:topic="after"/><endEvent id="reminded"/>
           <sequenceFlow id="r1" sourceRef="remind" targetRef="hurry"/><sequenceFlow id="r2" sourceRef="hurry" targetRef="reminded"/>"#;
    process(key, &format!("{body}{}", flows(&["all"])))
}

/// Another process, called.
pub(super) fn call(key: &str, called: &str) -> String {
    let body = format!(r#"<callActivity id="call" calledElement="{called}" camunda:asyncBefore="true"/>"#);
    process(key, &format!("{body}{}", flows(&["call"])))
}

use super::*;
use crate::Command;
use crate::command::{Signal, VariableInput};
use crate::value::Value;
use crate::view::Tenant;

const CODES: &str = r#"<escalation id="late" escalationCode="LATE"/><signal id="sig" name="stop"/>---"#;

fn with_boundary(cancel: bool) -> Driver {
    deployed(
        &format!(
            r#"{CODES}<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><intermediateThrowEvent id="t"><escalationEventDefinition escalationRef="late"/></intermediateThrowEvent><userTask id="inner"/>
            <sequenceFlow id="i1" sourceRef="s2" targetRef="t"/><sequenceFlow id="i2" sourceRef="t" targetRef="inner"/></subProcess>
            <boundaryEvent id="b" attachedToRef="sub" cancelActivity="{cancel}"><escalationEventDefinition camunda:escalationCodeVariable="code"/></boundaryEvent><userTask id="caught"/><userTask id="next"/>"#
        ),
        &[("s", "sub"), ("sub", "next"), ("b", "caught")],
    )
}

#[test]
fn an_escalation_runs_beside_or_interrupts() {
    let mut driver = with_boundary(false);
    driver.start(&[]);
    assert_eq!(driver.open(), ["caught", "inner"]);
    assert_eq!(driver.variable("code"), Some(Value::String("LATE".to_owned())));
    let mut driver = with_boundary(true);
    driver.start(&[]);
    assert_eq!(driver.open(), ["caught"]);
    assert!(
        driver
            .path()
            .contains(&"t intermediateEscalationThrowEvent!".to_owned()),
        "{:?}",
        driver.path()
    );
}

#[test]
fn an_escalation_that_nobody_catches_changes_nothing() {
    let mut driver = deployed(
        &format!(
            r#"{CODES}<startEvent id="s"/><intermediateThrowEvent id="t"><escalationEventDefinition escalationRef="late"/></intermediateThrowEvent><userTask id="u"/>"#
        ),
        &[("s", "t"), ("t", "u")],
    );
    driver.start(&[]);
    assert_eq!(driver.open(), ["u"]);
}

#[test]
fn an_event_sub_process_comes_first_and_may_hand_it_on() {
    let mut driver = deployed(
        &format!(
            r#"{CODES}<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><endEvent id="t"><escalationEventDefinition escalationRef="late"/></endEvent>
            <sequenceFlow id="i1" sourceRef="s2" targetRef="t"/>
            <subProcess id="handler" triggeredByEvent="true"><startEvent id="hs"><escalationEventDefinition escalationRef="late"/></startEvent><userTask id="handled"/><endEvent id="again"><escalationEventDefinition escalationRef="late"/></endEvent>
            <sequenceFlow id="h1" sourceRef="hs" targetRef="handled"/><sequenceFlow id="h2" sourceRef="handled" targetRef="again"/></subProcess></subProcess>
            <boundaryEvent id="b" attachedToRef="sub"><escalationEventDefinition/></boundaryEvent><userTask id="caught"/><userTask id="next"/>"#
        ),
        &[("s", "sub"), ("sub", "next"), ("b", "caught")],
    );
    driver.start(&[]);
    assert_eq!(driver.open(), ["handled"]);
    driver.complete_user_task("handled");
    assert_eq!(driver.open(), ["caught"]);
}

#[test]
fn a_signal_from_outside_reaches_those_who_wait_and_starts_instances() {
    let mut driver = deployed(
        &format!(
            r#"{CODES}<startEvent id="s"/><startEvent id="on"><signalEventDefinition signalRef="sig"/></startEvent><intermediateCatchEvent id="c"><signalEventDefinition signalRef="sig"/></intermediateCatchEvent><userTask id="u"/>"#
        ),
        &[("s", "c"), ("on", "u"), ("c", "u")],
    );
    driver.start(&[]);
    let waiting = driver.memory.executions.values().next().unwrap().id;
    let signal = |execution| {
        Command::Signal(Box::new(Signal {
            name: "stop".to_owned(),
            execution,
            tenant: Tenant::Any,
            variables: vec![VariableInput {
                name: "why".to_owned(),
                value: Value::Integer(7),
                transient: false,
            }],
        }))
    };
    driver.run(&signal(Some(waiting))).unwrap();
    assert_eq!(driver.open(), ["u"], "only the one that was meant");
    assert_eq!(driver.variable("why"), Some(Value::Integer(7)));
    let error = driver.run(&signal(Some(waiting))).unwrap_err();
    assert!(matches!(error, crate::MachineError::NullValue(_)), "{error:?}");
    driver.run(&signal(None)).unwrap();
    assert_eq!(driver.open(), ["u", "u"]);
}

#[test]
fn a_signal_carries_variables_and_a_business_key_or_waits_for_a_job() {
    let model = |asynchronous: bool| {
        format!(
            r#"{CODES}<startEvent id="s"/><startEvent id="on"><signalEventDefinition signalRef="sig"/></startEvent>
            <intermediateThrowEvent id="t"><signalEventDefinition signalRef="sig" camunda:async="{asynchronous}"><extensionElements><camunda:in source="a" target="b"/><camunda:in businessKey="${{a}}"/></extensionElements></signalEventDefinition></intermediateThrowEvent><userTask id="u"/><userTask id="started"/>"#
        )
    };
    let flows = [("s", "t"), ("t", "u"), ("on", "started")];
    let mut driver = deployed(&model(false), &flows);
    driver.start(&[("a", Value::String("k".to_owned()))]);
    assert_eq!(driver.open(), ["started", "u"]);
    let keys: Vec<_> = driver
        .memory
        .instances
        .values()
        .map(|row| row.business_key.clone())
        .collect();
    assert_eq!(keys, [Some("key".to_owned()), Some("k".to_owned())]);
    assert_eq!(driver.variable("b"), Some(Value::String("k".to_owned())));
    let mut driver = deployed(&model(true), &flows);
    driver.start(&[("a", Value::String("k".to_owned()))]);
    assert_eq!(driver.open(), ["u"]);
    driver.execute_job("on").unwrap();
    assert_eq!(driver.open(), ["started", "u"]);
}

#[test]
fn a_terminate_end_event_leaves_what_can_still_be_undone() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><task id="hotel"/><boundaryEvent id="b" attachedToRef="hotel"><compensateEventDefinition/></boundaryEvent>
        <userTask id="undo" isForCompensation="true"/><association id="a" sourceRef="b" targetRef="undo"/><endEvent id="stop"><terminateEventDefinition/></endEvent>
        <sequenceFlow id="i1" sourceRef="s2" targetRef="hotel"/><sequenceFlow id="i2" sourceRef="hotel" targetRef="stop"/></subProcess>
        <endEvent id="t"><compensateEventDefinition/></endEvent>"#,
        &[("s", "sub"), ("sub", "t")],
    );
    driver.start(&[]);
    assert_eq!(driver.open(), ["undo"]);
    driver.complete_user_task("undo");
    assert!(driver.is_empty());
}

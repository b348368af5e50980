use super::*;
use crate::command::Correlated;
use crate::error::MachineError;
use crate::value::Value;

const MESSAGES: &str = r#"<message id="m1" name="yes"/><message id="m2" name="no"/><error id="x" errorCode="E"/>---"#;

#[test]
fn the_first_event_behind_a_gateway_ends_the_others() {
    let mut driver = deployed(
        &format!(
            r#"{MESSAGES}<startEvent id="s"/><eventBasedGateway id="g"/>
            <intermediateCatchEvent id="yes"><messageEventDefinition messageRef="m1"/></intermediateCatchEvent>
            <intermediateCatchEvent id="no"><messageEventDefinition messageRef="m2"/></intermediateCatchEvent>
            <intermediateCatchEvent id="late"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>
            <userTask id="u"/><endEvent id="e"/>"#
        ),
        &[
            ("s", "g"),
            ("g", "yes"),
            ("g", "no"),
            ("g", "late"),
            ("yes", "e"),
            ("no", "u"),
            ("late", "e"),
            ("u", "e"),
        ],
    );
    driver.start(&[]);
    assert_eq!(driver.memory.subscriptions.len(), 2);
    assert_eq!(driver.job("late").due, Some(driver.now + 3_600_000));
    let mut message = Driver::message("no");
    message.business_key = Some("key".to_owned());
    let results = driver.correlate(message.clone()).unwrap();
    assert!(
        matches!(results.as_slice(), [Correlated::Execution { ended: true, .. }]),
        "{results:?}"
    );
    assert_eq!(
        driver.path(),
        [
            "s startEvent",
            "g eventBasedGateway!",
            "no intermediateMessageCatch",
            "u userTask…"
        ]
    );
    assert!(driver.memory.subscriptions.is_empty() && driver.memory.jobs.is_empty());
    message.name = "yes".to_owned();
    let error = driver.correlate(message).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Cannot correlate message 'yes': No process definition or execution matches the parameters"
    );
    driver.complete_user_task("u");
    assert!(driver.is_empty());
}

#[test]
fn completing_a_task_and_subscribing_behind_it_is_one_command() {
    let mut driver = deployed(
        &format!(
            r#"{MESSAGES}<startEvent id="s"/><sendTask id="ask" {EXTERNAL}/><eventBasedGateway id="g"/>
            <intermediateCatchEvent id="yes"><messageEventDefinition messageRef="m1"/></intermediateCatchEvent>
            <intermediateCatchEvent id="no"><messageEventDefinition messageRef="m2"/></intermediateCatchEvent><endEvent id="e"/>"#
        ),
        &[
            ("s", "ask"),
            ("ask", "g"),
            ("g", "yes"),
            ("g", "no"),
            ("yes", "e"),
            ("no", "e"),
        ],
    );
    driver.start(&[]);
    assert!(matches!(
        driver.correlate(Driver::message("yes")),
        Err(MachineError::Mismatch(_))
    ));
    driver.complete("ask", &[]);
    assert!(matches!(
        driver.correlate(Driver::message("yes")).unwrap().as_slice(),
        [Correlated::Execution { ended: true, .. }]
    ));
    assert!(driver.is_empty());
}

#[test]
fn a_receive_task_waits_for_its_message_and_takes_variables() {
    let mut driver = deployed(
        &format!(r#"{MESSAGES}<startEvent id="s"/><receiveTask id="r" messageRef="m1"/><userTask id="u"/>"#),
        &[("s", "r"), ("r", "u")],
    );
    driver.start(&[("order", Value::Integer(1))]);
    driver.start(&[("order", Value::Integer(2))]);
    let mut message = Driver::message("yes");
    let error = driver.correlate(message.clone()).unwrap_err();
    assert!(error.to_string().starts_with("ENGINE-13031"), "{error}");
    message.correlation_keys = vec![("order".to_owned(), Value::Integer(2))];
    message.variables = vec![crate::command::VariableInput {
        name: "a".to_owned(),
        value: Value::Boolean(true),
        transient: false,
    }];
    driver.correlate(message.clone()).unwrap();
    assert_eq!(driver.open(), ["r", "u"]);
    assert_eq!(driver.variable("a"), Some(Value::Boolean(true)));
    let mut all = Driver::message("yes");
    all.all = true;
    assert_eq!(driver.correlate(all.clone()).unwrap().len(), 1);
    assert!(driver.correlate(all).unwrap().is_empty());
}

#[test]
fn boundary_events_interrupt_or_run_beside() {
    let mut driver = deployed(
        &format!(
            r#"{MESSAGES}<startEvent id="s"/><userTask id="work"/>
            <boundaryEvent id="note" attachedToRef="work" cancelActivity="false"><messageEventDefinition messageRef="m1"/></boundaryEvent>
            <boundaryEvent id="late" attachedToRef="work"><timerEventDefinition><timeDuration>PT5M</timeDuration></timerEventDefinition></boundaryEvent>
            <userTask id="noted"/><userTask id="escalated"/><endEvent id="e"/>"#
        ),
        &[("s", "work"), ("work", "e"), ("note", "noted"), ("late", "escalated")],
    );
    driver.start(&[]);
    driver.correlate(Driver::message("yes")).unwrap();
    driver.correlate(Driver::message("yes")).unwrap();
    assert_eq!(driver.open(), ["noted", "noted", "work"]);
    driver.execute_job("late").unwrap();
    assert_eq!(driver.open(), ["escalated", "noted", "noted"]);
    assert!(driver.memory.subscriptions.is_empty());
    let path = driver.path();
    assert!(
        path.contains(&"work userTask!".to_owned()) && path.contains(&"late boundaryTimer".to_owned()),
        "{path:?}"
    );
}

#[test]
fn a_timer_cycle_beside_an_activity_repeats_and_ends_with_it() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><userTask id="work"/>
        <boundaryEvent id="tick" attachedToRef="work" cancelActivity="false"><timerEventDefinition><timeCycle>R2/PT1M</timeCycle></timerEventDefinition></boundaryEvent>
        <endEvent id="ticked"/><endEvent id="e"/>"#,
        &[("s", "work"), ("work", "e"), ("tick", "ticked")],
    );
    driver.start(&[]);
    driver.execute_job("tick").unwrap();
    driver.execute_job("tick").unwrap();
    assert!(driver.memory.jobs.is_empty());
    driver.complete_user_task("work");
    assert!(driver.is_empty());
}

#[test]
fn a_sub_process_is_a_scope_with_its_own_end_and_errors_leave_it() {
    let mut driver = deployed(
        &format!(
            r#"{MESSAGES}<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><userTask id="inner"/><exclusiveGateway id="x" default="d"/>
            <endEvent id="fail"><errorEventDefinition errorRef="x"/></endEvent><endEvent id="fine"/>
            <sequenceFlow id="i1" sourceRef="s2" targetRef="inner"/><sequenceFlow id="i2" sourceRef="inner" targetRef="x"/>
            <sequenceFlow id="i3" sourceRef="x" targetRef="fail"><conditionExpression>${{bad}}</conditionExpression></sequenceFlow>
            <sequenceFlow id="d" sourceRef="x" targetRef="fine"/></subProcess>
            <boundaryEvent id="caught" attachedToRef="sub"><errorEventDefinition errorRef="x"/></boundaryEvent>
            <userTask id="repair"/><userTask id="next"/>"#
        )
        .replace(r#"id="x" errorCode"#, r#"id="xe" errorCode"#)
        .replace(r#"errorRef="x""#, r#"errorRef="xe""#),
        &[("s", "sub"), ("sub", "next"), ("caught", "repair")],
    );
    driver.start(&[("bad", Value::Boolean(false))]);
    driver.complete_user_task("inner");
    assert_eq!(driver.open(), ["next"]);
    driver.complete_user_task("next");
    assert!(driver.is_empty());
    driver.start(&[("bad", Value::Boolean(true))]);
    driver.complete_user_task("inner");
    assert_eq!(driver.open(), ["repair"]);
    let path = driver.path();
    assert!(
        path.contains(&"fail errorEndEvent!".to_owned()) && path.contains(&"sub subProcess!".to_owned()),
        "{path:?}"
    );
}

#[test]
fn an_event_sub_process_interrupts_its_scope() {
    let mut driver = deployed(
        &format!(
            r#"{MESSAGES}<startEvent id="s"/><userTask id="work"/><endEvent id="e"/>
            <subProcess id="stop" triggeredByEvent="true"><startEvent id="on"><messageEventDefinition messageRef="m1"/></startEvent><userTask id="clean"/><endEvent id="e2"/>
            <sequenceFlow id="i1" sourceRef="on" targetRef="clean"/><sequenceFlow id="i2" sourceRef="clean" targetRef="e2"/></subProcess>"#
        ),
        &[("s", "work"), ("work", "e")],
    );
    driver.start(&[]);
    driver.correlate(Driver::message("yes")).unwrap();
    assert_eq!(driver.open(), ["clean"]);
    assert!(driver.memory.subscriptions.is_empty());
    driver.complete_user_task("clean");
    assert!(driver.is_empty());
}

#[test]
fn terminate_ends_all_of_its_scope() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><parallelGateway id="fork"/><userTask id="a"/><userTask id="b"/>
        <endEvent id="stop"><terminateEventDefinition/></endEvent><endEvent id="e"/>"#,
        &[("s", "fork"), ("fork", "a"), ("fork", "b"), ("a", "stop"), ("b", "e")],
    );
    driver.start(&[]);
    driver.complete_user_task("a");
    assert!(driver.is_empty());
    assert!(driver.path().contains(&"b userTask!".to_owned()));
}

#[test]
fn a_timer_that_cannot_be_read_refuses_the_start() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>soon</timeDuration></timerEventDefinition></intermediateCatchEvent><endEvent id="e"/>"#,
        &[("s", "t"), ("t", "e")],
    );
    let error = driver.try_start(None, &[]).unwrap_err();
    assert!(error.to_string().contains("soon"), "{error}");
    assert!(driver.is_empty());
}

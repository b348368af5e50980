use super::*;
use crate::row::ExecutionState;
use crate::value::Value;

const UNDO: &str = r#"<boundaryEvent id="b_ID" attachedToRef="ID"><compensateEventDefinition/></boundaryEvent>
    <userTask id="undo_ID" isForCompensation="true"/><association id="a_ID" sourceRef="b_ID" targetRef="undo_ID"/>"#;

fn undo(id: &str) -> String {
    UNDO.replace("ID", id)
}

#[test]
fn what_was_done_is_undone_and_the_event_goes_on_when_all_is() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><userTask id="hotel"/><userTask id="flight"/>{}{}
            <intermediateThrowEvent id="throw"><compensateEventDefinition/></intermediateThrowEvent><userTask id="after"/>"#,
            undo("hotel"),
            undo("flight")
        ),
        &[
            ("s", "hotel"),
            ("hotel", "flight"),
            ("flight", "throw"),
            ("throw", "after"),
        ],
    );
    driver.start(&[]);
    driver.complete_user_task("hotel");
    assert_eq!(driver.memory.subscriptions.len(), 1);
    driver.complete_user_task("flight");
    assert_eq!(driver.open(), ["undo_flight", "undo_hotel"]);
    let tasks: Vec<_> = driver
        .memory
        .tasks
        .values()
        .filter_map(|task| task.activity().map(str::to_owned))
        .collect();
    assert_eq!(tasks, ["undo_flight", "undo_hotel"], "the latest first");
    driver.complete_user_task("undo_hotel");
    assert_eq!(driver.open(), ["undo_flight"]);
    driver.complete_user_task("undo_flight");
    assert_eq!(driver.open(), ["after"]);
    driver.complete_user_task("after");
    assert!(driver.is_empty());
    assert!(
        !driver.path().iter().any(|row| row.ends_with('!') || row.ends_with('…')),
        "{:?}",
        driver.path()
    );
}

#[test]
fn one_activity_is_compensated_by_its_name() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><task id="hotel"/><task id="flight"/>{}{}
            <endEvent id="throw"><compensateEventDefinition activityRef="hotel"/></endEvent>"#,
            undo("hotel"),
            undo("flight")
        ),
        &[("s", "hotel"), ("hotel", "flight"), ("flight", "throw")],
    );
    driver.start(&[]);
    assert_eq!(driver.open(), ["undo_hotel"]);
    driver.complete_user_task("undo_hotel");
    assert!(driver.is_empty());
}

#[test]
fn an_ended_sub_process_is_undone_with_the_variables_that_it_had() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><subProcess id="sub"><extensionElements><camunda:inputOutput><camunda:inputParameter name="room">12</camunda:inputParameter></camunda:inputOutput></extensionElements>
            <startEvent id="s2"/><task id="hotel"/>{}
            <sequenceFlow id="i1" sourceRef="s2" targetRef="hotel"/></subProcess>
            <intermediateThrowEvent id="throw"><compensateEventDefinition/></intermediateThrowEvent><endEvent id="e"/>"#,
            undo("hotel").replace(
                r#"isForCompensation="true""#,
                r#"isForCompensation="true" camunda:assignee="${room}""#
            )
        ),
        &[("s", "sub"), ("sub", "throw"), ("throw", "e")],
    );
    driver.start(&[]);
    assert_eq!(driver.user_task("undo_hotel").assignee.as_deref(), Some("12"));
    let compensating = driver
        .memory
        .executions
        .values()
        .find(|row| row.activity == "sub")
        .unwrap();
    assert_eq!(compensating.state, ExecutionState::Compensating);
    driver.complete_user_task("undo_hotel");
    assert!(driver.is_empty());
}

#[test]
fn an_event_sub_process_decides_how_its_scope_is_undone() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><task id="hotel"/><task id="flight"/>{}{}
            <sequenceFlow id="i1" sourceRef="s2" targetRef="hotel"/><sequenceFlow id="i2" sourceRef="hotel" targetRef="flight"/>
            <subProcess id="handler" triggeredByEvent="true"><startEvent id="hs"><compensateEventDefinition/></startEvent>
            <intermediateThrowEvent id="only"><compensateEventDefinition activityRef="hotel"/></intermediateThrowEvent><userTask id="note"/><endEvent id="he"/>
            <sequenceFlow id="h1" sourceRef="hs" targetRef="only"/><sequenceFlow id="h2" sourceRef="only" targetRef="note"/><sequenceFlow id="h3" sourceRef="note" targetRef="he"/></subProcess></subProcess>
            <endEvent id="throw"><compensateEventDefinition activityRef="sub"/></endEvent>"#,
            undo("hotel"),
            undo("flight")
        ),
        &[("s", "sub"), ("sub", "throw")],
    );
    driver.start(&[]);
    assert_eq!(driver.open(), ["undo_hotel"]);
    driver.complete_user_task("undo_hotel");
    assert_eq!(driver.open(), ["note"]);
    driver.complete_user_task("note");
    assert!(driver.is_empty());
    assert!(
        driver.path().contains(&"hs compensationStartEvent".to_owned()),
        "{:?}",
        driver.path()
    );
}

#[test]
fn each_instance_of_a_multi_instance_activity_is_undone() {
    for sequential in [true, false] {
        let mut driver = deployed(
            &format!(
                r#"<startEvent id="s"/><task id="hotel"><multiInstanceLoopCharacteristics isSequential="{sequential}"><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></task>{}
                <intermediateThrowEvent id="throw"><compensateEventDefinition activityRef="hotel"/></intermediateThrowEvent><endEvent id="e"/>"#,
                undo("hotel")
            ),
            &[("s", "hotel"), ("hotel", "throw"), ("throw", "e")],
        );
        driver.start(&[]);
        assert_eq!(driver.open(), ["undo_hotel"; 3]);
        let tasks: Vec<_> = driver.memory.tasks.keys().copied().collect();
        for id in tasks {
            driver
                .run(&crate::Command::CompleteTask {
                    id,
                    variables: Vec::new(),
                    with_variables: false,
                })
                .unwrap();
        }
        assert!(driver.is_empty());
    }
}

#[test]
fn what_is_not_undone_goes_with_its_scope() {
    let process = format!(
        r#"<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><task id="hotel"/>{}
        <sequenceFlow id="i1" sourceRef="s2" targetRef="hotel"/></subProcess><userTask id="u"/><endEvent id="e"/>"#,
        undo("hotel")
    );
    let flows = [("s", "sub"), ("sub", "u"), ("u", "e")];
    let mut driver = deployed(&process, &flows);
    driver.start(&[]);
    assert_eq!(driver.memory.subscriptions.len(), 2);
    driver.complete_user_task("u");
    assert!(driver.is_empty());
    let id = driver.start(&[]).instance.id;
    driver
        .run(&crate::Command::DeleteInstance {
            id,
            reason: None,
            skip_custom_listeners: false,
            skip_io_mappings: false,
        })
        .unwrap();
    assert!(driver.is_empty());
}

#[test]
fn a_cancelled_transaction_undoes_what_was_done_in_it() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><transaction id="tx"><startEvent id="s2"/><task id="hotel"/>{}<parallelGateway id="fork"/><userTask id="other"/><userTask id="decide"/>
            <endEvent id="cancel"><cancelEventDefinition/></endEvent>
            <sequenceFlow id="i1" sourceRef="s2" targetRef="hotel"/><sequenceFlow id="i2" sourceRef="hotel" targetRef="fork"/>
            <sequenceFlow id="i3" sourceRef="fork" targetRef="other"/><sequenceFlow id="i4" sourceRef="fork" targetRef="decide"/><sequenceFlow id="i5" sourceRef="decide" targetRef="cancel"/></transaction>
            <boundaryEvent id="cancelled" attachedToRef="tx"><cancelEventDefinition/></boundaryEvent><userTask id="sorry"/><endEvent id="e"/>"#,
            undo("hotel")
        ),
        &[("s", "tx"), ("tx", "e"), ("cancelled", "sorry"), ("sorry", "e")],
    );
    driver.start(&[]);
    driver.complete_user_task("decide");
    assert_eq!(driver.open(), ["undo_hotel"], "all else in it has ended");
    driver.complete_user_task("undo_hotel");
    assert_eq!(driver.open(), ["sorry"]);
    driver.complete_user_task("sorry");
    assert!(driver.is_empty());
    let path = driver.path();
    for row in [
        "other userTask!",
        "tx transaction!",
        "cancel cancelEndEvent!",
        "cancelled cancelBoundaryCatch",
    ] {
        assert!(path.contains(&row.to_owned()), "{row}: {path:?}");
    }
}

#[test]
fn an_error_of_what_undoes_is_caught_around_the_event_that_throws() {
    let mut driver = deployed(
        &format!(
            r#"<error id="x" errorCode="E"/>---<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><task id="hotel"/>{}
            <intermediateThrowEvent id="throw"><compensateEventDefinition/></intermediateThrowEvent><endEvent id="e2"/>
            <sequenceFlow id="i1" sourceRef="s2" targetRef="hotel"/><sequenceFlow id="i2" sourceRef="hotel" targetRef="throw"/><sequenceFlow id="i3" sourceRef="throw" targetRef="e2"/></subProcess>
            <boundaryEvent id="failed" attachedToRef="sub"><errorEventDefinition errorRef="x"/></boundaryEvent><userTask id="repair"/><endEvent id="e"/>"#,
            undo("hotel")
                .replace("userTask", &format!("serviceTask {EXTERNAL}"))
                .replace(&format!("</serviceTask {EXTERNAL}>"), "</serviceTask>")
        ),
        &[("s", "sub"), ("sub", "e"), ("failed", "repair"), ("repair", "e")],
    );
    driver.start(&[("a", Value::Integer(1))]);
    driver.bpmn_error("undo_hotel", "E");
    assert_eq!(driver.open(), ["repair"]);
    driver.complete_user_task("repair");
    assert!(driver.is_empty());
}

#[test]
fn an_event_sub_process_that_ran_beside_is_undone_with_its_scope() {
    let mut driver = deployed(
        &format!(
            r#"<message id="m" name="note"/>---<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><userTask id="work"/><sequenceFlow id="i1" sourceRef="s2" targetRef="work"/>
            <subProcess id="beside" triggeredByEvent="true"><startEvent id="on" isInterrupting="false"><messageEventDefinition messageRef="m"/></startEvent><task id="hotel"/>{}
            <sequenceFlow id="i2" sourceRef="on" targetRef="hotel"/></subProcess></subProcess><endEvent id="throw"><compensateEventDefinition/></endEvent>"#,
            undo("hotel")
        ),
        &[("s", "sub"), ("sub", "throw")],
    );
    driver.start(&[]);
    driver.correlate(Driver::message("note")).unwrap();
    driver.complete_user_task("work");
    assert_eq!(driver.open(), ["undo_hotel"]);
    driver.complete_user_task("undo_hotel");
    assert!(driver.is_empty());
}

#[test]
fn an_error_of_what_undoes_that_nobody_catches_ends_it() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><task id="hotel"/>{}<sequenceFlow id="i1" sourceRef="s2" targetRef="hotel"/></subProcess>
            <intermediateThrowEvent id="throw"><compensateEventDefinition/></intermediateThrowEvent><userTask id="after"/>"#,
            undo("hotel")
                .replace("<userTask", &format!("<serviceTask {EXTERNAL}"))
                .replace("</userTask>", "</serviceTask>")
        ),
        &[("s", "sub"), ("sub", "throw"), ("throw", "after")],
    );
    driver.start(&[]);
    driver.bpmn_error("undo_hotel", "E");
    assert_eq!(driver.open(), ["after"]);
    driver.complete_user_task("after");
    assert!(driver.is_empty());
}

use super::*;
use crate::command::{Command, ExternalTaskAction};
use crate::error::MachineError;
use crate::row::{InstanceState, LogState};
use crate::value::Value;

fn one() -> Driver {
    deployed(
        &format!(r#"<startEvent id="s"/><serviceTask id="work" name="Work" {EXTERNAL}/><endEvent id="e"/>"#),
        &[("s", "work"), ("work", "e")],
    )
}

#[test]
fn a_start_runs_to_the_external_task_and_its_completion_to_the_end() {
    let mut driver = one();
    let started = driver.start(&[("in", Value::String("x".to_owned()))]);
    assert!(!started.ended);
    let task = driver.external_task("work");
    assert_eq!(
        (task.topic.as_str(), task.business_key.as_deref(), task.retries),
        ("t", Some("key"), None)
    );
    assert_eq!(driver.path(), ["s startEvent", "work serviceTask…"]);
    driver.complete("work", &[("out", Value::Integer(7))]);
    assert!(driver.is_empty());
    assert_eq!(driver.path(), ["s startEvent", "work serviceTask", "e noneEndEvent"]);
    assert_eq!(driver.variable("out"), Some(Value::Integer(7)));
    let instance = &driver.memory.historic_instances[&started.instance.id];
    assert_eq!(instance.state, InstanceState::Completed);
    assert_eq!(instance.end_activity.as_deref(), Some("e"));
    assert_eq!(instance.removal_time, Some(driver.now + 24 * 3600 * 1000));
    let scopes: Vec<bool> = driver
        .memory
        .historic_activities
        .values()
        .map(|row| row.complete_scope)
        .collect();
    assert_eq!(scopes, [false, false, true]);
    let log: Vec<LogState> = driver.memory.external_task_log.iter().map(|row| row.state).collect();
    assert_eq!(log, [LogState::Created, LogState::Successful]);
}

#[test]
fn only_its_holder_may_complete_a_task() {
    let mut driver = one();
    driver.start(&[]);
    let id = driver.external_task("work").id;
    let complete = |worker: &str| ExternalTaskAction::Complete {
        worker: worker.to_owned(),
        variables: Vec::new(),
        local_variables: Vec::new(),
    };
    let text = id.text(Driver::node());
    let error = driver.act(id, complete("x")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("External Task {text} cannot be completed by worker 'x'. It is locked by worker 'null'.")
    );
    driver.lock(id);
    assert!(matches!(
        driver.act(id, complete("x")),
        Err(MachineError::NotLockHolder(_))
    ));
    // A lock that ran out does not matter as long as nobody else has taken the task.
    driver.now += 120_000;
    driver.act(id, complete("w")).unwrap();
    assert!(matches!(
        driver.act(id, complete("w")),
        Err(MachineError::NotFound { .. })
    ));
}

#[test]
fn a_failure_keeps_the_worker_and_without_retries_raises_an_incident() {
    let mut driver = one();
    driver.start(&[]);
    let id = driver.external_task("work").id;
    driver.lock(id);
    let fail = |retries| ExternalTaskAction::Fail {
        worker: "w".to_owned(),
        message: Some("boom".repeat(1000)),
        details: Some("long".to_owned()),
        retries,
        retry_timeout: 500,
        variables: Vec::new(),
        local_variables: Vec::new(),
    };
    driver.act(id, fail(2)).unwrap();
    let task = driver.external_task("work");
    assert_eq!((task.retries, task.worker.as_deref()), (Some(2), Some("w")));
    assert_eq!(task.lock_expiration, Some(driver.now + 500));
    assert_eq!(task.error_message.map(|message| message.len()), Some(666));
    driver.act(id, fail(0)).unwrap();
    assert_eq!(driver.memory.incidents.len(), 1);
    driver.act(id, ExternalTaskAction::SetRetries(1)).unwrap();
    assert!(driver.memory.incidents.is_empty());
    assert!(driver.memory.historic_incidents.values().all(|row| row.resolved));
    driver.complete("work", &[]);
    assert!(driver.is_empty());
}

#[test]
fn a_bpmn_error_goes_to_the_boundary_event_with_its_code() {
    let mut driver = Driver::new();
    driver.deploy(&format!(
        r#"<error id="e1" errorCode="NO_STOCK"/>---<startEvent id="s"/><serviceTask id="work" {EXTERNAL}/>
        <boundaryEvent id="any" attachedToRef="work"><errorEventDefinition/></boundaryEvent>
        <boundaryEvent id="caught" attachedToRef="work"><errorEventDefinition errorRef="e1" camunda:errorCodeVariable="code" camunda:errorMessageVariable="msg"/></boundaryEvent>
        <userTask id="after"/><endEvent id="e"/>
        <sequenceFlow id="f1" sourceRef="s" targetRef="work"/><sequenceFlow id="f2" sourceRef="work" targetRef="e"/>
        <sequenceFlow id="f3" sourceRef="caught" targetRef="after"/>"#
    ));
    driver.start(&[]);
    driver.bpmn_error("work", "NO_STOCK");
    assert_eq!(
        driver.path(),
        [
            "s startEvent",
            "work serviceTask!",
            "caught boundaryError",
            "after userTask…"
        ]
    );
    assert_eq!(driver.variable("code"), Some(Value::String("NO_STOCK".to_owned())));
    assert_eq!(driver.variable("msg"), Some(Value::String("why".to_owned())));
}

#[test]
fn an_error_that_nobody_catches_ends_the_path_in_silence() {
    let mut driver = one();
    let started = driver.start(&[]);
    driver.bpmn_error("work", "NOBODY");
    assert!(driver.is_empty());
    assert_eq!(driver.notices.len(), 1);
    assert!(driver.notices[0].message.contains("NOBODY"));
    let instance = &driver.memory.historic_instances[&started.instance.id];
    assert_eq!(instance.state, InstanceState::Completed);
    assert_eq!(driver.path(), ["s startEvent", "work serviceTask"]);
}

#[test]
fn what_fails_behind_a_completion_rolls_all_of_it_back() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><serviceTask id="work" {EXTERNAL}/><serviceTask id="bad" camunda:expression="${{missing.call()}}"/><endEvent id="e"/>"#
        ),
        &[("s", "work"), ("work", "bad"), ("bad", "e")],
    );
    driver.start(&[]);
    let error = driver.try_complete("work", &[("out", Value::Integer(1))]).unwrap_err();
    assert!(error.to_string().contains("missing.call()"), "{error}");
    assert_eq!(driver.open(), ["work"]);
    assert_eq!(driver.variable("out"), None);
}

#[test]
fn error_event_definitions_are_asked_when_the_task_is_completed_and_when_it_fails() {
    let mut driver = Driver::new();
    driver.deploy(&format!(
        r#"<error id="e1" errorCode="E" camunda:errorMessage="m"/>---<startEvent id="s"/><serviceTask id="work" {EXTERNAL}><extensionElements>
        <camunda:errorEventDefinition errorRef="e1" expression="${{externalTask.errorMessage eq 'bad' or wrong}}"/></extensionElements></serviceTask>
        <boundaryEvent id="caught" attachedToRef="work"><errorEventDefinition errorRef="e1"/></boundaryEvent><endEvent id="e"/><endEvent id="e2"/>
        <sequenceFlow id="f1" sourceRef="s" targetRef="work"/><sequenceFlow id="f2" sourceRef="work" targetRef="e"/><sequenceFlow id="f3" sourceRef="caught" targetRef="e2"/>"#
    ));
    driver.start(&[("wrong", Value::Boolean(false))]);
    let id = driver.external_task("work").id;
    driver.lock(id);
    driver
        .act(
            id,
            ExternalTaskAction::Fail {
                worker: "w".to_owned(),
                message: Some("bad".to_owned()),
                details: None,
                retries: 1,
                retry_timeout: 0,
                variables: Vec::new(),
                local_variables: Vec::new(),
            },
        )
        .unwrap();
    assert!(driver.is_empty());
    driver.start(&[("wrong", Value::Boolean(false))]);
    driver.complete("work", &[("wrong", Value::Boolean(true))]);
    assert!(driver.is_empty());
    assert_eq!(
        driver.path().iter().filter(|step| step.starts_with("caught")).count(),
        2
    );
}

#[test]
fn a_suspended_instance_refuses_and_a_deleted_one_is_gone() {
    let mut driver = one();
    let id = driver.start(&[]).instance.id;
    let task = driver.external_task("work").id;
    driver.lock(task);
    driver.run(&Command::SuspendInstance { id, suspended: true }).unwrap();
    assert!(matches!(
        driver.try_complete("work", &[]),
        Err(MachineError::Suspended(_))
    ));
    driver.run(&Command::SuspendInstance { id, suspended: false }).unwrap();
    let delete = Command::DeleteInstance {
        id,
        reason: Some("why".to_owned()),
        skip_custom_listeners: false,
        skip_io_mappings: false,
    };
    driver.run(&delete).unwrap();
    assert!(driver.is_empty());
    let history = &driver.memory.historic_instances[&id];
    assert_eq!(
        (history.state, history.delete_reason.as_deref()),
        (InstanceState::ExternallyTerminated, Some("why"))
    );
    assert_eq!(driver.path(), ["s startEvent", "work serviceTask!"]);
    assert!(matches!(driver.run(&delete), Err(MachineError::NotFound { .. })));
}

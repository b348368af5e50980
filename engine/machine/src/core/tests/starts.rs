use super::*;
use crate::command::{Command, Correlated, IfRunning, Once, Reply, Start, StartStatus, StartTarget};
use crate::error::MachineError;
use crate::row::JobKind;
use crate::view::Tenant;

const MESSAGE: &str = r#"<message id="m" name="go"/>---<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent><userTask id="u"/><sequenceFlow id="f1" sourceRef="s" targetRef="u"/>"#;

#[test]
fn a_message_starts_the_latest_version_with_its_business_key() {
    let mut driver = Driver::new();
    driver.deploy(MESSAGE);
    driver.deploy(MESSAGE);
    assert_eq!(driver.memory.subscriptions.len(), 1);
    let mut message = Driver::message("go");
    message.business_key = Some("b".to_owned());
    let results = driver.correlate(message).unwrap();
    let [Correlated::Started(started)] = results.as_slice() else {
        panic!("{results:?}")
    };
    assert_eq!(started.definition.version, 2);
    assert_eq!(started.instance.business_key.as_deref(), Some("b"));
    assert_eq!(driver.path(), ["s messageStartEvent", "u userTask…"]);
}

#[test]
fn two_definitions_may_not_start_by_one_message() {
    let mut driver = Driver::new();
    driver.deploy(MESSAGE);
    let other = Driver::xml(MESSAGE).replace(r#"process id="p""#, r#"process id="q""#);
    let error = driver.try_deploy(&other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Cannot deploy process definition 'test.bpmn': there already is a message event subscription for the message with name 'go'."
    );
}

#[test]
fn a_dedupe_key_starts_once_even_after_the_end() {
    let mut driver = Driver::new();
    driver.deploy(MESSAGE);
    let mut message = Driver::message("go");
    message.once.dedupe_key = Some("k".to_owned());
    let start = |driver: &mut Driver| match driver.correlate(message.clone()).unwrap().as_slice() {
        [Correlated::Started(started)] => (started.instance.id, started.status, started.ended),
        other => panic!("{other:?}"),
    };
    let (id, status, _) = start(&mut driver);
    assert_eq!(status, StartStatus::Created);
    assert_eq!(start(&mut driver), (id, StartStatus::AlreadyRunning, false));
    driver.complete_user_task("u");
    assert_eq!(start(&mut driver), (id, StartStatus::AlreadyEnded, true));
    assert_eq!(driver.memory.historic_instances.len(), 1);
}

#[test]
fn what_runs_under_a_business_key_is_joined_or_refused() {
    let mut driver = Driver::new();
    driver.deploy(MESSAGE);
    let first = driver.start(&[]).instance.id;
    let mut start = |if_running| {
        driver.run(&Command::Start(Start {
            target: StartTarget::Key {
                key: "p".to_owned(),
                tenant: Tenant::None,
            },
            business_key: Some("key".to_owned()),
            variables: Vec::new(),
            once: Once {
                dedupe_key: None,
                if_running,
            },
            with_variables: false,
            at: Vec::new(),
            skip_custom_listeners: false,
            skip_io_mappings: false,
        }))
    };
    let Ok(Reply::Started(joined)) = start(IfRunning::Join) else {
        panic!()
    };
    assert_eq!(
        (joined.instance.id, joined.status),
        (first, StartStatus::AlreadyRunning)
    );
    assert!(matches!(start(IfRunning::Reject), Err(MachineError::AlreadyRunning(_))));
    let Ok(Reply::Started(another)) = start(IfRunning::Another) else {
        panic!()
    };
    assert_eq!(another.status, StartStatus::Created);
    assert_eq!(driver.memory.instances.len(), 2);
}

#[test]
fn an_instance_that_ends_at_once_leaves_only_history() {
    let mut driver = deployed(r#"<startEvent id="s"/><endEvent id="e"/>"#, &[("s", "e")]);
    let started = driver.start(&[("a", crate::Value::Integer(1))]);
    assert!(started.ended);
    assert_eq!(started.variables, [("a".to_owned(), crate::Value::Integer(1))]);
    assert!(driver.is_empty());
    let history = &driver.memory.historic_instances[&started.instance.id];
    assert!(history.end_time.is_some() && history.removal_time.is_some());
    assert!(
        driver
            .memory
            .historic_activities
            .values()
            .all(|row| row.removal_time == history.removal_time)
    );
    assert!(
        driver
            .memory
            .historic_variables
            .values()
            .all(|row| row.removal_time == history.removal_time)
    );
}

#[test]
fn a_timer_start_event_starts_again_and_again_until_a_new_version() {
    let mut driver = Driver::new();
    let timer = r#"<startEvent id="s"><timerEventDefinition><timeCycle>R/PT1M</timeCycle></timerEventDefinition></startEvent><userTask id="u"/><sequenceFlow id="f1" sourceRef="s" targetRef="u"/>"#;
    driver.deploy(timer);
    driver.execute_job("s").unwrap();
    driver.execute_job("s").unwrap();
    assert_eq!(driver.memory.instances.len(), 2);
    assert!(matches!(driver.job("s").kind, JobKind::TimerStart { repeat: Some(_) }));
    driver.deploy(MESSAGE);
    assert!(driver.memory.jobs.is_empty());
}

#[test]
fn deleting_a_deployment_takes_instances_and_history_and_brings_the_version_before_back() {
    let mut driver = Driver::new();
    driver.deploy(MESSAGE);
    let Ok(Reply::Deployed { deployment, .. }) = driver.try_deploy(&Driver::xml(MESSAGE)) else {
        panic!()
    };
    driver.correlate(Driver::message("go")).unwrap();
    let delete = |cascade| Command::DeleteDeployment {
        id: deployment.id,
        cascade,
        skip_custom_listeners: false,
        skip_io_mappings: false,
    };
    assert!(driver.run(&delete(false)).is_err());
    driver.run(&delete(true)).unwrap();
    assert!(driver.is_empty() && driver.memory.historic_instances.is_empty());
    let results = driver.correlate(Driver::message("go")).unwrap();
    assert!(matches!(results.as_slice(), [Correlated::Started(started)] if started.definition.version == 1));
}

#[test]
fn duplicate_filtering_deploys_only_what_has_changed() {
    let mut driver = Driver::new();
    let deploy = |driver: &mut Driver, xml: &str| {
        let command = Command::Deploy(crate::command::Deploy {
            name: Some("n".to_owned()),
            source: None,
            tenant: None,
            duplicate_filtering: true,
            changed_only: false,
            strict: false,
            resources: vec![("a.bpmn".to_owned(), xml.as_bytes().to_vec())],
        });
        match driver.run(&command).unwrap() {
            Reply::Deployed {
                deployment,
                definitions,
                ..
            } => (deployment.id, definitions.len()),
            other => panic!("{other:?}"),
        }
    };
    let xml = Driver::xml(MESSAGE);
    let first = deploy(&mut driver, &xml);
    assert_eq!(deploy(&mut driver, &xml), (first.0, 0));
    let (second, count) = deploy(&mut driver, &xml.replace("userTask", "manualTask"));
    assert!(second != first.0 && count == 1);
}

#[test]
fn call_activities_start_another_process_and_wait_for_it() {
    let mut driver = Driver::new();
    let called = Driver::xml(
        r#"<startEvent id="s"/><userTask id="inner"/><sequenceFlow id="f1" sourceRef="s" targetRef="inner"/>"#,
    )
    .replace(r#"process id="p""#, r#"process id="q""#);
    driver.try_deploy(&called).unwrap();
    driver.deploy(
        r#"<startEvent id="s"/><callActivity id="call" calledElement="q"><extensionElements>
        <camunda:in businessKey="${execution.processBusinessKey}"/><camunda:in source="a" target="b"/><camunda:out sourceExpression="${b + 1}" target="c"/>
        </extensionElements></callActivity><userTask id="u"/><sequenceFlow id="f1" sourceRef="s" targetRef="call"/><sequenceFlow id="f2" sourceRef="call" targetRef="u"/>"#,
    );
    let id = driver.start(&[("a", crate::Value::Integer(1))]).instance.id;
    let called = driver
        .memory
        .instances
        .values()
        .find(|row| row.super_instance == Some(id))
        .unwrap()
        .clone();
    assert_eq!((called.root, called.business_key.as_deref()), (id, Some("key")));
    driver.complete_user_task("inner");
    assert_eq!(driver.variable("c"), Some(crate::Value::Long(2)));
    assert_eq!(driver.open(), ["u"]);
    let delete = Command::DeleteInstance {
        id,
        reason: None,
        skip_custom_listeners: false,
        skip_io_mappings: false,
    };
    driver.run(&delete).unwrap();
    assert!(driver.is_empty());
}

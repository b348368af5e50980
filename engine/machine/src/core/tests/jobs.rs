use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::command::{Command, VariableInput};
use crate::request::{Answer, RequestKind};
use crate::row::LogState;
use crate::value::{NullType, Value};

fn delegated() -> Answer {
    Answer::Delegated {
        variables: Vec::new(),
        local_variables: Vec::new(),
    }
}

/// The completion listener of the hand-off: on the end of an asynchronous message start event.
fn hand_off() -> Driver {
    let mut driver = Driver::new();
    driver.deploy(&format!(
        r#"<message id="m" name="needed"/>---<startEvent id="needed" camunda:asyncBefore="true" camunda:asyncAfter="true"><extensionElements>
        <camunda:executionListener event="end" delegateExpression="${{completeExternalTask}}"/>
        <camunda:failedJobRetryTimeCycle>PT1S,PT5S</camunda:failedJobRetryTimeCycle></extensionElements>
        <messageEventDefinition messageRef="m"/></startEvent><serviceTask id="count" {EXTERNAL}/><endEvent id="e"/>
        <sequenceFlow id="f1" sourceRef="needed" targetRef="count"/><sequenceFlow id="f2" sourceRef="count" targetRef="e"/>"#
    ));
    driver
}

#[test]
fn a_listener_runs_in_the_job_before_and_what_it_did_is_kept_by_the_job_after() {
    let mut driver = hand_off();
    let calls = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&calls);
    driver.responder = Box::new(move |request| {
        let RequestKind::Delegate(call) = &request.kind else {
            panic!("{request:?}")
        };
        seen.borrow_mut().push((
            call.name.clone(),
            call.attempt,
            call.invocation,
            call.activity_id.clone(),
        ));
        match call.attempt {
            1 => Answer::Failed {
                message: "no connection".to_owned(),
            },
            _ => delegated(),
        }
    });
    driver.correlate(Driver::message("needed")).unwrap();
    assert_eq!(driver.open(), ["needed"]);
    assert!(driver.path().is_empty(), "the activity has not started");
    assert!(driver.execute_job("needed").is_err());
    let job = driver.job("needed");
    assert_eq!((job.retries, job.failures, job.due), (2, 1, Some(driver.now + 1_000)));
    assert_eq!(job.exception_message.as_deref(), Some("no connection"));
    driver.execute_job("needed").unwrap();
    assert_eq!(driver.path(), ["needed messageStartEvent"]);
    let calls = calls.borrow();
    assert_eq!(calls.iter().map(|call| call.1).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(calls[0].2, calls[1].2, "the invocation id is the same in every attempt");
    assert_eq!(
        (calls[0].0.as_str(), calls[0].3.as_str()),
        ("completeExternalTask", "needed")
    );
    driver.execute_job("needed").unwrap();
    assert_eq!(driver.open(), ["count"]);
    let log = &driver.memory.job_log;
    let failed = log.iter().find(|row| row.state == LogState::Failed).unwrap();
    assert_eq!(failed.job.retries, log[0].job.retries, "as it was when it failed");
    let log: Vec<LogState> = log.iter().map(|row| row.state).collect();
    assert_eq!(
        log,
        [
            LogState::Created,
            LogState::Failed,
            LogState::Successful,
            LogState::Created,
            LogState::Successful
        ]
    );
}

#[test]
fn a_bpmn_error_of_a_listener_that_nobody_catches_ends_the_instance() {
    let mut driver = hand_off();
    driver.responder = Box::new(|_| Answer::BpmnError {
        code: "DUPLICATE".to_owned(),
        message: None,
        variables: vec![VariableInput {
            name: "d".to_owned(),
            value: Value::Boolean(true),
            transient: false,
        }],
    });
    driver.correlate(Driver::message("needed")).unwrap();
    driver.execute_job("needed").unwrap();
    assert!(driver.is_empty());
    assert!(driver.notices[0].message.contains("DUPLICATE"));
    assert_eq!(driver.variable("d"), Some(Value::Boolean(true)));
    assert_eq!(driver.path(), ["needed messageStartEvent"]);
}

#[test]
fn a_job_without_retries_raises_an_incident_and_new_retries_resolve_it() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><serviceTask id="bad" camunda:asyncBefore="true" camunda:expression="${missing}"/><endEvent id="e"/>"#,
        &[("s", "bad"), ("bad", "e")],
    );
    driver.start(&[]);
    for retries in [2, 1, 0] {
        driver.execute_job("bad").unwrap_err();
        assert_eq!(driver.job("bad").retries, retries);
    }
    assert_eq!(driver.memory.incidents.len(), 1);
    let id = driver.job("bad").id;
    driver.run(&Command::SetJobRetries { id, retries: 1 }).unwrap();
    assert!(driver.memory.incidents.is_empty());
    let instance = *driver.memory.instances.keys().next().unwrap();
    let variables = vec![VariableInput {
        name: "missing".to_owned(),
        value: Value::Integer(1),
        transient: false,
    }];
    driver
        .run(&Command::SetVariables {
            scope: instance,
            local: false,
            variables,
            deletions: Vec::new(),
            call: crate::command::VariablesCall::Modify,
        })
        .unwrap();
    driver.execute_job("bad").unwrap();
    assert!(driver.is_empty());
}

#[test]
fn listeners_are_called_in_order_with_the_variables_of_the_place() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><userTask id="t"><extensionElements>
        <camunda:executionListener event="start" class="first"/><camunda:executionListener event="start" expression="${execution.setVariable('n', n + 1)}"/>
        <camunda:executionListener event="end" class="last"/></extensionElements></userTask><endEvent id="e"/>"#,
        &[("s", "t"), ("t", "e")],
    );
    let calls = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&calls);
    driver.responder = Box::new(move |request| {
        let RequestKind::Delegate(call) = &request.kind else {
            panic!("{request:?}")
        };
        seen.borrow_mut().push((call.name.clone(), call.variables.clone()));
        let n = call
            .variables
            .iter()
            .find(|(name, _)| name == "n")
            .map(|(_, value)| value.clone());
        let Some(Value::Integer(n)) = n else { return delegated() };
        Answer::Delegated {
            variables: vec![VariableInput {
                name: "n".to_owned(),
                value: Value::Integer(n * 10),
                transient: false,
            }],
            local_variables: Vec::new(),
        }
    });
    driver.start(&[("n", Value::Integer(4))]);
    assert_eq!(driver.variable("n"), Some(Value::Long(41)));
    driver.complete_user_task("t");
    assert!(driver.is_empty());
    let names: Vec<String> = calls.borrow().iter().map(|call| call.0.clone()).collect();
    assert!(
        names.starts_with(&["first".to_owned()]) && names.ends_with(&["last".to_owned()]),
        "{names:?}"
    );
}

#[test]
fn a_delegate_service_task_sets_variables_and_its_failure_may_be_caught() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><serviceTask id="call" camunda:delegateExpression="${bean}"/>
        <boundaryEvent id="any" attachedToRef="call"><errorEventDefinition errorRef="java.lang.Exception" camunda:errorMessageVariable="why"/></boundaryEvent><userTask id="ok"/><userTask id="bad"/>"#,
        &[("s", "call"), ("call", "ok"), ("any", "bad")],
    );
    driver.responder = Box::new(|_| delegated());
    driver.start(&[]);
    assert_eq!(driver.open(), ["ok"]);
    driver.responder = Box::new(|_| Answer::Failed {
        message: "broken".to_owned(),
    });
    driver.start(&[]);
    assert_eq!(driver.open(), ["bad", "ok"]);
    assert_eq!(driver.variable("why"), Some(Value::String("broken".to_owned())));
}

#[test]
fn input_and_output_parameters_go_in_and_out() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><serviceTask id="work" {EXTERNAL}><extensionElements><camunda:inputOutput>
            <camunda:inputParameter name="local">${{n * 2}}</camunda:inputParameter>
            <camunda:inputParameter name="list"><camunda:list><camunda:value>a</camunda:value><camunda:value>${{n}}</camunda:value></camunda:list></camunda:inputParameter>
            <camunda:outputParameter name="result">${{local + list.size()}}</camunda:outputParameter>
            </camunda:inputOutput></extensionElements></serviceTask><userTask id="u"/>"#
        ),
        &[("s", "work"), ("work", "u")],
    );
    driver.start(&[("n", Value::Integer(4))]);
    driver.complete("work", &[]);
    let names: Vec<&str> = driver.memory.variables.values().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["n", "result"]);
    assert_eq!(driver.variable("result"), Some(Value::Long(10)));
}

#[test]
fn typed_values_are_passed_on_as_they_are() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><serviceTask id="work" {EXTERNAL}><extensionElements><camunda:inputOutput>
            <camunda:inputParameter name="copy">${{execution.getVariableTyped('letter')}}</camunda:inputParameter>
            <camunda:inputParameter name="file">${{execution.getVariableTyped('letter').filename}}</camunda:inputParameter>
            <camunda:inputParameter name="none">${{execution.getVariableTyped('amount', false)}}</camunda:inputParameter>
            <camunda:inputParameter name="value">${{amount}}</camunda:inputParameter>
            <camunda:inputParameter name="twice">${{execution.getVariableTyped('n').value * 2}}</camunda:inputParameter>
            </camunda:inputOutput></extensionElements></serviceTask>"#
        ),
        &[("s", "work")],
    );
    let letter = Value::File(crate::value::File {
        name: "letter.txt".to_owned(),
        mimetype: None,
        encoding: None,
        data: b"Dear".to_vec(),
    });
    let amount = Value::NullOf(NullType::Long);
    driver.start(&[
        ("letter", letter.clone()),
        ("amount", amount.clone()),
        ("n", Value::Integer(2)),
    ]);
    assert_eq!(driver.variable("copy"), Some(letter));
    assert_eq!(driver.variable("file"), Some(Value::String("letter.txt".to_owned())));
    assert_eq!(driver.variable("none"), Some(amount));
    // An expression gives the value alone, whose type is lost.
    assert_eq!(driver.variable("value"), Some(Value::Null));
    assert_eq!(driver.variable("twice"), Some(Value::Long(4)));
}

#[test]
fn multi_instance_runs_in_parallel_and_in_turn() {
    for (sequential, open) in [("false", 3), ("true", 1)] {
        let mut driver = deployed(
            &format!(
                r#"<startEvent id="s"/><userTask id="each"><multiInstanceLoopCharacteristics isSequential="{sequential}" camunda:collection="${{items}}" camunda:elementVariable="item">
                <completionCondition>${{nrOfCompletedInstances == 2}}</completionCondition></multiInstanceLoopCharacteristics></userTask><userTask id="u"/>"#
            ),
            &[("s", "each"), ("each", "u")],
        );
        let items = Value::Object(crate::value::Serialized {
            type_name: Some("java.util.ArrayList".to_owned()),
            format: Some("application/json".to_owned()),
            data: Some(r#"["a","b","c"]"#.to_owned()),
        });
        driver.start(&[("items", items)]);
        assert_eq!(driver.open().len(), open);
        for _ in 0..2 {
            let id = *driver.memory.tasks.keys().next().unwrap();
            driver
                .run(&Command::CompleteTask {
                    id,
                    variables: Vec::new(),
                    with_variables: false,
                })
                .unwrap();
        }
        assert_eq!(driver.open(), ["u"]);
        assert!(
            driver
                .path()
                .contains(&"each#multiInstanceBody multiInstanceBody".to_owned())
        );
        driver.complete_user_task("u");
        assert!(driver.is_empty());
    }
}

use super::*;
use crate::Command;
use crate::command::VariableInput;
use crate::id::Id;
use crate::value::Value;

fn condition(text: &str) -> String {
    format!("<conditionalEventDefinition><condition>${{{text}}}</condition></conditionalEventDefinition>")
}

fn set(driver: &mut Driver, scope: Id, variables: &[(&str, i32)]) {
    let input = |(name, value): &(&str, i32)| VariableInput {
        name: (*name).to_owned(),
        value: Value::Integer(*value),
        transient: false,
    };
    driver
        .run(&Command::SetVariables {
            scope,
            local: false,
            variables: variables.iter().map(input).collect(),
            deletions: Vec::new(),
            call: crate::command::VariablesCall::Modify,
        })
        .unwrap();
}

#[test]
fn a_path_waits_for_a_condition() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><intermediateCatchEvent id="c">{}</intermediateCatchEvent><userTask id="u"/>"#,
            condition("n == 1")
        ),
        &[("s", "c"), ("c", "u")],
    );
    driver.start(&[("n", Value::Integer(1))]);
    assert_eq!(driver.open(), ["u"], "a condition that holds is not waited for");
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><intermediateCatchEvent id="c">{}</intermediateCatchEvent><userTask id="u"/>"#,
            condition("n == 1")
        ),
        &[("s", "c"), ("c", "u")],
    );
    let id = driver.start(&[]).instance.id;
    assert_eq!(driver.open(), ["c"], "an unknown variable is no error");
    set(&mut driver, id, &[("n", 2)]);
    assert_eq!(driver.open(), ["c"]);
    set(&mut driver, id, &[("n", 1)]);
    assert_eq!(driver.open(), ["u"]);
    assert!(driver.memory.subscriptions.is_empty());
}

#[test]
fn a_boundary_condition_is_looked_at_when_its_activity_begins_and_when_it_is_completed() {
    let model = format!(
        r#"<startEvent id="s"/><userTask id="work"/><boundaryEvent id="c" attachedToRef="work">{}</boundaryEvent><userTask id="caught"/><userTask id="done"/>"#,
        condition("n == 1")
    );
    let flows = [("s", "work"), ("work", "done"), ("c", "caught")];
    let mut driver = deployed(&model, &flows);
    driver.start(&[("n", Value::Integer(1))]);
    assert_eq!(driver.open(), ["caught"]);
    assert!(
        driver.memory.historic_tasks.len() == 1,
        "the activity did not do what it does"
    );
    let mut driver = deployed(&model, &flows);
    driver.start(&[]);
    let id = driver.user_task("work").id;
    driver
        .run(&Command::CompleteTask {
            with_variables: false,
            id,
            variables: vec![VariableInput {
                name: "n".to_owned(),
                value: Value::Integer(1),
                transient: false,
            }],
        })
        .unwrap();
    assert_eq!(driver.open(), ["caught"]);
    assert!(
        driver.path().contains(&"work userTask!".to_owned()),
        "{:?}",
        driver.path()
    );
}

#[test]
fn an_event_sub_process_beside_starts_at_each_change() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><userTask id="work"/><endEvent id="e"/>
            <subProcess id="note" triggeredByEvent="true"><startEvent id="c" isInterrupting="false">{}</startEvent><userTask id="noted"/><sequenceFlow id="i1" sourceRef="c" targetRef="noted"/></subProcess>"#,
            condition("n == 1")
        ),
        &[("s", "work"), ("work", "e")],
    );
    let id = driver.start(&[("n", Value::Integer(1))]).instance.id;
    assert_eq!(
        driver.open(),
        ["noted", "noted", "work"],
        "at the start, and for the variable that came with it"
    );
    set(&mut driver, id, &[("other", 1), ("n", 1)]);
    assert_eq!(driver.open().len(), 5);
    driver.complete_user_task("work");
    assert_eq!(driver.open(), ["noted"; 4]);
}

#[test]
fn an_interrupting_event_sub_process_leaves_nothing_for_the_next_change() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><userTask id="work"/><sequenceFlow id="i1" sourceRef="s2" targetRef="work"/>
            <subProcess id="stop" triggeredByEvent="true"><startEvent id="c">{}</startEvent><userTask id="stopped"/><sequenceFlow id="i2" sourceRef="c" targetRef="stopped"/></subProcess></subProcess>
            <endEvent id="e"/>"#,
            condition("n == 1")
        ),
        &[("s", "sub"), ("sub", "e")],
    );
    let id = driver.start(&[]).instance.id;
    set(&mut driver, id, &[("n", 1), ("m", 1)]);
    assert_eq!(driver.open(), ["stopped"]);
    assert!(driver.memory.subscriptions.is_empty());
    driver.complete_user_task("stopped");
    assert!(driver.is_empty());
    driver.start(&[("n", Value::Integer(1))]);
    assert_eq!(driver.open(), ["stopped"], "before anything else began");
}

#[test]
fn only_the_named_variable_and_kind_of_change_matter() {
    let event = r#"<conditionalEventDefinition camunda:variableName="n" camunda:variableEvents="update"><condition>${true}</condition></conditionalEventDefinition>"#;
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><userTask id="work"/><endEvent id="e"/>
            <subProcess id="note" triggeredByEvent="true"><startEvent id="c" isInterrupting="false">{event}</startEvent><userTask id="noted"/><sequenceFlow id="i1" sourceRef="c" targetRef="noted"/></subProcess>"#
        ),
        &[("s", "work"), ("work", "e")],
    );
    let id = driver.start(&[]).instance.id;
    assert_eq!(
        driver.open(),
        ["noted", "work"],
        "a scope that begins looks at every condition"
    );
    set(&mut driver, id, &[("n", 1), ("m", 1)]);
    assert_eq!(driver.open().len(), 2, "it was created");
    set(&mut driver, id, &[("n", 1), ("m", 1)]);
    assert_eq!(driver.open().len(), 3);
}

#[test]
fn a_condition_behind_a_gateway_happens_at_once_or_later() {
    let model = format!(
        r#"<startEvent id="s"/><eventBasedGateway id="g"/><intermediateCatchEvent id="c">{}</intermediateCatchEvent>
        <intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent><userTask id="u"/>"#,
        condition("n == 1")
    );
    let flows = [("s", "g"), ("g", "c"), ("g", "t"), ("c", "u"), ("t", "u")];
    let mut driver = deployed(&model, &flows);
    driver.start(&[("n", Value::Integer(1))]);
    assert_eq!(driver.open(), ["u"]);
    assert!(driver.memory.jobs.is_empty());
    let mut driver = deployed(&model, &flows);
    let id = driver.start(&[]).instance.id;
    set(&mut driver, id, &[("n", 1)]);
    assert_eq!(driver.open(), ["u"]);
    assert!(
        driver.path().contains(&"g eventBasedGateway!".to_owned()),
        "{:?}",
        driver.path()
    );
}

#[test]
fn conditional_start_events_are_evaluated_by_command() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s1">{}</startEvent><startEvent id="s2">{}</startEvent><userTask id="u"/>"#,
            condition("n == 1"),
            condition("n &gt; 0")
        ),
        &[("s1", "u"), ("s2", "u")],
    );
    let mut evaluate = |value: i32| {
        let command = Command::Evaluate(Box::new(crate::command::Evaluate {
            definition: None,
            business_key: Some("b".to_owned()),
            tenant: crate::view::Tenant::Any,
            variables: vec![VariableInput {
                name: "n".to_owned(),
                value: Value::Integer(value),
                transient: false,
            }],
        }));
        match driver.run(&command).unwrap() {
            crate::Reply::StartedAll(started) => started.len(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((evaluate(1), evaluate(2), evaluate(0)), (2, 1, 0));
}

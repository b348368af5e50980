use super::*;
use crate::Command;
use crate::command::VariableInput;
use crate::error::MachineError;
use crate::request::{Answer, RequestKind, ScriptCall};
use crate::value::Value;

fn script(request: &crate::request::Request) -> ScriptCall {
    match &request.kind {
        RequestKind::Script(call) => call.clone(),
        other => panic!("no script: {other:?}"),
    }
}

fn evaluated(result: Value, variables: &[(&str, Value)]) -> Answer {
    Answer::Evaluated {
        result,
        variables: variables
            .iter()
            .map(|(name, value)| VariableInput {
                name: (*name).to_owned(),
                value: value.clone(),
                transient: false,
            })
            .collect(),
        local_variables: Vec::new(),
        removed: Vec::new(),
        task: Vec::new(),
    }
}

const TASK: &str = r#"<startEvent id="s"/>
    <scriptTask id="calc" scriptFormat="javascript" camunda:resultVariable="sum"><script>a + 1</script></scriptTask>
    <userTask id="t"/><endEvent id="e"/>"#;
const FLOWS: [(&str, &str); 3] = [("s", "calc"), ("calc", "t"), ("t", "e")];

#[test]
fn a_script_task_asks_outside_and_keeps_its_result() {
    let mut driver = deployed(TASK, &FLOWS);
    driver.responder = Box::new(|request| {
        let call = script(request);
        assert_eq!((call.source.as_str(), call.format.as_str()), ("a + 1", "javascript"));
        assert!(call.variables.contains(&("a".to_owned(), Value::Integer(4))));
        evaluated(Value::Integer(5), &[("b", Value::Boolean(true))])
    });
    driver.start(&[("a", Value::Integer(4))]);
    assert_eq!(driver.path(), ["s startEvent", "calc scriptTask", "t userTask…"]);
    assert_eq!(driver.variable("sum"), Some(Value::Integer(5)));
    assert_eq!(driver.variable("b"), Some(Value::Boolean(true)));
}

#[test]
fn a_failing_script_ends_the_command_and_names_its_activity() {
    let mut driver = deployed(TASK, &FLOWS);
    driver.responder = Box::new(|_| Answer::Failed {
        message: "a is not defined".to_owned(),
    });
    let error = driver.try_start(None, &[]).unwrap_err();
    assert!(
        matches!(&error, MachineError::Script(text) if text.contains("'calc'") && text.contains("a is not defined"))
    );
    assert!(driver.is_empty());
}

#[test]
fn a_script_may_throw_a_bpmn_error() {
    let elements = format!(
        r#"{TASK}<boundaryEvent id="b" attachedToRef="calc"><errorEventDefinition errorRef="late"/></boundaryEvent><endEvent id="caught"/>"#
    );
    let mut driver = deployed(&elements, &[("s", "calc"), ("calc", "t"), ("t", "e"), ("b", "caught")]);
    driver.responder = Box::new(|_| Answer::BpmnError {
        code: "late".to_owned(),
        message: None,
        variables: Vec::new(),
    });
    assert!(driver.start(&[]).ended);
    assert!(driver.path().contains(&"caught noneEndEvent".to_owned()));
}

#[test]
fn juel_is_evaluated_in_the_machine_and_is_the_default() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><scriptTask id="calc" camunda:resultVariable="sum"><script>${a + 1}</script></scriptTask><userTask id="t"/>"#,
        &[("s", "calc"), ("calc", "t")],
    );
    driver.start(&[("a", Value::Integer(4))]);
    assert_eq!(driver.variable("sum"), Some(Value::Long(5)));
}

#[test]
fn conditions_and_parameters_may_be_scripts() {
    let mut driver = Driver::new();
    driver.deploy(
        r#"<startEvent id="s"/><exclusiveGateway id="x" default="no"/><userTask id="t"><extensionElements><camunda:inputOutput>
            <camunda:inputParameter name="in"><camunda:script scriptFormat="javascript">name</camunda:script></camunda:inputParameter>
        </camunda:inputOutput></extensionElements></userTask><endEvent id="e"/>
        <sequenceFlow id="f0" sourceRef="s" targetRef="x"/><sequenceFlow id="no" sourceRef="x" targetRef="e"/>
        <sequenceFlow id="yes" sourceRef="x" targetRef="t"><conditionExpression language="javascript">ok</conditionExpression></sequenceFlow>"#,
    );
    driver.responder = Box::new(|request| match script(request).source.as_str() {
        "ok" => evaluated(Value::Boolean(true), &[]),
        _ => evaluated(Value::String("Ada".to_owned()), &[]),
    });
    driver.start(&[]);
    assert_eq!(driver.path(), ["s startEvent", "x exclusiveGateway", "t userTask…"]);
    assert_eq!(driver.variable("in"), Some(Value::String("Ada".to_owned())));
}

const SCRIPTED: &str =
    r#"<conditionalEventDefinition><condition language="JavaScript">n &gt; 1</condition></conditionalEventDefinition>"#;

/// Whether `n` is more than 1, as the script asks.
fn more_than_one(request: &crate::request::Request) -> Answer {
    let call = script(request);
    assert_eq!(call.source, "n > 1");
    let n = call.variables.iter().find(|(name, _)| name == "n");
    match n {
        Some((_, Value::Integer(n))) => evaluated(Value::Boolean(*n > 1), &[]),
        _ => Answer::Failed {
            message: "ReferenceError: n is not defined".to_owned(),
        },
    }
}

#[test]
fn conditions_of_events_may_be_scripts() {
    for (elements, flows) in [
        (
            format!(
                r#"<startEvent id="s"/><intermediateCatchEvent id="c">{SCRIPTED}</intermediateCatchEvent><userTask id="u"/>"#
            ),
            vec![("s", "c"), ("c", "u")],
        ),
        (
            format!(
                r#"<startEvent id="s"/><userTask id="w"/><boundaryEvent id="c" attachedToRef="w">{SCRIPTED}</boundaryEvent><userTask id="u"/>"#
            ),
            vec![("s", "w"), ("c", "u")],
        ),
        (
            format!(
                r#"<startEvent id="s"/><eventBasedGateway id="g"/><intermediateCatchEvent id="c">{SCRIPTED}</intermediateCatchEvent><userTask id="u"/>"#
            ),
            vec![("s", "g"), ("g", "c"), ("c", "u")],
        ),
    ] {
        let mut driver = deployed(&elements, &flows);
        driver.responder = Box::new(more_than_one);
        let instance = driver.start(&[("n", Value::Integer(1))]).instance.id;
        assert_ne!(driver.open(), ["u"]);
        let mut set = |n| {
            let variables = vec![VariableInput {
                name: "n".to_owned(),
                value: n,
                transient: false,
            }];
            driver.run(&Command::SetVariables {
                scope: instance,
                local: false,
                variables,
                deletions: Vec::new(),
                call: crate::command::VariablesCall::Modify,
            })
        };
        let failed = set(Value::Null).expect_err("as scripts do elsewhere");
        assert!(matches!(failed, MachineError::Script(_)), "{failed:?}");
        set(Value::Integer(2)).expect("a variable");
        assert_eq!(driver.open(), ["u"], "{elements}");
    }
}

#[test]
fn a_script_may_start_instances() {
    let mut driver = deployed(
        &format!(r#"<startEvent id="s">{SCRIPTED}</startEvent><userTask id="u"/>"#),
        &[("s", "u")],
    );
    driver.responder = Box::new(more_than_one);
    let mut evaluate = |n| {
        let variables = vec![VariableInput {
            name: "n".to_owned(),
            value: Value::Integer(n),
            transient: false,
        }];
        let evaluate = crate::command::Evaluate {
            definition: None,
            business_key: None,
            tenant: crate::view::Tenant::Any,
            variables,
        };
        match driver.run(&Command::Evaluate(Box::new(evaluate))) {
            Ok(crate::command::Reply::StartedAll(started)) => started.len(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((evaluate(1), evaluate(2)), (0, 1));
    assert_eq!(driver.open(), ["u"]);
}

#[test]
fn a_condition_in_another_language_is_refused_as_a_script_is() {
    let condition = SCRIPTED.replace("JavaScript", "groovy");
    let model = format!(
        r#"<startEvent id="s">{condition}</startEvent><userTask id="u"/><sequenceFlow id="f" sourceRef="s" targetRef="u"/>"#
    );
    let Err(MachineError::Parse(problems)) = Driver::new().try_deploy(&Driver::xml(&model)) else {
        panic!("refused");
    };
    let errors: Vec<&str> = problems
        .resources
        .iter()
        .flat_map(|(_, errors, _)| errors)
        .map(|problem| problem.message.as_str())
        .collect();
    let [message] = errors[..] else {
        panic!("one thing is wrong: {errors:?}");
    };
    assert!(message.starts_with("a script in 'groovy' is not executed"), "{message}");
}

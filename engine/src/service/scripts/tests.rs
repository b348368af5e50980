use std::time::Duration;

use handoff_machine::request::{Answer, ScriptCall};
use handoff_machine::value::Value;

use super::{ScriptLimits, evaluate};

fn call(source: &str) -> ScriptCall {
    let text = |text: &str| Value::String(text.to_owned());
    ScriptCall {
        format: "javascript".to_owned(),
        source: source.to_owned(),
        activity_id: "work".to_owned(),
        variables: vec![
            ("amount".to_owned(), Value::Integer(4)),
            ("name".to_owned(), text("Ada")),
            ("order".to_owned(), Value::Json("{\"lines\": [1, 2]}".to_owned())),
            ("scan".to_owned(), Value::Bytes(vec![1, 2, 3])),
            ("when".to_owned(), Value::Date(1_000)),
            ("not a name".to_owned(), Value::Boolean(true)),
        ],
        local_variables: vec![("amount".to_owned(), Value::Integer(4))],
        execution: vec![
            ("processBusinessKey".to_owned(), text("k")),
            ("currentActivityId".to_owned(), text("work")),
        ],
        task: Some(vec![
            ("assignee".to_owned(), Value::Null),
            ("priority".to_owned(), Value::Integer(50)),
        ]),
    }
}

fn limits() -> ScriptLimits {
    ScriptLimits {
        timeout: Duration::from_millis(500),
        memory: 16 << 20,
        concurrency: 1,
    }
}

fn run(source: &str) -> Answer {
    evaluate(&call(source), limits())
}

#[track_caller]
fn result(source: &str) -> Value {
    match run(source) {
        Answer::Evaluated { result, .. } => result,
        other => panic!("{source}: {other:?}"),
    }
}

#[track_caller]
fn failure(source: &str) -> String {
    match run(source) {
        Answer::Failed { message } => message,
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn the_last_statement_is_the_result_in_its_type() {
    assert_eq!(result("var x = amount * 2; x + 1"), Value::Integer(9));
    assert_eq!(result("amount / 8"), Value::Double(0.5));
    assert_eq!(result("3000000000"), Value::Long(3_000_000_000));
    assert_eq!(result("name + '!'"), Value::String("Ada!".to_owned()));
    assert_eq!(result("amount > 3"), Value::Boolean(true));
    assert_eq!(result("undefined"), Value::Null);
    assert_eq!(result("new Date(when.getTime() + 1)"), Value::Date(1_001));
    assert_eq!(result("scan"), Value::Bytes(vec![1, 2, 3]), "passed on as it is");
    assert_eq!(result("order"), Value::Json("{\"lines\":[1,2]}".to_owned()));
    assert_eq!(
        result("S('{\"a\": {\"b\": 7}}').prop('a').prop('b').numberValue()"),
        Value::Integer(7)
    );
    assert_eq!(result("execution.getVariable('not a name')"), Value::Boolean(true));
    let Value::Object(object) = result("({a: [1]})") else {
        panic!("no object")
    };
    assert_eq!(object.type_name.as_deref(), Some("java.util.LinkedHashMap"));
    assert_eq!(object.data.as_deref(), Some("{\"a\":[1]}"));
}

#[test]
fn what_it_sets_comes_back() {
    let source = "execution.setVariable('a', amount + 1); execution.setVariableLocal('b', 'x');
        execution.removeVariable('name'); task.setAssignee('kermit'); task.setPriority(7);
        execution.hasVariable('name') || execution.getVariable('a') !== 5 || task.assignee !== 'kermit'
            || execution.getProcessBusinessKey() !== 'k'";
    let Answer::Evaluated {
        result,
        variables,
        local_variables,
        removed,
        task,
    } = run(source)
    else {
        panic!("no result")
    };
    assert_eq!(result, Value::Boolean(false));
    assert_eq!(
        (variables[0].name.as_str(), &variables[0].value),
        ("a", &Value::Integer(5))
    );
    assert_eq!(local_variables[0].name, "b");
    assert_eq!(removed, ["name"]);
    assert_eq!(
        task,
        [
            ("assignee".to_owned(), Value::String("kermit".to_owned())),
            ("priority".to_owned(), Value::Integer(7))
        ]
    );
}

#[test]
fn it_may_throw_a_bpmn_error() {
    for source in [
        "execution.setVariable('a', 1); throw new BpmnError('late', 'too late')",
        "execution.setVariable('a', 1); throw new org.camunda.bpm.engine.delegate.BpmnError('late', 'too late')",
    ] {
        let Answer::BpmnError {
            code,
            message,
            variables,
        } = run(source)
        else {
            panic!("no error")
        };
        assert_eq!((code.as_str(), message.as_deref()), ("late", Some("too late")));
        assert_eq!(variables.len(), 1);
    }
}

#[test]
fn a_failure_says_what_and_where() {
    assert!(failure("1 +").contains("SyntaxError"));
    let message = failure("var a = 1;\nmissing.call()");
    assert!(
        message.contains("missing is not defined") && message.contains("eval_script:2"),
        "{message}"
    );
    assert!(failure("throw new Error('no stock')").contains("no stock"));
    assert!(failure("execution.setVariable('f', function () {})").contains("cannot be a variable"));
}

#[test]
fn time_memory_and_stack_are_limited() {
    assert_eq!(failure("for (;;) {}"), "the script ran longer than 500 ms");
    // Nothing that a script catches lets it go on.
    assert_eq!(
        failure("for (;;) { try { for (;;) {} } catch (e) {} }"),
        "the script ran longer than 500 ms"
    );
    // These come to their limit by themselves, on a slow machine too.
    let patient = ScriptLimits {
        timeout: Duration::from_secs(60),
        ..limits()
    };
    for (source, limit) in [
        ("var a = []; for (;;) a.push(new Array(1000).fill(0))", "memory"),
        ("var a = []; for (;;) a.push({})", "memory"),
        ("var a = 'x'; for (;;) { try { a += a } catch (e) {} }", "memory"),
        ("(function f() { f() })()", "stack"),
    ] {
        match evaluate(&call(source), patient) {
            Answer::Failed { message } => assert!(message.contains(limit), "{message}"),
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn it_sees_nothing_outside() {
    for name in [
        "require",
        "process",
        "std",
        "os",
        "fetch",
        "Deno",
        "XMLHttpRequest",
        "load",
        "Java",
    ] {
        assert_eq!(
            result(&format!("typeof {name}")),
            Value::String("undefined".to_owned()),
            "{name}"
        );
    }
    assert!(failure("import('os').then(function () {}); execution.nothing()").contains("not a function"));
}

use std::collections::BTreeSet;

use super::lint;
use crate::model::parse;

const EXTERNAL: &str = r#"camunda:type="external" camunda:topic="t""#;

fn found(process: &str) -> Vec<String> {
    let xml = format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
        <message id="m" name="answer"/><process id="p" isExecutable="true">{process}</process></definitions>"#
    );
    let parsed = parse("p.bpmn", xml.as_bytes()).unwrap();
    let topics = BTreeSet::from(["t".to_owned()]);
    lint(&parsed.processes[0], Some(&topics))
        .into_iter()
        .map(|problem| problem.message)
        .collect()
}

fn flows(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .map(|(from, to)| format!(r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#))
        .collect()
}

const ANSWER: &str =
    r#"<intermediateCatchEvent id="answer"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>"#;

#[test]
fn the_pattern_as_it_should_be_is_left_alone() {
    let process = format!(
        r#"<startEvent id="s"/><sendTask id="ask" {EXTERNAL}/>{ANSWER}<endEvent id="e"/>{}"#,
        flows(&[("s", "ask"), ("ask", "answer"), ("answer", "e")])
    );
    assert_eq!(found(&process), [""; 0]);
    let start = r#"<startEvent id="s" camunda:asyncBefore="true" camunda:asyncAfter="true"><extensionElements>
        <camunda:executionListener event="end" delegateExpression="${done}"/></extensionElements><messageEventDefinition messageRef="m"/></startEvent>"#;
    assert_eq!(found(start), [""; 0]);
}

#[test]
fn a_wait_state_between_a_task_and_its_answer_is_named() {
    for (between, attributes, wait) in [
        (r#"<userTask id="w"/>"#, "", "'w'"),
        (r#"<task id="w" camunda:asyncBefore="true"/>"#, "", "'w'"),
        (
            r#"<intermediateCatchEvent id="w"><timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition></intermediateCatchEvent>"#,
            "",
            "'w'",
        ),
        (
            r#"<task id="w"/>"#,
            r#"camunda:asyncAfter="true""#,
            "its own async after",
        ),
    ] {
        let process = format!(
            r#"<startEvent id="s"/><sendTask id="ask" {EXTERNAL} {attributes}/>{between}{ANSWER}<endEvent id="e"/>{}"#,
            flows(&[("s", "ask"), ("ask", "w"), ("w", "answer"), ("answer", "e")])
        );
        let found = found(&process);
        assert!(
            found.len() == 1 && found[0].contains(wait) && found[0].contains("'answer'"),
            "{between}: {found:?}"
        );
    }
    // Another worker in between is the one whom the message answers.
    let process = format!(
        r#"<startEvent id="s"/><serviceTask id="one" {EXTERNAL}/><sendTask id="ask" {EXTERNAL}/>{ANSWER}{}"#,
        flows(&[("s", "one"), ("one", "ask"), ("ask", "answer")])
    );
    assert_eq!(found(&process), [""; 0]);
}

#[test]
fn a_message_start_with_a_completion_listener_needs_jobs_around_it() {
    let found = found(
        r#"<startEvent id="s"><extensionElements><camunda:executionListener event="end" class="done"/></extensionElements>
        <messageEventDefinition messageRef="m"/></startEvent>"#,
    );
    assert!(
        found[0].contains("not async before") && found[1].contains("not async after"),
        "{found:?}"
    );
}

#[test]
fn dead_ends_and_dead_parts_are_found() {
    let process = format!(
        r#"<startEvent id="s"/><inclusiveGateway id="x"/><endEvent id="e"/><userTask id="lost"/><endEvent id="after"/>{}
        <sequenceFlow id="f" sourceRef="x" targetRef="e"><conditionExpression>${{a}}</conditionExpression></sequenceFlow>"#,
        flows(&[("s", "x"), ("lost", "after")])
    );
    let found = found(&process);
    let count = |part: &str| found.iter().filter(|message| message.contains(part)).count();
    assert_eq!(
        (count("never reached"), count("no way out"), found.len()),
        (2, 1, 3),
        "{found:?}"
    );
}

#[test]
fn topics_that_nobody_serves_are_found() {
    let found = found(&format!(
        r#"<startEvent id="s"/><serviceTask id="a" camunda:type="external" camunda:topic="other"/>{}"#,
        flows(&[("s", "a")])
    ));
    assert!(found.len() == 1 && found[0].contains("'other'"), "{found:?}");
}

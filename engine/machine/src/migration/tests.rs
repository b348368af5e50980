//! Plans over small models.

use std::sync::Arc;

use super::{Side, generate, validate};
use crate::command::MigratingInstruction;
use crate::model::{self, ProcessModel};
use crate::testing::Driver;

fn compiled(process: &str) -> Arc<ProcessModel> {
    let parsed = model::parse("test.bpmn", Driver::xml(process).as_bytes()).expect("a model");
    parsed.processes.into_iter().next().expect("a process")
}

fn plan(first: &str, second: &str, update: bool) -> Vec<(String, String, bool)> {
    let (first, second) = (compiled(first), compiled(second));
    let plan = generate(side(&first, "p:1:x"), side(&second, "p:2:y"), update);
    plan.into_iter()
        .map(|of| (of.source, of.target, of.update_event_trigger))
        .collect()
}

fn side<'m>(model: &'m ProcessModel, id: &'m str) -> Side<'m> {
    Side { model, id }
}

fn failures(first: &str, second: &str, plan: &[(&str, &str, bool)]) -> Vec<String> {
    let (first, second) = (compiled(first), compiled(second));
    let plan: Vec<_> = plan
        .iter()
        .map(|(source, target, update)| MigratingInstruction {
            source: (*source).to_owned(),
            target: (*target).to_owned(),
            update_event_trigger: *update,
        })
        .collect();
    let reports = validate(side(&first, "p:1:x"), side(&second, "p:2:y"), &plan);
    reports.into_iter().flat_map(|report| report.failures).collect()
}

fn same(ids: &[&str]) -> Vec<(String, String, bool)> {
    ids.iter()
        .map(|id| ((*id).to_owned(), (*id).to_owned(), false))
        .collect()
}

const RICH: &str = r#"<message id="m" name="go"/>---<startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="a"/><userTask id="a"/>
    <boundaryEvent id="b" attachedToRef="a"><messageEventDefinition messageRef="m"/></boundaryEvent>
    <boundaryEvent id="c" attachedToRef="a">
      <conditionalEventDefinition><condition>${x}</condition></conditionalEventDefinition></boundaryEvent>
    <boundaryEvent id="err" attachedToRef="a"><errorEventDefinition/></boundaryEvent>
    <sequenceFlow id="f2" sourceRef="a" targetRef="sub"/>
    <subProcess id="sub"><startEvent id="s"/><sequenceFlow id="i1" sourceRef="s" targetRef="inner"/>
      <serviceTask id="inner" camunda:type="external" camunda:topic="t"/></subProcess>
    <sequenceFlow id="f3" sourceRef="sub" targetRef="multi"/>
    <userTask id="multi"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></userTask>
    <sequenceFlow id="f4" sourceRef="multi" targetRef="script"/>
    <serviceTask id="script" camunda:expression="${x}"/>
    <sequenceFlow id="f5" sourceRef="script" targetRef="later"/>
    <serviceTask id="later" camunda:expression="${x}" camunda:asyncBefore="true"/>
    <sequenceFlow id="f6" sourceRef="later" targetRef="end"/><endEvent id="end"/>
    <subProcess id="ev" triggeredByEvent="true"><startEvent id="es"><messageEventDefinition messageRef="m"/></startEvent>
      <sequenceFlow id="e1" sourceRef="es" targetRef="x"/><userTask id="x"/></subProcess>"#;

fn sorted(mut plan: Vec<(String, String, bool)>) -> Vec<(String, String, bool)> {
    plan.sort();
    plan
}

#[test]
fn what_waits_and_is_the_same_is_mapped() {
    let mut expected = same(&[
        "a",
        "b",
        "ev",
        "es",
        "inner",
        "later",
        "multi",
        "multi#multiInstanceBody",
        "sub",
        "x",
    ]);
    // A condition is always that of the target.
    expected.push(("c".to_owned(), "c".to_owned(), true));
    assert_eq!(sorted(plan(RICH, RICH, false)), sorted(expected));
    let updated: Vec<_> = plan(RICH, RICH, true)
        .into_iter()
        .filter(|of| of.2)
        .map(|of| of.0)
        .collect();
    let mut updated = updated;
    updated.sort();
    assert_eq!(
        updated,
        ["b", "c", "es"],
        "only what waits for something that is stored"
    );
}

#[test]
fn what_is_elsewhere_is_not_mapped() {
    let moved = RICH.replace(
        r#"attachedToRef="a"><messageEvent"#,
        r#"attachedToRef="sub"><messageEvent"#,
    );
    let plan = plan(RICH, &moved, false);
    assert!(plan.iter().all(|of| of.0 != "b"), "{plan:?}");
}

/// Instructions, and what is wrong with them.
type Case = (&'static [(&'static str, &'static str, bool)], &'static str);

const TASKS: &str = r#"<startEvent id="start"/><userTask id="a"/><userTask id="b"/><endEvent id="end"/>
    <subProcess id="sub"><startEvent id="s"/><userTask id="inner"/><parallelGateway id="join"/></subProcess>
    <subProcess id="other"><startEvent id="s2"/><userTask id="in2"/></subProcess>
    <userTask id="multi"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></userTask>
    <boundaryEvent id="timer" attachedToRef="a"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>
    <boundaryEvent id="error" attachedToRef="a"><errorEventDefinition/></boundaryEvent>"#;

#[test]
fn each_rule_is_told_in_words() {
    let cases: &[Case] = &[
        (&[("nobody", "none", false)], "Source activity 'nobody' does not exist"),
        (
            &[("a", "end", false)],
            "Activities have incompatible types (UserTaskActivityBehavior is not compatible with NoneEndEventActivityBehavior)",
        ),
        (
            &[("a", "a", false), ("timer", "error", false)],
            "Events are not of the same type (boundaryTimer != boundaryError)",
        ),
        (
            &[("a", "a", false), ("a", "b", false)],
            "There are multiple mappings for source activity id 'a': ValidatingMigrationInstructionImpl{sourceActivity=Activity(a), targetActivity=Activity(a)}, ValidatingMigrationInstructionImpl{sourceActivity=Activity(a), targetActivity=Activity(b)}",
        ),
        (
            &[("a", "multi", false)],
            "Target activity 'multi' is a descendant of multi-instance body 'multi#multiInstanceBody' that is not mapped from the source process definition.",
        ),
        (
            &[("multi#multiInstanceBody", "multi#multiInstanceBody", false)],
            "Must map the inner activity of a multi-instance body when the body is mapped",
        ),
        (
            &[("join", "join", false)],
            "The gateway's flow scope 'sub' must be mapped",
        ),
        (
            &[("timer", "timer", false)],
            "The source activity's event scope (a) must be mapped to the target activity's event scope (a)",
        ),
        (
            &[("a", "a", true)],
            "Cannot update event trigger because the activity does not define a persistent event trigger",
        ),
        (
            &[("sub", "sub", false), ("inner", "a", false)],
            "The closest mapped ancestor 'sub' is mapped to scope 'sub' which is not an ancestor of target scope 'a'",
        ),
    ];
    for (plan, expected) in cases {
        let found = failures(TASKS, TASKS, plan);
        assert_eq!(found.first().map(String::as_str), Some(*expected), "{plan:?}");
    }
    assert!(failures(TASKS, TASKS, &[("sub", "other", false), ("inner", "in2", false)]).is_empty());
}

#[test]
fn a_join_keeps_its_flows_and_a_condition_is_updated() {
    let join = |flows: &[(&str, &str)]| {
        let flows: String = flows
            .iter()
            .enumerate()
            .map(|(at, (from, to))| format!(r#"<sequenceFlow id="f{at}" sourceRef="{from}" targetRef="{to}"/>"#))
            .collect();
        format!(
            r#"<startEvent id="start"/><userTask id="a"/><userTask id="b"/><parallelGateway id="join"/>
            <boundaryEvent id="c" attachedToRef="a"><conditionalEventDefinition><condition>${{x}}</condition></conditionalEventDefinition></boundaryEvent>{flows}"#
        )
    };
    let (wide, narrow) = (join(&[("a", "join"), ("b", "join")]), join(&[("a", "join")]));
    assert!(failures(&narrow, &wide, &[("join", "join", false)]).is_empty());
    assert_eq!(
        failures(&wide, &narrow, &[("join", "join", false)]),
        [
            "The target gateway must have at least the same number of incoming sequence flows that the source gateway has"
        ]
    );
    assert_eq!(
        failures(&wide, &wide, &[("a", "a", false), ("c", "c", false)]),
        ["Conditional event has to migrate with update event trigger."]
    );
    assert!(failures(&wide, &wide, &[("a", "a", false), ("c", "c", true)]).is_empty());
}

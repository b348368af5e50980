use super::*;
use crate::value::Value;

#[test]
fn a_parallel_join_counts_tokens() {
    let mut driver = deployed(
        &format!(
            r#"<startEvent id="s"/><parallelGateway id="fork"/><serviceTask id="a" {EXTERNAL}/><serviceTask id="b" {EXTERNAL}/><parallelGateway id="join"/><userTask id="u"/>"#
        ),
        &[
            ("s", "fork"),
            ("fork", "a"),
            ("a", "join"),
            ("join", "u"),
            ("fork", "b"),
            ("b", "join"),
        ],
    );
    driver.start(&[]);
    assert_eq!(driver.open(), ["a", "b"]);
    driver.complete("a", &[]);
    assert_eq!(driver.open(), ["b", "join"]);
    driver.complete("b", &[]);
    assert_eq!(driver.open(), ["u"]);
    assert_eq!(
        driver.path(),
        [
            "s startEvent",
            "fork parallelGateway",
            "a serviceTask",
            "b serviceTask",
            "join parallelGateway",
            "join parallelGateway",
            "u userTask…"
        ]
    );
}

#[test]
fn an_exclusive_gateway_takes_the_first_flow_in_xml_order_that_holds() {
    let mut driver = Driver::new();
    driver.deploy(
        r#"<startEvent id="s"/><sequenceFlow id="f0" sourceRef="s" targetRef="x"/>
        <exclusiveGateway id="x" default="d"><outgoing>big</outgoing></exclusiveGateway><userTask id="large"/><userTask id="huge"/><userTask id="small"/>
        <sequenceFlow id="d" sourceRef="x" targetRef="small"/>
        <sequenceFlow id="vast" sourceRef="x" targetRef="huge"><conditionExpression>${n > 100}</conditionExpression></sequenceFlow>
        <sequenceFlow id="big" sourceRef="x" targetRef="large"><conditionExpression>${n > 10}</conditionExpression></sequenceFlow>"#,
    );
    for (n, expected) in [(5, "small"), (50, "large"), (500, "huge")] {
        driver.start(&[("n", Value::Integer(n))]);
        driver.complete_user_task(expected);
    }
    assert!(
        driver
            .try_start(None, &[])
            .unwrap_err()
            .to_string()
            .contains("Cannot resolve identifier 'n'")
    );
}

#[test]
fn a_gateway_without_a_way_refuses_the_command() {
    let mut driver = Driver::new();
    driver.deploy(
        r#"<startEvent id="s"/><sequenceFlow id="f0" sourceRef="s" targetRef="x"/><exclusiveGateway id="x"/><endEvent id="e"/><endEvent id="e2"/>
        <sequenceFlow id="f1" sourceRef="x" targetRef="e"><conditionExpression>${false}</conditionExpression></sequenceFlow>
        <sequenceFlow id="f2" sourceRef="x" targetRef="e2"><conditionExpression>${false}</conditionExpression></sequenceFlow>"#,
    );
    let error = driver.try_start(None, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ENGINE-02004 No outgoing sequence flow for the element with id 'x' could be selected for continuing the process."
    );
    assert!(driver.is_empty());
}

#[test]
fn an_inclusive_gateway_waits_for_those_that_can_still_come() {
    let mut driver = Driver::new();
    driver.deploy(
        r#"<startEvent id="s"/><sequenceFlow id="f0" sourceRef="s" targetRef="fork"/><inclusiveGateway id="fork" default="fc"/><inclusiveGateway id="join"/>
        <userTask id="a"/><userTask id="b"/><userTask id="c"/><userTask id="u"/>
        <sequenceFlow id="fa" sourceRef="fork" targetRef="a"><conditionExpression>${a}</conditionExpression></sequenceFlow>
        <sequenceFlow id="fb" sourceRef="fork" targetRef="b"><conditionExpression>${b}</conditionExpression></sequenceFlow>
        <sequenceFlow id="fc" sourceRef="fork" targetRef="c"/>
        <sequenceFlow id="ja" sourceRef="a" targetRef="join"/><sequenceFlow id="jb" sourceRef="b" targetRef="join"/>
        <sequenceFlow id="jc" sourceRef="c" targetRef="join"/><sequenceFlow id="ju" sourceRef="join" targetRef="u"/>"#,
    );
    driver.start(&[("a", Value::Boolean(true)), ("b", Value::Boolean(true))]);
    assert_eq!(driver.open(), ["a", "b"]);
    driver.complete_user_task("a");
    assert_eq!(driver.open(), ["b", "join"]);
    driver.complete_user_task("b");
    driver.complete_user_task("u");
    assert!(driver.is_empty());
    driver.start(&[("a", Value::Boolean(false)), ("b", Value::Boolean(false))]);
    driver.complete_user_task("c");
    assert_eq!(driver.open(), ["u"]);
}

#[test]
fn conditional_flows_out_of_a_task_split() {
    let mut driver = Driver::new();
    driver.deploy(
        r#"<startEvent id="s"/><sequenceFlow id="f0" sourceRef="s" targetRef="t"/><task id="t" default="fd"/><userTask id="a"/><userTask id="b"/><userTask id="d"/>
        <sequenceFlow id="fa" sourceRef="t" targetRef="a"><conditionExpression>${n ge 1}</conditionExpression></sequenceFlow>
        <sequenceFlow id="fb" sourceRef="t" targetRef="b"><conditionExpression>${n ge 2}</conditionExpression></sequenceFlow>
        <sequenceFlow id="fd" sourceRef="t" targetRef="d"/>"#,
    );
    for (n, expected) in [(2, vec!["a", "b"]), (1, vec!["a"]), (0, vec!["d"])] {
        driver.start(&[("n", Value::Integer(n))]);
        assert_eq!(driver.open(), expected);
        expected.iter().for_each(|task| driver.complete_user_task(task));
        assert!(driver.is_empty());
    }
}

#[test]
fn a_loop_without_a_wait_state_is_stopped() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><task id="a"/><task id="b"/>"#,
        &[("s", "a"), ("a", "b"), ("b", "a")],
    );
    assert!(
        driver
            .try_start(None, &[])
            .unwrap_err()
            .to_string()
            .contains("loop without a wait state")
    );
}

#[test]
fn a_branch_that_ends_at_once_does_not_end_the_instance() {
    let mut driver = deployed(
        r#"<startEvent id="s"/><parallelGateway id="fork"/><endEvent id="e"/><userTask id="u"/>"#,
        &[("s", "fork"), ("fork", "e"), ("fork", "u")],
    );
    driver.start(&[]);
    assert_eq!(driver.open(), ["u"]);
}

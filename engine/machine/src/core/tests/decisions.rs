use crate::command::{Command, Deploy, Reply, VariableInput};
use crate::error::MachineError;
use crate::testing::Driver;
use crate::value::{Serialized, Value};

const TABLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:camunda="http://camunda.org/schema/1.0/dmn" id="file" name="File" namespace="ns">
  <decision id="price" name="Price" camunda:historyTimeToLive="5" camunda:versionTag="TAG">
    <decisionTable hitPolicy="COLLECT">
      <input id="i" label="In"><inputExpression><text>x</text></inputExpression></input>
      <output id="o" name="r" typeRef="integer"/>
      <rule id="r1"><inputEntry><text>&gt; 0</text></inputEntry><outputEntry><text>x + ADD</text></outputEntry></rule>
      <rule id="r2"><inputEntry><text>&gt; 5</text></inputEntry><outputEntry><text>2</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>"#;

fn deploy(driver: &mut Driver, files: &[(&str, String)]) -> Result<Reply, MachineError> {
    driver.run(&Command::Deploy(Deploy {
        name: None,
        source: None,
        tenant: None,
        duplicate_filtering: false,
        changed_only: false,
        strict: false,
        resources: files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect(),
    }))
}

fn table(tag: &str, add: i32) -> String {
    TABLE.replace("TAG", tag).replace("ADD", &add.to_string())
}

fn process(attributes: &str) -> String {
    Driver::xml(&format!(
        r#"<startEvent id="s"/><businessRuleTask id="b" camunda:decisionRef="price" {attributes}/><userTask id="t"/><endEvent id="e"/>
        <sequenceFlow id="f0" sourceRef="s" targetRef="b"/><sequenceFlow id="f1" sourceRef="b" targetRef="t"/><sequenceFlow id="f2" sourceRef="t" targetRef="e"/>"#
    ))
}

fn run(attributes: &str, x: i32) -> Result<Driver, MachineError> {
    let mut driver = Driver::new();
    deploy(
        &mut driver,
        &[("p.bpmn", process(attributes)), ("d.dmn", table("v1", 1))],
    )?;
    driver.try_start(None, &[("x", Value::Integer(x))])?;
    Ok(driver)
}

fn result(mapper: &str, x: i32) -> Result<Option<Value>, MachineError> {
    let driver = run(&format!(r#"camunda:resultVariable="res" {mapper}"#), x)?;
    Ok(driver.variable("res"))
}

fn json(class: &str, data: &str) -> Option<Value> {
    Some(Value::Object(Serialized {
        type_name: Some(class.to_owned()),
        format: Some("application/json".to_owned()),
        data: Some(data.to_owned()),
    }))
}

#[test]
fn a_mapper_says_what_the_result_variable_gets() {
    let map = |name: &str, x| result(&format!(r#"camunda:mapDecisionResult="{name}""#), x).unwrap();
    assert_eq!(map("singleEntry", 3), Some(Value::Integer(4)));
    assert_eq!(map("singleEntry", -1), Some(Value::Null));
    assert_eq!(map("singleResult", 3), json("java.util.HashMap", r#"{"r":4}"#));
    assert_eq!(map("collectEntries", 7), json("java.util.ArrayList", "[8,2]"));
    assert_eq!(
        map("resultList", 7),
        json("java.util.ArrayList", r#"[{"r":8},{"r":2}]"#)
    );
    assert_eq!(
        result("", 3).unwrap(),
        json("java.util.ArrayList", r#"[{"r":4}]"#),
        "resultList unless said"
    );
    let many = result(r#"camunda:mapDecisionResult="singleEntry""#, 7).unwrap_err();
    assert!(many.to_string().starts_with("ENGINE-22001"), "{many}");
}

#[test]
fn the_whole_result_is_a_local_variable_until_the_command_ends() {
    let mut driver = Driver::new();
    let text = process("").replace(
        r#"<businessRuleTask id="b" camunda:decisionRef="price" />"#,
        r#"<businessRuleTask id="b" camunda:decisionRef="price"><extensionElements><camunda:executionListener event="end" expression="${execution.setVariable('sum', decisionResult.getFirstResult().r + decisionResult[1].r + decisionResult.collectEntries('r').size())}"/></extensionElements></businessRuleTask>"#,
    );
    deploy(&mut driver, &[("p.bpmn", text), ("d.dmn", table("v1", 1))]).unwrap();
    driver.try_start(None, &[("x", Value::Integer(7))]).unwrap();
    assert_eq!(driver.variable("sum"), Some(Value::Long(12)));
    assert_eq!(driver.variable("decisionResult"), None, "it is transient");
}

#[test]
fn a_binding_says_which_version_is_evaluated() {
    let mut driver = Driver::new();
    let latest = process(r#"camunda:resultVariable="res" camunda:mapDecisionResult="singleEntry""#);
    let bound = |binding: &str| {
        process(&format!(
            r#"camunda:resultVariable="res" camunda:mapDecisionResult="singleEntry" {binding}"#
        ))
    };
    let mut get = |files: &[(&str, String)]| {
        deploy(&mut driver, files).unwrap();
        let started = driver.try_start(None, &[("x", Value::Integer(1))]);
        let value = started.map(|started| {
            let mut variables = driver.memory.variables.values();
            let own = variables.find(|row| row.instance == started.instance.id && row.name == "res");
            own.map(|row| row.value.clone())
        });
        value.map_err(|error| error.to_string())
    };
    let with = |process: String, add| [("p.bpmn", process), ("d.dmn", table(&format!("v{add}"), add))];
    assert_eq!(get(&with(latest.clone(), 1)), Ok(Some(Value::Integer(2))));
    assert_eq!(get(&with(latest, 2)), Ok(Some(Value::Integer(3))));
    let only = |process: String| [("p.bpmn", process)];
    let version = |number| {
        bound(&format!(
            r#"camunda:decisionRefBinding="version" camunda:decisionRefVersion="{number}""#
        ))
    };
    assert_eq!(get(&only(version(1))), Ok(Some(Value::Integer(2))));
    assert!(get(&only(version(9))).unwrap_err().contains("version = '9'"));
    let tag = |tag: &str| {
        bound(&format!(
            r#"camunda:decisionRefBinding="versionTag" camunda:decisionRefVersionTag="{tag}""#
        ))
    };
    assert_eq!(get(&only(tag("v1"))), Ok(Some(Value::Integer(2))));
    assert!(get(&only(tag("v7"))).unwrap_err().contains("versionTag = 'v7'"));
    let deployment = bound(r#"camunda:decisionRefBinding="deployment""#);
    assert!(get(&only(deployment.clone())).unwrap_err().contains("in deployment"));
    assert_eq!(get(&with(deployment, 3)), Ok(Some(Value::Integer(4))));
}

#[test]
fn its_history_says_how_it_came_to_its_result() {
    let driver = run("", 7).unwrap();
    let rows: Vec<_> = driver.memory.historic_decisions.values().collect();
    assert_eq!(rows.len(), 1);
    let place = rows[0].place.as_ref().unwrap();
    assert_eq!((place.activity.as_str(), rows[0].decision_key.as_str()), ("b", "price"));
    assert_eq!(rows[0].inputs[0].value, Value::Long(7));
    assert_eq!(
        (
            rows[0].inputs[0].clause.as_deref(),
            rows[0].inputs[0].clause_name.as_deref()
        ),
        (Some("i"), Some("In"))
    );
    let outputs: Vec<_> = rows[0]
        .outputs
        .iter()
        .map(|it| (it.rule.as_deref(), it.rule_order, it.value.clone()))
        .collect();
    assert_eq!(
        outputs,
        [
            (Some("r1"), Some(1), Value::Integer(8)),
            (Some("r2"), Some(2), Value::Integer(2))
        ]
    );
    assert_eq!(rows[0].removal_time, None, "it goes with its instance");
}

#[test]
fn from_outside_its_history_has_its_own_time() {
    let mut driver = Driver::new();
    let Ok(Reply::Deployed { decisions, .. }) = deploy(&mut driver, &[("d.dmn", table("v1", 1))]) else {
        panic!("not deployed");
    };
    let variables = vec![VariableInput {
        name: "x".to_owned(),
        value: Value::Integer(1),
        transient: false,
    }];
    let command = Command::EvaluateDecision {
        decision: decisions[0].id,
        variables,
    };
    let Ok(Reply::Decided(result)) = driver.run(&command) else {
        panic!("not decided");
    };
    assert_eq!(result.rules[0][0].1.value, Value::Integer(2));
    let row = driver.memory.historic_decisions.values().next().unwrap();
    assert_eq!(row.removal_time, Some(driver.now + 5 * 24 * 60 * 60 * 1000));
    assert_eq!(row.place, None);
    let id = row.id;
    driver
        .run(&Command::DeleteDeployment {
            id: decisions[0].deployment,
            cascade: true,
            skip_custom_listeners: false,
            skip_io_mappings: false,
        })
        .unwrap();
    assert!(!driver.memory.historic_decisions.contains_key(&id));
    let gone = driver.run(&command).unwrap_err();
    assert!(
        gone.to_string().contains("no deployed decision definition found"),
        "{gone}"
    );
}

#[test]
fn a_failure_can_be_caught_in_the_model() {
    let text = |caught: &str| {
        process("")
            .replace("x + ADD", "1")
            .replace(
                r#"<userTask id="t"/>"#,
                &format!(
                    r#"<userTask id="t"/><boundaryEvent id="caught" attachedToRef="b"><errorEventDefinition errorRef="err"/></boundaryEvent><userTask id="mend"/><sequenceFlow id="f3" sourceRef="caught" targetRef="mend"/>{caught}"#
                ),
            )
            .replace("</process>", r#"</process><error id="err" errorCode="java.lang.Exception"/>"#)
    };
    let broken = table("v1", 1).replace("<text>x + 1</text>", r#"<text>"no number"</text>"#);
    let mut driver = Driver::new();
    deploy(&mut driver, &[("p.bpmn", text("")), ("d.dmn", broken.clone())]).unwrap();
    driver.try_start(None, &[("x", Value::Integer(1))]).unwrap();
    assert_eq!(driver.open(), ["mend"]);
    let mut driver = Driver::new();
    deploy(&mut driver, &[("p.bpmn", process("")), ("d.dmn", broken)]).unwrap();
    let error = driver.try_start(None, &[("x", Value::Integer(1))]).unwrap_err();
    assert!(
        matches!(&error, MachineError::Java { class: "DmnEngineException", message } if message.starts_with("DMN-01005")),
        "{error:?}"
    );
}

#[test]
fn decisions_of_one_command_have_a_limit_together() {
    let endless = table("v1", 1).replace("x + 1", "count(for a in 1..1000, b in 1..1000 return a)");
    let mut driver = Driver::new();
    deploy(&mut driver, &[("p.bpmn", process("")), ("d.dmn", endless)]).unwrap();
    let error = driver.try_start(None, &[("x", Value::Integer(1))]).unwrap_err();
    assert!(error.to_string().contains("too many steps"), "{error}");
}

#[test]
fn a_file_that_is_refused_leaves_nothing() {
    let mut driver = Driver::new();
    let refused = deploy(&mut driver, &[("d.dmn", table("v1", 1).replace("COLLECT", "PRIORITY"))]).unwrap_err();
    let text = refused.to_string();
    assert!(
        text.starts_with("ENGINE-22004 Unable to transform DMN resource 'd.dmn'"),
        "{text}"
    );
    assert!(text.contains("PRIORITY") && text.contains("| line 4 |"), "{text}");
    let unlimited = table("v1", 1).replace(r#" camunda:historyTimeToLive="5""#, "");
    let refused = deploy(&mut driver, &[("d.dmn", unlimited)]).unwrap_err();
    assert!(
        refused.to_string().contains("historyTimeToLive on the decision"),
        "{refused}"
    );
    assert!(driver.memory.deployments.is_empty());
}

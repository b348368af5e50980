//! Scopes that come, go and are shared; multi-instance activities and called instances.

use super::*;

#[test]
fn a_scope_that_ends_to_be_one_gives_its_variables_to_the_scope_around() {
    let mut driver = two(&with_boundary("b", &timer("timeDuration", "PT1H")), &user("a"));
    let execution = driver.user_task("a").execution().expect("an execution");
    driver
        .run(&Command::SetVariables {
            scope: execution,
            local: true,
            variables: vec![VariableInput {
                name: "own".to_owned(),
                value: Value::Integer(3),
                transient: false,
            }],
            deletions: Vec::new(),
            call: crate::command::VariablesCall::Modify,
        })
        .unwrap();
    migrate(&mut driver, &[("a", "a")]);
    let instance = *driver.memory.instances.keys().next().expect("an instance");
    assert!(driver.memory.variables.values().all(|row| row.scope == instance));
    assert!(driver.memory.jobs.is_empty());
    driver.complete_user_task("a");
    assert!(driver.is_empty());
}

const LISTENERS: &str = r#"<extensionElements>
    <camunda:executionListener event="start" expression="${execution.setVariable('started', true)}"/>
    <camunda:executionListener event="end" expression="${execution.setVariable('ended', true)}"/>
</extensionElements>"#;

fn nested(id: &str, extension: &str, inner: &str) -> String {
    let inside = format!(
        r#"{extension}<startEvent id="s"/><userTask id="{inner}"/><endEvent id="e"/>
        <sequenceFlow id="i1" sourceRef="s" targetRef="{inner}"/><sequenceFlow id="i2" sourceRef="{inner}" targetRef="e"/>"#
    );
    around(&format!(r#"<subProcess id="{id}">{inside}</subProcess>"#), id)
}

#[test]
fn a_scope_is_put_around_what_runs() {
    let mut driver = two(&user("a"), &nested("sub", LISTENERS, "a"));
    migrate(&mut driver, &[("a", "a")]);
    is_of_second_version(&driver);
    assert_eq!(driver.variable("started"), Some(Value::Boolean(true)));
    let sub = driver
        .memory
        .executions
        .values()
        .find(|row| row.activity == "sub")
        .expect("the scope");
    let task = driver
        .memory
        .executions
        .values()
        .find(|row| row.activity == "a")
        .expect("the task");
    assert_eq!(task.parent, sub.id);
    assert_eq!(driver.memory.historic_activities[&task.id].parent, sub.id);
    driver.complete_user_task("a");
    assert!(driver.is_empty());
}

#[test]
fn a_scope_is_taken_away_with_its_listeners_unless_they_are_skipped() {
    for skip in [false, true] {
        let mut driver = two(&nested("sub", LISTENERS, "a"), &user("a"));
        let migration = Migration {
            skip_custom_listeners: skip,
            ..plan(&driver, &[("a", "a", false)])
        };
        try_migrate(&mut driver, migration).unwrap();
        is_of_second_version(&driver);
        assert_eq!(driver.variable("ended").is_some(), !skip);
        assert_eq!(
            driver.path(),
            ["start startEvent", "sub subProcess!", "s startEvent", "a userTask…"]
        );
        driver.complete_user_task("a");
        assert!(driver.is_empty());
    }
}

fn parallel(inside: bool) -> String {
    let (elements, flows) = (
        r#"<parallelGateway id="fork"/><userTask id="a"/><userTask id="b"/><parallelGateway id="join"/>"#,
        r#"<sequenceFlow id="p1" sourceRef="fork" targetRef="a"/><sequenceFlow id="p2" sourceRef="fork" targetRef="b"/>
        <sequenceFlow id="p3" sourceRef="a" targetRef="join"/><sequenceFlow id="p4" sourceRef="b" targetRef="join"/>"#,
    );
    if inside {
        let inner = format!(
            r#"<subProcess id="sub"><startEvent id="s"/>{elements}<endEvent id="e"/>{flows}
            <sequenceFlow id="i1" sourceRef="s" targetRef="fork"/><sequenceFlow id="i2" sourceRef="join" targetRef="e"/></subProcess>"#
        );
        return around(&inner, "sub");
    }
    model(
        &format!(r#"<startEvent id="start"/>{elements}<endEvent id="end"/>{flows}"#),
        &[("start", "fork"), ("join", "end")],
    )
}

#[test]
fn branches_share_a_new_scope() {
    let mut driver = two(&parallel(false), &parallel(true));
    migrate(&mut driver, &[("a", "a"), ("b", "b")]);
    is_of_second_version(&driver);
    let scopes = driver.memory.executions.values().filter(|row| row.activity == "sub");
    assert_eq!(scopes.count(), 1);
    driver.complete_user_task("a");
    driver.complete_user_task("b");
    assert!(driver.is_empty());
}

#[test]
fn a_token_that_waits_at_a_join_goes_along() {
    let mut driver = two(&parallel(false), &parallel(false));
    driver.complete_user_task("a");
    let report = refused(&mut driver, &[("b", "b")]);
    assert_eq!(report.activities.len(), 1);
    assert_eq!(report.activities[0].activity, "join");
    migrate(&mut driver, &[("b", "b"), ("join", "join")]);
    is_of_second_version(&driver);
    driver.complete_user_task("b");
    assert!(driver.is_empty());
}

fn multi(id: &str, sequential: bool, count: u8) -> String {
    let loops = format!(
        r#"<multiInstanceLoopCharacteristics isSequential="{sequential}"><loopCardinality>{count}</loopCardinality></multiInstanceLoopCharacteristics>"#
    );
    around(&format!(r#"<userTask id="{id}">{loops}</userTask>"#), id)
}

fn complete_any(driver: &mut Driver) {
    let id = *driver.memory.tasks.keys().next().expect("a task");
    driver
        .run(&Command::CompleteTask {
            id,
            variables: Vec::new(),
            with_variables: false,
        })
        .expect("a completion");
}

#[test]
fn a_multi_instance_activity_goes_on_where_it_is() {
    for sequential in [false, true] {
        let mut driver = two(&multi("a", sequential, 3), &multi("b", sequential, 5));
        complete_any(&mut driver);
        migrate(
            &mut driver,
            &[("a#multiInstanceBody", "b#multiInstanceBody"), ("a", "b")],
        );
        is_of_second_version(&driver);
        complete_any(&mut driver);
        complete_any(&mut driver);
        assert!(driver.is_empty(), "three in all, as it began");
    }
}

#[test]
fn the_body_of_a_multi_instance_activity_is_taken_away() {
    let mut driver = two(&multi("a", false, 3), &user("a"));
    migrate(&mut driver, &[("a", "a")]);
    is_of_second_version(&driver);
    let bodies = driver
        .memory
        .executions
        .values()
        .filter(|row| row.activity.contains('#'));
    assert_eq!(bodies.count(), 0);
    for _ in 0..3 {
        complete_any(&mut driver);
    }
    assert!(driver.is_empty());
}

#[test]
fn a_called_instance_returns_to_the_new_version() {
    let call = |id: &str| around(&format!(r#"<callActivity id="{id}" calledElement="q"/>"#), id);
    let mut driver = Driver::new();
    driver
        .try_deploy(&Driver::xml(&user("inner")).replace(r#"id="p""#, r#"id="q""#))
        .unwrap();
    driver.deploy(&call("a"));
    driver.start(&[]);
    driver.deploy(&call("b"));
    let key = |driver: &Driver, version| {
        let mut all = driver.memory.definitions.values();
        let found = all.find(|row| row.row.key == "p" && row.row.version == version);
        found.expect("a version").row.id
    };
    let migration = Migration {
        source: key(&driver, 1),
        target: key(&driver, 2),
        ..plan_of(&[("a", "b")])
    };
    let command = Command::MigrateInstances {
        migration: Box::new(migration),
        instances: vec![caller(&driver)],
    };
    driver.run(&command).unwrap();
    driver.complete_user_task("inner");
    assert!(driver.is_empty());
    assert!(driver.path().contains(&"b callActivity".to_owned()));
}

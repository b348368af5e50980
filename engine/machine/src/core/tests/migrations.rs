//! Migration: an instance goes on by another version, with all that hangs on it.

use super::*;
use crate::MachineError;
use crate::command::{
    BatchWork, Command, ExternalTaskAction, MigratingInstruction, Migration, NewBatch, VariableInput,
};
use crate::id::Id;
use crate::migration::InstanceReport;
use crate::row::{EventKind, ExecutionState, JobKind};
use crate::value::Value;

/// Version 1 and 2 of a process, and an instance of the first.
fn two(first: &str, second: &str) -> Driver {
    let mut driver = Driver::new();
    driver.deploy(first);
    driver.start(&[("x", Value::Integer(1))]);
    driver.deploy(second);
    driver
}

/// A task between a start and an end.
fn around(task: &str, id: &str) -> String {
    model(
        &format!(r#"<startEvent id="start"/>{task}<endEvent id="end"/>"#),
        &[("start", id), (id, "end")],
    )
}

fn user(id: &str) -> String {
    around(&format!(r#"<userTask id="{id}"/>"#), id)
}

fn plan(driver: &Driver, instructions: &[(&str, &str, bool)]) -> Migration {
    let version = |wanted: i32| {
        let definition = driver.memory.definitions.values().find(|row| row.row.version == wanted);
        definition.expect("a version").row.id
    };
    Migration {
        source: version(1),
        target: version(2),
        instructions: instructions
            .iter()
            .map(|(source, target, update)| MigratingInstruction {
                source: (*source).to_owned(),
                target: (*target).to_owned(),
                update_event_trigger: *update,
            })
            .collect(),
        variables: Vec::new(),
        skip_custom_listeners: false,
        skip_io_mappings: false,
    }
}

fn try_migrate(driver: &mut Driver, migration: Migration) -> Result<(), MachineError> {
    let instance = *driver.memory.instances.keys().next().expect("an instance");
    let command = Command::MigrateInstances {
        migration: Box::new(migration),
        instances: vec![instance],
    };
    driver.run(&command).map(drop)
}

fn migrate_with(driver: &mut Driver, instructions: &[(&str, &str, bool)]) {
    let migration = plan(driver, instructions);
    try_migrate(driver, migration).expect("a migration");
}

/// Migrates, without updates of triggers.
fn migrate(driver: &mut Driver, instructions: &[(&str, &str)]) {
    let instructions: Vec<_> = instructions.iter().map(|(from, to)| (*from, *to, false)).collect();
    migrate_with(driver, &instructions);
}

fn refused(driver: &mut Driver, instructions: &[(&str, &str)]) -> InstanceReport {
    let instructions: Vec<_> = instructions.iter().map(|(from, to)| (*from, *to, false)).collect();
    let before = driver.memory.executions.clone();
    let migration = plan(driver, &instructions);
    match try_migrate(driver, migration) {
        Err(MachineError::Migration(report)) => {
            assert_eq!(driver.memory.executions, before, "nothing has happened");
            *report
        }
        other => panic!("{other:?}"),
    }
}

/// All that runs names the second version only.
fn is_of_second_version(driver: &Driver) {
    let second = plan(driver, &[]).target;
    let memory = &driver.memory;
    let mut found: Vec<Id> = memory.instances.values().map(|row| row.definition).collect();
    found.extend(memory.executions.values().map(|row| row.definition));
    found.extend(memory.external_tasks.values().map(|row| row.definition));
    found.extend(memory.tasks.values().filter_map(|row| row.definition()));
    found.extend(memory.incidents.values().filter_map(|row| row.definition));
    let of_instances = memory.jobs.values().filter(|row| row.instance.is_some());
    found.extend(of_instances.filter_map(|row| row.definition));
    let running = memory.subscriptions.values().filter(|row| row.instance.is_some());
    found.extend(running.map(|row| row.definition));
    assert!(found.iter().all(|definition| *definition == second), "{found:?}");
}

#[test]
fn a_user_task_goes_along_and_keeps_its_ids() {
    let mut driver = two(&user("a"), &user("b"));
    let before = driver.user_task("a");
    migrate(&mut driver, &[("a", "b")]);
    let task = driver.user_task("b");
    assert_eq!((task.id, task.execution()), (before.id, before.execution()));
    is_of_second_version(&driver);
    assert_eq!(driver.path(), ["start startEvent", "b userTask…"]);
    let execution = &driver.memory.executions[&task.execution().expect("an execution")];
    assert_eq!(execution.entered(), "a", "the id of the activity instance stays");
    assert_eq!(driver.memory.historic_activities[&execution.id].entered(), "a");
    let history = driver.memory.historic_tasks[&task.id].clone();
    assert_eq!(history.task.activity(), Some("b"));
    assert_eq!(history.task.definition(), task.definition());
    driver.complete_user_task("b");
    assert!(driver.is_empty());
    let ended = driver.memory.historic_instances.values().next().expect("a history");
    assert_eq!(ended.definition, plan(&driver, &[]).target);
}

#[test]
fn an_external_task_that_is_locked_is_completed_by_its_worker() {
    let external = |id: &str| around(&format!(r#"<serviceTask id="{id}" {EXTERNAL}/>"#), id);
    let mut driver = two(&external("a"), &external("b"));
    let task = driver.external_task("a");
    driver.lock(task.id);
    migrate(&mut driver, &[("a", "b")]);
    is_of_second_version(&driver);
    let moved = driver.external_task("b");
    assert_eq!((moved.id, moved.worker.as_deref()), (task.id, Some("w")));
    driver
        .act(
            task.id,
            ExternalTaskAction::Complete {
                worker: "w".to_owned(),
                variables: Vec::new(),
                local_variables: Vec::new(),
            },
        )
        .unwrap();
    assert!(driver.is_empty());
}

#[test]
fn the_incident_of_an_external_task_goes_along() {
    let external = |id: &str| around(&format!(r#"<serviceTask id="{id}" {EXTERNAL}/>"#), id);
    let mut driver = two(&external("a"), &external("b"));
    let task = driver.external_task("a");
    driver.act(task.id, ExternalTaskAction::SetRetries(0)).unwrap();
    migrate(&mut driver, &[("a", "b")]);
    is_of_second_version(&driver);
    let incident = driver.memory.incidents.values().next().expect("an incident");
    assert_eq!(incident.activity, "b");
    let history = driver.memory.historic_incidents.values().next().expect("its history");
    assert_eq!(history.incident.activity, "b");
    driver.act(task.id, ExternalTaskAction::SetRetries(1)).unwrap();
    assert!(driver.memory.incidents.is_empty());
}

#[test]
fn a_message_is_the_old_one_unless_the_trigger_is_updated() {
    let receive = |id: &str, message: &str| {
        format!(
            r#"<message id="m" name="{message}"/>---{}"#,
            around(&format!(r#"<receiveTask id="{id}" messageRef="m"/>"#), id)
        )
    };
    for (update, awaited) in [(false, "old"), (true, "new")] {
        let mut driver = two(&receive("a", "old"), &receive("b", "new"));
        migrate_with(&mut driver, &[("a", "b", update)]);
        is_of_second_version(&driver);
        let names: Vec<_> = driver
            .memory
            .subscriptions
            .values()
            .map(|row| row.name.clone())
            .collect();
        assert_eq!(names, [awaited]);
        driver.correlate(Driver::message(awaited)).unwrap();
        assert!(driver.is_empty());
    }
}

fn with_boundary(boundary: &str, definition: &str) -> String {
    model(
        &format!(
            r#"<startEvent id="start"/><userTask id="a"/><endEvent id="end"/>
            <boundaryEvent id="{boundary}" attachedToRef="a">{definition}</boundaryEvent><userTask id="late"/>"#
        ),
        &[("start", "a"), ("a", "end"), (boundary, "late")],
    )
}

fn timer(kind: &str, text: &str) -> String {
    format!("<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>")
}

#[test]
fn a_timer_keeps_its_due_date_unless_it_is_updated() {
    for (update, hours) in [(false, 1), (true, 2)] {
        let mut driver = two(
            &with_boundary("b", &timer("timeDuration", "PT1H")),
            &with_boundary("c", &timer("timeDuration", "PT2H")),
        );
        let before = driver.job("b");
        migrate_with(&mut driver, &[("a", "a", false), ("b", "c", update)]);
        is_of_second_version(&driver);
        let job = driver.job("c");
        assert_eq!(job.id, before.id);
        assert_eq!(job.due, Some(driver.now + hours * 60 * 60 * 1000));
        let definition = driver.memory.job_definitions[&job.job_definition.expect("a definition")].clone();
        assert_eq!(definition.definition, Some(plan(&driver, &[]).target));
        driver.execute_job("c").unwrap();
        assert_eq!(driver.open(), ["late"]);
    }
}

#[test]
fn an_event_that_is_not_mapped_goes_and_a_new_one_begins() {
    let mut driver = two(
        &with_boundary("b", &timer("timeDuration", "PT1H")),
        &format!(
            r#"<message id="m" name="stop"/>---{}"#,
            with_boundary("c", r#"<messageEventDefinition messageRef="m"/>"#)
        ),
    );
    migrate(&mut driver, &[("a", "a")]);
    is_of_second_version(&driver);
    assert!(driver.memory.jobs.is_empty());
    driver.correlate(Driver::message("stop")).unwrap();
    assert_eq!(driver.open(), ["late"]);
}

#[test]
fn a_timer_that_has_fired_does_not_begin_again() {
    let process = with_boundary("b", &timer("timeDuration", "PT1H")).replace(
        r#"id="b" attachedToRef"#,
        r#"id="b" cancelActivity="false" attachedToRef"#,
    );
    let mut driver = two(&process, &process);
    driver.execute_job("b").unwrap();
    migrate(&mut driver, &[("a", "a"), ("b", "b"), ("late", "late")]);
    assert!(driver.memory.jobs.is_empty());
    assert_eq!(driver.open(), ["a", "late"]);
}

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

fn plan_of(instructions: &[(&str, &str)]) -> Migration {
    let instruction = |(source, target): &(&str, &str)| MigratingInstruction {
        source: (*source).to_owned(),
        target: (*target).to_owned(),
        update_event_trigger: false,
    };
    Migration {
        source: Id(0),
        target: Id(0),
        instructions: instructions.iter().map(instruction).collect(),
        variables: Vec::new(),
        skip_custom_listeners: false,
        skip_io_mappings: false,
    }
}

fn caller(driver: &Driver) -> Id {
    let rows = driver.memory.instances.values();
    let found = rows.filter(|row| row.super_instance.is_none()).map(|row| row.id).next();
    found.expect("the caller")
}

/// A task with a compensation handler, then a task, then all is compensated; in a scope or not.
fn compensated(scope: Option<&str>, handler: &str, boundary: &str) -> String {
    let done = format!(
        r#"<userTask id="a"/><userTask id="{handler}" isForCompensation="true"/>
        <boundaryEvent id="{boundary}" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>
        <association id="as" sourceRef="{boundary}" targetRef="{handler}"/>"#
    );
    let (done, first) = match scope {
        Some(id) => (
            format!(
                r#"<subProcess id="{id}"><startEvent id="s"/>{done}<endEvent id="e"/>
                <sequenceFlow id="i1" sourceRef="s" targetRef="a"/><sequenceFlow id="i2" sourceRef="a" targetRef="e"/></subProcess>"#
            ),
            id,
        ),
        None => (done, "a"),
    };
    model(
        &format!(
            r#"<startEvent id="start"/>{done}<userTask id="w"/>
            <intermediateThrowEvent id="undo"><compensateEventDefinition/></intermediateThrowEvent><endEvent id="end"/>"#
        ),
        &[("start", first), (first, "w"), ("w", "undo"), ("undo", "end")],
    )
}

#[test]
fn what_can_be_compensated_goes_along_by_its_boundary_event() {
    let cases = [
        (None, None),
        (Some("sub"), None),
        (None, Some("sub")),
        (Some("sub"), Some("other")),
    ];
    for (from, to) in cases {
        let mut driver = two(&compensated(from, "h", "cb"), &compensated(to, "h2", "cb2"));
        driver.complete_user_task("a");
        let report = refused(&mut driver, &[("w", "w")]);
        assert!(
            report.activities[0].failures[0].starts_with("Cannot migrate subscription for compensation handler 'h'"),
            "{report}"
        );
        let mut instructions = vec![("w", "w"), ("cb", "cb2")];
        if let (Some(from), Some(to)) = (from, to) {
            instructions.push((from, to));
        }
        migrate(&mut driver, &instructions);
        is_of_second_version(&driver);
        let kept = driver
            .memory
            .executions
            .values()
            .filter(|row| row.state == ExecutionState::Ended);
        assert_eq!(kept.count(), usize::from(to.is_some()), "{from:?} {to:?}");
        driver.complete_user_task("w");
        assert_eq!(driver.user_task("h2").activity(), Some("h2"));
        driver.complete_user_task("h2");
        assert!(driver.is_empty(), "{from:?} {to:?}");
    }
}

fn with_event_sub_process(id: &str, start: &str) -> String {
    format!(
        r#"<message id="m" name="go"/>---{}<subProcess id="{id}" triggeredByEvent="true">
        <startEvent id="{start}" isInterrupting="false"><messageEventDefinition messageRef="m"/></startEvent>
        <userTask id="x"/><sequenceFlow id="v1" sourceRef="{start}" targetRef="x"/></subProcess>"#,
        user("a")
    )
}

#[test]
fn an_event_sub_process_that_runs_goes_along() {
    let mut driver = two(
        &with_event_sub_process("ev", "es"),
        &with_event_sub_process("ev2", "es2"),
    );
    driver.correlate(Driver::message("go")).unwrap();
    migrate(&mut driver, &[("a", "a"), ("ev", "ev2"), ("x", "x"), ("es", "es2")]);
    is_of_second_version(&driver);
    let waiting: Vec<_> = driver
        .memory
        .subscriptions
        .values()
        .map(|row| row.activity.clone())
        .collect();
    assert_eq!(waiting, ["es2"]);
    driver.complete_user_task("x");
    driver.complete_user_task("a");
    assert!(driver.is_empty());
}

#[test]
fn a_new_event_sub_process_begins_to_wait() {
    let mut driver = two(&user("a"), &with_event_sub_process("ev", "es"));
    migrate(&mut driver, &[("a", "a")]);
    driver.correlate(Driver::message("go")).unwrap();
    assert_eq!(driver.open(), ["a", "x"]);
}

#[test]
fn an_event_gateway_goes_along_with_the_events_that_are_mapped() {
    let gateway = |suffix: &str, message: &str| {
        format!(
            r#"<message id="m" name="{message}"/>---{}"#,
            model(
                &format!(
                    r#"<startEvent id="start"/><eventBasedGateway id="g"/><endEvent id="end"/>
                    <intermediateCatchEvent id="c{suffix}"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>
                    <intermediateCatchEvent id="t{suffix}">{}</intermediateCatchEvent>"#,
                    timer("timeDuration", "PT1H")
                ),
                &[
                    ("start", "g"),
                    ("g", &format!("c{suffix}")),
                    ("g", &format!("t{suffix}")),
                    (&format!("c{suffix}"), "end"),
                    (&format!("t{suffix}"), "end"),
                ],
            )
        )
    };
    for (mapped, awaited) in [(true, "old"), (false, "new")] {
        let mut driver = two(&gateway("1", "old"), &gateway("2", "new"));
        let job = driver.job("t1").id;
        let mut instructions = vec![("g", "g")];
        if mapped {
            instructions.extend([("c1", "c2"), ("t1", "t2")]);
        }
        migrate(&mut driver, &instructions);
        is_of_second_version(&driver);
        assert_eq!(driver.job("t2").id == job, mapped);
        driver.correlate(Driver::message(awaited)).unwrap();
        assert!(driver.is_empty());
    }
}

fn asynchronous(id: &str, attributes: &str, flows: &[(&str, &str)]) -> String {
    model(
        &format!(r#"<startEvent id="start"/><userTask id="{id}" {attributes}/><userTask id="c"/><endEvent id="end"/>"#),
        flows,
    )
}

#[test]
fn a_token_before_an_activity_needs_one_that_is_asynchronous_too() {
    let flows = |id| [("start", id), (id, "end")];
    let before = r#"camunda:asyncBefore="true""#;
    let mut driver = two(
        &asynchronous("a", before, &flows("a")),
        &asynchronous("b", before, &flows("b")),
    );
    let report = refused(&mut driver, &[]);
    assert_eq!(report.transitions[0].activity, "a");
    assert!(
        report.to_string().contains("There is no migration instruction"),
        "{report}"
    );
    let report = refused(&mut driver, &[("a", "c")]);
    assert_eq!(report.transitions[0].failures, ["Target activity is not asyncBefore"]);
    migrate(&mut driver, &[("a", "b")]);
    is_of_second_version(&driver);
    assert_eq!(driver.job("b").kind, JobKind::AsyncContinuation);
    driver.execute_job("b").unwrap();
    driver.complete_user_task("b");
    assert!(driver.is_empty());
}

#[test]
fn a_token_after_an_activity_takes_a_flow_of_the_new_version() {
    let after = r#"camunda:asyncAfter="true""#;
    let first = asynchronous("a", after, &[("start", "a"), ("a", "end")]);
    let mut driver = two(
        &first,
        &asynchronous("a", after, &[("start", "a"), ("c", "end"), ("a", "c")]),
    );
    driver.complete_user_task("a");
    migrate(&mut driver, &[("a", "a")]);
    driver.execute_job("a").unwrap();
    assert_eq!(driver.open(), ["c"]);

    let two_ways = asynchronous("a", after, &[("start", "a"), ("c", "end"), ("a", "c"), ("a", "end")]);
    let mut driver = two(&first, &two_ways);
    driver.complete_user_task("a");
    let report = refused(&mut driver, &[("a", "a")]);
    assert!(
        report.transitions[0].failures[0].contains("cannot be matched"),
        "{report}"
    );
}

#[test]
fn a_failed_job_goes_along_with_its_incident() {
    let failing = |id: &str, expression: &str| {
        around(
            &format!(r#"<serviceTask id="{id}" camunda:asyncBefore="true" camunda:expression="{expression}"/>"#),
            id,
        )
    };
    let mut driver = two(&failing("a", "${nobody}"), &failing("b", "${x}"));
    for _ in 0..3 {
        driver.execute_job("a").unwrap_err();
    }
    assert_eq!(driver.memory.incidents.len(), 1);
    migrate(&mut driver, &[("a", "b")]);
    is_of_second_version(&driver);
    assert_eq!(
        driver.memory.incidents.values().next().expect("an incident").activity,
        "b"
    );
    driver.execute_job("b").unwrap();
    assert!(driver.is_empty());
}

#[test]
fn variables_of_the_plan_are_seen_by_conditions_of_the_new_version() {
    let conditional =
        r#"<conditionalEventDefinition><condition>${go == true}</condition></conditionalEventDefinition>"#;
    let mut driver = two(&user("a"), &with_boundary("b", conditional));
    let variables = vec![VariableInput {
        name: "go".to_owned(),
        value: Value::Boolean(true),
        transient: false,
    }];
    let migration = Migration {
        variables,
        ..plan(&driver, &[("a", "a", false)])
    };
    try_migrate(&mut driver, migration).unwrap();
    assert_eq!(driver.open(), ["late"]);
}

#[test]
fn what_does_not_wait_cannot_go_along() {
    let mut driver = two(&compensated(None, "h", "cb"), &compensated(None, "h", "cb"));
    driver.complete_user_task("a");
    driver.complete_user_task("w");
    let report = refused(&mut driver, &[("undo", "undo"), ("h", "h")]);
    let of = |activity: &str| report.activities.iter().find(|report| report.activity == activity);
    assert_eq!(
        of("undo").expect("a report").failures,
        ["The type of the source activity is not supported for activity instance migration"]
    );
}

#[test]
fn an_instance_of_another_definition_is_refused() {
    let mut driver = two(&user("a"), &user("b"));
    let migration = plan(&driver, &[("a", "b", false)]);
    try_migrate(&mut driver, migration.clone()).unwrap();
    let again = try_migrate(&mut driver, migration.clone()).unwrap_err();
    assert!(again.to_string().starts_with("ENGINE-23002"), "{again}");
    let command = Command::MigrateInstances {
        migration: Box::new(migration),
        instances: vec![Id(999)],
    };
    let unknown = driver.run(&command).unwrap_err();
    assert!(unknown.to_string().starts_with("ENGINE-23003"), "{unknown}");
}

#[test]
fn a_batch_migrates_one_by_one() {
    let mut driver = two(&user("a"), &user("b"));
    driver.memory.check();
    let instance = *driver.memory.instances.keys().next().expect("an instance");
    let work = BatchWork::Migrate(Box::new(plan(&driver, &[("a", "b", false)])));
    let items = vec![instance];
    driver
        .run(&Command::StartBatch(NewBatch {
            work,
            items,
            user: None,
        }))
        .unwrap();
    driver.execute_job("batch-seed-job").unwrap();
    driver.execute_job("instance-migration").unwrap();
    is_of_second_version(&driver);
    assert!(driver.memory.batches.is_empty());
}

#[test]
fn what_compensates_is_not_taken_for_an_event() {
    let mut driver = two(&compensated(None, "h", "cb"), &compensated(None, "h", "cb"));
    driver.complete_user_task("a");
    migrate(&mut driver, &[("w", "w"), ("cb", "cb")]);
    let kinds: Vec<_> = driver.memory.subscriptions.values().map(|row| row.kind).collect();
    assert_eq!(kinds, [EventKind::Compensate]);
}

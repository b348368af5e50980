//! Migration: an instance goes on by another version, with all that hangs on it.

mod events;
mod scopes;

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

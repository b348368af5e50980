//! The log of what users do, and of whom tasks were for.

use super::*;
use crate::command::{Command, TaskAction, TaskLink, VariablesCall};
use crate::id::Id;
use crate::row::UserOperation;

fn driver(user: Option<&str>) -> (Driver, Id) {
    let task = r#"<startEvent id="s"/><userTask id="u" camunda:assignee="ann" camunda:candidateGroups="sales"/>"#;
    let mut driver = Driver::new();
    driver.user = user.map(str::to_owned);
    driver.deploy(&model(task, &[("s", "u")]));
    driver.start(&[]);
    let task = driver.user_task("u").id;
    (driver, task)
}

fn act(driver: &mut Driver, id: Id, action: TaskAction) {
    driver.run(&Command::Task { id, action }).expect("no refusal");
}

/// `operation entity property old new` of all that the last command has logged.
fn last(driver: &Driver) -> Vec<String> {
    let operations = &driver.memory.operations;
    let last = operations.last().map(|row| row.operation);
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let line = |row: &UserOperation| {
        let (old, new) = (word(&row.old_value), word(&row.new_value));
        format!(
            "{} {} {} {old} {new}",
            row.operation_type,
            row.entity_type,
            word(&row.property)
        )
    };
    let mut lines: Vec<String> = operations
        .iter()
        .filter(|row| Some(row.operation) == last)
        .map(line)
        .collect();
    lines.sort();
    lines
}

/// `add kind who by` and so on.
fn links(driver: &Driver) -> Vec<String> {
    let rows = driver.memory.identity_links.iter();
    rows.map(|row| {
        let verb = if row.added { "add" } else { "delete" };
        let who = row.user.as_deref().or(row.group.as_deref()).unwrap_or_default();
        format!("{verb} {} {who} {}", row.kind, row.assigner.as_deref().unwrap_or("-"))
    })
    .collect()
}

#[test]
fn what_nobody_does_is_not_logged_but_whom_tasks_are_for_is() {
    let (mut driver, task) = driver(None);
    act(&mut driver, task, TaskAction::Assign(Some("bob".to_owned())));
    assert!(driver.memory.operations.is_empty());
    assert_eq!(
        links(&driver),
        [
            "add assignee ann -",
            "add candidate sales -",
            "delete assignee ann -",
            "add assignee bob -"
        ]
    );
}

#[test]
fn an_operation_has_a_row_for_each_property_that_it_changes() {
    let (mut driver, task) = driver(Some("eve"));
    assert_eq!(last(&driver), ["Create ProcessInstance - - -"]);
    act(&mut driver, task, TaskAction::Delegate(Some("bob".to_owned())));
    assert_eq!(
        last(&driver),
        [
            "Delegate Task assignee ann bob",
            "Delegate Task delegation - PENDING",
            "Delegate Task owner - ann"
        ]
    );
    let row = driver.memory.operations.last().expect("a row").clone();
    assert_eq!(
        (row.user.as_deref(), row.category.as_str()),
        (Some("eve"), "TaskWorker")
    );
    assert_eq!((row.task, row.definition_key.as_deref()), (Some(task), Some("p")));
    act(&mut driver, task, TaskAction::Resolve(Vec::new()));
    assert_eq!(
        last(&driver),
        [
            "Resolve Task assignee bob ann",
            "Resolve Task delegation PENDING RESOLVED"
        ]
    );
    let link = TaskLink {
        user: None,
        group: Some("stock".to_owned()),
        kind: "candidate".to_owned(),
    };
    act(&mut driver, task, TaskAction::Link(link.clone()));
    assert_eq!(last(&driver), ["AddGroupLink IdentityLink candidate - stock"]);
    act(&mut driver, task, TaskAction::Unlink(link));
    assert_eq!(last(&driver), ["DeleteGroupLink IdentityLink candidate - stock"]);
    driver.complete_user_task("u");
    assert_eq!(last(&driver), ["Complete Task delete false true"]);
    assert!(
        driver
            .memory
            .operations
            .iter()
            .all(|row| row.user.as_deref() == Some("eve"))
    );
    assert_eq!(
        links(&driver).last().map(String::as_str),
        Some("delete candidate stock eve")
    );
}

#[test]
fn what_is_refused_is_not_logged() {
    let (mut driver, task) = driver(Some("eve"));
    let before = driver.memory.operations.len();
    let claim = Command::Task {
        id: task,
        action: TaskAction::Claim(Some("bob".to_owned())),
    };
    driver.run(&claim).expect_err("somebody has it");
    assert_eq!(driver.memory.operations.len(), before);
}

#[test]
fn an_annotation_is_of_all_rows_of_an_operation() {
    let (mut driver, task) = driver(Some("eve"));
    act(&mut driver, task, TaskAction::Delegate(Some("bob".to_owned())));
    let operation = driver.memory.operations.last().expect("a row").operation;
    let annotate = |operation, annotation: Option<&str>| Command::AnnotateOperation {
        operation,
        annotation: annotation.map(str::to_owned),
    };
    driver.run(&annotate(operation, Some("why"))).expect("an annotation");
    assert_eq!(last(&driver)[0].split(' ').next(), Some("SetAnnotation"));
    let annotated = |driver: &Driver| {
        let rows = driver.memory.operations.iter();
        rows.filter(|row| row.annotation.as_deref() == Some("why")).count()
    };
    assert_eq!(annotated(&driver), 3);
    driver.run(&annotate(operation, None)).expect("no refusal");
    assert_eq!(annotated(&driver), 0);
    let refused = driver.run(&annotate(Id(1), Some("why"))).expect_err("there is none");
    assert_eq!(refused.to_string(), "operation is null");
}

#[test]
fn a_change_of_variables_is_logged_by_its_call_and_not_by_its_values() {
    let (mut driver, task) = driver(Some("eve"));
    for (scope, call, words) in [
        (task, VariablesCall::Set, "SetVariable Variable - - -"),
        (task, VariablesCall::Remove, "RemoveVariable Variable - - -"),
    ] {
        let command = Command::SetVariables {
            scope,
            local: true,
            variables: Vec::new(),
            deletions: Vec::new(),
            call,
        };
        driver.run(&command).expect("no refusal");
        assert_eq!(last(&driver), [words]);
        assert_eq!(driver.memory.operations.last().and_then(|row| row.task), Some(task));
    }
}

//! Which tasks a fetch gets, and what it is told of them.

use handoff_machine::command::{Command, ExternalTaskAction, VariableInput};
use handoff_machine::{Id, Value};

use super::{Rig, ids, model, of};
use crate::service::fetch::{CreateOrder, FetchRequest, FetchTopic};

/// `of("t")`, with its topic changed.
fn filtered(change: impl FnOnce(&mut FetchTopic)) -> FetchRequest {
    let mut request = of("t");
    change(&mut request.topics[0]);
    request
}

/// The instances of the tasks that a fetch gets; their locks are taken back.
fn instances(rig: &mut Rig, request: FetchRequest) -> Vec<Id> {
    let tasks = rig.fetch(request);
    for locked in &tasks {
        rig.act(locked.task.id, ExternalTaskAction::Unlock);
    }
    tasks.iter().map(|locked| locked.task.instance).collect()
}

#[test]
fn older_tasks_come_first_over_all_definitions() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    rig.deploy(&model::task("q", "t", ""));
    let started = ["p", "q", "p", "q", "p"].map(|key| rig.start(key));
    assert_eq!(
        instances(
            &mut rig,
            FetchRequest {
                max_tasks: 3,
                ..of("t")
            }
        ),
        started[..3]
    );
    let newest = FetchRequest {
        max_tasks: 2,
        order: Some(CreateOrder::NewestFirst),
        ..of("t")
    };
    assert_eq!(instances(&mut rig, newest), [started[4], started[3]]);
    assert!(
        instances(
            &mut rig,
            FetchRequest {
                max_tasks: 0,
                ..of("t")
            }
        )
        .is_empty()
    );
    assert!(
        instances(
            &mut rig,
            FetchRequest {
                topics: Vec::new(),
                ..of("t")
            }
        )
        .is_empty()
    );
}

#[test]
fn priorities_count_only_when_asked_for() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", r#"camunda:taskPriority="${priority}""#));
    let started =
        [0, -3, 9, 0, 4, 9].map(|priority| rig.start_with("p", None, &[("priority", Value::Integer(priority))]));
    let by_priority = FetchRequest {
        use_priority: true,
        ..of("t")
    };
    let order = [2, 5, 4, 0, 3, 1].map(|position| started[position]);
    assert_eq!(instances(&mut rig, by_priority.clone()), order);
    assert_eq!(
        instances(
            &mut rig,
            FetchRequest {
                max_tasks: 2,
                ..by_priority.clone()
            }
        ),
        order[..2]
    );
    let newest = [5, 2, 4, 3, 0, 1].map(|position| started[position]);
    for most in [1, 2, 3, 5, 6] {
        let request = FetchRequest {
            max_tasks: most,
            order: Some(CreateOrder::NewestFirst),
            ..by_priority.clone()
        };
        assert_eq!(instances(&mut rig, request), newest[..most]);
    }
    assert_eq!(instances(&mut rig, of("t")), started);
}

#[test]
fn filters_of_a_topic_all_hold() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    rig.deploy_for(&model::task("q", "t", ""), Some("acme"));
    let plain = rig.start_with("p", Some("order-1"), &[("colour", Value::String("red".into()))]);
    let tenanted = rig.start_with("q", Some("order-2"), &[("size", Value::Integer(5))]);
    let definition = |rig: &Rig, instance: Id| {
        let tasks = rig.tasks();
        tasks.iter().find(|task| task.instance == instance).unwrap().definition
    };
    let (p, q) = (definition(&rig, plain), definition(&rig, tenanted));
    let mut check = |change: &dyn Fn(&mut FetchTopic), expected: &[Id]| {
        assert_eq!(instances(&mut rig, filtered(change)), expected);
    };
    let named = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    check(&|_| {}, &[plain, tenanted]);
    check(&|topic| topic.definitions = Some(vec![q]), &[tenanted]);
    check(&|topic| topic.definitions = Some(Vec::new()), &[]);
    check(&|topic| topic.definition_keys = named(&["p", "other"]), &[plain]);
    check(&|topic| topic.without_tenant = true, &[plain]);
    check(&|topic| topic.tenants = named(&["acme"]), &[tenanted]);
    check(&|topic| topic.business_key = Some("order-2".into()), &[tenanted]);
    check(&|topic| topic.business_key = Some("order-3".into()), &[]);
    check(
        &|topic| {
            topic.business_key = Some("order-1".into());
            topic.definitions = Some(vec![q]);
        },
        &[],
    );
    check(
        &|topic| topic.process_variables = vec![("colour".into(), Value::String("red".into()))],
        &[plain],
    );
    check(
        &|topic| topic.process_variables = vec![("size".into(), Value::Long(5))],
        &[],
    );
    let either = vec![
        ("colour".to_owned(), Value::String("red".into())),
        ("size".to_owned(), Value::Integer(5)),
    ];
    check(&|topic| topic.process_variables = either.clone(), &[plain, tenanted]);
    check(&|topic| topic.version_tag = Some("%".into()), &[]);
    check(&|topic| topic.definitions = Some(vec![p]), &[plain]);
}

#[test]
fn a_worker_is_told_the_variables_it_asks_for() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    let instance = rig.start_with("p", None, &[("a", Value::Integer(1)), ("b", Value::Integer(2))]);
    let execution = rig.tasks()[0].execution;
    let input = |name: &str, value| VariableInput {
        name: name.to_owned(),
        value,
        transient: false,
    };
    rig.run(Command::SetVariables {
        scope: execution,
        local: true,
        variables: vec![input("b", Value::Null), input("c", Value::Boolean(true))],
        deletions: Vec::new(),
        call: handoff_machine::command::VariablesCall::Modify,
    })
    .unwrap();
    let mut told = |change: &dyn Fn(&mut FetchTopic)| {
        let mut locked = rig.fetch(filtered(change)).remove(0);
        rig.act(locked.task.id, ExternalTaskAction::Unlock);
        assert_eq!(locked.task.instance, instance);
        locked.variables.sort_by(|a, b| a.0.cmp(&b.0));
        locked
            .variables
            .into_iter()
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(told(&|_| {}), "a=Integer(1) b=Null c=Boolean(true)");
    assert_eq!(told(&|topic| topic.local_variables = true), "b=Null c=Boolean(true)");
    assert_eq!(
        told(&|topic| topic.variables = Some(vec!["b".into(), "a".into(), "x".into()])),
        "a=Integer(1) b=Null"
    );
    assert_eq!(told(&|topic| topic.variables = Some(Vec::new())), "");
    let properties = rig
        .fetch(filtered(|topic| topic.extension_properties = true))
        .remove(0)
        .extension_properties;
    assert_eq!(properties, [("colour".to_owned(), "red".to_owned())]);
}

#[test]
fn a_lock_holds_until_its_time_and_each_topic_has_its_own() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    rig.deploy(&model::task("q", "u", ""));
    rig.start("p");
    rig.start("q");
    let both = FetchRequest {
        topics: vec![
            FetchTopic {
                name: "t".into(),
                lock_duration: 1000,
                ..FetchTopic::default()
            },
            FetchTopic {
                name: "u".into(),
                lock_duration: 5000,
                ..FetchTopic::default()
            },
        ],
        ..of("t")
    };
    let locked = rig.fetch(both.clone());
    assert_eq!(
        locked
            .iter()
            .map(|locked| locked.task.topic.as_str())
            .collect::<Vec<_>>(),
        ["t", "u"]
    );
    rig.now += 999;
    assert!(rig.fetch(both.clone()).is_empty());
    rig.now += 1;
    assert_eq!(ids(&rig.fetch(both.clone())), [locked[0].task.id]);
    rig.now += 4000;
    assert_eq!(rig.fetch(both).len(), 2);
}

//! What is in memory is what SQLite says, and no more than there is room for.

use std::fmt::Debug;

use handoff_machine::view::{Seen, View as _};
use rusqlite::params;

use super::super::tests::{self, directory, open};
use super::super::view::{Findings, StoreView, Unguarded};
use super::*;
use crate::store::Store;
use crate::store::row::Table;

impl Store {
    /// Compares all that is asked of resident instances with what SQLite answers. Returns how many there are.
    pub(crate) fn compare_residents(&self) -> usize {
        let residents = self.residents.borrow();
        let findings = Findings::default();
        let view = |residents| StoreView {
            residents,
            ..self.view(&Unguarded, &findings)
        };
        let (memory, disk) = (view(Some(&self.residents)), view(None));
        for (id, resident) in residents.instances.iter() {
            same(memory.instance(*id), disk.instance(*id));
            self.compare::<Execution>(resident, "execution");
            self.compare::<Variable>(resident, "variable");
            self.compare::<ExternalTask>(resident, "external_task");
            self.compare::<Job>(resident, "job");
            self.compare::<EventSubscription>(resident, "event_subscription");
            self.compare::<UserTask>(resident, "task");
            self.compare::<Incident>(resident, "incident");
            for row in resident.ids() {
                assert_eq!(residents.owners.get(&row), Some(id), "{row} of {id}");
                same(memory.execution(row), disk.execution(row));
                same(memory.external_task(row), disk.external_task(row));
                same(memory.job(row), disk.job(row));
                same(memory.subscription(row), disk.subscription(row));
                same(memory.task(row), disk.task(row));
                same(memory.incident(row), disk.incident(row));
            }
            for scope in resident.ids().chain([*id]) {
                same(memory.children(scope), disk.children(scope));
                let variables = memory.variables(scope).unwrap();
                for variable in &variables {
                    let name = &variable.name;
                    same(memory.variable(scope, name), disk.variable(scope, name));
                }
                same(Ok(variables), disk.variables(scope));
                same(memory.external_task_of(scope), disk.external_task_of(scope));
                same(memory.jobs_of(scope), disk.jobs_of(scope));
                same(memory.task_of(scope), disk.task_of(scope));
                same(memory.subscriptions_of(scope), disk.subscriptions_of(scope));
                same(memory.incidents_of_execution(scope), disk.incidents_of_execution(scope));
            }
            let follow = "SELECT EXISTS (SELECT 1 FROM dedupe_key WHERE instance = ?1) \
                          OR EXISTS (SELECT 1 FROM historic_instance WHERE root = ?1 AND id <> ?1)";
            let follow: bool = self.connection().query_row(follow, [id.0], |row| row.get(0)).unwrap();
            assert!(resident.followed || !follow, "{id} is not alone");
        }
        let rows: usize = residents
            .instances
            .iter()
            .map(|(_, resident)| resident.ids().count())
            .sum();
        assert_eq!(residents.owners.len(), rows, "owners of rows that are gone");
        let bytes: usize = residents.instances.iter().map(|(_, resident)| resident.bytes()).sum();
        assert_eq!(residents.bytes, bytes);
        assert!(bytes <= residents.limit);
        residents.instances.len()
    }

    fn compare<R: Kept + Table + PartialEq + Debug + 'static>(&self, resident: &Resident, table: &str) {
        let sql = format!("SELECT {} FROM {table} WHERE instance = ?1 ORDER BY id", R::COLUMNS);
        let mut statement = self.connection().prepare_cached(&sql).unwrap();
        let stored = statement
            .query_map(params![resident.instance.id.0], R::from_row)
            .unwrap();
        let stored: Vec<R> = stored.collect::<rusqlite::Result<_>>().unwrap();
        assert_eq!(resident.rows::<R>(|_| true), stored, "{table}");
    }
}

fn same<T: PartialEq + Debug>(memory: Seen<T>, disk: Seen<T>) {
    assert_eq!(memory.unwrap(), disk.unwrap());
}

fn instance(id: i64) -> Instance {
    Instance {
        id: Id(id),
        definition: Id(1),
        business_key: None,
        tenant: None,
        root: Id(id),
        super_instance: None,
        super_execution: None,
        start_time: 1,
        suspended: false,
    }
}

fn variable(id: i64, instance: i64, text: &str) -> Variable {
    Variable {
        id: Id(id),
        instance: Id(instance),
        scope: Id(instance),
        name: format!("v{id}"),
        value: handoff_machine::Value::String(text.to_owned()),
        revision: 0,
    }
}

fn apply(store: &mut Store, changes: &[Change]) {
    tests::apply(store, changes);
    store.compare_residents();
}

fn here(store: &Store, id: i64) -> bool {
    store.residents.borrow().get(Id(id)).is_some()
}

fn execution(id: i64, instance: i64) -> Execution {
    Execution {
        id: Id(id),
        instance: Id(instance),
        definition: Id(1),
        parent: Id(instance),
        activity: "a".to_owned(),
        state: handoff_machine::row::ExecutionState::Active,
        start_time: 1,
        suspended: false,
        entered_as: None,
    }
}

fn external_task(id: i64, execution: i64) -> ExternalTask {
    ExternalTask {
        id: Id(id),
        instance: Id(1),
        execution: Id(execution),
        definition: Id(1),
        definition_key: "p".to_owned(),
        activity: "a".to_owned(),
        topic: "t".to_owned(),
        priority: 0,
        retries: None,
        worker: None,
        lock_expiration: None,
        created: 1,
        error_message: None,
        error_details: None,
        suspended: false,
        tenant: None,
        business_key: None,
        entered_as: None,
    }
}

#[test]
fn who_was_changed_longest_ago_leaves_when_there_is_no_room() {
    let (_directory, mut config) = directory();
    config.limits.resident_bytes = 4096;
    let mut store = open(&config);
    let mut next = 100;
    loop {
        assert!(next < 200, "there is room without end");
        apply(&mut store, &[Change::InsertInstance(instance(next))]);
        next += 1;
        if !here(&store, 100) {
            break;
        }
    }
    // The one that should leave next is changed.
    apply(&mut store, &[Change::UpdateInstance(instance(101))]);
    apply(&mut store, &[Change::InsertInstance(instance(next))]);
    assert!(here(&store, 101) && here(&store, next) && !here(&store, 102));
}

#[test]
fn what_has_become_too_large_leaves_and_is_changed_on_disk_alone() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let small = [
        Change::InsertInstance(instance(1)),
        Change::InsertVariable(variable(2, 1, "small")),
    ];
    apply(&mut store, &small);
    assert!(here(&store, 1));
    let large = "x".repeat(INSTANCE_MAX);
    apply(&mut store, &[Change::InsertVariable(variable(3, 1, &large))]);
    assert!(!here(&store, 1));
    let changes = [
        Change::DeleteVariable(Id(3)),
        Change::UpdateVariable(variable(2, 1, "changed")),
        Change::InsertVariable(variable(4, 1, "new")),
    ];
    apply(&mut store, &changes);
    let names: Vec<String> = store
        .variables(Id(1), None)
        .unwrap()
        .into_iter()
        .map(|row| row.name)
        .collect();
    assert_eq!(names, ["v2", "v4"]);
    assert!(!here(&store, 1));
}

#[test]
fn a_transaction_that_comes_to_nothing_leaves_nothing_in_memory() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    apply(&mut store, &[Change::InsertInstance(instance(1))]);
    store.begin().unwrap();
    let changes = [
        Change::UpdateInstance(Instance {
            suspended: true,
            ..instance(1)
        }),
        Change::InsertVariable(variable(2, 1, "lost")),
    ];
    store.apply(&changes).unwrap();
    assert_eq!(store.variables(Id(1), None).unwrap().len(), 1);
    store.rollback().unwrap();
    store.compare_residents();
    assert!(store.variables(Id(1), None).unwrap().is_empty());
}

#[test]
fn a_lock_is_seen_and_only_the_same_is_taken_back() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let task = external_task(2, 3);
    let changes = [
        Change::InsertInstance(instance(1)),
        Change::InsertExecution(execution(3, 1)),
        Change::InsertExternalTask(task.clone()),
    ];
    apply(&mut store, &changes);
    let locked = |until| ExternalTask {
        worker: Some("w".to_owned()),
        lock_expiration: Some(until),
        ..task.clone()
    };
    for (by, left) in [(locked(7), Some(5)), (locked(5), None)] {
        store.begin().unwrap();
        store.lock(&locked(5)).unwrap();
        store.compare_residents();
        store.unlock(&by).unwrap();
        store.commit().unwrap();
        assert_eq!(store.compare_residents(), 1);
        let residents = store.residents.borrow();
        let known: &ExternalTask = residents.of(Id(2)).unwrap().row(Id(2)).unwrap();
        assert_eq!(known.lock_expiration, left);
    }
}

#[test]
fn who_has_ended_leaves_and_without_room_nobody_comes() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    apply(&mut store, &[Change::InsertInstance(instance(1))]);
    apply(&mut store, &[Change::DeleteInstance(Id(1))]);
    assert_eq!(store.compare_residents(), 0);
    drop(store);
    let (_directory, mut config) = directory();
    config.limits.resident_bytes = 0;
    let mut store = open(&config);
    apply(&mut store, &[Change::InsertInstance(instance(1))]);
    assert_eq!(store.compare_residents(), 0);
}

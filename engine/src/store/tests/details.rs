//! A variable's first detail: in the variable's row while that says the same, in one of its own afterwards.

use handoff_machine::Id;
use handoff_machine::delta::Change;
use handoff_machine::row::{DetailKind, HistoricDetail, HistoricVariable};
use handoff_machine::value::Value;

use super::{NOW, directory, open};
use crate::store::Store;
use crate::store::row::Table as _;

const VARIABLE: Id = Id(10);

fn variable(value: i32) -> HistoricVariable {
    HistoricVariable {
        id: VARIABLE,
        instance: Id(1),
        root: Id(1),
        definition: Id(3),
        definition_key: "p".into(),
        scope: Id(1),
        scope_activity: Some("a".into()),
        name: "n".into(),
        value: Value::Integer(value),
        created: NOW,
        deleted: false,
        revision: 0,
        tenant: Some("t".into()),
        removal_time: None,
    }
}

/// The detail of a variable's value.
fn detail(id: i64, variable: &HistoricVariable, time: i64) -> HistoricDetail {
    HistoricDetail {
        id: Id(id),
        kind: DetailKind::VariableUpdate,
        instance: variable.instance,
        root: variable.root,
        definition: variable.definition,
        definition_key: variable.definition_key.clone(),
        scope: variable.scope,
        scope_activity: variable.scope_activity.clone(),
        task: None,
        variable: Some(variable.id),
        name: variable.name.clone(),
        value: variable.value.clone(),
        revision: variable.revision,
        time,
        initial: true,
        tenant: variable.tenant.clone(),
        removal_time: None,
    }
}

fn second(value: i32) -> (HistoricVariable, HistoricDetail) {
    let second = HistoricVariable {
        revision: 1,
        ..variable(value)
    };
    let detail = HistoricDetail {
        initial: false,
        ..detail(20, &second, NOW + 5)
    };
    (second, detail)
}

fn apply(store: &mut Store, changes: &[Change]) {
    store.begin().unwrap();
    store.apply(changes).unwrap();
    store.commit().unwrap();
}

fn details(store: &Store) -> Vec<HistoricDetail> {
    let sql = format!(
        "SELECT {} FROM historic_details ORDER BY holder",
        HistoricDetail::COLUMNS
    );
    let mut statement = store.connection().prepare(&sql).unwrap();
    let rows = statement.query_map([], HistoricDetail::from_row).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// How many details have a row of their own.
fn own_rows(store: &Store) -> i64 {
    let sql = "SELECT count(*) FROM historic_detail";
    store.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn the_first_value_is_kept_once_until_there_is_another_one() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let first = detail(11, &variable(1), NOW);
    apply(
        &mut store,
        &[
            Change::HistoryDetail(first.clone()),
            Change::HistoryVariable(variable(1)),
        ],
    );
    assert_eq!((details(&store), own_rows(&store)), (vec![first.clone()], 0));

    let (changed, update) = second(2);
    apply(
        &mut store,
        &[
            Change::HistoryDetail(update.clone()),
            Change::HistoryVariable(changed.clone()),
        ],
    );
    let all = vec![first, update];
    assert_eq!((details(&store), own_rows(&store)), (all.clone(), 2));

    // Once is enough.
    apply(
        &mut store,
        &[Change::HistoryVariable(HistoricVariable { revision: 2, ..changed })],
    );
    assert_eq!(details(&store), all);

    apply(&mut store, &[Change::HistoryInstanceDelete(Id(1))]);
    assert_eq!(details(&store), []);
}

#[test]
fn a_first_value_that_is_changed_in_the_same_command_has_a_row_of_its_own() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let first = detail(11, &variable(1), NOW);
    let (changed, update) = second(2);
    apply(
        &mut store,
        &[
            Change::HistoryDetail(first.clone()),
            Change::HistoryDetail(update.clone()),
            Change::HistoryVariable(changed),
        ],
    );
    assert_eq!((details(&store), own_rows(&store)), (vec![first, update], 2));
}

#[test]
fn a_detail_that_says_something_else_has_a_row_of_its_own() {
    let first = detail(11, &variable(1), NOW);
    let others = [
        HistoricDetail {
            id: Id(12),
            ..first.clone()
        },
        HistoricDetail {
            time: NOW + 1,
            ..first.clone()
        },
        HistoricDetail {
            task: Some(Id(7)),
            ..first.clone()
        },
        HistoricDetail {
            scope: Id(2),
            ..first.clone()
        },
        HistoricDetail {
            value: Value::Integer(3),
            ..first.clone()
        },
        HistoricDetail {
            kind: DetailKind::FormField,
            ..first
        },
    ];
    for other in others {
        let (_directory, config) = directory();
        let mut store = open(&config);
        apply(
            &mut store,
            &[
                Change::HistoryDetail(other.clone()),
                Change::HistoryVariable(variable(1)),
            ],
        );
        assert_eq!((details(&store), own_rows(&store)), (vec![other], 1));
    }
}

#[test]
fn a_migrated_variable_leaves_its_first_detail_as_it_was() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let first = detail(11, &variable(1), NOW);
    apply(
        &mut store,
        &[
            Change::HistoryDetail(first.clone()),
            Change::HistoryVariable(variable(1)),
        ],
    );
    apply(
        &mut store,
        &[Change::HistoryVariableMigrated {
            id: VARIABLE,
            definition: Id(4),
            definition_key: "q".into(),
            scope: Id(1),
            scope_activity: Some("b".into()),
        }],
    );
    assert_eq!((details(&store), own_rows(&store)), (vec![first], 1));
}

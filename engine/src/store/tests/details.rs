//! A variable's first detail: in the variable's row while that says the same, in one of its own afterwards.

use handoff_machine::Id;
use handoff_machine::delta::Change;
use handoff_machine::row::{DetailKind, HistoricDetail, HistoricVariable};
use handoff_machine::value::Value;
use proptest::prelude::*;

use super::{NOW, all, apply, directory, open};
use crate::store::Store;

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

fn details(store: &Store) -> Vec<HistoricDetail> {
    all(store, "historic_details ORDER BY holder")
}

/// Makes the variable, in a command of its own; its first detail.
fn set_first(store: &mut Store) -> HistoricDetail {
    let first = detail(11, &variable(1), NOW);
    let changes = [
        Change::HistoryDetail(first.clone()),
        Change::HistoryVariable(variable(1)),
    ];
    apply(store, &changes);
    first
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
    let first = set_first(&mut store);
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
    let first = set_first(&mut store);
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

/// What a command does with one of some variables.
#[derive(Clone, Copy, Debug)]
enum Act {
    Set(usize, i32),
    Delete(usize),
}

/// Variables that change as the machine changes them, and all details that there must be.
#[derive(Default)]
struct World {
    next: i64,
    alive: [Option<HistoricVariable>; 3],
    details: Vec<HistoricDetail>,
}

impl World {
    fn id(&mut self) -> Id {
        self.next += 1;
        Id(self.next)
    }

    /// The changes of a command.
    fn command(&mut self, acts: &[Act]) -> Vec<Change> {
        let (mut changes, mut set) = (Vec::new(), [false; 3]);
        for act in acts {
            match *act {
                Act::Set(place, value) => {
                    let row = match self.alive[place].take() {
                        Some(row) => HistoricVariable {
                            value: Value::Integer(value),
                            revision: row.revision + 1,
                            ..row
                        },
                        None => HistoricVariable {
                            id: self.id(),
                            name: format!("v{place}"),
                            ..variable(value)
                        },
                    };
                    let detail = detail(self.id().0, &row, NOW);
                    self.details.push(detail.clone());
                    changes.push(Change::HistoryDetail(detail));
                    self.alive[place] = Some(row);
                    set[place] = true;
                }
                Act::Delete(place) => {
                    if let Some(row) = self.alive[place].take() {
                        let id = row.id;
                        if std::mem::take(&mut set[place]) {
                            changes.push(Change::HistoryVariable(row));
                        }
                        changes.push(Change::HistoryVariableDeleted(id));
                    }
                }
            }
        }
        let last = self.alive.iter().zip(set).filter(|(_, set)| *set);
        changes.extend(last.filter_map(|(row, _)| row.clone().map(Change::HistoryVariable)));
        changes
    }

    /// All go to another definition, or stay where they are.
    fn migrate(&mut self, definition: Id) -> Vec<Change> {
        let alive = self.alive.iter_mut().flatten();
        alive
            .map(|row| {
                row.definition = definition;
                Change::HistoryVariableMigrated {
                    id: row.id,
                    definition,
                    definition_key: row.definition_key.clone(),
                    scope: row.scope,
                    scope_activity: row.scope_activity.clone(),
                }
            })
            .collect()
    }
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_usize..3, 0..3).prop_map(|(place, value)| Act::Set(place, value)),
        1 => (0_usize..3).prop_map(Act::Delete),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_detail_is_lost_doubled_or_changed(
        commands in prop::collection::vec((prop::collection::vec(act(), 1..5), any::<bool>()), 1..8)
    ) {
        let (_directory, config) = directory();
        let mut store = open(&config);
        let mut world = World::default();
        for (at, (acts, migrates)) in commands.iter().enumerate() {
            apply(&mut store, &world.command(acts));
            prop_assert_eq!(&details(&store), &world.details);
            if *migrates {
                apply(&mut store, &world.migrate(Id(1_000 + at as i64)));
                prop_assert_eq!(&details(&store), &world.details);
            }
        }
    }
}

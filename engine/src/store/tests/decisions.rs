//! Decisions: their rows, their history's end, and a database of before there were any.

use handoff_machine::Id;
use handoff_machine::delta::Change;
use handoff_machine::row::{
    DecisionPlace, DecisionRow, Deployment, HistoricDecision, HistoricDecisionInput, HistoricDecisionOutput,
    RequirementsRow, Resource,
};
use handoff_machine::value::{Serialized, Value};
use rusqlite::Connection;

use super::{NOW, all, apply, directory, open};
use crate::config::HistoryLevel;
use crate::store::row::Table as _;
use crate::store::{DATABASE_FILE, Store};

fn text(text: &str) -> String {
    text.to_owned()
}

fn deployment() -> Deployment {
    Deployment {
        id: Id(1),
        name: None,
        source: None,
        tenant: None,
        time: 1,
    }
}

fn decision() -> DecisionRow {
    DecisionRow {
        id: Id(4),
        key: text("d"),
        version: 2,
        name: Some(text("D")),
        category: Some(text("c")),
        deployment: Id(1),
        resource: text("d.dmn"),
        tenant: Some(text("t")),
        version_tag: Some(text("v")),
        history_time_to_live: Some(5),
        requirements: Some(Id(3)),
        requirements_key: Some(text("r")),
    }
}

fn evaluation(id: i64, root: Option<i64>, removal_time: Option<i64>) -> HistoricDecision {
    HistoricDecision {
        id: Id(id),
        decision: Id(4),
        decision_key: text("d"),
        decision_name: Some(text("D")),
        requirements: Some(Id(3)),
        requirements_key: Some(text("r")),
        time: 7,
        place: None,
        root_decision: root.map(Id),
        collected: Some(1.5),
        inputs: vec![HistoricDecisionInput {
            id: Id(id + 1),
            clause: Some(text("i")),
            clause_name: None,
            value: Value::Double(2.5),
        }],
        outputs: vec![HistoricDecisionOutput {
            id: Id(id + 2),
            clause: None,
            clause_name: Some(text("O")),
            rule: Some(text("r")),
            rule_order: Some(1),
            variable: Some(text("v")),
            value: Value::Object(Serialized {
                type_name: Some(text("java.util.ArrayList")),
                format: Some(text("application/json")),
                data: Some(text("[1]")),
            }),
        }],
        user: Some(text("me")),
        tenant: None,
        removal_time,
    }
}

fn evaluations(store: &Store) -> Vec<HistoricDecision> {
    all(store, "historic_decision ORDER BY id")
}

#[test]
fn rows_of_decisions_come_back_as_they_were() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let requirements = RequirementsRow {
        id: Id(3),
        key: text("r"),
        version: 1,
        name: None,
        category: Some(text("c")),
        deployment: Id(1),
        resource: text("d.dmn"),
        tenant: None,
    };
    let mut placed = evaluation(100, None, None);
    placed.place = Some(DecisionPlace {
        instance: Id(10),
        root: Id(11),
        definition: Id(12),
        definition_key: text("p"),
        execution: Id(13),
        activity: text("b"),
    });
    let file = Resource {
        id: Id(2),
        deployment: Id(1),
        name: text("d.dmn"),
        bytes: Vec::new(),
    };
    apply(
        &mut store,
        &[
            Change::InsertDeployment(deployment()),
            Change::InsertResource(file),
            Change::InsertRequirements(requirements.clone()),
            Change::InsertDecision(decision()),
            Change::UpdateDecision(DecisionRow {
                history_time_to_live: None,
                ..decision()
            }),
            Change::HistoryDecision(placed.clone()),
            Change::HistoryDecision(evaluation(200, Some(100), Some(9))),
        ],
    );
    let one = |sql: String| store.connection().query_row(&sql, [], DecisionRow::from_row).unwrap();
    let found = one(format!("SELECT {} FROM decision", DecisionRow::COLUMNS));
    assert_eq!(
        found,
        DecisionRow {
            history_time_to_live: None,
            ..decision()
        }
    );
    let sql = format!("SELECT {} FROM requirements", RequirementsRow::COLUMNS);
    let found = store
        .connection()
        .query_row(&sql, [], RequirementsRow::from_row)
        .unwrap();
    assert_eq!(found, requirements);
    assert_eq!(evaluations(&store), [placed, evaluation(200, Some(100), Some(9))]);
}

#[test]
fn the_history_of_decisions_goes_when_it_should() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let mut of_instance = evaluation(100, None, Some(1));
    of_instance.place = Some(DecisionPlace {
        instance: Id(10),
        root: Id(10),
        definition: Id(12),
        definition_key: text("p"),
        execution: Id(13),
        activity: text("b"),
    });
    let rows = [
        of_instance,
        evaluation(200, None, Some(NOW)),
        evaluation(300, None, Some(NOW + 1)),
        evaluation(400, None, None),
        evaluation(500, Some(400), None),
        evaluation(600, None, None),
        evaluation(700, Some(600), None),
    ];
    let changes: Vec<_> = rows.into_iter().map(Change::HistoryDecision).collect();
    apply(&mut store, &changes);
    let left = |store: &Store| evaluations(store).iter().map(|row| row.id.0).collect::<Vec<_>>();
    store.begin().unwrap();
    assert_eq!(store.remove_expired(NOW, 10, 1).unwrap().0, 1);
    store.commit().unwrap();
    assert_eq!(
        left(&store),
        [100, 300, 400, 500, 600, 700],
        "that of an instance goes with it"
    );
    apply(
        &mut store,
        &[
            Change::HistoryDecisionDelete(Id(400)),
            Change::HistoryDecisionRemovalTime {
                id: Id(600),
                time: Some(NOW),
            },
            Change::HistoryInstanceDelete(Id(10)),
        ],
    );
    assert_eq!(left(&store), [300, 600, 700]);
    store.begin().unwrap();
    assert_eq!(store.remove_expired(NOW, 10, 1).unwrap().0, 2);
    store.commit().unwrap();
    assert_eq!(left(&store), [300]);
    apply(
        &mut store,
        &[
            Change::InsertDeployment(deployment()),
            Change::InsertDecision(decision()),
            Change::DeleteDeployment {
                id: Id(1),
                history: true,
            },
        ],
    );
    assert_eq!(left(&store), [0; 0]);
    let decisions: i64 = store
        .connection()
        .query_row("SELECT count(*) FROM decision", [], |row| row.get(0))
        .unwrap();
    assert_eq!(decisions, 0);
}

#[test]
fn only_the_full_history_has_decisions() {
    let (_directory, mut config) = directory();
    config.history = HistoryLevel::Audit;
    let mut store = open(&config);
    apply(&mut store, &[Change::HistoryDecision(evaluation(100, None, None))]);
    assert_eq!(evaluations(&store), []);
}

#[test]
fn a_database_of_before_there_were_decisions_gets_their_tables() {
    let (_directory, config) = directory();
    std::fs::create_dir_all(&config.data_dir).unwrap();
    let old = Connection::open(config.data_dir.join(DATABASE_FILE)).unwrap();
    old.pragma_update(None, "auto_vacuum", "INCREMENTAL").unwrap();
    old.execute_batch(include_str!("../schema/v1.sql")).unwrap();
    old.execute("INSERT INTO deployment (id, time) VALUES (1, 2)", [])
        .unwrap();
    old.pragma_update(None, "application_id", 0x4864_4f66).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    let mut store = open(&config);
    let kept: i64 = store
        .connection()
        .query_row("SELECT count(*) FROM deployment", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1);
    apply(&mut store, &[Change::InsertDecision(decision())]);
    store.close().unwrap();
    open(&config).close().unwrap();
}

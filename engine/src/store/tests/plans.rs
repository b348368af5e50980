//! What is asked all the time must be found by an index, however large the tables are.

use super::{directory, open};
use crate::store::Store;

fn plan(store: &Store, sql: &str) -> Vec<String> {
    let mut statement = store
        .connection()
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let rows = statement.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>();
    rows.unwrap()
}

#[test]
fn hot_queries_search_an_index_and_sort_nothing() {
    const OFFERED: &str = "suspended = 0 AND (retries IS NULL OR retries > 0)";
    let (_directory, config) = directory();
    let store = open(&config);
    let queries = [
        format!(
            "SELECT * FROM external_task INDEXED BY external_task_free WHERE topic = ?1 AND definition = ?2 \
             AND lock_expiration IS NULL AND {OFFERED} ORDER BY id"
        ),
        format!(
            "SELECT * FROM external_task INDEXED BY external_task_locked WHERE topic = ?1 \
             AND lock_expiration IS NOT NULL AND lock_expiration <= ?2 AND {OFFERED} ORDER BY lock_expiration LIMIT ?3"
        ),
        format!(
            "SELECT * FROM external_task INDEXED BY external_task_prioritised WHERE topic = ?1 AND priority <> 0 \
             AND priority > 0 AND lock_expiration IS NULL AND {OFFERED} ORDER BY priority DESC, id"
        ),
        "SELECT ifnull(due, 0), id FROM job WHERE retries > 0 AND suspended = 0 AND ifnull(due, 0) >= ?1 \
         AND (ifnull(due, 0), id) > (?1, ?2) ORDER BY ifnull(due, 0), id LIMIT ?3"
            .to_owned(),
        "SELECT * FROM event_subscription WHERE instance IS NOT NULL AND name = ?1 AND kind = ?2 AND business_key = ?3"
            .to_owned(),
        "SELECT * FROM event_subscription WHERE instance = ?1 AND +name = ?2 AND +kind = ?3".to_owned(),
        "SELECT * FROM event_subscription WHERE name = ?1 AND kind = ?2 AND instance IS NULL".to_owned(),
        "SELECT id FROM definition WHERE key = ?1 AND tenant IS ?2 ORDER BY version DESC LIMIT 1".to_owned(),
        "SELECT * FROM execution WHERE instance = ?1 AND parent = ?1".to_owned(),
        "SELECT * FROM execution WHERE parent = ?1 AND parent <> instance".to_owned(),
        "SELECT * FROM variable WHERE scope = ?1 AND name = ?2".to_owned(),
        "SELECT * FROM variable v WHERE v.scope = ?1 AND v.instance = v.scope \
         OR v.instance = ?1 AND v.scope <> v.instance"
            .to_owned(),
        "SELECT * FROM dedupe_key WHERE key = ?2 AND tenant IS ?1".to_owned(),
        "SELECT * FROM process_instance WHERE business_key = ?1 AND (?3 OR tenant IS ?2) ORDER BY id LIMIT ?4"
            .to_owned(),
    ];
    for sql in queries {
        let plan = plan(&store, &sql);
        let by_index = plan.iter().any(|step| step.starts_with("SEARCH"));
        let by_hand = |step: &String| step.starts_with("SCAN") || step.contains("TEMP B-TREE");
        assert!(by_index && !plan.iter().any(by_hand), "{sql}\n{plan:?}");
    }
}

#[test]
fn the_task_of_an_execution_is_found_without_a_look_at_others_of_its_instance() {
    let (_directory, config) = directory();
    let store = open(&config);
    let sql =
        "SELECT * FROM external_task WHERE (instance, execution) = (SELECT instance, id FROM execution WHERE id = ?1)";
    let plan = plan(&store, sql);
    assert!(plan[0].ends_with("(instance=? AND execution=?)"), "{plan:?}");
}

#[test]
fn details_are_found_by_a_key_wherever_they_are() {
    let (_directory, config) = directory();
    let store = open(&config);
    let conditions = [
        "instance = ?1 AND scope = ?1 AND initial <> 0 AND kind = 0 ORDER BY holder",
        "id = ?1 AND holder BETWEEN ?1 - 1 AND ?1",
        "holder = ?1 AND variable = ?1",
    ];
    for condition in conditions {
        let plan = plan(&store, &format!("SELECT name FROM historic_details WHERE {condition}"));
        let searches = plan.iter().filter(|step| step.starts_with("SEARCH")).count();
        // What is scanned is what the searches come to.
        let scans = plan
            .iter()
            .filter(|step| step.starts_with("SCAN") && *step != "SCAN historic_details");
        assert_eq!((searches, scans.count()), (2, 0), "{condition}\n{plan:?}");
    }
    // In the order of their age, both halves are walked through as far as is asked.
    let plan = plan(
        &store,
        "SELECT name, holder FROM historic_details ORDER BY historic_details.holder LIMIT 10",
    );
    assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
}

//! History that has had its time is removed, and nothing else.

use handoff_machine::Command;

use super::{Rig, model, of};

const DAY: i64 = 86_400_000;

fn rig() -> Rig {
    let mut rig = Rig::with(|config| config.retention.cleanup = true);
    // Its history has thirty days.
    rig.deploy(&model::task("p", "t", ""));
    rig
}

#[test]
fn history_goes_when_it_has_had_its_time_and_not_before() {
    let mut rig = rig();
    for _ in 0..3 {
        rig.start("p");
    }
    for task in super::ids(&rig.fetch(of("t"))).into_iter().take(2) {
        rig.complete(task, "w").unwrap();
    }
    rig.now += 29 * DAY;
    rig.settle();
    assert_eq!(rig.count("historic_instance"), 3);
    let mut rig = rig.crash();
    rig.now += 2 * DAY;
    rig.settle();
    assert_eq!(rig.count("historic_instance"), 1, "the one that runs stays");
    for table in ["historic_activity", "external_task_log"] {
        let sql = format!(
            "SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM process_instance p WHERE p.id = t.instance)"
        );
        let left: i64 = rig
            .processor
            .store
            .connection()
            .query_row(&sql, [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    let before = rig.dump();
    rig.now += 365 * DAY;
    rig.settle();
    assert_eq!(rig.dump(), before);
}

#[test]
fn what_was_called_goes_with_its_caller_also_when_both_end_at_once() {
    let mut rig = rig();
    rig.deploy(&model::nothing("called"));
    // At once, and behind a job.
    rig.deploy(&model::call("later", "called"));
    rig.deploy(&model::call("at-once", "called").replace(r#"camunda:asyncBefore="true""#, ""));
    for key in ["at-once", "later"] {
        rig.start(key);
        rig.settle();
        assert_eq!(rig.count("process_instance"), 0);
        assert_eq!(rig.count("historic_instance"), 2, "{key}");
        rig.now += 31 * DAY;
        rig.settle();
        assert_eq!(rig.count("historic_instance"), 0, "{key}");
    }
}

#[test]
fn much_history_goes_in_steps_between_which_commands_run() {
    let mut rig = Rig::with(|config| {
        config.retention.cleanup = true;
        config.retention.cleanup_batch = 2;
    });
    rig.deploy(&model::task("p", "t", ""));
    for _ in 0..9 {
        rig.start("p");
        let task = rig.fetch(of("t"))[0].task.id;
        rig.complete(task, "w").unwrap();
    }
    rig.now += 31 * DAY;
    rig.turn(Vec::new());
    assert_eq!(
        rig.count("historic_instance"),
        7,
        "a step removes no more than its batch"
    );
    rig.start("p");
    while rig.count("historic_instance") > 1 {
        let next = rig.turn(Vec::new()).next.expect("another step");
        assert!(
            next > rig.now && next <= rig.now + 60_000,
            "it rests between two steps, and not for long"
        );
        rig.now = next;
    }
    assert_eq!(rig.count("process_instance"), 1);
}

#[test]
fn what_users_did_outlives_a_deletion_by_hand_until_its_time() {
    let mut rig = rig();
    rig.user = Some("eve".to_owned());
    rig.start("p");
    let task = rig.fetch(of("t"))[0].task.clone();
    rig.complete(task.id, "w").unwrap();
    rig.run(Command::DeleteHistory(task.instance)).unwrap();
    assert_eq!(rig.count("historic_instance"), 0);
    let of_instance = "user_operation WHERE instance IS NOT NULL";
    assert_eq!(rig.count(of_instance), 1);
    rig.now += 29 * DAY;
    rig.settle();
    assert_eq!(rig.count(of_instance), 1);
    rig.now += 2 * DAY;
    rig.settle();
    assert_eq!(rig.count(of_instance), 0);
    assert!(rig.count("user_operation") > 0, "what is of no instance has no time");
}

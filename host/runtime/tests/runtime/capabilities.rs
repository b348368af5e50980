//! Grants, as a guest meets them.

use std::sync::Arc;

use handoff_runtime::{
    CallContext, OperatorPolicy, SecretSource,
    wit::types::{Failure, File, FileContent, FileReference, Outcome, Value, Variable},
};

use crate::support::*;

/// Fails with the remedy of the denial at 4096, if there is one; else completes.
const FAIL_WITH_REMEDY: &str = "
    (if (i32.and (i32.eq (i32.load8_u (i32.const 4096)) (i32.const 1)) (i32.eqz (i32.load8_u (i32.const 4100))))
      (then
        (i32.store8 (i32.const 1024) (i32.const 2))
        (i32.store (i32.const 1028) (i32.load (i32.const 4120)))
        (i32.store (i32.const 1032) (i32.load (i32.const 4124)))))";

fn policy(grants: &str) -> OperatorPolicy {
    OperatorPolicy {
        default_grants: toml::from_str(grants).unwrap(),
        file: "handoff.toml".into(),
        ..OperatorPolicy::default()
    }
}

async fn complete_with(manifest_grants: &str, operator_grants: &str) -> Outcome {
    let component = guest("worker", &calls_complete(FAIL_WITH_REMEDY));
    let manifest = format!("{}[grants]\n{manifest_grants}", manifest("w"));
    let folder = Folder::open_with(&[("w", &component, &manifest)], config(), policy(operator_grants)).await;
    folder.worker("w").handle(task(vec![]), call()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_grant_reaches_the_engine() {
    let outcome = complete_with("tasks = [\"order\"]", "tasks = [\"order\"]").await;
    assert!(matches!(outcome, Outcome::Complete(_)), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_tells_the_guest_what_is_missing_where() {
    let Outcome::Failure(Failure { message, .. }) = complete_with("tasks = [\"order\"]", "").await else {
        panic!("granted")
    };
    assert_eq!(
        message,
        "`tasks = [\"order\"]` under [workers.grants.w] in handoff.toml"
    );

    let Outcome::Failure(Failure { message, .. }) = complete_with("", "tasks = [\"*\"]").await else {
        panic!("granted")
    };
    assert!(
        message.starts_with("`tasks = [\"order\"]` under [grants] in ") && message.ends_with("w.toml"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_reaches_the_guest_but_no_log() {
    let body = format!(
        r#"(import "handoff:worker/secrets@0.1.0" "get" (func $get (param i32 i32 i32)))
           (import "handoff:worker/logging@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
           (data (i32.const 2048) "token")
           {}"#,
        handler(
            "(call $get (i32.const 2048) (i32.const 5) (i32.const 4096))
             (if (i32.load8_u (i32.const 4096)) (then (return (i32.const 1024))))
             (call $log (i32.const 2) (i32.load (i32.const 4100)) (i32.load (i32.const 4104)) (i32.const 0) (i32.const 0))
             unreachable"
        )
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "tops3cret\n").unwrap();
    let policy = OperatorPolicy {
        secrets: [("token".to_owned(), SecretSource::File(file))].into(),
        ..policy("secrets = [\"token\"]")
    };
    let manifest = manifest("w") + "[grants]\nsecrets = [\"token\"]";
    let folder = Folder::open_with(&[("w", &guest("worker", &body), &manifest)], config(), policy).await;
    let error = folder
        .worker("w")
        .handle(task(vec![]), call())
        .await
        .expect_err("it traps when it has the secret");
    assert_eq!(error.log_tail, ["INFO ***"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_settings_override_the_manifests() {
    // Fails with the value of `a`, which config.get returns at 4096 as option<string>.
    let body = format!(
        r#"(import "handoff:worker/config@0.1.0" "get" (func $get (param i32 i32 i32)))
           (data (i32.const 2048) "a")
           {}"#,
        handler(
            "(call $get (i32.const 2048) (i32.const 1) (i32.const 4096))
             (i32.store8 (i32.const 1024) (i32.const 2))
             (i32.store (i32.const 1028) (i32.load (i32.const 4100)))
             (i32.store (i32.const 1032) (i32.load (i32.const 4104)))"
        )
    );
    let policy = OperatorPolicy {
        config: [("w".to_owned(), [("a".to_owned(), "operator".to_owned())].into())].into(),
        ..OperatorPolicy::default()
    };
    let manifest = manifest("w") + "[config]\na = \"manifest\"";
    let folder = Folder::open_with(&[("w", &guest("worker", &body), &manifest)], config(), policy).await;
    let outcome = folder.worker("w").handle(task(vec![]), call()).await.unwrap();
    let Outcome::Failure(Failure { message, .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(message, "operator");
}

/// A guest's module that completes task `x` of engine `order` with one variable, a file that refers to variable `x` of
/// execution `x` of an engine, whose name lies at `engine`.
fn hands_on_a_file(engine: (u32, u32)) -> String {
    let store = |at: u32, value: u32| format!("(i32.store (i32.const {at}) (i32.const {value}))");
    // A variable as the canonical ABI lays it out: its name, the case of its value, the file, its content's case.
    let variable = [
        (3008, 2053),
        (3012, 1),
        (3016, 12),
        (3024, 2053),
        (3028, 1),
        (3060, engine.0),
        (3064, engine.1),
        (3068, 2053),
        (3072, 1),
        (3076, 2053),
        (3080, 1),
    ]
    .map(|(at, value)| store(at, value))
    .join(" ");
    calls_complete(FAIL_WITH_REMEDY)
        .replace("(call $complete", &format!("{variable} (call $complete"))
        .replace(
            "(i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4096)",
            "(i32.const 3008) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 4096)",
        )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_handed_on_with_its_content_under_the_grants_of_reading_it() {
    let manifest = format!("{}[grants]\ntasks = [\"order\"]\n", manifest("w"));
    let own = |engine: &str| Variable {
        name: "own".to_owned(),
        value: Value::File(File {
            name: "own".to_owned(),
            mimetype: None,
            encoding: None,
            content: FileContent::Reference(FileReference {
                engine: engine.to_owned(),
                execution_id: "x".to_owned(),
                variable_name: "x".to_owned(),
            }),
        }),
        transient: false,
    };
    // From an engine that is granted; from one that is not; and from that one, but with the task's own variables.
    for (engine, variables, reaches) in [
        ((2048, 5), vec![], true),
        ((2053, 1), vec![], false),
        ((2053, 1), vec![own("x")], true),
    ] {
        let component = guest("worker", &hands_on_a_file(engine));
        let folder = Folder::open_with(&[("w", &component, &manifest)], config(), policy("tasks = [\"order\"]")).await;
        let engines = Arc::new(Engines::default());
        let context = CallContext {
            capabilities: engines.clone(),
            ..call()
        };
        let outcome = folder.worker("w").handle(task(variables), context).await.unwrap();
        let completions = engines.completions.lock().unwrap();
        if !reaches {
            assert!(
                matches!(&outcome, Outcome::Failure(failure) if failure.message.contains("tasks = [\"order\", \"x\"]")),
                "{outcome:?}"
            );
            assert!(completions.is_empty());
            continue;
        }
        assert!(matches!(outcome, Outcome::Complete(_)), "{outcome:?}");
        assert!(
            matches!(&completions[0].variables[0].value, Value::File(file) if file.content == FileContent::Bytes(b"content".to_vec())),
            "{completions:?}"
        );
    }
}

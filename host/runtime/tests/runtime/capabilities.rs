//! Grants, as a guest meets them.

use handoff_runtime::{
    OperatorPolicy, SecretSource,
    wit::types::{Failure, Outcome},
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

//! Guests in WebAssembly text: workers that do one thing, as components. The tests of the host share this file.

use std::path::{Path, PathBuf};

/// The contract. The host's manifest lies one folder above the runtime's.
fn contract() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("wit"))
        .find(|folder| folder.join("worlds.wit").is_file())
        .expect("the contract lies above this package")
}

/// A guest: `body` is the text of a core module's fields, to which memory, allocation and the world are added.
pub(crate) fn guest(world: &str, body: &str) -> Vec<u8> {
    guest_of(&contract(), world, body)
}

/// A guest of a world of another package, whose text is `wit`.
pub(crate) fn foreign_guest(wit: &str, world: &str, body: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("world.wit"), wit).unwrap();
    guest_of(dir.path(), world, body)
}

fn guest_of(wit: &Path, world: &str, body: &str) -> Vec<u8> {
    // A zeroed block at 1024 is an outcome `complete` without variables; allocations begin behind it.
    let text = format!(
        r#"(module
          {body}
          (memory (export "memory") 2)
          (global $next (mut i32) (i32.const 65536))
          (func $alloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
            (global.set $next (i32.add (local.get $at) (local.get 3)))
            (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
              (then (drop (memory.grow (i32.add (i32.div_u (local.get 3) (i32.const 65536)) (i32.const 1))))))
            (local.get $at)))"#
    );
    raw_guest(wit, world, &text)
}

/// A worker whose core module is `text` as it is.
pub(crate) fn raw_worker(text: &str) -> Vec<u8> {
    raw_guest(&contract(), "worker", text)
}

fn raw_guest(wit: &Path, world: &str, text: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_path(wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    wit_component::ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .validate(true)
        .encode()
        .unwrap()
}

/// The body of a guest whose handler runs `code` and then completes without variables.
pub(crate) fn handler(code: &str) -> String {
    format!(
        r#"(func (export "handoff:worker/handler@0.1.0#handle") (param $task i32) (result i32) {code} (i32.const 1024))"#
    )
}

/// A worker that completes with the variable `said`, so that a call tells which version it ran on.
pub(crate) fn completes_with(said: &str) -> Vec<u8> {
    // One variable at 3072: its name, and the case `text` (6) of its value.
    let body = format!(
        r#"(data (i32.const 2048) "said{said}") {}"#,
        handler(&format!(
            "(i32.store (i32.const 1028) (i32.const 3072))
             (i32.store (i32.const 1032) (i32.const 1))
             (i32.store (i32.const 3072) (i32.const 2048))
             (i32.store (i32.const 3076) (i32.const 4))
             (i32.store8 (i32.const 3080) (i32.const 6))
             (i32.store (i32.const 3088) (i32.const 2052))
             (i32.store (i32.const 3092) (i32.const {}))",
            said.len()
        ))
    );
    guest("worker", &body)
}

/// A worker that computes for ever.
pub(crate) fn spins() -> Vec<u8> {
    guest("worker", &handler("(loop $l (br $l))"))
}

/// A guest's module that calls `tasks.complete` for task `x` of engine `order` and then runs `code`; the result of the call
/// lies at 4096.
pub(crate) fn calls_complete(code: &str) -> String {
    format!(
        r#"(import "handoff:worker/tasks@0.1.0" "complete" (func $complete (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
           (data (i32.const 2048) "orderx")
           {}"#,
        handler(&format!(
            "(call $complete (i32.const 2048) (i32.const 5) (i32.const 2053) (i32.const 1)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4096))
             {code}"
        ))
    )
}

//! The first worker in the documentation is the one that is built.

use std::fs;

use crate::cargo::root;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn the_first_worker_is_the_one_that_is_built() {
    let source = read("workers/hello/src/lib.rs");
    // Without its documentation and its tests.
    let code = source
        .split("#[cfg(test)]")
        .next()
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("//!"));
    let code = code.collect::<Vec<_>>().join("\n");
    for readme in ["README.md", "guest-sdk/README.md"] {
        assert!(
            read(readme).contains(&format!("```rust\n{}\n```", code.trim())),
            "{readme} shows another worker"
        );
    }
    let manifest = format!("```toml\n{}\n```", read("workers/hello/hello.toml").trim());
    assert!(
        read("guest-sdk/README.md").contains(&manifest),
        "the SDK's README shows another manifest"
    );
}

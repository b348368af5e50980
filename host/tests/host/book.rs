//! The book names tests: each is there.

use std::path::Path;

/// Where the tests that the book names by file and function are, with what stands before their names.
const PLACES: [(&str, &str); 3] = [
    ("runtime/", "host/runtime/tests/runtime"),
    ("pattern/", "tests/pattern"),
    ("", "host/tests/host"),
];

/// The `file::function` that a piece of code in the text is, if it is one.
fn named(code: &str) -> Option<(&str, &str)> {
    let (file, function) = code.split_once("::")?;
    let plain = |name: &str, more: &[u8]| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || more.contains(&byte))
    };
    (plain(file, b"/") && plain(function, b"")).then_some((file, function))
}

#[test]
fn every_test_that_the_book_names_is_there() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (page, least) in [("clients.md", 25), ("faults.md", 60)] {
        let text = std::fs::read_to_string(project.join("docs").join(page)).unwrap();
        let mut found = 0;
        for (file, function) in text.split('`').skip(1).step_by(2).filter_map(named) {
            let (folder, name) = PLACES
                .iter()
                .find_map(|(prefix, folder)| Some((folder, file.strip_prefix(prefix)?)))
                .unwrap();
            let source = project.join(folder).join(format!("{name}.rs"));
            let source = std::fs::read_to_string(&source)
                .unwrap_or_else(|error| panic!("{page} names {file}::{function}, but {}: {error}", source.display()));
            assert!(
                source.contains(&format!("fn {function}(")),
                "{page} names {file}::{function}"
            );
            found += 1;
        }
        assert!(found >= least, "{page} names {found} tests");
    }
}

use indexmap::IndexMap;
use proptest::prelude::*;

use super::corpus;
use super::fuzz;
use super::mutation::{Language, mutated};
use crate::feel::{Budget, Expression, Feel, UnaryTests};
use crate::value::Value;

/// What a decision may take.
const STEPS: u32 = 100_000;

const FEEL: Language = Language {
    words: &[
        "if ",
        " then ",
        " else ",
        "for x in ",
        " return ",
        "some x in ",
        " satisfies ",
        "not(",
        " in ",
        " in (",
        " instance of ",
        " between ",
        " and ",
        " or ",
        "..",
        "@\"2024-02-30\"",
        "@\"P99999999999Y\"",
        "@\"-999999999-01-01T00:00:00\"",
        "date(\"9999-12-31\")",
        "duration(\"-P1Y2M\")",
        "79228162514264337593543950335",
        "0.0000000000000000000000000001",
        "**",
        "?",
        "//",
        "/*",
        "`",
        "\"",
        "\\",
        "function(a) ",
        "partial",
        "item",
        "null",
        "{a: 1}",
        "[1, 2]",
        "matches(\"aaaaaaaa\", \"(a*)*b\")",
        "string join(",
        "ß",
        "\u{1F600}",
        "\u{0}",
    ],
    pairs: &[
        ("(", ")"),
        ("[", "]"),
        ("{a: ", "}"),
        ("-", ""),
        ("not(", ")"),
        ("1 in (", ")"),
        ("x in (", ""),
        ("if true then ", " else 1"),
        ("for x in [1, 2] return ", ""),
        ("function(a) ", ""),
        ("a[", "]"),
        ("", ".a"),
        ("", " + 1"),
        ("", "[1]"),
        ("1 + ", ""),
        ("abs(", ")"),
        ("some x in ", " satisfies x"),
    ],
};

/// Expressions of the grammar.
fn grammar() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "-1.5",
        "79228162514264337593543950335",
        "0.0000000000000000000000000001",
        "\"text\"",
        "\"\"",
        "true",
        "null",
        "t",
        "n",
        "l",
        "c",
        "?",
        "unknown",
        "date(\"2024-02-29\")",
        "time(\"23:59:59.999@Europe/Paris\")",
        "date and time(\"-99999-01-01T00:00:00Z\")",
        "duration(\"P99999Y\")",
        "duration(\"PT999999999H\")",
        "@\"9999-12-31T23:59:59\"",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let binary = prop::sample::select(vec![
            "+", "-", "*", "/", "**", "=", "!=", "<", ">=", " and ", " or ", " in ",
        ]);
        let function = prop::sample::select(vec![
            "abs",
            "floor",
            "round up",
            "decimal",
            "modulo",
            "sqrt",
            "exp",
            "log",
            "power",
            "substring",
            "replace",
            "split",
            "matches",
            "string",
            "number",
            "date",
            "time",
            "duration",
            "years and months duration",
            "list contains",
            "count",
            "min",
            "max",
            "sum",
            "mean",
            "median",
            "stddev",
            "mode",
            "product",
            "append",
            "concatenate",
            "insert before",
            "remove",
            "reverse",
            "index of",
            "union",
            "distinct values",
            "flatten",
            "sort",
            "sublist",
            "get value",
            "get entries",
            "context put",
            "context merge",
            "day of week",
            "week of year",
            "last day of month",
            "before",
            "overlaps",
            "includes",
            "string join",
            "is defined",
            "range",
            "partition",
            "extract",
            "to base64",
            "random number",
            "now",
            "today",
        ]);
        let arguments = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            4 => (inner.clone(), binary, inner.clone()).prop_map(|(a, sign, b)| format!("({a} {sign} {b})")),
            1 => inner.clone().prop_map(|a| format!("-{a}")),
            4 => (function, arguments()).prop_map(|(name, with)| format!("{name}({})", with.join(", "))),
            1 => arguments().prop_map(|items| format!("[{}]", items.join(", "))),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}..{b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{a: {a}, b: {b}}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            1 => (inner.clone(), prop::sample::select(vec!["a", "year", "month", "hours", "time offset", "start"]))
                .prop_map(|(a, name)| format!("{a}.{name}")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("if {a} then {b} else {c}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("for x in {a}..{b} return x")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("every x in {a} satisfies {b}")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("{a} between {b} and {c}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} in ({b}, > {b})")),
            1 => inner.clone().prop_map(|a| format!("{a} instance of years and months duration")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("(function(p) {a})({b})")),
        ]
    })
}

/// Reads a text as what it may be, and evaluates it.
fn read(text: &str) {
    let list = Feel::list(vec![
        Feel::Null,
        Feel::Boolean(true),
        Feel::text("a"),
        Feel::from(&Value::Double(f64::MAX)),
    ]);
    let scope = IndexMap::from([
        ("t".to_owned(), Feel::text("text with ß and \u{1F600}")),
        ("n".to_owned(), Feel::from(&Value::Long(i64::MIN))),
        ("l".to_owned(), list.clone()),
        (
            "c".to_owned(),
            Feel::from(&Value::Json(r#"{"a": [1], "b": {"c": 1e300}}"#.into())),
        ),
    ]);
    let budget = || Budget::new(STEPS, 1_700_000_000_000, 1);
    if let Ok(expression) = Expression::parse(text)
        && let Ok(value) = expression.evaluate(&scope, &mut budget())
    {
        let _ = value.to_json();
    }
    if let Ok(tests) = UnaryTests::parse(text) {
        for input in [Feel::Null, Feel::text("a"), list] {
            let _ = tests.fit(&input, &scope, &mut budget());
        }
    }
}

#[test]
fn feel_that_is_nearly_what_was_recorded() {
    fuzz(4_000, || mutated(&corpus::FEEL, FEEL), |text| read(&text));
}

#[test]
fn feel_of_its_grammar() {
    fuzz(4_000, grammar, |text| read(&text));
}

//! What Camunda 7.24 makes of expressions and tests, recorded from a real one; and that nothing panics or runs on.

use indexmap::IndexMap;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::value::Value;

/// Where Camunda fails from within, or gives null, and this gives what DMN says.
const KINDER: [&str; 12] = [
    "substring(\"abc\",10)",
    "[1..3] instance of range",
    "modulo(1, 0)",
    "log(0)",
    "stddev([1])",
    "[1..5].start",
    "[1..5].end included",
    "function(a) a",
    "(function(a) a + 1)(2)",
    "1 = 1 = true",
    "for x in [[1,2],[3]], y in x return y",
    "not(1), 3",
];

const STEPS: u32 = 100_000;

fn budget() -> Budget {
    Budget::new(STEPS, 1_700_000_000_000, 1)
}

fn recorded() -> Json {
    serde_json::from_str(include_str!("tests/recorded.json")).unwrap()
}

fn evaluate(text: &str, scope: &IndexMap<String, Feel>) -> Result<Json, String> {
    let expression = Expression::parse(text).map_err(|error| error.to_string())?;
    let value = expression.evaluate(scope, &mut budget());
    value.map(|value| value.to_json()).map_err(|error| error.to_string())
}

fn same(wanted: &Json, found: &Json) -> bool {
    match (wanted, found) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

#[test]
fn expressions_give_what_they_give_in_camunda() {
    let recorded = recorded();
    let mut wrong = Vec::new();
    for case in recorded["expressions"].as_array().unwrap() {
        let text = case["expression"].as_str().unwrap();
        let found = evaluate(text, &IndexMap::new());
        let right = match (case.get("error"), &found) {
            (Some(_), found) => found.is_err(),
            (None, Ok(value)) => same(&case["value"], value),
            (None, Err(_)) => false,
        };
        if !right && !KINDER.contains(&text) {
            wrong.push(format!("{text}: {found:?}, but recorded is {case}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn variable(sent: &Json) -> Feel {
    let value = &sent["value"];
    Feel::from(&match value {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::Number(number) => Value::Double(number.as_f64().unwrap()),
        other if sent["type"] == "Date" => {
            let text = other.as_str().unwrap().replace("+0000", "Z");
            Value::Date(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
        }
        other => Value::String(other.as_str().unwrap().to_owned()),
    })
}

#[test]
fn tests_fit_what_they_fit_in_camunda() {
    let recorded = recorded();
    let mut wrong = Vec::new();
    for case in recorded["tests"].as_array().unwrap() {
        let text = case["test"].as_str().unwrap();
        let sent = case["variables"].as_object().unwrap();
        let mut scope: IndexMap<_, _> = sent
            .iter()
            .map(|(name, value)| (name.clone(), variable(value)))
            .collect();
        let input = scope["x"].clone();
        scope.insert("cellInput".to_owned(), input.clone());
        let found = UnaryTests::parse(text)
            .map_err(|error| error.to_string())
            .and_then(|tests| {
                tests
                    .fit(&input, &scope, &mut budget())
                    .map_err(|error| error.to_string())
            });
        let right = match (case.get("error"), &found) {
            (Some(_), found) => found.is_err(),
            (None, Ok(fits)) => case["fits"] == *fits,
            (None, Err(_)) => false,
        };
        if !right && !KINDER.contains(&text) {
            wrong.push(format!("{found:?}, but recorded is {case}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What models are made of, in any order.
fn soup() -> impl Strategy<Value = String> {
    let parts = [
        "1",
        "2.5",
        "\"a\"",
        "x",
        "?",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "..",
        ",",
        ":",
        ".",
        "+",
        "-",
        "*",
        "/",
        "**",
        "<",
        ">=",
        "=",
        "!=",
        "and",
        "or",
        "not",
        "in",
        "between",
        "if",
        "then",
        "else",
        "for",
        "return",
        "some",
        "every",
        "satisfies",
        "function",
        "instance of",
        "number",
        "date",
        "date and time",
        "duration",
        "\"P1D\"",
        "\"2020-01-31\"",
        "null",
        "true",
        "count",
        "sum",
        "sort",
        "substring",
        "string join",
        "replace",
        "@",
        "`",
        "-",
        "list contains",
        "item",
        "99999999999999999999999999",
        "0.0000000000000000000000001",
        "append",
        "concatenate",
        "modulo",
        "round up",
    ];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 0..24).prop_map(|parts| parts.join(" "))
}

/// Calls of all functions with arguments of all kinds.
fn calls() -> impl Strategy<Value = String> {
    let functions = [
        "date",
        "time",
        "date and time",
        "duration",
        "years and months duration",
        "number",
        "string",
        "not",
        "get or else",
        "substring",
        "string length",
        "substring before",
        "replace",
        "matches",
        "split",
        "extract",
        "list contains",
        "min",
        "max",
        "sum",
        "product",
        "mean",
        "median",
        "stddev",
        "mode",
        "count",
        "all",
        "sublist",
        "append",
        "insert before",
        "remove",
        "index of",
        "union",
        "distinct values",
        "duplicate values",
        "flatten",
        "string join",
        "partition",
        "decimal",
        "floor",
        "ceiling",
        "round up",
        "round half down",
        "abs",
        "modulo",
        "sqrt",
        "log",
        "exp",
        "odd",
        "get entries",
        "get value",
        "context put",
        "context merge",
        "context",
        "day of week",
        "week of year",
        "month of year",
        "last day of month",
        "before",
        "overlaps",
        "includes",
        "coincides",
        "is empty",
    ];
    let arguments = [
        "null",
        "true",
        "0",
        "-1",
        "3",
        "2.5",
        "79228162514264337593543950335",
        "-79228162514264337593543950335",
        "0.0000000000000000000000000001",
        "-40",
        "40",
        "\"\"",
        "\"a\"",
        "\"-P9999999999999Y\"",
        "\"P99999999999999999999D\"",
        "\"9999-12-31\"",
        "\"(\"",
        "[]",
        "[1, null]",
        "[1, 2]",
        "[[1], [2]]",
        "{a: 1}",
        "{}",
        "[1..5]",
        "date(\"9999-12-31\")",
        "date(\"-9999-01-01\")",
        "time(\"23:59:59.999999999\")",
        "date and time(\"9999-12-31T23:59:59Z\")",
        "duration(\"P9999999999D\")",
        "duration(\"-P999999999Y\")",
        "function(a) a",
    ];
    let operators = ["+", "-", "*", "/", "**", "<", "=", "in"];
    let argument = prop::sample::select(arguments.to_vec());
    let call = (
        prop::sample::select(functions.to_vec()),
        prop::collection::vec(argument.clone(), 0..4),
    )
        .prop_map(|(name, arguments)| format!("{name}({})", arguments.join(", ")));
    let operation = (argument.clone(), prop::sample::select(operators.to_vec()), argument)
        .prop_map(|(left, operator, right)| format!("{left} {operator} {right}"));
    prop_oneof![call, operation]
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,60}") {
        let _ = evaluate(&text, &IndexMap::new());
        let _ = UnaryTests::parse(&text).map(|tests| tests.fit(&Feel::whole(1), &IndexMap::new(), &mut budget()));
    }

    #[test]
    fn no_symbols_make_it_panic(text in soup()) {
        let _ = evaluate(&text, &IndexMap::new());
        let _ = UnaryTests::parse(&text).map(|tests| tests.fit(&Feel::whole(1), &IndexMap::new(), &mut budget()));
    }

    #[test]
    fn no_call_panics(text in calls()) {
        let scope = IndexMap::new();
        let value = Expression::parse(&text).unwrap().evaluate(&scope, &mut budget());
        if let Ok(value) = value {
            let _ = (value.to_json(), value.to_value(), value.to_datum());
        }
    }

    #[test]
    fn sums_of_cents_are_exact(cents in prop::collection::vec(-100_000_i64..100_000, 1..20)) {
        let terms: Vec<_> = cents.iter().map(|cents| format!("({cents} / 100)")).collect();
        let text = format!("({}) * 100 = {}", terms.join(" + "), cents.iter().sum::<i64>());
        prop_assert_eq!(evaluate(&text, &IndexMap::new()), Ok(Json::Bool(true)));
    }

    #[test]
    fn a_test_of_an_interval_is_two_comparisons(low in -50..50, high in -50..50, value in -60_i64..60) {
        for (open, close, from, to) in [("[", "]", ">=", "<="), ("(", ")", ">", "<"), ("[", ")", ">=", "<"), ("]", "]", ">", "<=")] {
            let fits = |text: &str| {
                UnaryTests::parse(text).unwrap().fit(&Feel::whole(value), &IndexMap::new(), &mut budget()).unwrap()
            };
            let interval = format!("{open}{low}..{high}{close}");
            prop_assert_eq!(fits(&interval), fits(&format!("? {from} {low} and ? {to} {high}")));
            prop_assert_ne!(fits(&interval), fits(&format!("not({interval})")));
        }
    }

    #[test]
    fn a_day_comes_back_from_its_text(days in -700_000_i32..2_900_000) {
        let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(i64::from(days)));
        if let Ok(date) = date {
            let text = format!("date(string(date(\"{date}\"))) = date(\"{date}\") or date(\"{date}\") = null");
            prop_assert_eq!(evaluate(&text, &IndexMap::new()), Ok(Json::Bool(true)));
        }
    }
}

#[test]
fn chance_is_the_same_in_every_try_of_a_command_and_differs_between_calls() {
    let twice = "[random number(), random number(), uuid(), uuid()]";
    let first = evaluate(twice, &IndexMap::new()).unwrap();
    assert_eq!(evaluate(twice, &IndexMap::new()), Ok(first.clone()));
    assert!(first[0].as_f64().is_some_and(|number| (0.0..1.0).contains(&number)));
    assert!(first[0] != first[1] && first[2] != first[3], "{first}");
    assert_eq!(
        first[2]
            .as_str()
            .and_then(|text| text.parse::<uuid::Uuid>().ok())
            .map(|id| id.get_version_num()),
        Some(4)
    );
}

#[test]
fn nothing_runs_on() {
    for text in [
        "for a in 1..1000, b in 1..1000, c in 1..1000 return 1",
        "count(1..999999999)",
        "for a in 1..999999999 return a",
        "some a in 1..100000000 satisfies a < 0",
        "{f: function(f, n) f(f, n) + f(f, n), r: f(f, 1)}.r",
        "{t: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", u: t+t+t+t+t+t+t+t, v: u+u+u+u+u+u+u+u, w: v+v+v+v+v+v+v+v, x: w+w+w+w+w+w+w+w, y: x+x+x+x+x+x+x+x, z: y+y+y+y+y+y+y+y}.z",
    ] {
        let ended = evaluate(text, &IndexMap::new());
        assert!(ended.is_err() || ended == Ok(Json::Null), "{text}: {ended:?}");
    }
    let deep = format!("{}1{}", "(".repeat(100), ")".repeat(100));
    assert!(Expression::parse(&deep).unwrap_err().reason.contains("deeper"));
    let long = "1+".repeat(5_000);
    assert!(Expression::parse(&long).unwrap_err().reason.contains("symbols"));
}

use indexmap::IndexMap;
use proptest::prelude::*;

use super::corpus;
use super::fuzz;
use super::mutation::{Language, mutated};
use crate::expression::{Datum, Expression};

const JUEL: Language = Language {
    words: &[
        "${",
        "#{",
        "}",
        "\\${",
        "empty ",
        "not ",
        "null",
        "true",
        "9223372036854775807",
        "-9223372036854775808",
        "1e308",
        "1e-400",
        "0",
        "'",
        "\"",
        "'\\\\'",
        ".",
        "[",
        "]",
        "(",
        ")",
        "?",
        ":",
        "&&",
        "||",
        " div ",
        " mod ",
        "%",
        "S(j)",
        "now()",
        "x:f(",
        ".prop(\"a\")",
        ".elements()",
        ".substring(2147483648)",
        ".get(-1)",
        ".plusDays(9999999999)",
        "ß",
        "\u{1F600}",
        "\u{0}",
    ],
    pairs: &[
        ("(", ")"),
        ("[", "]"),
        ("-", ""),
        ("!", ""),
        ("empty ", ""),
        ("a[", "]"),
        ("S(", ")"),
        ("a ? ", ": b"),
        ("", ".toString()"),
        ("", " + a"),
        ("a + ", ""),
        ("${", "}"),
    ],
};

/// Expressions of the grammar.
fn grammar() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "-1",
        "0",
        "9223372036854775807",
        "1.5",
        "1e300",
        "'text'",
        "''",
        "null",
        "true",
        "t",
        "i",
        "l",
        "m",
        "d",
        "j",
        "n",
        "f",
        "now()",
        "unknown",
    ]);
    let leaf = leaf.prop_map(str::to_owned);
    let text = leaf.prop_recursive(5, 40, 3, |inner| {
        let binary = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "div", "mod", "and",
        ]);
        let method = prop::sample::select(vec![
            "length",
            "size",
            "substring",
            "get",
            "contains",
            "indexOf",
            "charAt",
            "split",
            "replace",
            "replaceAll",
            "matches",
            "toUpperCase",
            "equals",
            "compareTo",
            "intValue",
            "plusDays",
            "getTime",
            "prop",
            "elements",
            "numberValue",
            "jsonPath",
            "keySet",
            "isEmpty",
            "concat",
            "toString",
            "format",
            "add",
            "put",
        ]);
        prop_oneof![
            (inner.clone(), binary, inner.clone()).prop_map(|(a, sign, b)| format!("({a} {sign} {b})")),
            (prop::sample::select(vec!["!", "-", "empty "]), inner.clone()).prop_map(|(sign, a)| format!("{sign}{a}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (inner.clone(), method, prop::collection::vec(inner.clone(), 0..3))
                .prop_map(|(a, method, with)| format!("{a}.{method}({})", with.join(", "))),
            inner.prop_map(|a| format!("S({a})")),
        ]
    });
    text.prop_map(|text| format!("${{{text}}}"))
}

/// Reads a text and, where it is an expression, evaluates it in every way.
fn read(text: &str) {
    let Ok(expression) = Expression::parse(text) else {
        return;
    };
    let list = Datum::list(vec![Datum::Long(1), Datum::text("a"), Datum::Null]);
    let map = IndexMap::from([("a".into(), Datum::Long(2)), ("b".into(), list.clone())]);
    let names = IndexMap::from([
        ("t".to_owned(), Datum::text("text with ß and \u{1F600}")),
        ("i".to_owned(), Datum::Long(i64::MIN)),
        ("l".to_owned(), list),
        ("m".to_owned(), Datum::Map(map.into())),
        ("d".to_owned(), Datum::Date(i64::MAX)),
        (
            "j".to_owned(),
            Datum::text(r#"{"a": [1, {"b": null}], "c": 1e300, "d": "x"}"#),
        ),
        ("n".to_owned(), Datum::Null),
        ("f".to_owned(), Datum::Double(f64::NAN)),
    ]);
    let mut context = (1_700_000_000_000, &names);
    let _ = expression.value(&mut context);
    let _ = expression.text(&mut context);
    let _ = expression.condition(&mut context);
}

#[test]
fn juel_that_is_nearly_what_was_recorded() {
    fuzz(4_000, || mutated(&corpus::JUEL, JUEL), |text| read(&text));
}

#[test]
fn juel_of_its_grammar() {
    fuzz(4_000, grammar, |text| read(&text));
}

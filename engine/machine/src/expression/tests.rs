use indexmap::IndexMap;
use proptest::prelude::*;

use super::*;

fn variables() -> IndexMap<String, Datum> {
    [
        ("n", Datum::Integer(7)),
        ("name", Datum::text("Ada")),
        ("yes", Datum::Boolean(true)),
        ("nothing", Datum::Null),
        ("items", Datum::list(vec![Datum::text("a"), Datum::text("b")])),
        ("map", Datum::from(IndexMap::from([("k".to_owned(), Datum::Long(3))]))),
        (
            "json",
            Datum::Json(serde_json::json!({"a": {"b": 5}, "list": [1, 2]}).into()),
        ),
    ]
    .into_iter()
    .map(|(name, datum)| (name.to_owned(), datum))
    .collect()
}

fn eval(source: &str) -> Result<Datum, String> {
    let variables = variables();
    let expression = Expression::parse(source).map_err(|error| error.to_string())?;
    expression
        .evaluate(&mut (1_000, &variables))
        .map_err(|error| error.to_string())
}

#[track_caller]
fn check(source: &str, expected: Datum) {
    assert_eq!(eval(source), Ok(expected), "{source}");
}

#[test]
fn a_single_expression_keeps_its_type_and_text_around_makes_text() {
    check("${n}", Datum::Integer(7));
    check("#{n + 1}", Datum::Long(8));
    check("order-${n}-${name}", Datum::text("order-7-Ada"));
    check("plain", Datum::text("plain"));
    check("\\${n}", Datum::text("${n}"));
    check("${nothing}x", Datum::text("x"));
}

#[test]
fn operators_follow_the_unified_expression_language() {
    check("${1 + 2 * 3}", Datum::Long(7));
    check("${(1 + 2) * 3}", Datum::Long(9));
    check("${7 / 2}", Datum::Double(3.5));
    check("${7 mod 4}", Datum::Long(3));
    check("${-n}", Datum::Integer(-7));
    check("${n > 5 and not (name eq 'Bob')}", Datum::Boolean(true));
    check("${n == '7'}", Datum::Boolean(true));
    check("${nothing == null}", Datum::Boolean(true));
    check("${nothing < 1}", Datum::Boolean(false));
    check("${'a' lt 'b'}", Datum::Boolean(true));
    check("${yes ? 'y' : 'n'}", Datum::text("y"));
    check("${!yes || n ge 7}", Datum::Boolean(true));
    check("${empty nothing && empty '' && !empty items}", Datum::Boolean(true));
    check("${'2' + '3'}", Datum::Long(5));
    check("${1.5e1 + 0.5}", Datum::Double(15.5));
}

#[test]
fn properties_indexes_and_methods() {
    check("${items[1]}", Datum::text("b"));
    check("${items[9]}", Datum::Null);
    check("${items.size() == 2}", Datum::Boolean(true));
    check("${map.k}", Datum::Long(3));
    check("${map['k'] + 1}", Datum::Long(4));
    check("${map.containsKey('x')}", Datum::Boolean(false));
    check("${name.toUpperCase().substring(1).concat('!')}", Datum::text("DA!"));
    check("${name.contains(\"d\") ? name.length() : 0}", Datum::Integer(3));
    check("${'a,b,,'.split(',').size()}", Datum::Integer(2));
    check("${S('{\"x\": 1}').prop('x').numberValue()}", Datum::Integer(1));
    check("${json.prop('a').prop('b').numberValue() == 5}", Datum::Boolean(true));
    check("${json.jsonPath('$.list[1]').numberValue()}", Datum::Integer(2));
    check("${json.jsonPath('$.a').element().prop('b').value()}", Datum::Integer(5));
    check("${S('{}').prop('a', 1).toString()}", Datum::text("{\"a\":1}"));
    check("${now()}", Datum::Date(1_000));
    check("${dateTime().plusDays(1).toDate()}", Datum::Date(86_401_000));
}

#[test]
fn errors_name_the_expression() {
    for (source, part) in [
        (
            "${missing}",
            "Unknown property used in expression: ${missing}. Cause: Cannot resolve identifier 'missing'",
        ),
        ("${json.jsonPath('$..b')}", "is not read here"),
        ("${name.fly()}", "Unknown method used: 'fly'"),
        ("${name.wings}", "Unknown property used: 'wings'"),
        ("${beans:go(1)}", "Could not resolve function 'beans:go'"),
        ("${n % 0}", "/ by zero"),
        ("${name + 1}", "Cannot coerce 'Ada'"),
        ("${name.substring(9)}", "out of range"),
    ] {
        let error = eval(source).unwrap_err();
        assert!(error.contains(part) && error.contains(source), "{source}: {error}");
    }
}

#[test]
fn malformed_text_is_refused_with_its_place() {
    for (source, position) in [
        ("${a", 3),
        ("a ${b +}", 7),
        ("${'x}", 2),
        ("${a b}", 4),
        ("${}", 2),
        ("${a..b}", 4),
    ] {
        let error = Expression::parse(source).unwrap_err();
        assert_eq!(error.position, position, "{error}");
    }
    let deep = format!("${{{}1{}}}", "(".repeat(200), ")".repeat(200));
    assert!(Expression::parse(&deep).unwrap_err().reason.contains("nested deeper"));
    let long = format!("${{1{}}}", "+1".repeat(2_000));
    assert!(Expression::parse(&long).unwrap_err().reason.contains("more than"));
}

#[test]
fn a_delegate_is_named_by_an_identifier() {
    let expression = Expression::parse("${completeExternalTask}").unwrap();
    assert_eq!(expression.identifier(), Some("completeExternalTask"));
    assert_eq!(Expression::parse("plain").unwrap().literal(), Some("plain"));
}

#[test]
fn conditions_are_booleans() {
    let variables = variables();
    let condition = |source: &str| {
        Expression::parse(source)
            .unwrap()
            .condition(&mut (0, &variables))
            .map_err(|e| e.to_string())
    };
    assert_eq!(condition("${yes}"), Ok(true));
    assert!(condition("${n}").unwrap_err().contains("non-Boolean"));
    assert!(condition("${nothing}").unwrap_err().contains("null"));
}

proptest! {
    #[test]
    fn no_text_panics(source in "\\PC{0,60}") {
        let _ = eval(&source);
        let _ = eval(&format!("${{{source}}}"));
    }

    #[test]
    fn no_sequence_of_symbols_panics(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "n", "name", "items", "json", "nothing", "map", ".", "(", ")", "[", "]", "+", "-", "*", "/", "%", "?", ":",
                "empty", "not", "==", "<", "&&", "1", "9223372036854775807", "1e300", "'é'", "substring", "charAt", "get",
                "length", "replace", ",", "plusDays", "now()", "S", "}", "${",
            ]),
            0..20,
        )
    ) {
        let _ = eval(&format!("${{{}}}", words.concat()));
        let _ = eval(&format!("${{{}}}", words.join(" ")));
    }
}

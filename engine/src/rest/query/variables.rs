//! Filters by the values of variables: `variables=name_eq_value` in a query string, where everything is a text, and
//! `{"variables": [{"name", "operator", "value"}]}` in a body, where values have types.

use handoff_machine::value::Value;
use rusqlite::types::ValueRef;
use serde_json::Value as Json;

use super::params::Params;
use super::select::{Bound, Select, Stored, glob};
use crate::rest::error::{RestError, Result};
use crate::rest::variables::VariableDto;
use crate::store::value::{scalar, type_code};

/// The most filters by variables that one query may have: each is a look-up per row.
const FILTERS_MAX: usize = 50;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `eq`
    Equal,
    /// `neq`
    NotEqual,
    /// `gt`
    Greater,
    /// `gteq`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `lteq`
    LessOrEqual,
    /// `like`
    Like,
    /// `notLike`
    NotLike,
}

/// A name, and what its value must be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VariableFilter {
    /// The variable's name.
    pub(crate) name: String,
    /// How it is compared.
    pub(crate) operator: Operator,
    /// With what.
    pub(crate) value: Value,
}

/// The conditions on the variables of one kind of row, by whether names and whether values are compared without minding
/// case, then by [`Operator`]: see [`variable_table!`](crate::variable_table).
#[derive(Clone, Copy, Debug)]
pub(crate) struct VariableTable(pub(crate) [[[&'static str; 8]; 2]; 2]);

/// The conditions that there is a variable `v` in a source (`variable v WHERE v.scope = i.id`) with a name, type and value.
macro_rules! variable_table {
    (@one $source:literal, $name:literal, $test:literal) => {
        concat!("EXISTS (SELECT 1 FROM ", $source, " AND ", $name, " AND ", $test, ")")
    };
    (@exact $source:literal, $name:literal) => {
        [
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND v.value IS ?"),
            $crate::rest::query::variable_table!(@one $source, $name, "NOT (v.value_type = ? AND v.value IS ?)"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND v.value > ?"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND v.value >= ?"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND v.value < ?"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND v.value <= ?"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND v.value GLOB ?"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND NOT v.value GLOB ?"),
        ]
    };
    (@folded $source:literal, $name:literal) => {
        [
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND lower(v.value) IS lower(?)"),
            $crate::rest::query::variable_table!(@one $source, $name, "NOT (v.value_type = ? AND lower(v.value) IS lower(?))"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND v.value > ?"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND v.value >= ?"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND v.value < ?"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND v.value <= ?"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND lower(v.value) GLOB lower(?)"),
            $crate::rest::query::variable_table!(@one $source, $name, "v.value_type = ? AND NOT lower(v.value) GLOB lower(?)"),
        ]
    };
    ($source:literal) => {
        $crate::rest::query::VariableTable([
            [
                $crate::rest::query::variable_table!(@exact $source, "v.name = ?"),
                $crate::rest::query::variable_table!(@folded $source, "v.name = ?"),
            ],
            [
                $crate::rest::query::variable_table!(@exact $source, "lower(v.name) = lower(?)"),
                $crate::rest::query::variable_table!(@folded $source, "lower(v.name) = lower(?)"),
            ],
        ])
    };
}
pub(crate) use variable_table;

/// Adds the filters that a criterion lists.
///
/// # Errors
/// 400: a filter that is none, or compares an object.
pub(crate) fn by_variables<T: Stored>(
    select: &mut Select<T>,
    params: &Params,
    name: &str,
    table: VariableTable,
) -> Result<()> {
    let folded_names = params.is("variableNamesIgnoreCase");
    let folded_values = params.is("variableValuesIgnoreCase");
    for filter in filters(params, name)? {
        let (kind, value) = comparable(&filter.value)?;
        let value = match (filter.operator, value) {
            (Operator::Like | Operator::NotLike, Bound::Text(pattern)) => Bound::Text(glob(&pattern)),
            (_, value) => value,
        };
        // Only texts have a case.
        let folded_value = folded_values && matches!(value, Bound::Text(_));
        select.with_all(
            table.0[usize::from(folded_names)][usize::from(folded_value)][filter.operator as usize],
            [Bound::Text(filter.name), Bound::Integer(kind), value],
        );
    }
    Ok(())
}

/// The filters that a criterion lists.
fn filters(params: &Params, name: &str) -> Result<Vec<VariableFilter>> {
    let list = match params.json(name) {
        None => return Ok(Vec::new()),
        Some(Json::Array(list)) => list.iter().map(from_json).collect::<Result<Vec<_>>>()?,
        Some(_) if params.is_typed() => return Err(RestError::invalid(format!("'{name}' must be a list"))),
        Some(_) => params
            .list(name)?
            .unwrap_or_default()
            .iter()
            .map(|text| from_text(text))
            .collect::<Result<_>>()?,
    };
    if list.len() > FILTERS_MAX {
        return Err(RestError::invalid(format!(
            "'{name}' may list at most {FILTERS_MAX} filters"
        )));
    }
    Ok(list)
}

fn from_text(text: &str) -> Result<VariableFilter> {
    let mut parts = text.splitn(3, '_');
    let (Some(name), Some(operator), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(RestError::invalid(
            "variable query parameter has to have format KEY_OPERATOR_VALUE.",
        ));
    };
    Ok(VariableFilter {
        name: name.into(),
        operator: self::operator(operator)?,
        value: Value::String(value.into()),
    })
}

fn from_json(filter: &Json) -> Result<VariableFilter> {
    let text = |key: &str| filter.get(key).and_then(Json::as_str);
    let Some(name) = text("name") else {
        return Err(RestError::invalid("A filter by a variable needs its name"));
    };
    let dto = VariableDto {
        value: filter.get("value").cloned().unwrap_or_default(),
        ..VariableDto::default()
    };
    let operator = self::operator(text("operator").unwrap_or("eq"))?;
    Ok(VariableFilter {
        name: name.into(),
        operator,
        value: dto.to_value()?,
    })
}

fn operator(text: &str) -> Result<Operator> {
    Ok(match text {
        "eq" => Operator::Equal,
        "neq" => Operator::NotEqual,
        "gt" => Operator::Greater,
        "gteq" => Operator::GreaterOrEqual,
        "lt" => Operator::Less,
        "lteq" => Operator::LessOrEqual,
        "like" => Operator::Like,
        "notLike" => Operator::NotLike,
        _ => {
            return Err(RestError::invalid(format!(
                "Invalid variable comparator specified: {text}"
            )));
        }
    })
}

/// The columns `value_type` and `value` of a value that can be compared.
///
/// # Errors
/// 500, as Camunda's: an object or a binary value.
pub(crate) fn comparable(value: &Value) -> Result<(i64, Bound)> {
    if matches!(
        value,
        Value::Json(_) | Value::Xml(_) | Value::Object(_) | Value::Bytes(_) | Value::File(_)
    ) {
        let message = "Object values cannot be used to query";
        return Err(RestError::of_engine(
            http::StatusCode::INTERNAL_SERVER_ERROR,
            "ProcessEngineException",
            message,
        ));
    }
    let bound = match scalar(value) {
        ValueRef::Null => Bound::Null,
        ValueRef::Integer(number) => Bound::Integer(number),
        ValueRef::Real(number) => Bound::Real(number),
        ValueRef::Text(text) => Bound::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Bound::Blob(bytes.to_vec()),
    };
    Ok((type_code(value), bound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_string_compares_texts_and_a_body_compares_types() {
        let text = filters(&Params::from_query("variables=i_eq_1,s_like_a_b"), "variables").unwrap();
        assert_eq!(text[0].value, Value::String("1".into()));
        assert_eq!(
            (text[1].operator, &text[1].value),
            (Operator::Like, &Value::String("a_b".into()))
        );
        let typed = serde_json::json!({"variables": [{"name": "i", "operator": "gteq", "value": 1}]});
        let typed = Params::from_body(typed, Params::default()).unwrap();
        let typed = filters(&typed, "variables").unwrap();
        assert_eq!(
            (typed[0].operator, &typed[0].value),
            (Operator::GreaterOrEqual, &Value::Integer(1))
        );
    }

    #[test]
    fn a_wrong_filter_is_refused() {
        for query in ["variables=a", "variables=a_is_b"] {
            assert_eq!(
                filters(&Params::from_query(query), "variables").unwrap_err().status,
                400,
                "{query}"
            );
        }
    }
}

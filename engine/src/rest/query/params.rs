//! The criteria of a query, from the query string or from a JSON body: both are read by the same names.

use std::ops::Deref;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use handoff_machine::Millis;
use serde_json::{Map, Value as Json};

use super::select::glob;
use crate::rest::body::Body;
use crate::rest::date;
use crate::rest::error::{RestError, Result};
use crate::rest::id::Ids;

/// The most values that a criterion may list.
const LIST_MAX: usize = 10_000;

/// Criteria by name. Unknown ones are ignored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    values: Map<String, Json>,
    /// Whether the criteria came in a JSON body, where they have types.
    typed: bool,
}

/// Which part of the result is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// `firstResult`
    pub(crate) first: Option<i64>,
    /// `maxResults`
    pub(crate) max: Option<i64>,
}

/// One order of a result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sorting {
    /// `sortBy`, as sent.
    pub(crate) by: Option<String>,
    /// `sortOrder` is `desc`; none where it is neither that nor `asc`.
    pub(crate) descending: Option<bool>,
    /// `parameters`, in a body alone.
    pub(crate) parameters: Json,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self::from_query(parts.uri.query().unwrap_or_default()))
    }
}

/// The criteria of a `POST` query: its body, with the page from the query string.
#[derive(Debug)]
pub(crate) struct PostParams(pub(crate) Params);

impl<S: Send + Sync> FromRequest<S> for PostParams {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let query = Params::from_query(request.uri().query().unwrap_or_default());
        let Body(body) = Body::<Json>::from_request(request, state).await?;
        Params::from_body(body, query).map(Self)
    }
}

impl Params {
    /// Of a query string. A name that is repeated has its values listed with commas.
    pub(crate) fn from_query(query: &str) -> Self {
        let mut values = Map::<String, Json>::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match values.get_mut(name.as_ref()) {
                Some(Json::String(before)) => {
                    before.push(',');
                    before.push_str(&value);
                }
                _ => {
                    values.insert(name.into_owned(), Json::String(value.into_owned()));
                }
            }
        }
        Self { values, typed: false }
    }

    /// Of a JSON object.
    ///
    /// # Errors
    /// 400: it is none.
    pub(crate) fn of_json(body: Json) -> Result<Self> {
        Self::from_body(body, Self::default())
    }

    pub(super) fn from_body(body: Json, query: Self) -> Result<Self> {
        let mut values = match body {
            Json::Null => Map::new(),
            Json::Object(values) => values,
            _ => return Err(RestError::invalid("The body must be a JSON object")),
        };
        for name in ["firstResult", "maxResults", "deserializeValues"] {
            if let Some(value) = query.values.get(name) {
                values.insert(name.into(), value.clone());
            }
        }
        Ok(Self { values, typed: true })
    }

    /// Whether values have JSON's types: then filters by variables are typed too.
    pub(crate) fn is_typed(&self) -> bool {
        self.typed
    }

    /// The bare value.
    pub(crate) fn json(&self, name: &str) -> Option<&Json> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// A text; empty is as good as absent but where the criterion came in a body.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.json(name)? {
            Json::String(text) => Some(text.clone()),
            Json::Array(_) | Json::Object(_) => None,
            other => Some(other.to_string()),
        }
    }

    /// A list: an array, or values with commas between.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<String>>> {
        let list: Vec<String> = match self.json(name) {
            None => return Ok(None),
            Some(Json::Array(values)) => values
                .iter()
                .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
                .collect(),
            Some(Json::String(text)) => text.split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect(),
            Some(other) => return Err(unreadable(name, other)),
        };
        if list.len() > LIST_MAX {
            return Err(RestError::invalid(format!(
                "Query parameter '{name}' may list at most {LIST_MAX} values"
            )));
        }
        Ok(Some(list))
    }

    /// Whether a criterion is set to true.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.flag(name).unwrap_or(false)
    }

    /// A boolean; as Java reads them, whatever is not `true` is false.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        Some(match self.json(name)? {
            Json::Bool(flag) => *flag,
            Json::String(text) => text.eq_ignore_ascii_case("true"),
            _ => false,
        })
    }

    /// An integer.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>> {
        let value = match self.json(name) {
            None => return Ok(None),
            Some(Json::String(text)) if text.is_empty() => return Ok(None),
            Some(value) => value,
        };
        let integer = match value {
            Json::Number(number) => number.as_i64(),
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        integer.map(Some).ok_or_else(|| unreadable(name, value))
    }

    /// An instant. In a query string, a `+` that was not escaped has become a space.
    pub(crate) fn instant(&self, name: &str) -> Result<Option<Millis>> {
        let value = match self.json(name) {
            None => return Ok(None),
            Some(Json::String(text)) if text.is_empty() => return Ok(None),
            Some(value) => value,
        };
        let instant = value
            .as_str()
            .and_then(|text| date::parse(text).or_else(|| date::parse(&text.replace(' ', "+"))));
        instant.map(Some).ok_or_else(|| match value.as_str() {
            Some(text) => RestError::invalid(format!(
                "Cannot set query parameter '{name}' to value '{text}': Cannot convert value \"{text}\" to java type \
                 java.util.Date"
            )),
            None => unreadable(name, value),
        })
    }

    /// `firstResult` and `maxResults`.
    pub(crate) fn page(&self) -> Result<Page> {
        Ok(Page {
            first: self.integer("firstResult")?,
            max: self.integer("maxResults")?,
        })
    }

    /// `sortBy` with `sortOrder`, or the list `sorting`.
    pub(crate) fn sorting(&self) -> Result<Vec<Sorting>> {
        if let Some(Json::Array(list)) = self.json("sorting") {
            let text = |entry: &Json, name: &str| entry.get(name).and_then(Json::as_str).map(str::to_owned);
            return Ok(list
                .iter()
                .map(|entry| Sorting {
                    by: text(entry, "sortBy"),
                    descending: text(entry, "sortOrder").and_then(|order| direction(&order)),
                    parameters: entry.get("parameters").cloned().unwrap_or_default(),
                })
                .collect());
        }
        match (self.text("sortBy"), self.text("sortOrder")) {
            (None, None) => Ok(Vec::new()),
            (by, order) => Ok(vec![by_query_string(by, order)?]),
        }
    }
}

/// Criteria with the ids of a database: what names a row is looked up by its key.
#[derive(Clone, Copy)]
pub(crate) struct Criteria<'p> {
    params: &'p Params,
    ids: Ids,
}

impl<'p> Criteria<'p> {
    /// The criteria of a query to one database.
    pub(crate) fn new(params: &'p Params, ids: Ids) -> Self {
        Self { params, ids }
    }

    /// An id.
    pub(crate) fn id(&self, name: &str) -> Option<i64> {
        self.text(name).map(|text| self.ids.read(&text).0)
    }

    /// Ids.
    pub(crate) fn ids(&self, name: &str) -> Result<Option<Vec<i64>>> {
        Ok(self
            .list(name)?
            .map(|texts| texts.iter().map(|text| self.ids.read(text).0).collect()))
    }

    /// The id of a definition or an activity instance: the last part of what colons divide.
    pub(crate) fn last_id(&self, name: &str) -> Option<i64> {
        self.text(name).map(|text| self.ids.read_definition(&text).0)
    }

    /// Ids of definitions or activity instances.
    pub(crate) fn last_ids(&self, name: &str) -> Result<Option<Vec<i64>>> {
        Ok(self
            .list(name)?
            .map(|texts| texts.iter().map(|text| self.ids.read_definition(text).0).collect()))
    }

    /// A pattern of SQL's LIKE, for GLOB.
    pub(crate) fn pattern(&self, name: &str) -> Option<String> {
        self.text(name).map(|pattern| glob(&pattern))
    }
}

impl Deref for Criteria<'_> {
    type Target = Params;

    fn deref(&self) -> &Params {
        self.params
    }
}

/// Whether an order descends.
fn direction(order: &str) -> Option<bool> {
    match order {
        "asc" => Some(false),
        "desc" => Some(true),
        _ => None,
    }
}

fn by_query_string(by: Option<String>, order: Option<String>) -> Result<Sorting> {
    let (Some(by), Some(order)) = (by, order) else {
        return Err(RestError::invalid(
            "Only a single sorting parameter specified. sortBy and sortOrder required",
        ));
    };
    let Some(descending) = direction(&order) else {
        return Err(RestError::invalid(format!(
            "Cannot set query sortOrder parameter to value {order}"
        )));
    };
    Ok(Sorting {
        by: Some(by),
        descending: Some(descending),
        parameters: Json::Null,
    })
}

fn unreadable(name: &str, value: &Json) -> RestError {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let value: String = value.chars().take(200).collect();
    RestError::invalid(format!("Cannot set query parameter '{name}' to value '{value}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::body;

    fn from_json(bytes: &[u8]) -> Result<Params> {
        Params::from_body(body::parse(bytes)?, Params::default())
    }

    #[test]
    fn a_query_string_and_a_body_read_the_same() {
        let query = Params::from_query("ids=a,b&max=5&on=TRUE&at=2026-01-31T08:15:30.123+0000&sortBy=x&sortOrder=desc");
        let body = from_json(
            br#"{"ids": ["a", "b"], "max": 5, "on": true, "at": "2026-01-31T08:15:30.123+0000",
                "sorting": [{"sortBy": "x", "sortOrder": "desc"}]}"#,
        )
        .unwrap();
        for params in [query, body] {
            assert_eq!(params.list("ids").unwrap().unwrap(), ["a", "b"]);
            assert_eq!(params.integer("max").unwrap(), Some(5));
            assert!(params.is("on") && !params.is("off"));
            assert!(params.instant("at").unwrap().is_some(), "also where + became a space");
            assert_eq!(
                params.sorting().unwrap(),
                [Sorting {
                    by: Some("x".into()),
                    descending: Some(true),
                    parameters: Json::Null,
                }]
            );
        }
    }

    #[test]
    fn refusals_are_worded_as_camundas() {
        let message = |query: &str| {
            let params = Params::from_query(query);
            params
                .page()
                .map(|_| ())
                .and_then(|()| params.sorting().map(|_| ()))
                .unwrap_err()
                .message
        };
        assert_eq!(
            message("maxResults=x"),
            "Cannot set query parameter 'maxResults' to value 'x'"
        );
        assert_eq!(
            message("sortBy=a&sortOrder=DESC"),
            "Cannot set query sortOrder parameter to value DESC"
        );
        assert_eq!(
            message("sortBy=a"),
            "Only a single sorting parameter specified. sortBy and sortOrder required"
        );
    }
}

//! Requests that are nearly right.

use http::Method;
use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Value as Json, json};

/// A request before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) method: Method,
    /// Below `/engine-rest`, with its query.
    pub(super) path: String,
    pub(super) body: Option<Json>,
}

/// Texts that mean something somewhere, or are hard to bear.
const TEXTS: [&str; 26] = [
    "",
    "null",
    "true",
    "-1",
    "2147483648",
    "9223372036854775808",
    "1e999",
    "asc",
    "desc",
    "id",
    "instanceId",
    "processVariable",
    "2026-01-31T08:15:30.123+0000",
    "-292275055-05-16T16:47:04.192+0000",
    "x_eq_1,y_like_%,z_neq_null",
    "%",
    "\\",
    "*?[",
    "' OR 1=1 --",
    "${1/0}",
    "R/PT0S",
    "Integer",
    "Object",
    "ß\u{1F600}",
    "a\u{0}b",
    "00000000-0000-0000-0000-000000000000",
];

/// Fields that many bodies have; in others they mean nothing.
const FIELDS: [&str; 24] = [
    "variables",
    "modifications",
    "sorting",
    "orQueries",
    "processInstanceIds",
    "processInstanceQuery",
    "historicProcessInstanceQuery",
    "externalTaskQuery",
    "jobIds",
    "jobQuery",
    "instructions",
    "migrationPlan",
    "topics",
    "workerId",
    "lockDuration",
    "retries",
    "retryTimeout",
    "dueDate",
    "priority",
    "processVariables",
    "type",
    "value",
    "valueInfo",
    "maxResults",
];

/// Changes a request in one to three places.
pub(super) fn mutate(draw: &mut StdRng, sent: &mut Sent, ids: &[String]) {
    for _ in 0..draw.random_range(1..=3) {
        match draw.random_range(0..10) {
            0 => {
                sent.method = [Method::GET, Method::POST, Method::PUT, Method::DELETE]
                    .choose(draw)
                    .unwrap()
                    .clone()
            }
            1 | 2 => path(draw, &mut sent.path, ids),
            3 | 4 => query(draw, &mut sent.path, ids),
            5 if sent.body.is_none() => sent.body = Some(value(draw, ids, 3)),
            _ => match &mut sent.body {
                Some(body) => json(draw, body, ids),
                None => query(draw, &mut sent.path, ids),
            },
        }
    }
    never_waits(sent);
}

/// A long poll would wait for its whole time.
fn never_waits(sent: &mut Sent) {
    if let Some(Json::Object(body)) = &mut sent.body
        && body.contains_key("asyncResponseTimeout")
    {
        body.insert("asyncResponseTimeout".to_owned(), 0.into());
    }
}

fn text(draw: &mut StdRng, ids: &[String]) -> String {
    match ids.choose(draw) {
        Some(id) if draw.random_bool(0.5) => id.clone(),
        _ => (*TEXTS.choose(draw).unwrap()).to_owned(),
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Another part in the path, or one less, or one more.
fn path(draw: &mut StdRng, whole: &mut String, ids: &[String]) {
    let (path, query) = whole
        .split_once('?')
        .map_or((whole.as_str(), None), |(path, query)| (path, Some(query)));
    let mut parts: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
    let at = draw.random_range(0..parts.len().max(1));
    let word = encoded(&text(draw, ids)).replace('+', "%20");
    match draw.random_range(0..4) {
        0 if parts.len() > 1 => drop(parts.remove(at)),
        1 => parts.insert(at, word),
        _ if at < parts.len() && at > 0 => parts[at] = word,
        _ => parts.push(
            (*["count", "variables", "data", "suspended", "retries"]
                .choose(draw)
                .unwrap())
            .to_owned(),
        ),
    }
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    *whole = format!("/{}{query}", parts.join("/"));
}

/// Another value in the query string, or one more.
fn query(draw: &mut StdRng, whole: &mut String, ids: &[String]) {
    let (path, query) = whole.split_once('?').unwrap_or((whole, ""));
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let word = text(draw, ids);
    let at = draw.random_range(0..=pairs.len());
    match pairs.get_mut(at) {
        Some((_, value)) => *value = word,
        None => {
            let names = [
                "sortBy",
                "sortOrder",
                "maxResults",
                "firstResult",
                "variables",
                "processVariables",
                "tenantIdIn",
            ];
            pairs.push(((*names.choose(draw).unwrap()).to_owned(), word));
        }
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    *whole = format!("{path}?{query}");
}

/// Changes one value somewhere in a body.
fn json(draw: &mut StdRng, body: &mut Json, ids: &[String]) {
    match body {
        Json::Object(fields) if !fields.is_empty() && draw.random_bool(0.8) => {
            let at = draw.random_range(0..fields.len());
            let Some(name) = fields.keys().nth(at).cloned() else {
                return;
            };
            match draw.random_range(0..8) {
                0 => drop(fields.remove(&name)),
                1 => drop(fields.insert(field(draw), value(draw, ids, 2))),
                2 => {
                    let moved = fields.remove(&name).unwrap_or_default();
                    fields.insert(field(draw), moved);
                }
                _ => json(draw, &mut fields[&name], ids),
            }
        }
        Json::Array(items) if !items.is_empty() && draw.random_bool(0.8) => {
            let at = draw.random_range(0..items.len());
            match draw.random_range(0..6) {
                0 => drop(items.remove(at)),
                1 => {
                    let item = items[at].clone();
                    let times = *[1, 2, 60, 5_000].choose(draw).unwrap();
                    items.extend(std::iter::repeat_n(item, times));
                }
                _ => json(draw, &mut items[at], ids),
            }
        }
        other => *other = value(draw, ids, 3),
    }
}

fn field(draw: &mut StdRng) -> String {
    (*FIELDS.choose(draw).unwrap()).to_owned()
}

/// Any value.
fn value(draw: &mut StdRng, ids: &[String], depth: u32) -> Json {
    match draw.random_range(0..if depth == 0 { 7 } else { 11 }) {
        0 => Json::Null,
        1 => draw.random_bool(0.5).into(),
        2 => [0, 1, -1, i64::MAX, i64::MIN, 1 << 31].choose(draw).copied().into(),
        3 => [0.5, -0.0, 1e300, 5e-324].choose(draw).copied().into(),
        4..7 => text(draw, ids).into(),
        7 => {
            let deep = (0..*[3, 60, 120].choose(draw).unwrap()).fold(Json::Null, |inner, _| json!([inner]));
            json!({ "value": deep, "type": "Json" })
        }
        8 => (0..draw.random_range(0..4))
            .map(|_| value(draw, ids, depth - 1))
            .collect(),
        _ => {
            let fields = (0..draw.random_range(0..4)).map(|_| (field(draw), value(draw, ids, depth - 1)));
            Json::Object(fields.collect::<Map<_, _>>())
        }
    }
}

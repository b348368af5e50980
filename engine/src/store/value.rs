//! How a variable's value is stored: `value_type, value, value_meta` (the schema says what each holds).

use handoff_machine::Value;
use handoff_machine::value::{File, NullType, Serialized};
use rusqlite::types::ValueRef;
use rusqlite::{Result, ToSql};

use super::field::{Binder, Cursor, Field};

/// `value_type` of a value.
#[must_use]
pub fn type_code(value: &Value) -> i64 {
    match value {
        Value::Null => 0,
        Value::Boolean(_) | Value::NullOf(NullType::Boolean) => 1,
        Value::Short(_) | Value::NullOf(NullType::Short) => 2,
        Value::Integer(_) | Value::NullOf(NullType::Integer) => 3,
        Value::Long(_) | Value::NullOf(NullType::Long) => 4,
        Value::Double(_) | Value::NullOf(NullType::Double) => 5,
        Value::String(_) | Value::NullOf(NullType::String) => 6,
        Value::Date(_) | Value::NullOf(NullType::Date) => 7,
        Value::Bytes(_) | Value::NullOf(NullType::Bytes) => 8,
        Value::Json(_) | Value::NullOf(NullType::Json) => 9,
        Value::Xml(_) | Value::NullOf(NullType::Xml) => 10,
        Value::Object(_) => 11,
        Value::File(_) => 12,
    }
}

/// `value` of a value: what queries compare with.
#[must_use]
pub fn scalar(value: &Value) -> ValueRef<'_> {
    match value {
        Value::Null | Value::NullOf(_) => ValueRef::Null,
        Value::Boolean(value) => ValueRef::Integer(i64::from(*value)),
        Value::Short(value) => ValueRef::Integer(i64::from(*value)),
        Value::Integer(value) => ValueRef::Integer(i64::from(*value)),
        Value::Long(value) | Value::Date(value) => ValueRef::Integer(*value),
        Value::Double(value) => ValueRef::Real(*value),
        Value::String(value) | Value::Json(value) | Value::Xml(value) => ValueRef::Text(value.as_bytes()),
        Value::Bytes(value) => ValueRef::Blob(value),
        Value::Object(object) => object
            .data
            .as_ref()
            .map_or(ValueRef::Null, |data| ValueRef::Text(data.as_bytes())),
        Value::File(file) => ValueRef::Blob(&file.data),
    }
}

/// Binds a [`scalar`].
pub struct Scalar<'v>(pub &'v Value);

impl ToSql for Scalar<'_> {
    fn to_sql(&self) -> Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(rusqlite::types::ToSqlOutput::Borrowed(scalar(self.0)))
    }
}

/// `value_meta` of a double that is null: SQLite keeps not-a-number as a null too.
const NULL_DOUBLE: &str = "null";

/// `value_meta` of a value.
fn meta(value: &Value) -> Option<String> {
    match value {
        Value::Object(object) => Some(serde_json::json!([object.type_name, object.format]).to_string()),
        Value::File(file) => Some(serde_json::json!([file.name, file.mimetype, file.encoding]).to_string()),
        Value::NullOf(NullType::Double) => Some(NULL_DOUBLE.to_owned()),
        _ => None,
    }
}

impl Field for Value {
    fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
        let code: i64 = from.take()?;
        Ok(match code {
            0 => {
                from.take_ref()?;
                from.take_ref()?;
                Self::Null
            }
            1 => plain(from, NullType::Boolean, Self::Boolean)?,
            2 => plain(from, NullType::Short, Self::Short)?,
            3 => plain(from, NullType::Integer, Self::Integer)?,
            4 => plain(from, NullType::Long, Self::Long)?,
            5 => match (from.take::<Option<f64>>()?, from.take::<Option<String>>()?) {
                (Some(value), _) => Self::Double(value),
                (None, None) => Self::Double(f64::NAN),
                (None, Some(_)) => Self::NullOf(NullType::Double),
            },
            6 => plain(from, NullType::String, Self::String)?,
            7 => plain(from, NullType::Date, Self::Date)?,
            8 => plain(from, NullType::Bytes, Self::Bytes)?,
            9 => plain(from, NullType::Json, Self::Json)?,
            10 => plain(from, NullType::Xml, Self::Xml)?,
            11 => {
                let data = from.take()?;
                let (type_name, format) = read_meta(from)?;
                Self::Object(Serialized {
                    type_name,
                    format,
                    data,
                })
            }
            12 => {
                let data = from.take()?;
                let (name, mimetype, encoding) = read_meta(from)?;
                Self::File(File {
                    name,
                    mimetype,
                    encoding,
                    data,
                })
            }
            other => return Err(from.invalid(format!("{other} is no type of value"))),
        })
    }

    fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
        to.put(type_code(self))?;
        to.put(Scalar(self))?;
        to.put(meta(self))
    }
}

/// Reads `value` and passes over `value_meta`.
fn plain<T: rusqlite::types::FromSql>(
    from: &mut Cursor<'_, '_>,
    kind: NullType,
    make: impl FnOnce(T) -> Value,
) -> Result<Value> {
    let value: Option<T> = from.take()?;
    from.take_ref()?;
    Ok(value.map_or(Value::NullOf(kind), make))
}

/// Reads `value_meta`.
fn read_meta<T: serde::de::DeserializeOwned>(from: &mut Cursor<'_, '_>) -> Result<T> {
    let text: String = from.take()?;
    serde_json::from_str(&text).map_err(|error| from.invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn through_a_table(value: &Value) -> Value {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE v (value_type INTEGER NOT NULL, value ANY, value_meta TEXT) STRICT")
            .unwrap();
        let mut insert = connection.prepare("INSERT INTO v VALUES (?, ?, ?)").unwrap();
        value.bind(&mut Binder::new(&mut insert)).unwrap();
        insert.raw_execute().unwrap();
        connection
            .query_row("SELECT * FROM v", [], |row| Value::read(&mut Cursor::new(row, 0)))
            .unwrap()
    }

    #[test]
    fn every_type_of_value_comes_back_as_it_was() {
        let object = Serialized {
            type_name: Some("java.util.List".into()),
            format: None,
            data: Some("[1]".into()),
        };
        let file = File {
            name: "a\u{0}b".into(),
            mimetype: None,
            encoding: Some("utf-8".into()),
            data: vec![0, 255],
        };
        let values = [
            Value::Null,
            Value::Boolean(true),
            Value::Short(i16::MIN),
            Value::Integer(i32::MAX),
            Value::Long(i64::MIN),
            Value::Double(1.0),
            Value::Double(f64::NEG_INFINITY),
            Value::String("grüße \u{0} 1".into()),
            Value::String("12".into()),
            Value::Date(-1),
            Value::Bytes(Vec::new()),
            Value::Json("{".into()),
            Value::Xml("<a/>".into()),
            Value::Object(object),
            Value::Object(Serialized {
                type_name: None,
                format: None,
                data: None,
            }),
            Value::File(file),
        ];
        let nulls = [
            NullType::Boolean,
            NullType::Short,
            NullType::Integer,
            NullType::Long,
            NullType::Double,
            NullType::String,
            NullType::Date,
            NullType::Bytes,
            NullType::Json,
            NullType::Xml,
        ];
        let values = values.into_iter().chain(nulls.map(Value::NullOf));
        for value in values {
            assert_eq!(through_a_table(&value), value);
        }
        assert!(matches!(through_a_table(&Value::Double(f64::NAN)), Value::Double(value) if value.is_nan()));
    }
}

//! Reading variables by name and as a whole.

use serde::de::value::MapDeserializer;
use serde::de::{Deserialize, DeserializeOwned};

use crate::deserialize::ValueDeserializer;
use crate::{Value, Variable, VariableError};

/// The variables of a task or an execution.
#[derive(Clone, Copy, Debug)]
pub struct Variables<'a>(&'a [Variable]);

impl<'a> Variables<'a> {
    pub(crate) fn new(variables: &'a [Variable]) -> Self {
        Self(variables)
    }

    /// The value as the engine has it, if there is such a variable. Looks through the variables in turn; to read many
    /// of many, [`deserialize`](Self::deserialize) them together.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.0
            .iter()
            .find(|variable| variable.name == name)
            .map(|variable| &variable.value)
    }

    /// The variable in a type of your own. JSON documents and objects serialised as JSON are read as what they hold;
    /// dates as [`Instant`](crate::Instant) or their milliseconds since 1970. An `Option` is `None` where the variable
    /// is null or missing.
    ///
    /// # Errors
    /// When there is no such variable, or its value does not fit the type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, VariableError> {
        match self.value(name) {
            Some(value) => {
                T::deserialize(ValueDeserializer(value)).map_err(|error: VariableError| error.of(name, value))
            }
            None => T::deserialize(ValueDeserializer(&Value::Null)).map_err(|_| VariableError::missing(name)),
        }
    }

    /// All variables as one struct, a field each; variables without a field are passed over.
    ///
    /// # Errors
    /// When a field that is neither optional nor has a default has no variable, or a value does not fit.
    pub fn deserialize<T: Deserialize<'a>>(&self) -> Result<T, VariableError> {
        let entries = self.0.iter().map(|variable| (variable.name.as_str(), Named(variable)));
        T::deserialize(MapDeserializer::new(entries))
    }

    /// All variables, in the engine's order.
    pub fn iter(&self) -> std::slice::Iter<'a, Variable> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for Variables<'a> {
    type Item = &'a Variable;
    type IntoIter = std::slice::Iter<'a, Variable>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A variable whose errors say its name.
struct Named<'a>(&'a Variable);

impl<'de> serde::de::IntoDeserializer<'de, VariableError> for Named<'de> {
    type Deserializer = crate::deserialize::NamedDeserializer<'de>;

    fn into_deserializer(self) -> Self::Deserializer {
        crate::deserialize::NamedDeserializer(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::{Instant, Serialized};

    fn order() -> Vec<Variable> {
        let object = Serialized {
            object_type_name: Some("com.example.Address".into()),
            serialization_data_format: Some("application/json".into()),
            data: Some(r#"{"city":"Bonn"}"#.into()),
        };
        vec![
            Variable::new("item", "lamp"),
            Variable::new("quantity", 3_i32),
            Variable::new("express", Value::Null),
            Variable::new("lines", serde_json::json!([{"sku": "a"}, {"sku": "b"}])),
            Variable::new("address", Value::Object(object)),
            Variable::new(
                "due",
                Instant {
                    milliseconds: 86_400_000,
                },
            ),
            Variable::new("blob", vec![1_u8, 2]),
            Variable::new("priority", "high"),
        ]
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Priority {
        Low,
        High,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Line {
        sku: String,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Address {
        city: String,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Order {
        item: String,
        quantity: u8,
        express: Option<bool>,
        absent: Option<bool>,
        #[serde(default)]
        defaulted: i32,
        lines: Vec<Line>,
        address: Address,
        due: Instant,
        blob: Vec<u8>,
        priority: Priority,
    }

    #[test]
    fn a_struct_is_read_from_all_variables() {
        let variables = order();
        let order: Order = Variables::new(&variables).deserialize().unwrap();
        let expected = Order {
            item: "lamp".into(),
            quantity: 3,
            express: None,
            absent: None,
            defaulted: 0,
            lines: vec![Line { sku: "a".into() }, Line { sku: "b".into() }],
            address: Address { city: "Bonn".into() },
            due: Instant {
                milliseconds: 86_400_000,
            },
            blob: vec![1, 2],
            priority: Priority::High,
        };
        assert_eq!(order, expected);
    }

    #[test]
    fn a_variable_is_read_by_name() {
        let variables = order();
        let variables = Variables::new(&variables);
        assert_eq!(variables.get::<String>("item").unwrap(), "lamp");
        assert_eq!(variables.get::<f64>("quantity").unwrap(), 3.0);
        assert_eq!(variables.get::<Option<i64>>("quantity").unwrap(), Some(3));
        assert_eq!(variables.get::<Option<i64>>("absent").unwrap(), None);
        assert_eq!(variables.get::<i64>("due").unwrap(), 86_400_000);
        assert_eq!(
            variables.get::<Address>("address").unwrap(),
            Address { city: "Bonn".into() }
        );
        assert_eq!(variables.value("absent"), None);
    }

    #[test]
    fn errors_name_the_variable_and_its_type() {
        let variables = order();
        let variables = Variables::new(&variables);
        let missing = variables.get::<String>("absent").unwrap_err();
        assert_eq!(missing.to_string(), "there is no variable `absent`");
        let wrong = variables.get::<i32>("item").unwrap_err();
        let expected = "variable `item` (String) does not fit: invalid type: string \"lamp\", expected i32";
        assert_eq!(wrong.to_string(), expected);

        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only its deserialisation is looked at")]
        struct Wrong {
            quantity: String,
        }
        let wrong = variables.deserialize::<Wrong>().unwrap_err();
        let expected = "variable `quantity` (Integer) does not fit: invalid type: integer `3`, expected a string";
        assert_eq!(wrong.to_string(), expected);
    }

    #[test]
    fn a_broken_json_document_says_where() {
        let variables = [Variable::new("lines", Value::Json("[1, ".into()))];
        let error = Variables::new(&variables).get::<Vec<i32>>("lines").unwrap_err();
        assert!(error.to_string().contains("column"), "{error}");
        let variables = [Variable::new("lines", Value::Json("[1] 2".into()))];
        assert!(
            Variables::new(&variables).get::<Vec<i32>>("lines").is_err(),
            "what follows the document is refused"
        );
    }
}

//! What the beginning of an answer with tasks tells, of which the end has no room.
//!
//! The tasks that it has whole can be run. Of the one within which it ends, it has the fields before its variables:
//! Camunda writes those in one order, and its descendants do so too. Nothing is known of those behind it.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value as Json};

use super::dto::LockedTaskDto;

/// The beginning of a list of tasks.
#[derive(Default)]
pub(super) struct Beginning {
    /// The tasks that are there to their end.
    pub(super) whole: Vec<LockedTaskDto>,
    /// What is known of the next one; none if that is not even its id and its topic.
    pub(super) broken: Option<LockedTaskDto>,
}

/// Reads as far as it goes.
pub(super) fn read(bytes: &[u8]) -> Beginning {
    let mut whole = Vec::new();
    // Ends with an error, because the list is cut off.
    let _ = serde_json::Deserializer::from_slice(bytes).deserialize_seq(Whole(&mut whole));
    let mut fields = Map::new();
    let broken = Broken {
        skip: whole.len(),
        fields: &mut fields,
    };
    let _ = serde_json::Deserializer::from_slice(bytes).deserialize_seq(broken);
    let broken = LockedTaskDto::deserialize(Json::Object(fields)).ok();
    Beginning {
        whole,
        broken: broken.filter(|task| task.topic_name.is_some()),
    }
}

/// Collects the elements of a list until one is broken.
struct Whole<'a>(&'a mut Vec<LockedTaskDto>);

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list of tasks")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tasks: A) -> Result<(), A::Error> {
        while let Some(task) = tasks.next_element()? {
            self.0.push(task);
        }
        Ok(())
    }
}

/// Collects the fields of one element of a list until one is broken.
struct Broken<'a> {
    skip: usize,
    fields: &'a mut Map<String, Json>,
}

impl<'de> Visitor<'de> for Broken<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list of tasks")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tasks: A) -> Result<(), A::Error> {
        for _ in 0..self.skip {
            tasks.next_element::<IgnoredAny>()?;
        }
        tasks.next_element_seed(Fields(self.fields))?;
        Err(A::Error::custom("the rest is of no interest"))
    }
}

struct Fields<'a>(&'a mut Map<String, Json>);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, task: D) -> Result<(), D::Error> {
        task.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a task")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut task: A) -> Result<(), A::Error> {
        while let Some(name) = task.next_key()? {
            self.0.insert(name, task.next_value()?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASKS: &str = r#"[{"activityId":"a","id":"1","retries":null,"topicName":"t","variables":{}},
        {"activityId":"a","id":"2","retries":3,"topicName":"t","variables":{"v":{"type":"String","value":"long"}}}]"#;

    fn ids(beginning: &Beginning) -> (Vec<&str>, Option<&str>) {
        (
            beginning.whole.iter().map(|task| task.id.as_str()).collect(),
            beginning.broken.as_ref().map(|task| task.id.as_str()),
        )
    }

    #[test]
    fn whole_tasks_are_kept_and_the_one_that_is_cut_is_named() {
        let at = |text: &str| TASKS.rfind(text).unwrap();
        for (end, expected) in [
            (at("long"), (vec!["1"], Some("2"))),
            (at("\"topicName"), (vec!["1"], None)),
            (at(","), (vec!["1"], Some("2"))),
            (at("]"), (vec!["1", "2"], None)),
            (TASKS.find("variables").unwrap(), (vec![], Some("1"))),
            (5, (vec![], None)),
            (0, (vec![], None)),
        ] {
            assert_eq!(ids(&read(&TASKS.as_bytes()[..end])), expected, "{}", &TASKS[..end]);
        }
        assert_eq!(read(&TASKS.as_bytes()[..at("long")]).broken.unwrap().retries, Some(3));
        assert_eq!(ids(&read(b"<html>")), (vec![], None));
    }
}

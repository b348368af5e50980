//! The `log` crate's records, sent to the host with their fields.

use log::kv::{Error, Key, Value, VisitSource};

use crate::bindings::logging as host;

/// The logger that exports install.
pub(crate) struct HostLogger;

impl log::Log for HostLogger {
    fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        host::log(level(record.level()), &record.args().to_string(), &fields(record));
    }

    fn flush(&self) {}
}

fn level(level: log::Level) -> host::Level {
    match level {
        log::Level::Error => host::Level::Error,
        log::Level::Warn => host::Level::Warn,
        log::Level::Info => host::Level::Info,
        log::Level::Debug => host::Level::Debug,
        log::Level::Trace => host::Level::Trace,
    }
}

/// The record's fields, and its target as one of them.
fn fields(record: &log::Record<'_>) -> Vec<(String, String)> {
    struct Fields(Vec<(String, String)>);
    impl<'kvs> VisitSource<'kvs> for Fields {
        fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
            self.0.push((key.to_string(), value.to_string()));
            Ok(())
        }
    }
    let mut fields = Fields(Vec::with_capacity(record.key_values().count() + 1));
    // A source can only fail where its visitor does.
    let _ = record.key_values().visit(&mut fields);
    fields.0.push(("target".to_owned(), record.target().to_owned()));
    fields.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_as_text_with_the_target() {
        let pairs = [("item", Value::from("lamp")), ("quantity", Value::from(3))];
        let record = log::Record::builder().target("stock").key_values(&pairs).build();
        let expected = [("item", "lamp"), ("quantity", "3"), ("target", "stock")];
        assert_eq!(
            fields(&record),
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn every_level_has_its_own() {
        let levels = log::Level::iter().map(level).collect::<Vec<_>>();
        let expected = [
            host::Level::Error,
            host::Level::Warn,
            host::Level::Info,
            host::Level::Debug,
            host::Level::Trace,
        ];
        assert_eq!(levels, expected);
    }
}

//! How the fields of a row become columns and come back: one implementation for each type of field, one macro that
//! makes a table's statements from its list of columns.

use handoff_machine::Id;
use handoff_machine::row::{
    DecisionPlace, Delegation, DetailKind, EventKind, ExecutionState, HistoricDecisionInput, HistoricDecisionOutput,
    InstanceState, JobKind, LogState, TaskPlace,
};
use rusqlite::types::{FromSqlError, ToSqlOutput, Type, ValueRef};
use rusqlite::{Error, Result, Row, Statement};

/// Reads columns one after the other.
pub struct Cursor<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Cursor<'r, 's> {
    /// From column `first` on.
    #[must_use]
    pub fn new(row: &'r Row<'s>, first: usize) -> Self {
        Self { row, next: first }
    }

    /// The next column.
    pub(super) fn take<T: rusqlite::types::FromSql>(&mut self) -> Result<T> {
        let column = self.next;
        self.next += 1;
        self.row.get(column)
    }

    /// The next column, as SQLite has it.
    pub(super) fn take_ref(&mut self) -> Result<rusqlite::types::ValueRef<'r>> {
        let column = self.next;
        self.next += 1;
        self.row.get_ref(column)
    }

    /// The error for a column (the one taken last) that holds what nothing has written.
    pub(super) fn invalid(&self, what: impl Into<String>) -> Error {
        let error = FromSqlError::Other(what.into().into());
        Error::FromSqlConversionFailure(self.next.saturating_sub(1), Type::Null, Box::new(error))
    }
}

/// From this many bytes on a value is large.
const LARGE: usize = 16 * 1024;

/// Binds parameters one after the other.
pub struct Binder<'s, 'c> {
    statement: &'s mut Statement<'c>,
    next: usize,
    is_large: bool,
}

impl<'s, 'c> Binder<'s, 'c> {
    /// From the first parameter on.
    pub fn new(statement: &'s mut Statement<'c>) -> Self {
        Self {
            statement,
            next: 1,
            is_large: false,
        }
    }

    /// Binds the next parameter.
    pub(super) fn put(&mut self, value: impl rusqlite::ToSql) -> Result<()> {
        let parameter = self.next;
        self.next += 1;
        let value = value.to_sql()?;
        if let ToSqlOutput::Borrowed(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = &value {
            self.is_large |= bytes.len() >= LARGE;
        }
        self.statement.raw_bind_parameter(parameter, value)
    }

    /// Whether a value was bound that is large.
    pub(super) fn is_large(&self) -> bool {
        self.is_large
    }
}

/// A field of a row: one column or several.
pub trait Field: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// The column is of another type, or holds what nothing has written.
    fn read(from: &mut Cursor<'_, '_>) -> Result<Self>;

    /// Binds it.
    ///
    /// # Errors
    /// SQLite refuses the value (it is too long).
    fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()>;
}

macro_rules! plain {
    ($($type:ty),+ $(,)?) => {$(
        impl Field for $type {
            fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
                from.take()
            }

            fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
                to.put(self)
            }
        }
    )+};
}

plain!(
    i64,
    i32,
    u32,
    bool,
    String,
    Vec<u8>,
    Option<f64>,
    Option<i64>,
    Option<i32>,
    Option<String>
);

impl Field for Id {
    fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
        from.take().map(Id)
    }

    fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
        to.put(self.0)
    }
}

impl Field for Option<Id> {
    fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
        Ok(from.take::<Option<i64>>()?.map(Id))
    }

    fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
        to.put(self.map(|id| id.0))
    }
}

/// An enumeration without data.
pub trait Code: Copy {
    /// Its number in the database.
    fn code(self) -> i64;
}

/// An enumeration without data is the position of its case: the order of the cases is part of the schema.
macro_rules! code {
    ($type:ident: $($case:ident = $code:literal),+ $(,)?) => {
        impl Code for $type {
            fn code(self) -> i64 {
                match self {
                    $(Self::$case => $code,)+
                }
            }
        }

        impl Field for $type {
            fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
                match from.take::<i64>()? {
                    $($code => Ok(Self::$case),)+
                    other => Err(from.invalid(format!(concat!("{} is no ", stringify!($type)), other))),
                }
            }

            fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
                to.put(self.code())
            }
        }
    };
}

code!(EventKind: Message = 0, Signal = 1, Conditional = 2, Compensate = 3);
code!(InstanceState: Active = 0, Suspended = 1, Completed = 2, ExternallyTerminated = 3, InternallyTerminated = 4);
code!(DetailKind: VariableUpdate = 0, FormField = 1);
code!(LogState: Created = 0, Failed = 1, Successful = 2, Deleted = 3);

code!(Delegation: Pending = 0, Resolved = 1);

impl Field for Option<Delegation> {
    fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
        match from.take::<Option<i64>>()? {
            None => Ok(None),
            Some(0) => Ok(Some(Delegation::Pending)),
            Some(1) => Ok(Some(Delegation::Resolved)),
            Some(other) => Err(from.invalid(format!("{other} is no Delegation"))),
        }
    }

    fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
        to.put(self.map(Code::code))
    }
}

/// `instance, execution, definition, activity`: all of them or none; `entered_as`.
impl Field for Option<TaskPlace> {
    fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
        let columns = (
            Field::read(from)?,
            Field::read(from)?,
            Field::read(from)?,
            from.take::<Option<String>>()?,
        );
        let entered_as = from.take()?;
        match columns {
            (None, None, None, None) => Ok(None),
            (Some(instance), Some(execution), Some(definition), Some(activity)) => Ok(Some(TaskPlace {
                instance,
                execution,
                definition,
                activity,
                entered_as,
            })),
            _ => Err(from.invalid("a task's place in its process has holes")),
        }
    }

    fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
        let place = self.as_ref();
        place.map(|place| place.instance).bind(to)?;
        place.map(|place| place.execution).bind(to)?;
        place.map(|place| place.definition).bind(to)?;
        to.put(place.map(|place| &place.activity))?;
        to.put(place.and_then(|place| place.entered_as.as_ref()))
    }
}

/// `instance, root, definition, definition_key, execution, activity`: all of them or none.
impl Field for Option<DecisionPlace> {
    fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
        let columns = (
            Field::read(from)?,
            Field::read(from)?,
            Field::read(from)?,
            from.take::<Option<String>>()?,
            Field::read(from)?,
            from.take::<Option<String>>()?,
        );
        match columns {
            (None, None, None, None, None, None) => Ok(None),
            (Some(instance), Some(root), Some(definition), Some(definition_key), Some(execution), Some(activity)) => {
                Ok(Some(DecisionPlace {
                    instance,
                    root,
                    definition,
                    definition_key,
                    execution,
                    activity,
                }))
            }
            _ => Err(from.invalid("a decision's place in its process has holes")),
        }
    }

    fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
        let place = self.as_ref();
        place.map(|place| place.instance).bind(to)?;
        place.map(|place| place.root).bind(to)?;
        place.map(|place| place.definition).bind(to)?;
        to.put(place.map(|place| &place.definition_key))?;
        place.map(|place| place.execution).bind(to)?;
        to.put(place.map(|place| &place.activity))
    }
}

/// A list in JSON.
macro_rules! json_list {
    ($($type:ty),+) => {$(
        impl Field for Vec<$type> {
            fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
                let text: String = from.take()?;
                serde_json::from_str(&text).map_err(|error| from.invalid(error.to_string()))
            }

            fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
                let text = serde_json::to_string(self).map_err(|error| Error::ToSqlConversionFailure(error.into()))?;
                to.put(text)
            }
        }
    )+};
}

json_list!(HistoricDecisionInput, HistoricDecisionOutput);

/// `state, flows`
impl Field for ExecutionState {
    fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
        let code: i64 = from.take()?;
        let flows: Option<String> = from.take()?;
        match (code, flows) {
            (0, _) => Ok(Self::AsyncBefore),
            (1, _) => Ok(Self::Active),
            (2, Some(flows)) => {
                let flows = serde_json::from_str(&flows).map_err(|error| from.invalid(error.to_string()))?;
                Ok(Self::AsyncAfter { flows })
            }
            (3, Some(flow)) => Ok(Self::Joining { flow }),
            (4, _) => Ok(Self::Ended),
            (5, _) => Ok(Self::Compensating),
            (other, _) => Err(from.invalid(format!("{other} is no state of an execution"))),
        }
    }

    fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
        let code = match self {
            Self::AsyncBefore => 0,
            Self::Active => 1,
            Self::AsyncAfter { .. } => 2,
            Self::Joining { .. } => 3,
            Self::Ended => 4,
            Self::Compensating => 5,
        };
        to.put(code)?;
        match self {
            Self::AsyncAfter { flows } => to.put(serde_json::Value::from(flows.as_slice()).to_string()),
            Self::Joining { flow } => to.put(flow),
            Self::AsyncBefore | Self::Active | Self::Ended | Self::Compensating => to.put(None::<String>),
        }
    }
}

/// `kind, repeat, batch`; of a timeout listener `repeat` is its id and the rest of its cycle, in JSON.
impl Field for JobKind {
    fn read(from: &mut Cursor<'_, '_>) -> Result<Self> {
        let code: i64 = from.take()?;
        let repeat: Option<String> = from.take()?;
        let batch: Option<i64> = from.take()?;
        match (code, batch) {
            (0, _) => Ok(Self::AsyncContinuation),
            (1, _) => Ok(Self::Timer { repeat }),
            (2, _) => Ok(Self::TimerStart { repeat }),
            (3, _) => match repeat.and_then(|text| text.parse().ok()) {
                Some(subscription) => Ok(Self::Event {
                    subscription: Id(subscription),
                }),
                None => Err(from.invalid("the subscription of an event's job is damaged")),
            },
            (4, _) => Ok(Self::Timed {
                work: repeat.unwrap_or_default(),
            }),
            (5, Some(batch)) => Ok(Self::BatchSeed { batch: Id(batch) }),
            (6, Some(batch)) => {
                let from = repeat.and_then(|text| text.parse().ok()).unwrap_or_default();
                Ok(Self::Batch { batch: Id(batch), from })
            }
            (7, _) => {
                let text: Option<String> = repeat;
                let (listener, repeat): (String, Option<String>) =
                    serde_json::from_str(text.as_deref().unwrap_or_default())
                        .map_err(|error| from.invalid(error.to_string()))?;
                Ok(Self::TaskTimeout { listener, repeat })
            }
            (other, _) => Err(from.invalid(format!("{other} is no kind of job"))),
        }
    }

    fn bind(&self, to: &mut Binder<'_, '_>) -> Result<()> {
        let (code, rest, batch) = match self {
            Self::AsyncContinuation => (0, None, None),
            Self::Timer { repeat } => (1, repeat.clone(), None),
            Self::TimerStart { repeat } => (2, repeat.clone(), None),
            Self::Event { subscription } => (3, Some(subscription.0.to_string()), None),
            Self::Timed { work } => (4, Some(work.clone()), None),
            Self::BatchSeed { batch } => (5, None, Some(batch.0)),
            Self::Batch { batch, from } => (6, Some(from.to_string()), Some(batch.0)),
            Self::TaskTimeout { listener, repeat } => {
                (7, Some(serde_json::json!([listener, repeat]).to_string()), None)
            }
        };
        to.put(code)?;
        to.put(rest)?;
        to.put(batch)
    }
}

//! What is said of an operation, in few words.
//!
//! Fields are a text of names with their types after a colon: `name:type other`. Without a type it is a text; the types are
//! `int`, `num`, `bool`, `date`, `list` (of texts), `vars` (typed variables by name), `filters` (by variables), `any`,
//! `obj`, and the name of a schema, alone or as `[Name]` for a list of them. A `!` after the name: it must be there.

/// An operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// As the router has it.
    pub(super) path: String,
    pub(super) about: String,
    /// Fields in the query string.
    pub(super) query: String,
    pub(super) body: Option<Content>,
    /// The status of success, and what comes with it.
    pub(super) success: (u16, Option<Content>),
}

/// What a body is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// An object of these fields.
    Fields(String),
    /// Of this type.
    Type(String),
    /// A form of several parts, by these fields.
    Form(String),
    /// Bytes or text.
    Raw(&'static str),
}

/// The operations of a resource, and the schemas that they name.
#[derive(Clone, Debug, Default)]
pub(super) struct Resource {
    pub(super) tag: &'static str,
    pub(super) operations: Vec<Operation>,
    /// By name: fields.
    pub(super) schemas: Vec<(&'static str, String)>,
}

impl Operation {
    pub(super) fn query(mut self, fields: &str) -> Self {
        self.query.push(' ');
        self.query.push_str(fields);
        self
    }

    pub(super) fn takes(mut self, fields: &str) -> Self {
        self.body = Some(Content::Fields(fields.into()));
        self
    }

    pub(super) fn takes_form(mut self, fields: &str) -> Self {
        self.body = Some(Content::Form(fields.into()));
        self
    }

    pub(super) fn gives(mut self, kind: &str) -> Self {
        self.success = (200, Some(Content::Type(kind.into())));
        self
    }

    pub(super) fn gives_raw(mut self, media: &'static str) -> Self {
        self.success = (200, Some(Content::Raw(media)));
        self
    }
}

/// An operation that answers 204, until it is said what it gives.
pub(super) fn op(method: &'static str, path: &str, about: &str) -> Operation {
    Operation {
        method,
        path: path.into(),
        about: about.into(),
        query: String::new(),
        body: None,
        success: (204, None),
    }
}

/// The page and the order of a list.
const PAGE: &str = "firstResult:int maxResults:int sortBy sortOrder";

impl Resource {
    pub(super) fn new(tag: &'static str) -> Self {
        Self { tag, ..Self::default() }
    }

    pub(super) fn with(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    pub(super) fn schema(mut self, name: &'static str, fields: &str) -> Self {
        self.schemas.push((name, fields.into()));
        self
    }

    /// A list and its count, by GET.
    pub(super) fn list(self, path: &str, about: &str, fields: &str, kind: &str) -> Self {
        self.with(
            op("GET", path, about)
                .query(fields)
                .query(PAGE)
                .gives(&format!("[{kind}]")),
        )
        .with(
            op("GET", &format!("{path}/count"), &format!("{about}: how many"))
                .query(fields)
                .gives("Count"),
        )
    }

    /// A list and its count, by GET and by POST.
    pub(super) fn queries(self, path: &str, about: &str, fields: &str, kind: &str) -> Self {
        self.list(path, about, fields, kind)
            .with(
                op("POST", path, about)
                    .query("firstResult:int maxResults:int")
                    .takes(&format!("{fields} sorting:[Sorting]"))
                    .gives(&format!("[{kind}]")),
            )
            .with(
                op("POST", &format!("{path}/count"), &format!("{about}: how many"))
                    .takes(fields)
                    .gives("Count"),
            )
    }

    /// The variables of a thing.
    pub(super) fn variables(self, path: &str, whose: &str) -> Self {
        let one = format!("{path}/{{name}}");
        self.with(
            op("GET", path, &format!("The variables of {whose}"))
                .query("deserializeValues:bool")
                .gives("vars"),
        )
        .with(
            op("POST", path, &format!("Sets and removes variables of {whose}"))
                .takes("modifications:vars deletions:list"),
        )
        .with(
            op("GET", &one, &format!("A variable of {whose}"))
                .query("deserializeValue:bool")
                .gives("VariableValue"),
        )
        .with(op("PUT", &one, &format!("Sets a variable of {whose}")).takes("type value:any valueInfo:obj"))
        .with(op("DELETE", &one, &format!("Removes a variable of {whose}")))
        .with(
            op(
                "GET",
                &format!("{one}/data"),
                &format!("The content of a binary variable of {whose}"),
            )
            .gives_raw("application/octet-stream"),
        )
        .with(
            op(
                "POST",
                &format!("{one}/data"),
                &format!("Sets a binary variable of {whose}"),
            )
            .takes_form("data!:any valueType type"),
        )
    }
}

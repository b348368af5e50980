//! XML in, as a tree with places. Namespaces are resolved; there are no DTDs and no external entities.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// Bytes of a file.
const BYTES_MAX: usize = 16 << 20;

/// Elements within elements.
const DEPTH_MAX: usize = 128;

/// Elements of a file.
const NODES_MAX: usize = 200_000;

/// Attributes of an element: what Camunda accepts.
const ATTRIBUTES_MAX: usize = 10_000;

/// The namespaces that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ns {
    /// Attributes without a prefix.
    None,
    Bpmn,
    /// DMN of all versions that Camunda reads.
    Dmn,
    /// Camunda's extensions, and those of its predecessor.
    Camunda,
    /// An older namespace of Camunda, which has the retries of failed jobs.
    Fox,
    Xsi,
    Other,
}

impl Ns {
    fn of(resolved: &ResolveResult<'_>) -> Self {
        match resolved {
            ResolveResult::Unbound => Self::None,
            ResolveResult::Bound(namespace) => match namespace.0 {
                "http://www.omg.org/spec/BPMN/20100524/MODEL" => Self::Bpmn,
                "http://www.omg.org/spec/DMN/20151101/dmn.xsd"
                | "http://www.omg.org/spec/DMN/20151130"
                | "http://www.omg.org/spec/DMN/20180521/MODEL/"
                | "https://www.omg.org/spec/DMN/20191111/MODEL/"
                | "https://www.omg.org/spec/DMN/20211108/MODEL/"
                | "https://www.omg.org/spec/DMN/20230324/MODEL/" => Self::Dmn,
                "http://camunda.org/schema/1.0/bpmn"
                | "http://camunda.org/schema/1.0/dmn"
                | "http://activiti.org/bpmn" => Self::Camunda,
                "http://www.camunda.com/fox" => Self::Fox,
                "http://www.w3.org/2001/XMLSchema-instance" => Self::Xsi,
                _ => Self::Other,
            },
            ResolveResult::Unknown(_) => Self::Other,
        }
    }
}

/// Where in a file, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// An element.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) ns: Ns,
    pub(crate) name: String,
    pub(crate) attributes: Vec<(Ns, String, String)>,
    pub(crate) children: Vec<Node>,
    /// All text and CDATA right inside.
    pub(crate) text: String,
    pub(crate) place: Place,
}

impl Node {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attribute_ns(Ns::None, name)
    }

    pub(crate) fn camunda(&self, name: &str) -> Option<&str> {
        self.attribute_ns(Ns::Camunda, name)
    }

    pub(crate) fn attribute_ns(&self, ns: Ns, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, key, _)| *n == ns && key == name)
            .map(|(_, _, value)| value.as_str())
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.attribute("id")
    }

    /// Children of a name in BPMN's namespace.
    pub(crate) fn bpmn<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children
            .iter()
            .filter(move |child| child.ns == Ns::Bpmn && child.name == name)
    }

    /// Children of a name in DMN's namespaces.
    pub(crate) fn dmn<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children
            .iter()
            .filter(move |child| child.ns == Ns::Dmn && child.name == name)
    }

    /// The elements of Camunda of a name within `extensionElements`.
    pub(crate) fn extensions<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.bpmn("extensionElements")
            .flat_map(|extensions| &extensions.children)
            .filter(move |child| child.ns == Ns::Camunda && child.name == name)
    }

    /// The retry cycle of failed jobs, in the older namespace first, as in Camunda.
    pub(crate) fn retry_cycle(&self) -> Option<&Node> {
        let of = |ns| {
            self.bpmn("extensionElements")
                .flat_map(|extensions| &extensions.children)
                .find(|child| child.ns == ns && child.name == "failedJobRetryTimeCycle")
        };
        of(Ns::Fox).or_else(|| of(Ns::Camunda))
    }

    /// Children of a name in Camunda's namespace.
    pub(crate) fn camunda_children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children
            .iter()
            .filter(move |child| child.ns == Ns::Camunda && child.name == name)
    }
}

/// A file that is not well-formed, or not one that is read here.
#[derive(Debug)]
pub(crate) struct XmlError {
    pub(crate) message: String,
    pub(crate) place: Place,
}

/// Turns byte offsets into places.
struct Lines<'a> {
    bytes: &'a [u8],
    offset: usize,
    place: Place,
}

impl Lines<'_> {
    /// The place of an offset; offsets come in rising order.
    fn place(&mut self, offset: u64) -> Place {
        let end = usize::try_from(offset).unwrap_or(usize::MAX).min(self.bytes.len());
        for byte in self.bytes.get(self.offset..end).unwrap_or_default() {
            if *byte == b'\n' {
                self.place.line += 1;
                self.place.column = 1;
            } else {
                self.place.column += 1;
            }
        }
        self.offset = self.offset.max(end);
        self.place
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Node, XmlError> {
    let mut lines = Lines {
        bytes,
        offset: 0,
        place: Place { line: 1, column: 1 },
    };
    if bytes.len() > BYTES_MAX {
        return Err(XmlError {
            message: format!("the file has more than {BYTES_MAX} bytes"),
            place: lines.place,
        });
    }
    let source = std::str::from_utf8(bytes).map_err(|error| XmlError {
        message: format!("the file is not UTF-8: {error}"),
        place: lines.place(error.valid_up_to() as u64),
    })?;
    let mut reader = NsReader::from_str(source);
    let mut open: Vec<Node> = Vec::new();
    let mut root = None;
    let mut nodes = 0;
    loop {
        let start = reader.buffer_position();
        let event = reader.read_event();
        let place = lines.place(start);
        let fail = |message: String| XmlError { message, place };
        let event = event.map_err(|error| fail(error.to_string()))?;
        match event {
            Event::Start(_) | Event::Empty(_) if root.is_some() && open.is_empty() => {
                return Err(fail("there is more than one root element".to_owned()));
            }
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                nodes += 1;
                if nodes > NODES_MAX {
                    return Err(fail(format!("the file has more than {NODES_MAX} elements")));
                }
                if open.len() >= DEPTH_MAX {
                    return Err(fail(format!("elements are nested deeper than {DEPTH_MAX} levels")));
                }
                let node = element(&reader, tag, place).map_err(fail)?;
                if matches!(event, Event::Empty(_)) {
                    close(node, &mut open, &mut root)
                } else {
                    open.push(node)
                }
            }
            Event::End(_) => {
                if let Some(node) = open.pop() {
                    close(node, &mut open, &mut root);
                }
            }
            Event::Text(text) => {
                let text = text.xml10_content();
                match open.last_mut() {
                    Some(node) => node.text.push_str(&text),
                    None if text.trim_start_matches('\u{feff}').trim().is_empty() => {}
                    None => return Err(fail("there is text outside of the root element".to_owned())),
                }
            }
            Event::CData(data) => {
                let text = data.xml10_content();
                if let Some(node) = open.last_mut() {
                    node.text.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| fail(error.to_string()))?;
                let name = reference.xml10_content();
                let Some(node) = open.last_mut() else { continue };
                match (character, quick_xml::escape::resolve_predefined_entity(&name)) {
                    (Some(character), _) => node.text.push(character),
                    (None, Some(text)) => node.text.push_str(text),
                    (None, None) => return Err(fail(format!("the entity '&{name};' is not known"))),
                }
            }
            Event::DocType(_) => return Err(fail("a DOCTYPE is not accepted".to_owned())),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => {
                if let Some(node) = open.last() {
                    return Err(fail(format!("the file ends within the element '{}'", node.name)));
                }
                return root.ok_or_else(|| fail("the file has no element".to_owned()));
            }
        }
    }
}

fn close(node: Node, open: &mut [Node], root: &mut Option<Node>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(node),
        None => *root = Some(node),
    }
}

fn element(reader: &NsReader<&[u8]>, tag: &BytesStart<'_>, place: Place) -> Result<Node, String> {
    let (resolved, local) = reader.resolver().resolve_element(tag.name());
    if let ResolveResult::Unknown(prefix) = &resolved {
        return Err(format!("the prefix '{}' is not bound to a namespace", prefix));
    }
    let mut node = Node {
        ns: Ns::of(&resolved),
        name: local.as_ref().to_owned(),
        attributes: Vec::new(),
        children: Vec::new(),
        text: String::new(),
        place,
    };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if node.attributes.len() >= ATTRIBUTES_MAX {
            return Err(format!("an element has more than {ATTRIBUTES_MAX} attributes"));
        }
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (resolved, local) = reader.resolver().resolve_attribute(attribute.key);
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        node.attributes
            .push((Ns::of(&resolved), local.as_ref().to_owned(), value.into_owned()));
    }
    Ok(node)
}

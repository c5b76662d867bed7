//! Fields of HTTP heads, as the file writes them.

use toml::de::DeValue;

use super::name::token_fault;
use crate::definition::Shape;
use crate::place::{Place, join};
use crate::reader::{Node, Reader, Value, quoted, shown};

/// The most fields one table can hold.
const MOST: usize = 32;

/// The longest value, in bytes; eight of them fit into the longest head.
const LONGEST: usize = 8000;

/// Names and values of fields, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldList(pub(crate) Vec<Field>);

/// One field, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) place: Place,
}

impl Value for FieldList {
    fn shape() -> Shape {
        Shape::Map(Box::new(Shape::Text("text")))
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.value.get_ref() else {
            reader.wrong(
                node,
                "a table",
                "write names and values: { \"X-Name\" = \"value\" }",
            );
            return None;
        };
        if table.len() > MOST {
            let what = format!("holds {} fields", table.len());
            reader.fault(node, what, format!("write at most {MOST}"));
            return None;
        }
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let fields = entries.into_iter().filter_map(|(key, value)| {
            let name = key.get_ref().to_string();
            let path = join(&node.path, &shown(&name));
            let place = reader.lines.place(path.clone(), &key.span());
            if let Some((what, remedy)) = token_fault(&name) {
                reader.report.fault(place, what, remedy);
                return None;
            }
            let value = field_value(reader, &Node { path, value })?;
            Some(Field { name, value, place })
        });
        Some(Self(fields.collect()))
    }
}

/// Reads the value of a field (RFC 9110 section 5.5), in its printable part: servers differ about
/// all else.
fn field_value(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<String> {
    let text = reader.text(node)?;
    let fault = if text.chars().any(char::is_control) {
        (
            "holds control characters",
            "write it on one line".to_owned(),
        )
    } else if !text.is_ascii() {
        let remedy = "write letters of ASCII alone, others percent-encoded";
        ("holds letters that HTTP does not know", remedy.to_owned())
    } else if text.trim() != text {
        (
            "begins or ends with a space, which is lost on the way",
            format!("write {}", quoted(text.trim())),
        )
    } else if text.len() > LONGEST {
        ("is too long", format!("write at most {LONGEST} characters"))
    } else {
        return Some(text.to_owned());
    };
    reader.fault(node, fault.0, fault.1);
    None
}

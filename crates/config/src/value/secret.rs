//! References to secrets, which are never in the file.

use toml::de::DeValue;

use super::name::name_fault;
use crate::definition::{Field, Shape};
use crate::nearest::nearest;
use crate::place::Place;
use crate::reader::{Node, Reader, Value};

/// A secret by its name in the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretRef {
    /// The name: `gatehouse secret set NAME` stores its value.
    pub name: String,
    /// 1-based line of the reference.
    pub line: u32,
}

impl Value for SecretRef {
    fn shape() -> Shape {
        Shape::Inline(vec![Field {
            key: "secret",
            doc: &[" Name of the secret in the store."],
            shape: Shape::Text("a name"),
            required: true,
            default: None,
            example: Some("\"NAME\""),
        }])
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let key = node.path.rsplit('.').next().unwrap_or_default().to_owned();
        let remedy = format!("write {key} = {{ secret = \"NAME\" }}");
        let DeValue::Table(table) = node.value.get_ref() else {
            // The value itself must not be shown: this text goes to logs and screens.
            let what = "holds a secret in plain text, which every copy of this file would spread";
            let remedy = format!("{remedy} and store it with `gatehouse secret set NAME`");
            reader.fault(node, what, remedy);
            return None;
        };
        let place = reader.place(node);
        let secret = table.get_key_value("secret");
        let mut others = table.keys().filter(|key| key.get_ref() != "secret");
        if let Some(other) = others.next() {
            let near = nearest(other.get_ref(), ["secret"]);
            let place = reader.lines.place(node.path.clone(), &other.span());
            let near = near.map_or(remedy.clone(), |near| format!("did you mean `{near}`?"));
            reader
                .report
                .fault(place, "only names a secret and holds nothing else", near);
            return None;
        }
        let Some((_, value)) = secret else {
            reader.fault(node, "names no secret", remedy);
            return None;
        };
        let inner = Node {
            path: format!("{}.secret", node.path),
            value,
        };
        let name = reader.text(&inner)?.to_owned();
        if let Some((what, remedy)) = name_fault(&name) {
            reader.fault(&inner, what, remedy);
            return None;
        }
        reader.secrets.push((
            Place {
                path: node.path.clone(),
                ..place.clone()
            },
            name.clone(),
        ));
        Some(Self {
            name,
            line: place.line,
        })
    }
}

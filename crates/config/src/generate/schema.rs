//! `docs/schema.json`: the shape of the file for editors (JSON Schema, draft 7, which is the one
//! that TOML editors understand).

use super::json::Json;
use super::paragraph;
use crate::definition::{About, Field, Shape};
use crate::reader::Section as _;
use crate::sections::File;

/// The text of `docs/schema.json`.
pub fn json_schema() -> String {
    let mut schema = vec![
        (
            "$schema",
            Json::text("http://json-schema.org/draft-07/schema#"),
        ),
        ("title", Json::text("Gatehouse")),
    ];
    schema.extend(object(&File::about()));
    format!("{}\n", Json::Object(schema))
}

type Entries = Vec<(&'static str, Json)>;

fn object(about: &About) -> Entries {
    let mut entries = vec![("description", Json::text(paragraph(about.doc)))];
    entries.extend(properties(&about.fields));
    entries
}

fn properties(fields: &[Field]) -> Entries {
    let property = |field: &Field| (field.key.to_owned(), Json::Object(property(field)));
    let required = fields.iter().filter(|field| field.required);
    let required: Vec<_> = required.map(|field| Json::text(field.key)).collect();
    let mut entries = vec![
        ("type", Json::text("object")),
        ("additionalProperties", Json::Truth(false)),
        (
            "properties",
            Json::Keys(fields.iter().map(property).collect()),
        ),
    ];
    if !required.is_empty() {
        entries.push(("required", Json::List(required)));
    }
    entries
}

fn property(field: &Field) -> Entries {
    let mut entries = shape(&field.shape);
    // What the key means comes before what its value is in general.
    entries.retain(|(key, _)| *key != "description");
    entries.insert(0, ("description", Json::text(paragraph(field.doc))));
    entries.extend(
        field
            .default
            .and_then(Json::from_toml)
            .map(|value| ("default", value)),
    );
    let section = matches!(field.shape, Shape::Named(_));
    let example = field.example.filter(|_| !section).and_then(Json::from_toml);
    entries.extend(example.map(|value| ("examples", Json::List(vec![value]))));
    entries
}

fn shape(shape: &Shape) -> Entries {
    let kind = |name: &str| ("type", Json::text(name));
    match shape {
        Shape::Boolean => vec![kind("boolean")],
        Shape::Integer(least, most) => vec![
            kind("integer"),
            ("minimum", Json::Number(least.to_string())),
            ("maximum", Json::Number(most.to_string())),
        ],
        Shape::Text(what) => vec![kind("string"), ("description", Json::text(*what))],
        Shape::Words(words) => {
            let constant = |word: &crate::definition::Word| {
                Json::Object(vec![
                    ("const", Json::text(word.word)),
                    ("description", Json::text(paragraph(word.doc))),
                ])
            };
            vec![
                kind("string"),
                ("oneOf", Json::List(words.iter().map(constant).collect())),
            ]
        }
        Shape::List(entry) => {
            vec![kind("array"), ("items", Json::Object(self::shape(entry)))]
        }
        Shape::Map(entry) => {
            let entry = Json::Object(self::shape(entry));
            vec![kind("object"), ("additionalProperties", entry)]
        }
        Shape::Section(about) => object(about),
        Shape::Named(about) => {
            vec![
                kind("object"),
                ("additionalProperties", Json::Object(object(about))),
            ]
        }
        Shape::Inline(fields) => properties(fields),
        Shape::Either(shapes) => {
            let each = shapes.iter().map(|each| Json::Object(self::shape(each)));
            vec![("anyOf", Json::List(each.collect()))]
        }
    }
}

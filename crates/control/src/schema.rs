//! Schemas of what several requests share, and of parameters, for the OpenAPI document.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{
    AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{RefOr, Required};
use utoipa::{PartialSchema, ToSchema};

use crate::Moment;

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        let text = format(Type::String, KnownFormat::DateTime);
        let said = "An instant in UTC with milliseconds (RFC 3339).";
        text.description(Some(said)).build().into()
    }
}

impl ToSchema for Moment {}

/// What comes back where there is nothing to say.
pub(crate) struct Nothing;

impl PartialSchema for Nothing {
    fn schema() -> RefOr<Schema> {
        let null = ObjectBuilder::new().schema_type(Type::Null);
        null.build().into()
    }
}

impl ToSchema for Nothing {}

/// An IPv4 or IPv6 address.
pub(crate) fn address() -> Schema {
    AnyOfBuilder::new()
        .item(format(Type::String, KnownFormat::Ipv4))
        .item(format(Type::String, KnownFormat::Ipv6))
        .into()
}

/// The same, or nothing.
pub(crate) fn address_or_null() -> Schema {
    AnyOfBuilder::new()
        .item(format(Type::String, KnownFormat::Ipv4))
        .item(format(Type::String, KnownFormat::Ipv6))
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .into()
}

/// A whole number from `least` to `most`.
pub(crate) fn number(least: u32, most: u32) -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least))
        .maximum(Some(most))
        .into()
}

/// The number of a generation.
pub(crate) fn generation() -> Schema {
    number(1, u32::MAX)
}

/// The id of a record of the log.
pub(crate) fn record_id() -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .maximum(Some(usize::MAX))
        .into()
}

/// A text.
pub(crate) fn text() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).into()
}

/// `true` or `false`.
pub(crate) fn yes_or_no() -> Schema {
    ObjectBuilder::new().schema_type(Type::Boolean).into()
}

/// What a secret may be called.
pub(crate) fn secret_name() -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[a-z0-9_-][a-z0-9._-]{0,63}$"))
        .into()
}

/// What a user may be called.
pub(crate) fn user_name() -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[A-Za-z][A-Za-z0-9._@-]{0,63}$"))
        .into()
}

/// A parameter of the query that may be left out.
pub(crate) fn may_ask(name: &str, said: &str, schema: Schema) -> Parameter {
    parameter(name, said, schema, Required::False)
}

/// A parameter of the query that must be there.
pub(crate) fn must_ask(name: &str, said: &str, schema: Schema) -> Parameter {
    parameter(name, said, schema, Required::True)
}

/// A field of the head that may be left out.
pub(crate) fn may_send(name: &str, said: &str, schema: Schema) -> Parameter {
    let mut field = may_ask(name, said, schema);
    field.parameter_in = ParameterIn::Header;
    field
}

/// A part of the path.
pub(crate) fn in_path(name: &str, said: &str, schema: Schema) -> Parameter {
    let mut part = must_ask(name, said, schema);
    part.parameter_in = ParameterIn::Path;
    part
}

fn parameter(name: &str, said: &str, schema: Schema, required: Required) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(required)
        .description(Some(said))
        .schema(Some(schema))
        .build()
}

fn format(kind: Type, format: KnownFormat) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(kind)
        .format(Some(SchemaFormat::KnownFormat(format)))
}

//! The one definition of every setting: a section's fields, their defaults and their
//! documentation are written once, with [`section!`] and [`choice!`], and give the types, the
//! reading, `configs/reference.toml`, `docs/configuration.md` and the JSON schema.
//!
//! A field is written as in a struct, with its documentation, and then one of
//! `= default` (what a file without the key means), `=> example` (the key must be given) or
//! `| example` (the key may be missing; its type is an `Option`). Defaults and examples are TOML.
//! Sections and lists need none of these: they may be missing. `Type as Checked` reads a value by
//! the rules of `Checked` and keeps it as the plain `Type`.

/// Documentation of a section, for all that is generated.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) doc: &'static [&'static str],
    pub(crate) fields: Vec<Field>,
}

/// One key of a section.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) key: &'static str,
    pub(crate) doc: &'static [&'static str],
    pub(crate) shape: Shape,
    /// Whether the key must be given.
    pub(crate) required: bool,
    /// What a file without the key means, as TOML.
    pub(crate) default: Option<&'static str>,
    /// A value that could stand there, as TOML.
    pub(crate) example: Option<&'static str>,
}

/// What a value looks like in the file.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Boolean,
    /// A whole number between two bounds, both allowed.
    Integer(i64, i64),
    /// A string, with what it says: "a duration such as \"5m\"".
    Text(&'static str),
    /// One of a few words, each with its documentation.
    Words(Vec<Word>),
    List(Box<Shape>),
    /// A table whose names are the operator's choice, with what each holds.
    Map(Box<Shape>),
    Section(About),
    /// `[key.NAME]`: sections under names of the operator's choice.
    Named(About),
    /// An inline table that is not worth a section, with its keys.
    Inline(Vec<Field>),
    /// One of several shapes.
    Either(Vec<Shape>),
}

/// One word of a [`Shape::Words`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) word: &'static str,
    pub(crate) doc: &'static [&'static str],
}

/// From a type that only serves to check a value to the plain one that services use.
pub(crate) trait Plain<T> {
    fn plain(self) -> T;
}

impl<T: Plain<B>, B> Plain<Option<B>> for Option<T> {
    fn plain(self) -> Option<B> {
        self.map(Plain::plain)
    }
}

impl<T: Plain<B>, B> Plain<Vec<B>> for Vec<T> {
    fn plain(self) -> Vec<B> {
        self.into_iter().map(Plain::plain).collect()
    }
}

/// A key as the file writes it: Rust's own words come as `r#match`.
pub(crate) const fn key(ident: &'static str) -> &'static str {
    match ident.as_bytes() {
        [b'r', b'#', ..] => ident.split_at(2).1,
        _ => ident,
    }
}

/// Declares a section of the file: a struct, its reading and its documentation.
///
/// Every section also gets `line`, the 1-based line of its header.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident $(by $by:ident)? {
            $(
                $(#[doc = $doc:literal])+
                $field:ident : $type:ty $(as $via:ty)? $(= $default:tt)? $(=> $required:tt)? $(| $example:tt)? ;
            )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name {
            $(
                /// The name the file gives it.
                pub $by: String,
            )?
            /// 1-based line of its header in the file.
            pub line: u32,
            $( $(#[doc = $doc])+ pub $field: $type, )*
            pub(crate) at: $crate::place::At,
        }

        impl $crate::reader::Section for $name {
            fn about() -> $crate::definition::About {
                $crate::definition::About {
                    doc: &[$($about),+],
                    fields: vec![$({
                        let required: Option<&'static str> = section!(@text $($required)?);
                        let example: Option<&'static str> = section!(@text $($example)?);
                        $crate::definition::Field {
                            key: const { $crate::definition::key(stringify!($field)) },
                            doc: &[$($doc),+],
                            shape: <section!(@kind $type $(, $via)?) as $crate::reader::Value>::shape(),
                            required: required.is_some(),
                            default: section!(@text $($default)?),
                            example: required.or(example),
                        }
                    }),*],
                }
            }

            fn read(table: &mut $crate::reader::TableReader<'_, '_, '_>) -> Option<Self> {
                $( let $by = table.name(); )?
                $(
                    let $field = table.take::<section!(@kind $type $(, $via)?)>(
                        const { $crate::definition::key(stringify!($field)) },
                        section!(@text $($default)?),
                        section!(@text $($required)?),
                    );
                )*
                let at = table.finish();
                Some(Self { $($by,)? line: at.place.line, $($field: section!(@value $field? $(, $via)?),)* at })
            }
        }

        impl $crate::reader::Value for $name {
            fn shape() -> $crate::definition::Shape {
                $crate::definition::Shape::Section(
                    <Self as $crate::reader::Section>::about()
                )
            }

            fn read(
                reader: &mut $crate::reader::Reader<'_>,
                node: &$crate::reader::Node<'_>,
            ) -> Option<Self> {
                reader.section(node)
            }

            fn absent(
                parent: &mut $crate::reader::TableReader<'_, '_, '_>,
                key: &'static str,
            ) -> Option<Self> {
                parent.absent_section(key)
            }

            fn recover() -> Option<Self> {
                $crate::reader::empty_section()
            }
        }
    };
    (@kind $type:ty) => { $type };
    (@kind $type:ty, $via:ty) => { $via };
    (@value $value:expr) => { $value };
    (@value $value:expr, $via:ty) => { $crate::definition::Plain::plain($value) };
    (@text) => { None };
    (@text $text:tt) => { Some(stringify!($text)) };
}

/// Declares a setting that takes one of a few words.
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        $vis:vis enum $name:ident {
            $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name {
            $( $(#[doc = $doc])+ $variant, )+
        }

        impl $name {
            /// The word as the file writes it.
            $vis fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::reader::Value for $name {
            fn shape() -> $crate::definition::Shape {
                $crate::definition::Shape::Words(vec![
                    $( $crate::definition::Word { word: $word, doc: &[$($doc),+] }, )+
                ])
            }

            fn read(
                reader: &mut $crate::reader::Reader<'_>,
                node: &$crate::reader::Node<'_>,
            ) -> Option<Self> {
                match reader.text(node)? {
                    $( $word => Some(Self::$variant), )+
                    other => {
                        reader.unknown_word(node, other, &[$($word),+]);
                        None
                    }
                }
            }
        }
    };
}

pub(crate) use {choice, section};

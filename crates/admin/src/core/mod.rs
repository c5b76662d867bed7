//! What is decided without a socket: who may ask from where, what lies at which path, what pages say.

pub(crate) mod cookie;
pub(crate) mod form;
pub(crate) mod names;
pub(crate) mod origin;
pub(crate) mod pages;
pub(crate) mod place;
pub(crate) mod quiet;
pub(crate) mod reply;
pub(crate) mod said;
pub(crate) mod words;

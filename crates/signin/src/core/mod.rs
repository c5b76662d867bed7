//! What is decided and shown; knows neither sockets nor the clock.

pub(crate) mod cookies;
pub(crate) mod crowd;
pub(crate) mod factor;
pub(crate) mod form;
pub(crate) mod origin;
pub(crate) mod page;
pub(crate) mod pause;
pub(crate) mod pending;
pub(crate) mod person;
pub(crate) mod returns;
pub(crate) mod seal;
pub(crate) mod standing;
pub(crate) mod words;

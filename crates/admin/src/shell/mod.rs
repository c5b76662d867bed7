//! What is done with sockets: connections of browsers, and the line to the supervisor.

pub(crate) mod api;
pub(crate) mod assets;
pub(crate) mod certificates;
pub(crate) mod desk;
pub(crate) mod forms;
pub(crate) mod permits;
pub(crate) mod visit;

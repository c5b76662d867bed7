//! What is wanted, what was found, and what is to be done about the difference; asks nobody.

mod steps;
mod wanted;

pub use steps::Link;
pub(crate) use steps::{Address, Found, Route, Step, Way, steps};
pub use wanted::{DefaultRoute, Dynamic, Leased, Overlap, Wanted};

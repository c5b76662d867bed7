//! What is done with connections of browsers and with directories.

mod account;
mod arrival;
mod factor;
mod lasting;
mod lists;
mod login;
mod provider;
mod reply;
mod serve;
mod session;
#[cfg(test)]
mod tests;
mod verdict;

pub use lists::to_enter;
pub use serve::SignIn;

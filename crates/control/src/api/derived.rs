//! What follows from the configuration.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What follows from the configuration in force, and is therefore never typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Derived {
    /// Where the box listens, which names need a certificate, which DNS records and port forwards there must be.
    pub tables: Vec<Table>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Table {
    /// What it holds.
    pub title: String,
    /// What the operator should know of it; empty: nothing.
    pub note: String,
    /// Headings of the columns.
    pub columns: Vec<String>,
    /// One text for each column.
    pub rows: Vec<Vec<String>>,
}

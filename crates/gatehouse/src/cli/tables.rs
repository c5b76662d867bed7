//! `gatehouse tables`.

use control::{Client, Derived};

use super::Done;
use super::output::{Out, Table, Tone, plain};

/// Shows what follows from the configuration in force.
pub(super) async fn run(out: Out, client: &Client) -> Done {
    let derived = client.derived().await?;
    out.show(&derived, || text(out, &derived))
}

fn text(out: Out, derived: &Derived) -> String {
    let tables = derived.tables.iter().map(|table| {
        let comma = if table.note.is_empty() { "" } else { ", " };
        let title = format!("{}{comma}{}", table.title, table.note);
        let title = out.paint(Tone::Heading, title);
        if table.rows.is_empty() {
            return format!("{title}\n(nothing)\n");
        }
        let headings: Vec<String> = table
            .columns
            .iter()
            .map(|name| name.to_uppercase())
            .collect();
        let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
        let mut lines = Table::new(&headings);
        for row in &table.rows {
            lines.line(row.iter().map(plain));
        }
        format!("{title}\n{}", lines.text(out))
    });
    tables.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::output::TEXT;
    use super::*;

    #[test]
    fn tables_stand_below_their_titles() {
        let table = |title: &str, note: &str, rows: &[[&str; 2]]| control::Table {
            title: title.to_owned(),
            note: note.to_owned(),
            columns: vec!["name".to_owned(), "line".to_owned()],
            rows: rows
                .iter()
                .map(|row| row.map(str::to_owned).to_vec())
                .collect(),
        };
        let derived = Derived {
            tables: vec![
                table("Names", "", &[["a.example", "7"]]),
                table("DNS", "to be entered", &[]),
            ],
        };
        let expected = "Names\nNAME       LINE\na.example  7\n\nDNS, to be entered\n(nothing)\n";
        assert_eq!(text(TEXT, &derived), expected);
    }
}

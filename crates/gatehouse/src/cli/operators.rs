//! `gatehouse claim` and `gatehouse user`.

use std::path::Path;

use control::render::Span;
use control::{
    ClaimStatus, Client, ClientError, Htpasswd, Moment, NewUser, NewVisitor, RefusalKind, Role,
    User, UserChange, Visitor, VisitorPassword,
};
use guard::operators::LONGEST_PASSWORD;
use serde_json::json;

use super::args::{UserAction, UserRole};
use super::output::{Out, Table, Tone, plain};
use super::sure::sure;
use super::{Done, Failure, check, hidden};

/// Shows the code, until when it can be used, and where.
pub(super) async fn claim(out: Out, socket: &Path) -> Done {
    show_claim(out, &Client::connect(socket).await?).await
}

async fn show_claim(out: Out, client: &Client) -> Done {
    let claim = client.claim_status().await?;
    let (status, network) = (client.status().await?, client.network().await?);
    let pages = control::pages(&status, &network);
    let shown = json!({
        "claimed": claim.claimed,
        "code": claim.code,
        "expires": claim.expires,
        "pages": pages,
    });
    out.show(&shown, || claim_text(out, &claim, &pages, status.now))
}

/// Does what is asked of the users.
pub(super) async fn user(out: Out, socket: &Path, action: UserAction) -> Done {
    let client = Client::connect(socket).await?;
    match action {
        UserAction::List => {
            let (users, visitors) = (client.users().await?, client.visitors().await?);
            let shown = json!({ "users": users, "visitors": visitors });
            out.show(&shown, || list(out, &users, &visitors))
        }
        UserAction::Add { name, role } => add(out, &client, name, role).await,
        UserAction::Import { file } => {
            let text = check::read(&file)?;
            let imported = client.import_visitors(&Htpasswd { text }).await?;
            out.show(&imported, || {
                let names = imported.names.join(", ");
                format!("imported as visitors: {names}\n")
            })
        }
        UserAction::Role { name, role } => {
            let change = UserChange {
                role: Some(role.into()),
                password: None,
            };
            let user = client.change_user(&name, &change).await?;
            let (name, role) = (&user.name, user.role.word());
            out.show(&user, || format!("user {name} has the role {role} now\n"))
        }
        UserAction::Password { name } => {
            let password = hidden::new_password(&name, LONGEST_PASSWORD)?;
            set_password(&client, &name, password).await?;
            out.show(&json!({ "changed": name }), || {
                format!("{name} has another password now\n")
            })
        }
        UserAction::ForgetApp { name } => {
            client.remove_totp(&name).await?;
            out.show(&json!({ "forgotten": name }), || {
                format!("user {name} signs in with the password alone now\n")
            })
        }
        UserAction::Remove { name } => {
            match client.remove_visitor(&name).await {
                Err(error) if is_unknown(&error) => client.remove_user(&name).await?,
                removed => removed?,
            }
            out.show(&json!({ "removed": name }), || {
                format!("{name} is removed\n")
            })
        }
        UserAction::Reset { yes } => {
            sure(
                yes,
                "this removes all users of the admin pages and ends their sessions",
            )?;
            client.reset_users().await?;
            show_claim(out, &client).await
        }
    }
}

/// A user of the admin pages where there is a role, otherwise a visitor.
async fn add(out: Out, client: &Client, name: String, role: Option<UserRole>) -> Done {
    let password = hidden::new_password(&name, LONGEST_PASSWORD)?;
    let Some(role) = role else {
        let visitor = client.add_visitor(&NewVisitor { name, password }).await?;
        let name = &visitor.name;
        return out.show(&visitor, || {
            format!("visitor {name} is there; `users` of an [access.NAME] with kind = \"basic\" lets {name} in\n")
        });
    };
    let new = NewUser {
        name,
        role: role.into(),
        password,
    };
    let user = client.add_user(&new).await?;
    let (name, role) = (&user.name, user.role.word());
    out.show(&user, || {
        format!("user {name} is there, with the role {role}\n")
    })
}

/// Of a visitor or, where there is none of this name, a user of the admin pages.
async fn set_password(client: &Client, name: &str, password: String) -> Result<(), Failure> {
    let given = VisitorPassword {
        password: password.clone(),
    };
    match client.change_visitor(name, &given).await {
        Err(error) if is_unknown(&error) => {
            let change = UserChange {
                role: None,
                password: Some(password),
            };
            client.change_user(name, &change).await?;
        }
        changed => drop(changed?),
    }
    Ok(())
}

fn is_unknown(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused(refusal) if refusal.kind == RefusalKind::NotFound)
}

fn claim_text(out: Out, claim: &ClaimStatus, pages: &[String], now: Moment) -> String {
    if claim.claimed {
        return "this box is claimed; its users sign in at the admin pages, and `gatehouse user list` lists them\n"
            .to_owned();
    }
    let where_to = match pages {
        [] => "The admin pages are not open; see `gatehouse status`. The code is".to_owned(),
        [page, ..] => format!("Nobody has claimed this box yet. Open {page} and enter"),
    };
    let code = out.paint(Tone::Heading, claim.code.as_deref().unwrap_or("-"));
    let until = claim.expires.unwrap_or(now);
    let left = Span(until.0.saturating_sub(now.0) / 1000);
    let mut text =
        format!("{where_to}\n\n    {code}\n\nIt is good for one use until {until}, for {left}.\n");
    if let [_, others @ ..] = pages
        && !others.is_empty()
    {
        let others = others.join(" and ");
        text.extend([
            "The pages are at ",
            &others,
            ", too.
",
        ]);
    }
    text
}

fn list(out: Out, users: &[User], visitors: &[Visitor]) -> String {
    if users.is_empty() && visitors.is_empty() {
        return "there are no users; `gatehouse claim` shows how to become the first\n".to_owned();
    }
    let mut table = Table::new(&["NAME", "ROLE", "SINCE", "LAST SIGNED IN", "APP"]);
    for user in users {
        let last = user.last_login.map(|last| last.to_string());
        let left = user.recovery_codes_left;
        let app = user
            .totp
            .then(|| format!("yes, {left} recovery codes left"));
        table.line([
            plain(&user.name),
            plain(user.role.word()),
            plain(user.created),
            plain(last.unwrap_or_default()),
            plain(app.unwrap_or_default()),
        ]);
    }
    for visitor in visitors {
        table.line([
            plain(&visitor.name),
            plain("visitor"),
            plain(visitor.created),
            plain(""),
            plain(""),
        ]);
    }
    table.text(out)
}

impl From<UserRole> for Role {
    fn from(role: UserRole) -> Self {
        match role {
            UserRole::Viewer => Self::Viewer,
            UserRole::Operator => Self::Operator,
            UserRole::Admin => Self::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::TEXT;
    use super::*;

    const NOW: Moment = Moment(1_795_225_367_000);

    #[test]
    fn the_code_is_shown_with_the_place_to_enter_it() {
        let mut claim = ClaimStatus {
            claimed: false,
            code: Some("ABCD-EFGH-JKLM".to_owned()),
            expires: Some(Moment(NOW.0 + 1_740_000)),
        };
        let pages = [
            "https://192.0.2.4:8443/".to_owned(),
            "https://[2001:db8::4]:8443/".to_owned(),
        ];
        let text = claim_text(TEXT, &claim, &pages, NOW);
        for part in [
            "https://192.0.2.4:8443/ and enter",
            "    ABCD-EFGH-JKLM\n",
            "for 29m",
            "[2001:db8::4]",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(claim_text(TEXT, &claim, &[], NOW).contains("not open"));
        claim.claimed = true;
        assert!(!claim_text(TEXT, &claim, &pages, NOW).contains("ABCD"));
    }

    #[test]
    fn users_are_listed_with_what_an_admin_wants_to_see() {
        assert!(list(TEXT, &[], &[]).contains("gatehouse claim"));
        let user = User {
            name: "anna".to_owned(),
            role: Role::Admin,
            created: NOW,
            last_login: None,
            totp: true,
            recovery_codes_left: 3,
        };
        let visitor = Visitor {
            name: "login".to_owned(),
            created: NOW,
            imported: false,
        };
        let text = list(TEXT, &[user], &[visitor]);
        assert!(text.contains("login  visitor"), "{text}");
        assert!(
            text.contains("anna   admin") && text.contains("yes, 3 recovery codes left"),
            "{text}"
        );
    }
}

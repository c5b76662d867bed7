//! `gatehouse session`.

use std::path::Path;

use control::{Client, SsoSession, WhichSessions};

use super::Done;
use super::args::SessionAction;
use super::output::{Out, Table, plain};

/// Does what is asked of the sessions.
pub(super) async fn run(out: Out, socket: &Path, action: SessionAction) -> Done {
    let client = Client::connect(socket).await?;
    match action {
        SessionAction::List => {
            let sessions = client.sso_sessions().await?;
            out.show(&sessions, || list(out, &sessions))
        }
        SessionAction::End { id, user, .. } => {
            let which = match (id, user) {
                (Some(id), _) => WhichSessions::One(id),
                (None, Some(user)) => WhichSessions::OfUser(user),
                (None, None) => WhichSessions::All,
            };
            let ended = client.end_sso_sessions(&which).await?;
            out.show(&ended, || match ended.ended {
                0 => "nobody was signed in\n".to_owned(),
                1 => "1 session has ended\n".to_owned(),
                count => format!("{count} sessions have ended\n"),
            })
        }
    }
}

fn list(out: Out, sessions: &[SsoSession]) -> String {
    if sessions.is_empty() {
        return "nobody is signed in\n".to_owned();
    }
    let mut table = Table::new(&["ID", "ACCESS", "USER", "FROM", "SINCE", "USED", "GROUPS"]);
    for session in sessions {
        table.line([
            plain(session.id),
            plain(&session.access),
            plain(&session.user),
            plain(session.from),
            plain(session.begun),
            plain(session.used),
            plain(session.groups.join(", ")),
        ]);
    }
    table.text(out)
}

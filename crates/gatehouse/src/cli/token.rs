//! `gatehouse token`.

use std::path::Path;

use control::{AccessKey, Client, NewAccessKey, NewToken, Token};
use serde_json::json;

use super::Done;
use super::args::{KeyAction, TokenAction};
use super::output::{Out, Table, plain};

/// Does what is asked of the tokens.
pub(super) async fn run(out: Out, socket: &Path, action: TokenAction) -> Done {
    let client = Client::connect(socket).await?;
    match action {
        TokenAction::New {
            access,
            expires,
            note,
        } => {
            let new = NewToken {
                expires_seconds: expires,
                note,
            };
            let made = client.make_token(&access, &new).await?;
            // Alone, so that it can go into a variable or a file as it is.
            out.show(&made, || format!("{}\n", made.text))
        }
        TokenAction::List { access } => {
            let tokens = client.tokens(access.as_deref()).await?;
            out.show(&tokens, || list(out, &tokens))
        }
        TokenAction::Revoke { id: Some(id), .. } => {
            client.revoke_token(id).await?;
            out.show(&json!({ "revoked": id }), || {
                format!("token {id} is revoked\n")
            })
        }
        TokenAction::Revoke { access, .. } => {
            let access = access.unwrap_or_default();
            let revoked = client.revoke_tokens(&access).await?;
            out.show(&revoked, || match revoked.revoked {
                1 => format!("1 token of {access} is revoked\n"),
                count => format!("{count} tokens of {access} are revoked\n"),
            })
        }
        TokenAction::Key { action } => key(out, &client, action).await,
    }
}

async fn key(out: Out, client: &Client, action: KeyAction) -> Done {
    match action {
        KeyAction::New { access, note } => {
            let made = client.make_key(&access, &NewAccessKey { note }).await?;
            out.show(&made, || format!("{}\n", made.text))
        }
        KeyAction::List { access } => {
            let keys = client.keys(&access).await?;
            out.show(&keys, || list_keys(out, &keys))
        }
        KeyAction::Revoke { id, access } => {
            client.revoke_key(&access, id).await?;
            out.show(&json!({ "revoked": id }), || {
                format!("key {id} of {access} is revoked; the tokens that were made with it stay\n")
            })
        }
    }
}

fn list(out: Out, tokens: &[Token]) -> String {
    if tokens.is_empty() {
        return "there are no tokens; make one with `gatehouse token new --access NAME`\n"
            .to_owned();
    }
    let mut table = Table::new(&["ID", "ACCESS", "SINCE", "EXPIRES", "BY", "NOTE"]);
    for token in tokens {
        let expires = token.expires.map(|moment| moment.to_string());
        table.line([
            plain(token.id),
            plain(&token.access),
            plain(token.created),
            plain(expires.unwrap_or_else(|| "never".to_owned())),
            plain(&token.by),
            plain(&token.note),
        ]);
    }
    table.text(out)
}

fn list_keys(out: Out, keys: &[AccessKey]) -> String {
    if keys.is_empty() {
        return "there are no keys; make one with `gatehouse token key new --access NAME`\n"
            .to_owned();
    }
    let mut table = Table::new(&["ID", "ACCESS", "SINCE", "BY", "NOTE"]);
    for key in keys {
        table.line([
            plain(key.id),
            plain(&key.access),
            plain(key.created),
            plain(&key.by),
            plain(&key.note),
        ]);
    }
    table.text(out)
}

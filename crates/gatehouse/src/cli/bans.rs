//! `gatehouse bans`.

use control::render::Span;
use control::{Ban, Client, NewBan};

use super::Done;
use super::args::BanAction;
use super::output::{Out, Table, plain};

/// Shows who is banned, bans somebody, or lifts bans.
pub(super) async fn run(out: Out, client: &Client, action: Option<BanAction>) -> Done {
    let address = match action {
        None => {
            let bans = client.bans().await?;
            return out.show(&bans, || text(out, &bans));
        }
        Some(BanAction::Add {
            client: address,
            time: seconds,
            reason,
        }) => {
            let ban = NewBan {
                client: address,
                seconds,
                reason,
            };
            let banned = client.ban(&ban).await?;
            let time = Span(seconds.into());
            return out.show(&banned, || {
                format!("{} is banned for {time}\n", banned.client)
            });
        }
        Some(BanAction::Clear {
            client: address, ..
        }) => address,
    };
    let cleared = client.clear_ban(address).await?;
    out.show(&cleared, || match (address, cleared.cleared) {
        (Some(address), 0) => format!("{address} was not banned\n"),
        (Some(address), _) => format!("{address} is no longer banned\n"),
        (None, count) => format!("{count} bans lifted\n"),
    })
}

fn text(out: Out, bans: &[Ban]) -> String {
    if bans.is_empty() {
        return "nobody is banned\n".to_owned();
    }
    let mut table = Table::new(&["CLIENT", "SINCE", "UNTIL", "FOR", "OFFENCES"]);
    for ban in bans {
        let seconds = ban.until.0.saturating_sub(ban.since.0).div_ceil(1000);
        table.line([
            plain(&ban.client),
            plain(ban.since),
            plain(ban.until),
            plain(Span(seconds)),
            if ban.by_hand {
                plain("by hand")
            } else {
                plain(ban.offences)
            },
        ]);
    }
    table.text(out)
}

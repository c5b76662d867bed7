//! SIP, LDAP and H.323: the first message of a client says whom it wants, then its connection is a tunnel, in which each message is
//! looked at where the protocol needs that.

mod caller;
mod claim;
mod h323;
mod ldap;
mod sip;

pub(crate) use caller::Caller;
pub(crate) use claim::Claim;

use crate::shell::hello::{self, Greeted};
use config::Protocol;
use tokio::time::{Duration, Instant};

/// How long a client may take to say whom it wants, once its connection is ready for that.
const FIRST: Duration = Duration::from_secs(10);

/// Serves a connection to its end; a TLS handshake has to be done `until` then.
pub(crate) async fn serve(mut caller: Caller, until: Instant) {
    if caller.identity.tls() {
        let Some(secured) = Box::pin(secure(caller, until)).await else {
            return;
        };
        caller = secured;
    }
    caller.until = Instant::now() + FIRST;
    match caller.identity.protocol() {
        Protocol::Sip => sip::serve(caller).await,
        Protocol::Ldap => ldap::serve(caller).await,
        Protocol::H323 => h323::serve(caller).await,
        // Listeners of HTTP do not come here.
        Protocol::Http => {}
    }
}

/// Speaks TLS with a client that says hello; where that fails, all is told.
async fn secure(mut caller: Caller, until: Instant) -> Option<Caller> {
    let (stream, ahead) = (caller.stream, caller.buffer);
    let greeted = hello::greet(&caller.worker, stream, ahead, &caller.identity, until).await?;
    let Greeted::Spoken(stream, server_name, _) = greeted else {
        return None;
    };
    caller.stream = stream;
    caller.buffer = super::buffer::Buffer::default();
    caller.server_name = server_name;
    Some(caller)
}

//! Who may use what is published: visitors, tokens, sessions and second factors behind the control API, kept in the store and told to edge.

mod factors;
mod group;
mod kept;
mod sessions;
mod steward;
#[cfg(test)]
mod tests;
mod tokens;
mod visitors;

pub use kept::kept;
pub use steward::{Book, Shelf, Steward};
#[cfg(test)]
pub use tests::Lodge;
pub use visitors::missing;

use super::gate::Gate;
use config::AccessKind;
use control::{
    AccessKey, AccessKeyMade, Actor, Entrance, FactorsReset, Htpasswd, Imported, NewAccessKey,
    NewToken, NewVisitor, Refusal, Revoked, SsoEnded, SsoFactor, SsoSession, Token, TokenMade,
    Visitor, VisitorPassword, WhichFactors, WhichSessions,
};
use guard::entrance::SessionLimits;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Where visitors lie in the store.
pub const VISITORS: &str = "visitors.json";
/// Where tokens and keys lie in the store.
pub const TOKENS: &str = "tokens.json";
/// Where sessions lie in the store.
pub const SESSIONS: &str = "sessions.json";
/// Where second factors lie in the store.
pub const FACTORS: &str = "factors.json";

impl Shelf for Gate {
    async fn keep(
        &self,
        blob: &'static str,
        bytes: Vec<u8>,
        still: impl FnOnce() -> Result<(), Refusal> + Send,
    ) -> anyhow::Result<()> {
        self.with(|state| {
            still()?;
            Ok(state.store.set_blob(blob, &bytes)?)
        })
        .await
    }

    async fn hostname(&self) -> String {
        self.with(|state| state.running.config.system.hostname.clone())
            .await
    }

    async fn cookie_accesses(&self) -> Vec<String> {
        let config = self.with(|state| state.running.config.clone()).await;
        let of_cookies = config
            .access
            .iter()
            .filter(|access| matches!(access.kind, AccessKind::Cookie { .. }));
        of_cookies.map(|access| access.name.clone()).collect()
    }

    async fn sso_limits(&self) -> BTreeMap<String, SessionLimits> {
        let config = self.with(|state| state.running.config.clone()).await;
        let limits = config.access.iter().filter_map(|access| {
            let AccessKind::Sso(sso) = &access.kind else {
                return None;
            };
            let limits = SessionLimits {
                idle: sso.session.idle,
                longest: sso.session.longest,
            };
            Some((access.name.clone(), limits))
        });
        limits.collect()
    }

    async fn totp_accesses(&self) -> BTreeSet<String> {
        let config = self.with(|state| state.running.config.clone()).await;
        let asks = |kind: &AccessKind| matches!(kind, AccessKind::Sso(sso) if sso.totp);
        let lists = config.access.iter().filter(|access| asks(&access.kind));
        lists.map(|access| access.name.clone()).collect()
    }
}

impl Entrance for Gate {
    fn authenticate_key(&self, text: &str, client: Option<IpAddr>) -> Result<Actor, Refusal> {
        self.hub.steward.authenticate_key(text, client)
    }

    async fn visitors(&self) -> Result<Vec<Visitor>, Refusal> {
        Ok(self.hub.steward.visitors())
    }

    async fn add_visitor(&self, visitor: NewVisitor) -> Result<Visitor, Refusal> {
        let steward = &self.hub.steward;
        steward.add_visitor(self, &self.actor, visitor).await
    }

    async fn change_visitor(
        &self,
        name: String,
        password: VisitorPassword,
    ) -> Result<Visitor, Refusal> {
        let steward = &self.hub.steward;
        steward
            .change_visitor(self, &self.actor, &name, password)
            .await
    }

    async fn remove_visitor(&self, name: String) -> Result<(), Refusal> {
        let steward = &self.hub.steward;
        steward.remove_visitor(self, &self.actor, &name).await
    }

    async fn import_visitors(&self, file: Htpasswd) -> Result<Imported, Refusal> {
        let steward = &self.hub.steward;
        steward.import_visitors(self, &self.actor, &file).await
    }

    async fn tokens(&self, access: Option<String>) -> Result<Vec<Token>, Refusal> {
        let steward = &self.hub.steward;
        steward.tokens(self, access.as_deref()).await
    }

    async fn make_token(&self, access: String, token: NewToken) -> Result<TokenMade, Refusal> {
        let steward = &self.hub.steward;
        steward.make_token(self, &self.actor, access, token).await
    }

    async fn revoke_token(&self, access: Option<String>, id: u64) -> Result<(), Refusal> {
        let steward = &self.hub.steward;
        steward.revoke_token(self, &self.actor, access, id).await
    }

    async fn revoke_tokens(&self, access: String) -> Result<Revoked, Refusal> {
        let steward = &self.hub.steward;
        steward.revoke_tokens(self, &self.actor, access).await
    }

    async fn keys(&self, access: String) -> Result<Vec<AccessKey>, Refusal> {
        self.hub.steward.keys(self, &access).await
    }

    async fn make_key(&self, access: String, key: NewAccessKey) -> Result<AccessKeyMade, Refusal> {
        let steward = &self.hub.steward;
        steward.make_key(self, &self.actor, access, key).await
    }

    async fn revoke_key(&self, access: String, id: u64) -> Result<(), Refusal> {
        let steward = &self.hub.steward;
        steward.revoke_key(self, &self.actor, access, id).await
    }

    async fn sso_sessions(&self) -> Result<Vec<SsoSession>, Refusal> {
        Ok(self.hub.steward.sso_sessions(self).await)
    }

    async fn end_sso_sessions(&self, which: WhichSessions) -> Result<SsoEnded, Refusal> {
        let steward = &self.hub.steward;
        steward.end_sso_sessions(self, &self.actor, which).await
    }

    async fn sso_factors(&self) -> Result<Vec<SsoFactor>, Refusal> {
        self.hub.steward.sso_factors()
    }

    async fn reset_sso_factors(&self, which: WhichFactors) -> Result<FactorsReset, Refusal> {
        let steward = &self.hub.steward;
        steward.reset_factors(self, &self.actor, which).await
    }
}

//! Tokens, and keys by which applications make them.

use super::group::{Ask, Done, apply, full};
use super::steward::{Shelf, Steward};
use super::visitors::invalid;
use crate::supervisor::operators::{random, unix};
use control::{
    AccessKey, AccessKeyMade, Actor, Moment, NewAccessKey, NewToken, Refusal, Revoked, Role,
    TokenMade,
};
use guard::entrance::{
    KeyId, Note, TEXT_BYTES, Token, TokenHash, TokenId, TokenKey, Tokens, Wish, key_text,
    token_text,
};

/// The longest life of a token, in seconds; a longer one is for ever. Ten years.
const LONGEST_LIFE: u64 = 10 * 365 * 24 * 3600;

impl Steward {
    /// The tokens of an access; none given: of all.
    pub async fn tokens(
        &self,
        shelf: &impl Shelf,
        access: Option<&str>,
    ) -> Result<Vec<control::Token>, Refusal> {
        if let Some(access) = access {
            self.is_access(shelf, access).await?;
        }
        let now = unix();
        let is_good = |token: &&Token| token.live.expires.is_none_or(|expires| expires > now);
        let is_of = |token: &&Token| access.is_none_or(|access| *token.live.access == *access);
        let book = self.lock();
        let tokens = book.tokens.iter().filter(is_of).filter(is_good);
        Ok(tokens.map(shown).collect())
    }

    /// Makes a token of an access.
    pub async fn make_token(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        access: String,
        new: NewToken,
    ) -> Result<TokenMade, Refusal> {
        self.is_access(shelf, &access).await?;
        let life = new.expires_seconds;
        if life.is_some_and(|life| !(1..=LONGEST_LIFE).contains(&life)) {
            return Err(Refusal::invalid(
                "a token is good for a second at the least and ten years at the most, or, without a time, until it is revoked",
            ));
        }
        let text = token_text(random::<TEXT_BYTES>()?);
        let note = Note::new(&new.note.unwrap_or_default()).map_err(invalid)?;
        let wish = Wish {
            access: access.as_str().into(),
            hash: TokenHash::of(&text),
            expires: life.map(|life| unix() + life),
            note,
            by: actor.to_string(),
        };
        let Done::Made(token) = self.ask(shelf, actor, Ask::Make(wish)).await? else {
            return Err(Refusal::failed("no token was made"));
        };
        let id = token.live.id.0;
        self.porter
            .audit(actor, format!("made token {id} of {access}"));
        let token = shown(&token);
        Ok(TokenMade { token, text })
    }

    /// Revokes a token; where an access is given, only one of that.
    pub async fn revoke_token(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        access: Option<String>,
        id: u64,
    ) -> Result<(), Refusal> {
        let id = TokenId(id);
        let known = self
            .lock()
            .tokens
            .get(id)
            .map(|token| token.live.access.clone());
        let access = access.map(String::into_boxed_str).or(known);
        let none = || Refusal::not_found("there is no token of this number");
        let ask = Ask::Revoke(access.clone().ok_or_else(none)?, id);
        self.ask(shelf, actor, ask).await?;
        let (id, access) = (id.0, access.unwrap_or_default());
        self.porter
            .audit(actor, format!("revoked token {id} of {access}"));
        Ok(())
    }

    /// Revokes all tokens of an access, also of one that the configuration does not have any more.
    pub async fn revoke_tokens(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        access: String,
    ) -> Result<Revoked, Refusal> {
        if self.lock().tokens.of(&access).next().is_none() {
            self.is_access(shelf, &access).await?;
        }
        let ask = Ask::RevokeAll(access.as_str().into());
        let Done::Revoked(revoked) = self.ask(shelf, actor, ask).await? else {
            return Err(Refusal::failed("no token was revoked"));
        };
        self.porter
            .audit(actor, format!("revoked all {revoked} tokens of {access}"));
        Ok(Revoked { revoked })
    }

    /// The keys of an access.
    pub async fn keys(&self, shelf: &impl Shelf, access: &str) -> Result<Vec<AccessKey>, Refusal> {
        let keys: Vec<_> = {
            let book = self.lock();
            let keys = book.tokens.keys().filter(|key| *key.access == *access);
            keys.map(shown_key).collect()
        };
        if keys.is_empty() {
            self.is_access(shelf, access).await?;
        }
        Ok(keys)
    }

    /// Makes a key of an access.
    pub async fn make_key(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        access: String,
        new: NewAccessKey,
    ) -> Result<AccessKeyMade, Refusal> {
        self.is_access(shelf, &access).await?;
        let text = key_text(random::<TEXT_BYTES>()?);
        let wish = Wish {
            access: access.as_str().into(),
            hash: TokenHash::of(&text),
            expires: None,
            note: Note::new(&new.note.unwrap_or_default()).map_err(invalid)?,
            by: actor.to_string(),
        };
        let make = |tokens: &mut Tokens| {
            let key = tokens.add_key(wish, unix()).map_err(full)?;
            Ok((key, Vec::new()))
        };
        let still = || self.operator(actor);
        let key = self.change_tokens(shelf, still, make).await?;
        let id = key.id;
        self.porter
            .audit(actor, format!("made key {id} of {access}"));
        let key = shown_key(&key);
        Ok(AccessKeyMade { key, text })
    }

    /// Revokes a key of an access; its tokens stay.
    pub async fn revoke_key(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        access: String,
        id: u64,
    ) -> Result<(), Refusal> {
        let make = |tokens: &mut Tokens| {
            let id = KeyId(id);
            let is_there = tokens
                .keys()
                .any(|key| key.id == id && *key.access == *access);
            if !is_there {
                return Err(Refusal::not_found("there is no key of this number"));
            }
            tokens.revoke_key(id);
            Ok(((), Vec::new()))
        };
        let still = || self.operator(actor);
        self.change_tokens(shelf, still, make).await?;
        self.porter
            .audit(actor, format!("revoked key {id} of {access}"));
        Ok(())
    }

    /// For an operator at once, for applications together.
    async fn ask(&self, shelf: &impl Shelf, actor: &Actor, ask: Ask) -> Result<Done, Refusal> {
        if matches!(actor, Actor::Key { .. }) {
            return self.together(shelf, actor, ask).await;
        }
        let make = |tokens: &mut Tokens| {
            let mut changes = Vec::new();
            let done = apply(tokens, ask, &mut changes)?;
            Ok((done, changes))
        };
        let still = || self.operator(actor);
        self.change_tokens(shelf, still, make).await
    }

    fn operator(&self, actor: &Actor) -> Result<(), Refusal> {
        self.still(actor, Role::Operator)
    }

    /// Whether the configuration has such an access, by cookie.
    async fn is_access(&self, shelf: &impl Shelf, access: &str) -> Result<(), Refusal> {
        let names = shelf.cookie_accesses().await;
        if names.iter().any(|name| name == access) {
            return Ok(());
        }
        let there = match &*names {
            [] => "the configuration has none".to_owned(),
            names => format!("there are: {}", names.join(", ")),
        };
        Err(Refusal::not_found(format!(
            "there is no such access with kind = \"cookie\"; {there}"
        )))
    }
}

/// A token as the API has it.
fn shown(token: &Token) -> control::Token {
    let moment = |unix: u64| Moment(unix.saturating_mul(1000));
    control::Token {
        id: token.live.id.0,
        access: token.live.access.to_string(),
        created: moment(token.created),
        expires: token.live.expires.map(moment),
        note: token.note.as_str().to_owned(),
        by: token.by.clone(),
    }
}

/// A key as the API has it.
fn shown_key(key: &TokenKey) -> AccessKey {
    AccessKey {
        id: key.id.0,
        access: key.access.to_string(),
        created: Moment(key.created.saturating_mul(1000)),
        note: key.note.as_str().to_owned(),
        by: key.by.clone(),
    }
}

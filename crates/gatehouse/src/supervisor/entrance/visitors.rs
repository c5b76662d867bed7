//! Visitors: who has a password for what is published.

use super::steward::{Shelf, Steward};
use crate::supervisor::operators::unix;
use config::{AccessKind, Config};
use control::{Actor, Htpasswd, Imported, Moment, NewVisitor, Refusal, Role, VisitorPassword};
use guard::entrance::{Change, Visitor, VisitorFault, VisitorHash, Visitors, htpasswd};
use guard::operators::UserName;

impl Steward {
    /// All visitors, by name.
    pub fn visitors(&self) -> Vec<control::Visitor> {
        let book = self.lock();
        let visitors = book.visitors.iter();
        visitors
            .map(|(name, visitor)| shown(name, visitor))
            .collect()
    }

    /// What the operator should know of users that `config` lets in, and who have no password.
    pub fn without_password(&self, config: &Config) -> Vec<String> {
        let book = self.lock();
        missing(config, &book.visitors)
            .into_iter()
            .map(|(_, text)| text)
            .collect()
    }

    /// Makes a visitor.
    pub async fn add_visitor(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        new: NewVisitor,
    ) -> Result<control::Visitor, Refusal> {
        let name = UserName::new(&new.name).map_err(invalid)?;
        self.free(&name)?;
        let password = self.hash(shelf, &name, new.password).await?;
        let visitor = Visitor {
            password,
            created: unix(),
        };
        let make = |visitors: &mut Visitors| {
            self.free(&name)?;
            visitors
                .add(name.clone(), visitor.clone())
                .map_err(refused)?;
            let change = Change::Visitor(name.clone(), Some(visitor.password.clone()));
            Ok(((), vec![change]))
        };
        let still = || self.still(actor, Role::Admin);
        self.change_visitors(shelf, still, make).await?;
        self.porter.audit(actor, format!("made the visitor {name}"));
        Ok(shown(&name, &visitor))
    }

    /// Gives a visitor another password.
    pub async fn change_visitor(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        name: &str,
        password: VisitorPassword,
    ) -> Result<control::Visitor, Refusal> {
        let name = self.known(name)?;
        let hash = self.hash(shelf, &name, password.password).await?;
        let make = |visitors: &mut Visitors| {
            visitors
                .set_password(&name, hash.clone())
                .map_err(refused)?;
            let visitor = visitors.get(&name).ok_or(VisitorFault::Unknown);
            let shown = shown(&name, visitor.map_err(refused)?);
            Ok((
                shown,
                vec![Change::Visitor(name.clone(), Some(hash.clone()))],
            ))
        };
        let still = || self.still(actor, Role::Admin);
        let changed = self.change_visitors(shelf, still, make).await?;
        self.porter
            .audit(actor, format!("gave the visitor {name} another password"));
        Ok(changed)
    }

    /// Removes a visitor.
    pub async fn remove_visitor(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        name: &str,
    ) -> Result<(), Refusal> {
        let name = self.known(name)?;
        let make = |visitors: &mut Visitors| {
            visitors.remove(&name).map_err(refused)?;
            Ok(((), vec![Change::Visitor(name.clone(), None)]))
        };
        let still = || self.still(actor, Role::Admin);
        self.change_visitors(shelf, still, make).await?;
        self.porter
            .audit(actor, format!("removed the visitor {name}"));
        Ok(())
    }

    /// Makes the visitors of a file: all of them, or none.
    pub async fn import_visitors(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        file: &Htpasswd,
    ) -> Result<Imported, Refusal> {
        let found = htpasswd::read(&file.text).map_err(|faults| {
            let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
            Refusal::invalid(told.join("\n"))
        })?;
        if found.is_empty() {
            return Err(Refusal::invalid("there is nobody in this file"));
        }
        let created = unix();
        let make = |visitors: &mut Visitors| {
            let taken = found.iter().filter(|(name, _)| self.free(name).is_err());
            let taken: Vec<_> = taken.map(|(name, _)| name.as_str()).collect();
            if !taken.is_empty() {
                let names = taken.join(", ");
                return Err(Refusal::conflict(format!(
                    "nobody was imported: there are visitors or users of these names already: {names}"
                )));
            }
            let mut changes = Vec::new();
            for (name, password) in &found {
                let visitor = Visitor {
                    password: password.clone(),
                    created,
                };
                visitors.add(name.clone(), visitor).map_err(refused)?;
                changes.push(Change::Visitor(name.clone(), Some(password.clone())));
            }
            Ok(((), changes))
        };
        let still = || self.still(actor, Role::Admin);
        self.change_visitors(shelf, still, make).await?;
        let names: Vec<_> = found.iter().map(|(name, _)| name.to_string()).collect();
        let count = names.len();
        self.porter
            .audit(actor, format!("imported {count} visitors"));
        Ok(Imported { names })
    }

    /// Whether nobody is called so yet, neither a visitor nor a user of the admin pages.
    fn free(&self, name: &UserName) -> Result<(), Refusal> {
        if self.lock().visitors.get(name).is_some() {
            return Err(refused(VisitorFault::Exists));
        }
        if self.porter.has_user(name) {
            return Err(Refusal::conflict(
                "there is a user of the admin pages of this name already",
            ));
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Result<UserName, Refusal> {
        let name = UserName::new(name).map_err(|_| refused(VisitorFault::Unknown))?;
        match self.lock().visitors.get(&name) {
            Some(_) => Ok(name),
            None => Err(refused(VisitorFault::Unknown)),
        }
    }

    async fn hash(
        &self,
        shelf: &impl Shelf,
        name: &UserName,
        password: String,
    ) -> Result<VisitorHash, Refusal> {
        let hostname = shelf.hostname().await;
        let hash = self
            .porter
            .hashing()
            .new_password(name, password, &hostname);
        Ok(VisitorHash::Argon2(hash.await?))
    }
}

pub(super) fn refused(fault: VisitorFault) -> Refusal {
    let text = fault.to_string();
    match fault {
        VisitorFault::Unknown => Refusal::not_found(text),
        VisitorFault::Exists | VisitorFault::Full => Refusal::conflict(text),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn invalid(error: impl ToString) -> Refusal {
    Refusal::invalid(error.to_string())
}

/// Users that `config` lets in by password, and who have none, each with the line of the access.
pub fn missing(config: &Config, visitors: &Visitors) -> Vec<(u32, String)> {
    let mut told = Vec::new();
    for access in &config.access {
        let AccessKind::Basic { users, .. } = &access.kind else {
            continue;
        };
        let name = &access.name;
        for user in users {
            if UserName::new(user).is_ok_and(|known| visitors.get(&known).is_some()) {
                continue;
            }
            let text =
                format!("access.{name}: no password for `{user}` yet: `gatehouse user add {user}`");
            told.push((access.line, text));
        }
    }
    told
}

/// A visitor as the API has him.
fn shown(name: &UserName, visitor: &Visitor) -> control::Visitor {
    control::Visitor {
        name: name.to_string(),
        created: Moment(visitor.created.saturating_mul(1000)),
        imported: matches!(visitor.password, VisitorHash::Legacy(_)),
    }
}

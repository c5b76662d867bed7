//! LDAP (RFC 4511): a bind in the user's name, by a template or to the entry that a search finds.

mod link;
mod meaning;
mod names;
mod server;

use super::{Answer, Fault, Person, Typing};
use config::{LdapLogin, LdapSearch, LdapWay};
use guard::entrance::Typed;
use link::{Entry, Link, Within};
use meaning::{Bound, Found};
use net::resolve::Names;
use net::tls::TrustError;
use server::Server;
use std::time::Duration;
use tokio::time::timeout;

/// How long a login may take in all.
const LONGEST: Duration = Duration::from_secs(10);
/// The most groups of one user; what is beyond is left out.
const MOST_GROUPS: usize = 1000;
/// The longest name of a group, in bytes; a longer one is left out.
const LONGEST_GROUP: usize = 256;
/// The longest name of a user, in characters.
const LONGEST_USER: usize = 128;
/// The attribute that names a group which was searched.
const GROUP_NAME: &str = "cn";

/// An LDAP server that knows the users of one access list.
#[derive(Debug)]
pub struct Ldap {
    server: Server,
    login: LdapLogin,
    /// The password of the account that searches.
    password: Option<Typed>,
}

impl Ldap {
    /// The server of `login`; `password` is that of its account and `ca` the content of its `ca` file, where it
    /// names them.
    ///
    /// # Errors
    /// The operator's: the file is no CA's certificate.
    pub fn new(
        login: &LdapLogin,
        password: Option<Typed>,
        ca: Option<&str>,
        names: Names,
    ) -> Result<Self, TrustError> {
        Ok(Self {
            server: Server::new(login, ca, names)?,
            login: login.clone(),
            password,
        })
    }

    /// Asks who it is, over a connection of its own; takes 10 seconds at most.
    ///
    /// # Errors
    /// [`Fault`]: the server is not there, is not who it should be, or can not be made sense of.
    pub async fn sign_in(&self, typing: &Typing) -> Result<Answer, Fault> {
        let user = match names::usable(&typing.user) {
            Ok(user) => user,
            Err(why) => return Ok(Answer::Refused(why.to_owned())),
        };
        if typing.password.as_str().is_empty() {
            return Ok(Answer::Refused("the password is empty".to_owned()));
        }
        let asked = timeout(LONGEST, self.ask(user, &typing.password)).await;
        asked.unwrap_or_else(|_| Err(self.server.silent()))
    }

    async fn ask(&self, user: &str, password: &Typed) -> Result<Answer, Fault> {
        let stream = self.server.connect().await?;
        let mut link = Link::over(stream, &self.login.url).await?;
        match &self.login.way {
            LdapWay::Template { bind, search } => {
                let bind = match names::bound(bind, user) {
                    Ok(bind) => bind,
                    Err(why) => return Ok(Answer::Refused(why.to_owned())),
                };
                self.by_template(&mut link, user, &bind, search.as_ref(), password)
                    .await
            }
            LdapWay::Search { search, .. } => {
                self.by_search(&mut link, user, search, password).await
            }
        }
    }

    async fn by_template(
        &self,
        link: &mut Link,
        user: &str,
        bind: &str,
        search: Option<&LdapSearch>,
        password: &Typed,
    ) -> Result<Answer, Fault> {
        if let Bound::Refused(why) = link.bind(bind, password).await? {
            return Ok(Answer::Refused(why));
        }
        let entry = match search {
            Some(search) => match self.find(link, user, search).await? {
                Ok(entry) => {
                    // Whom `bind` means and whom `filter` means may be two, by names that they have chosen.
                    if let Bound::Refused(_) = link.bind(&entry.dn, password).await? {
                        let why = "the password is right for `bind`, and not for the entry that `filter` finds";
                        return Ok(Answer::Refused(why.to_owned()));
                    }
                    Some(entry)
                }
                Err(why) => {
                    let why = format!("the password is right, but {why}");
                    return Ok(Answer::Refused(why));
                }
            },
            None if names::is_dn(bind) => self.own_entry(link, bind).await?,
            None => None,
        };
        self.person(link, user, entry).await
    }

    async fn by_search(
        &self,
        link: &mut Link,
        user: &str,
        search: &LdapSearch,
        password: &Typed,
    ) -> Result<Answer, Fault> {
        self.bind_account(link).await?;
        let entry = match self.find(link, user, search).await? {
            Ok(entry) => entry,
            Err(why) => {
                // It takes as long as for somebody whom there is.
                let nobody = format!("cn=nobody-of-that-name,{}", search.base);
                let _ = link.bind(&nobody, password).await;
                return Ok(Answer::Refused(why));
            }
        };
        if let Bound::Refused(why) = link.bind(&entry.dn, password).await? {
            return Ok(Answer::Refused(why));
        }
        if self.login.groups.is_some() {
            self.bind_account(link).await?;
        }
        self.person(link, user, Some(entry)).await
    }

    /// Binds as the account that searches, if there is one.
    async fn bind_account(&self, link: &mut Link) -> Result<(), Fault> {
        let Some(account) = self.login.account() else {
            return Ok(());
        };
        let Some(password) = &self.password else {
            let name = &account.password.name;
            let why = format!("the password of our account, secret `{name}`, is not in the store");
            return Err(self.server.unfit(why));
        };
        match link.bind(&account.user, password).await? {
            Bound::Known => Ok(()),
            Bound::Refused(why) => {
                let why = format!("it refuses our own account (`user` and `password`): {why}");
                Err(self.server.unfit(why))
            }
        }
    }

    /// The one entry of the user, or why it is nobody's or more than one's.
    async fn find(
        &self,
        link: &mut Link,
        user: &str,
        search: &LdapSearch,
    ) -> Result<Result<Entry, String>, Fault> {
        let filter = names::filter(&search.filter, user, "");
        let within = Within::Below(&search.base);
        let mut entries = match link.search(within, &filter, &self.attributes(), 2).await? {
            Found::Entries(entries) => entries,
            // Even if it shows one only: the server may have a limit of its own.
            Found::Some(_) => return Ok(Err("`filter` is true of more than one entry".to_owned())),
            Found::Hidden(why) => return Err(self.server.unfit(format!("`search`: {why}"))),
        };
        Ok(match (entries.pop(), entries.is_empty()) {
            (Some(entry), true) if !entry.dn.is_empty() => Ok(entry),
            (Some(_), false) => Err("`filter` is true of more than one entry".to_owned()),
            _ => Err("`filter` is true of no entry".to_owned()),
        })
    }

    /// The entry that the user has bound as, if he may see it.
    async fn own_entry(&self, link: &mut Link, dn: &str) -> Result<Option<Entry>, Fault> {
        let all = "(objectClass=*)";
        let wanted = self.attributes();
        let found = link.search(Within::Only(dn), all, &wanted, 1).await?;
        Ok(match found {
            Found::Entries(mut entries) | Found::Some(mut entries) => entries.pop(),
            Found::Hidden(_) => None,
        })
    }

    /// What is read of a user's entry: the attributes of his name and of his groups.
    fn attributes(&self) -> Vec<&str> {
        let mut wanted = vec![self.login.member_of.as_str()];
        wanted.extend(self.name_attribute());
        wanted
    }

    /// The attribute that holds what the user types.
    fn name_attribute(&self) -> Option<&str> {
        match &self.login.way {
            LdapWay::Template { bind, search } => match search {
                None => names::attribute(bind),
                Some(search) => names::attribute(&search.filter),
            },
            LdapWay::Search { search, .. } => names::attribute(&search.filter),
        }
    }

    async fn person(
        &self,
        link: &mut Link,
        typed: &str,
        entry: Option<Entry>,
    ) -> Result<Answer, Fault> {
        let mut groups = Vec::new();
        let mut user = None;
        if let Some(entry) = &entry {
            let own = self.name_attribute();
            user = own.and_then(|name| names::as_written(entry.values(name)));
            let values = entry.values(&self.login.member_of);
            groups.extend(values.filter_map(names::group));
        }
        if let Some(search) = &self.login.groups {
            let dn = entry.as_ref().map_or("", |entry| entry.dn.as_str());
            let name = user.as_deref().unwrap_or(typed);
            groups.extend(self.groups_of(link, search, name, dn).await?);
        }
        groups.sort();
        groups.dedup();
        groups.truncate(MOST_GROUPS);
        // The directory does not tell Alice from alice, so targets must not be told of two.
        let is_named = user.is_some();
        Ok(Answer::Known(Person {
            user: user.unwrap_or_else(|| typed.to_lowercase()),
            groups,
            is_named,
        }))
    }

    async fn groups_of(
        &self,
        link: &mut Link,
        search: &LdapSearch,
        user: &str,
        dn: &str,
    ) -> Result<Vec<String>, Fault> {
        if dn.is_empty() && search.filter.contains("{dn}") {
            let why = "the user may not see his own entry, whose name `groups_filter` needs";
            return Err(self.server.unfit(why));
        }
        let filter = names::filter(&search.filter, user, dn);
        let most = i32::try_from(MOST_GROUPS).unwrap_or(i32::MAX);
        let found = link.search(Within::Below(&search.base), &filter, &[GROUP_NAME], most);
        match found.await? {
            Found::Hidden(why) => Err(self.server.unfit(format!("`groups_search`: {why}"))),
            Found::Entries(entries) | Found::Some(entries) => {
                let first = entries
                    .iter()
                    .filter_map(|entry| entry.values(GROUP_NAME).next());
                Ok(first.filter_map(names::group_name).collect())
            }
        }
    }
}

mod factors;
mod sessions;

use super::*;

use super::super::journal::Journal;
use super::super::operators::Porter;
use super::super::warden::Warden;
use control::{LogQuery, RefusalKind, render};
use guard::entrance::{Change, Roll, TokenHash, Typed};
use guard::operators::{UserName, Users};
use guard::{Policy, Saved};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;

const PASSWORD: &str = "correct horse battery";
/// Of "myPassword".
const SHA: &str = "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=";

/// Keeps in memory, or fails.
#[derive(Clone, Default)]
struct Drawer {
    kept: Arc<Mutex<BTreeMap<&'static str, Vec<u8>>>>,
    broken: Arc<AtomicBool>,
    written: Arc<AtomicUsize>,
}

impl Shelf for Drawer {
    async fn keep(
        &self,
        blob: &'static str,
        bytes: Vec<u8>,
        still: impl FnOnce() -> Result<(), Refusal> + Send,
    ) -> anyhow::Result<()> {
        tokio::task::yield_now().await;
        still()?;
        anyhow::ensure!(!self.broken.load(Ordering::Relaxed), "no space left");
        self.written.fetch_add(1, Ordering::Relaxed);
        self.kept.lock().unwrap().insert(blob, bytes);
        Ok(())
    }

    async fn hostname(&self) -> String {
        "gate-hq".to_owned()
    }

    async fn cookie_accesses(&self) -> Vec<String> {
        vec!["wcs".to_owned(), "lab".to_owned()]
    }

    async fn sso_limits(&self) -> BTreeMap<String, SessionLimits> {
        let limits = SessionLimits {
            idle: Duration::from_hours(8),
            longest: Duration::from_hours(24),
        };
        [("staff".to_owned(), limits)].into()
    }

    async fn totp_accesses(&self) -> BTreeSet<String> {
        ["staff".to_owned()].into()
    }
}

/// A box with its steward, who keeps in memory.
pub struct Lodge {
    /// The steward.
    pub steward: Steward,
    drawer: Drawer,
    journal: Journal,
    warden: Warden,
}

impl Lodge {
    /// One that knows nobody.
    pub fn new() -> Self {
        let journal = Journal::new();
        let policy = Policy {
            suspicious_per_minute: 20,
            ban_for: Duration::from_mins(5),
            never: Vec::new(),
            exempt: Vec::new(),
            operators: Vec::new(),
        };
        let registry = service::Registry::default();
        let warden = Warden::new(policy, &Saved::default(), journal.clone(), &registry);
        let porter = Porter::new(Users::default(), journal.clone(), warden.clone());
        Self {
            steward: Steward::new(Book::default(), porter, journal.clone()),
            drawer: Drawer::default(),
            journal,
            warden,
        }
    }

    /// One after a restart.
    fn again(&self) -> Steward {
        let kept = self.drawer.kept.lock().unwrap();
        let read = |name| kept.get(name).map_or(&b"{}"[..], Vec::as_slice);
        let book = Book {
            visitors: serde_json::from_slice(read(VISITORS)).unwrap_or_default(),
            tokens: serde_json::from_slice(read(TOKENS)).unwrap_or_default(),
            sessions: serde_json::from_slice(read(SESSIONS)).unwrap_or_default(),
            factors: serde_json::from_slice(read(FACTORS)).unwrap_or_default(),
        };
        Steward::new(book, self.steward.porter.clone(), self.journal.clone())
    }

    async fn add(&self, name: &str) -> Result<Visitor, Refusal> {
        let new = NewVisitor {
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
        };
        self.steward
            .add_visitor(&self.drawer, &Actor::Local, new)
            .await
    }

    async fn token(&self, actor: &Actor, new: NewToken) -> Result<TokenMade, Refusal> {
        let access = "wcs".to_owned();
        self.steward
            .make_token(&self.drawer, actor, access, new)
            .await
    }

    /// Makes one more token.
    pub async fn make_token(&self) {
        self.token(&Actor::Local, NewToken::default())
            .await
            .unwrap();
    }

    /// Revokes all tokens.
    pub async fn revoke_all(&self) {
        let access = "wcs".to_owned();
        let revoked = self
            .steward
            .revoke_tokens(&self.drawer, &Actor::Local, access);
        revoked.await.unwrap();
    }

    /// A key, and who has it.
    async fn key(&self) -> (AccessKeyMade, Actor) {
        let new = NewAccessKey::default();
        let made = self
            .steward
            .make_key(&self.drawer, &Actor::Local, "wcs".to_owned(), new);
        let made = made.await.unwrap();
        let actor = self.steward.authenticate_key(&made.text, None).unwrap();
        (made, actor)
    }

    fn log(&self) -> String {
        told(&self.journal)
    }
}

/// All that was written down.
fn told(journal: &Journal) -> String {
    let mut records = journal.kept().read(&LogQuery::default());
    let mut text = String::new();
    while let Some(record) = records.try_next() {
        text.push_str(&render::line(&record).to_string());
        text.push('\n');
    }
    text
}

fn follow(roll: &mut Roll, changes: &mut Receiver<Change>) {
    while let Ok(change) = changes.try_recv() {
        roll.apply(change);
    }
}

#[tokio::test]
async fn visitors_are_kept_and_edge_is_told() {
    let lodge = Lodge::new();
    let (mut roll, mut changes) = lodge.steward.follow();
    let login = lodge.add("Login").await.unwrap();
    assert_eq!((&*login.name, login.imported), ("login", false));
    assert_eq!(
        lodge.add("login").await.unwrap_err().kind,
        RefusalKind::Conflict
    );
    let name = UserName::new("login").unwrap();
    follow(&mut roll, &mut changes);
    assert!(roll.visitors[&name].matches(PASSWORD));
    assert_eq!(lodge.again().follow().0, roll);
    let other = VisitorPassword {
        password: "another good one 7".to_owned(),
    };
    let changed = lodge
        .steward
        .change_visitor(&lodge.drawer, &Actor::Local, "login", other);
    changed.await.unwrap();
    follow(&mut roll, &mut changes);
    assert!(roll.visitors[&name].matches("another good one 7"));
    let removed = lodge
        .steward
        .remove_visitor(&lodge.drawer, &Actor::Local, "login");
    removed.await.unwrap();
    follow(&mut roll, &mut changes);
    assert_eq!(roll, Roll::default());
    assert_eq!(lodge.again().visitors(), []);
    let weak = NewVisitor {
        name: "anna".to_owned(),
        password: "short".to_owned(),
    };
    let refused = lodge
        .steward
        .add_visitor(&lodge.drawer, &Actor::Local, weak)
        .await;
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Invalid);
    for text in [PASSWORD, "another good one 7"] {
        assert!(!lodge.log().contains(text));
    }
}

#[tokio::test]
async fn a_disk_that_takes_nothing_changes_nothing() {
    let lodge = Lodge::new();
    lodge.drawer.broken.store(true, Ordering::Relaxed);
    assert_eq!(
        lodge.add("login").await.unwrap_err().kind,
        RefusalKind::Failed
    );
    let refused = lodge.token(&Actor::Local, NewToken::default()).await;
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Failed);
    assert_eq!(lodge.steward.follow().0, Roll::default());
    assert!(!lodge.log().contains("made"), "{}", lodge.log());
}

#[tokio::test]
async fn a_file_is_imported_whole_and_its_hashes_are_made_anew() {
    let lodge = Lodge::new();
    let file = |text: String| Htpasswd { text };
    let import = async |text| {
        let steward = &lodge.steward;
        steward
            .import_visitors(&lodge.drawer, &Actor::Local, &file(text))
            .await
    };
    let refused = import(format!("anna:{SHA}\nbert:canary\n1:x\n"))
        .await
        .unwrap_err();
    assert_eq!(refused.message.lines().count(), 2, "{}", refused.message);
    assert!(!refused.message.contains("canary"));
    lodge.add("carl").await.unwrap();
    let refused = import(format!("anna:{SHA}\ncarl:{SHA}\n"))
        .await
        .unwrap_err();
    assert!(refused.message.ends_with(": carl"), "{}", refused.message);
    assert_eq!(lodge.steward.visitors().len(), 1);
    import(format!("anna:{SHA}\nbert:{SHA}\n")).await.unwrap();

    let anna = UserName::new("anna").unwrap();
    let imported = |name: &str| {
        let visitors = lodge.steward.visitors();
        visitors
            .iter()
            .any(|visitor| visitor.name == name && visitor.imported)
    };
    let typed = |text: &str| Typed::from(text.to_owned());
    tokio::spawn(lodge.steward.clone().tend(lodge.drawer.clone()));
    lodge
        .steward
        .outdated(UserName::new("bert").unwrap(), typed("something else"));
    lodge.steward.outdated(anna.clone(), typed("myPassword"));
    while imported("anna") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(imported("bert"), "what edge says is looked at");
    let (roll, _) = lodge.again().follow();
    assert!(roll.visitors[&anna].matches("myPassword") && !roll.visitors[&anna].is_outdated());
    assert!(!lodge.log().contains("myPassword") && !lodge.log().contains(SHA));
}

#[tokio::test]
async fn tokens_are_good_until_they_are_revoked() {
    let lodge = Lodge::new();
    let (mut roll, mut changes) = lodge.steward.follow();
    let new = NewToken {
        expires_seconds: Some(3600),
        note: Some("for a call".to_owned()),
    };
    let made = lodge.token(&Actor::Local, new).await.unwrap();
    assert_eq!((&*made.token.access, &*made.token.by), ("wcs", "local"));
    lodge
        .token(&Actor::Local, NewToken::default())
        .await
        .unwrap();
    follow(&mut roll, &mut changes);
    assert_eq!(roll.tokens[0].hash, TokenHash::of(&made.text));
    assert_eq!(roll.tokens.len(), 2);
    assert_eq!(lodge.again().follow().0, roll);
    let (steward, drawer) = (&lodge.steward, &lodge.drawer);
    let id = made.token.id;
    let other = Some("lab".to_owned());
    let refused = steward.revoke_token(drawer, &Actor::Local, other, id).await;
    assert_eq!(refused.unwrap_err().kind, RefusalKind::NotFound);
    steward
        .revoke_token(drawer, &Actor::Local, None, id)
        .await
        .unwrap();
    follow(&mut roll, &mut changes);
    assert_eq!(roll.tokens.len(), 1);
    let all = steward
        .revoke_tokens(drawer, &Actor::Local, "wcs".to_owned())
        .await;
    assert_eq!(all.unwrap().revoked, 1);
    assert_eq!(lodge.again().follow().0, Roll::default());
    let kept = drawer.kept.lock().unwrap()[TOKENS].clone();
    assert!(!String::from_utf8(kept).unwrap().contains(&made.text));
    assert!(!lodge.log().contains(&made.text));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_what_there_is() {
    let lodge = Lodge::new();
    let new = NewToken::default();
    let (steward, drawer) = (&lodge.steward, &lodge.drawer);
    let refused = steward
        .make_token(drawer, &Actor::Local, "staff".to_owned(), new)
        .await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::NotFound);
    assert!(
        refused.message.ends_with("there are: wcs, lab"),
        "{}",
        refused.message
    );
    for (expires_seconds, note) in [
        (Some(0), None),
        (Some(u64::MAX), None),
        (None, Some("a\nb".to_owned())),
        (None, Some("a".repeat(201))),
    ] {
        let new = NewToken {
            expires_seconds,
            note,
        };
        let refused = lodge.token(&Actor::Local, new).await.unwrap_err();
        assert_eq!(refused.kind, RefusalKind::Invalid);
    }
}

#[tokio::test(start_paused = true)]
async fn applications_share_one_write_a_second() {
    let lodge = Lodge::new();
    let (_, actor) = lodge.key().await;
    let written = || lodge.drawer.written.load(Ordering::Relaxed);
    lodge.token(&actor, NewToken::default()).await.unwrap();
    let before = written();
    let many = (0..100).map(|_| lodge.token(&actor, NewToken::default()));
    let mut all = tokio::task::JoinSet::new();
    for _ in many {
        let (steward, drawer, actor) = (lodge.steward.clone(), lodge.drawer.clone(), actor.clone());
        all.spawn(async move {
            let new = NewToken::default();
            steward
                .make_token(&drawer, &actor, "wcs".to_owned(), new)
                .await
                .is_ok()
        });
    }
    assert!(all.join_all().await.into_iter().all(|made| made));
    assert_eq!(written() - before, 1);
    assert_eq!(lodge.again().follow().0.tokens.len(), 101);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_revoked_makes_nothing_more() {
    let lodge = Lodge::new();
    let (made, actor) = lodge.key().await;
    let token = lodge.token(&actor, NewToken::default()).await.unwrap();
    assert_eq!(token.token.by, format!("key {} of wcs", made.key.id));
    let (steward, drawer) = (&lodge.steward, &lodge.drawer);
    let revoked = steward.revoke_key(drawer, &Actor::Local, "wcs".to_owned(), made.key.id);
    revoked.await.unwrap();
    let refused = lodge.token(&actor, NewToken::default()).await.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Unauthorized);
    let client = IpAddr::from([203, 0, 113, 9]);
    for _ in 0..21 {
        let refused = lodge.steward.authenticate_key(&made.text, Some(client));
        assert_eq!(refused.unwrap_err().kind, RefusalKind::Unauthorized);
    }
    assert!(lodge.warden.bans().borrow().contains(client));
    assert!(lodge.log().contains("showed a key") && !lodge.log().contains(&made.text));
}

#[tokio::test]
async fn users_without_a_password_are_told_of() {
    let text = "schema = 1\n[system]\nhostname = \"gate\"\n[access.staff]\nkind = \"basic\"\nusers = [\"login\", \"Anna\"]\n";
    let config = config::check(text, "test.toml").unwrap().config;
    let lodge = Lodge::new();
    lodge.add("anna").await.unwrap();
    let told = lodge.steward.without_password(&config);
    assert_eq!(
        told,
        ["access.staff: no password for `login` yet: `gatehouse user add login`"]
    );
    assert_eq!(
        missing(&config, &guard::entrance::Visitors::default())[0].0,
        4
    );
}

#[test]
fn a_damaged_list_lets_nobody_in_and_is_laid_aside() {
    let folder = std::env::temp_dir().join(format!("gatehouse-entrance-{}", std::process::id()));
    let journal = Journal::new();
    let mut store = store::Store::open(&folder).unwrap().store;
    store.set_blob(VISITORS, b"{\"canary\":").unwrap();
    store.set_blob(TOKENS, b"canary").unwrap();
    store.set_blob(SESSIONS, b"[\"canary\"]").unwrap();
    store.set_blob(FACTORS, b"canary").unwrap();
    let book = kept(&mut store, &journal, false);
    assert!(!book.factors.is_known());
    let aside = store.blob("factors-damaged.json").unwrap().unwrap();
    assert_eq!(aside, b"canary");
    assert_eq!(
        (book.visitors.iter().count(), book.tokens.iter().count()),
        (0, 0)
    );
    assert!(book.sessions.is_empty());
    let aside = store.blob("sessions-damaged.json").unwrap().unwrap();
    assert_eq!(aside, b"[\"canary\"]");
    let aside = store.blob("visitors-damaged.json").unwrap().unwrap();
    assert_eq!(aside, b"{\"canary\":");
    let log = told(&journal);
    assert!(
        log.contains("laid aside") && !log.contains("canary"),
        "{log}"
    );
    drop(store);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn nobody_has_a_second_factor_in_a_new_store_and_nobody_knows_in_another() {
    let name = format!("gatehouse-factors-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let journal = Journal::new();
    let mut store = store::Store::open(&folder).unwrap().store;
    assert!(kept(&mut store, &journal, false).factors.is_known());
    assert!(!kept(&mut store, &journal, true).factors.is_known());
    drop(store);
    std::fs::remove_dir_all(&folder).unwrap();
}

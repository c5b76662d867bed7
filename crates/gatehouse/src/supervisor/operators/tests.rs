mod second_factor;

use super::*;

use super::super::warden::Warden;
use super::hashing::Hashing;
use control::{LogQuery, RefusalKind, Role, render};
use guard::operators::UserName;
use guard::{Policy, Saved};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PASSWORD: &str = "correct horse battery";
const OTHER: &str = "another good one 7";

/// Keeps in memory, or fails.
#[derive(Clone, Default)]
struct Drawer {
    kept: Arc<Mutex<Option<Users>>>,
    broken: Arc<AtomicBool>,
    /// Who writes.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// How often something was to be written.
    asked: Arc<AtomicUsize>,
}

impl Shelf for Drawer {
    async fn keep(
        &self,
        users: &[u8],
        still: impl FnOnce() -> Result<(), Refusal> + Send,
    ) -> anyhow::Result<()> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let _turn = self.turn.lock().await;
        still()?;
        anyhow::ensure!(
            !self.broken.load(Ordering::Relaxed),
            "no space left on device"
        );
        *self.kept.lock().unwrap() = Some(serde_json::from_slice(users)?);
        Ok(())
    }

    async fn hostname(&self) -> String {
        "gate-hq".to_owned()
    }
}

/// A box with its porter.
struct Lodge {
    porter: Porter,
    drawer: Drawer,
    journal: Journal,
    warden: Warden,
}

impl Lodge {
    fn with(users: Users) -> Self {
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
        Self {
            porter: Porter::new(users, journal.clone(), warden.clone()),
            drawer: Drawer::default(),
            journal,
            warden,
        }
    }

    /// One that anna has claimed, with her session.
    async fn claimed() -> (Self, Actor) {
        let lodge = Self::with(Users::default());
        let code = lodge
            .porter
            .claim_status(&Actor::Local)
            .unwrap()
            .code
            .unwrap();
        let started = lodge.claim(&code, "anna").await.unwrap();
        let actor = lodge.actor(&started.token).unwrap();
        (lodge, actor)
    }

    async fn claim(&self, code: &str, user: &str) -> Result<SessionStarted, Refusal> {
        let claim = Claim {
            code: code.to_owned(),
            user: user.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let porter = self.porter.clone();
        porter.claim(self.drawer.clone(), visitor(9), claim).await
    }

    async fn login(&self, from: u8, user: &str, password: &str) -> Result<SessionStarted, Refusal> {
        self.login_with(&visitor(from), user, password, None).await
    }

    async fn login_with(
        &self,
        actor: &Actor,
        user: &str,
        password: &str,
        code: Option<&str>,
    ) -> Result<SessionStarted, Refusal> {
        let login = Login {
            user: user.to_owned(),
            password: password.to_owned(),
            code: code.map(str::to_owned),
        };
        self.porter.login(&self.drawer, actor, login).await
    }

    async fn add(&self, name: &str, role: Role) -> Result<User, Refusal> {
        let user = NewUser {
            name: name.to_owned(),
            role,
            password: PASSWORD.to_owned(),
        };
        self.porter
            .add_user(&self.drawer, &Actor::Local, user)
            .await
    }

    async fn change(&self, actor: &Actor, name: &str, change: UserChange) -> Result<User, Refusal> {
        self.porter
            .change_user(&self.drawer, actor, name, change)
            .await
    }

    fn actor(&self, token: &str) -> Option<Actor> {
        self.porter.authenticate(token, None, true)
    }

    /// All that was written down.
    fn log(&self) -> String {
        let mut records = self.journal.kept().read(&LogQuery::default());
        let mut text = String::new();
        while let Some(record) = records.try_next() {
            let line = render::line(&record).to_string();
            text.push_str(line.split_once(' ').unwrap().1);
            text.push('\n');
        }
        text
    }
}

fn visitor(last: u8) -> Actor {
    Actor::Visitor {
        client: Some(IpAddr::from([192, 0, 2, last])),
    }
}

fn kind<T>(result: Result<T, Refusal>) -> RefusalKind {
    match result {
        Ok(_) => panic!("it was done"),
        Err(refusal) => refusal.kind,
    }
}

fn role(role: Role) -> UserChange {
    UserChange {
        role: Some(role),
        password: None,
    }
}

fn password(text: &str) -> UserChange {
    UserChange {
        role: None,
        password: Some(text.to_owned()),
    }
}

fn unix() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn proof(text: &str) -> PasswordProof {
    PasswordProof {
        password: text.to_owned(),
        code: None,
    }
}

fn typed(text: &str) -> TotpCode {
    TotpCode {
        code: text.to_owned(),
    }
}

fn kind_or<T>(result: Result<T, Refusal>) -> Option<RefusalKind> {
    result.err().map(|refusal| refusal.kind)
}

#[tokio::test]
async fn whoever_reads_the_code_claims_the_box_once() {
    let lodge = Lodge::with(Users::default());
    assert_eq!(
        kind(lodge.login(1, "anna", PASSWORD).await),
        RefusalKind::Conflict
    );
    assert_eq!(
        kind(lodge.claim("ABCD-EFGH-JKLM", "anna").await),
        RefusalKind::Unauthorized
    );
    let status = lodge.porter.claim_status(&visitor(1)).unwrap();
    assert!(!status.claimed && status.code.is_none() && status.expires.is_none());
    let code = lodge
        .porter
        .claim_status(&Actor::Local)
        .unwrap()
        .code
        .unwrap();
    assert_eq!(
        kind(lodge.claim(&code, "<b>anna").await),
        RefusalKind::Invalid
    );
    assert_eq!(
        kind(lodge.claim("ABCD-EFGH-JKLM", "anna").await),
        RefusalKind::Unauthorized
    );
    // Two with the right code: it is good for one.
    let code = code.to_lowercase();
    let (one, other) = tokio::join!(lodge.claim(&code, "anna"), lodge.claim(&code, "bert"));
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(lodge.porter.users().len(), 1);
    assert_eq!(
        kind(lodge.claim(&code, "carl").await),
        RefusalKind::Conflict
    );
    let started = one.or(other).unwrap();
    let actor = lodge.actor(&started.token).unwrap();
    assert!(actor.may(Role::Admin));
    let status = lodge.porter.claim_status(&Actor::Local).unwrap();
    assert!(status.claimed && status.code.is_none());
    let kept = lodge.drawer.kept.lock().unwrap().clone().unwrap();
    assert!(kept.is_claimed());
    let log = lodge.log();
    assert!(
        log.contains("audit nobody at 192.0.2.9: failed claim: wrong code\n"),
        "{log}"
    );
    let claimed = format!(
        "audit {} at 192.0.2.9: claimed the box",
        started.session.user
    );
    assert!(log.contains(&claimed), "{log}");
    assert!(
        !log.contains(PASSWORD) && !log.contains(&started.token),
        "{log}"
    );
}

#[tokio::test]
async fn a_code_that_is_guessed_at_is_void_and_its_guesser_waits() {
    let lodge = Lodge::with(Users::default());
    let code = lodge
        .porter
        .claim_status(&Actor::Local)
        .unwrap()
        .code
        .unwrap();
    for _ in 0..3 {
        assert_eq!(
            kind(lodge.claim("ABCD-EFGH-JKLM", "anna").await),
            RefusalKind::Unauthorized
        );
    }
    let refused = lodge.claim(&code, "anna").await.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::TooMany);
    assert_eq!(refused.retry_after_seconds, Some(1));
    assert!(lodge.porter.users().is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_a_sign_in_is_told_to_nobody() {
    let (lodge, _) = Lodge::claimed().await;
    let wrong = lodge.login(1, "anna", OTHER).await.unwrap_err();
    let secret = "my secret password typed into the wrong field";
    for unknown in ["bert", secret, "<img src=x>", "anna\nbert", ""] {
        let refused = lodge.login(2, unknown, PASSWORD).await;
        match refused.unwrap_err() {
            refused if refused.kind == RefusalKind::TooMany => {}
            refused => assert_eq!(refused, wrong),
        }
    }
    let log = lodge.log();
    assert!(
        log.contains("audit nobody at 192.0.2.1: failed sign-in as anna: wrong password\n"),
        "{log}"
    );
    assert!(
        log.contains("audit nobody at 192.0.2.2: failed sign-in: unknown user\n"),
        "{log}"
    );
    for never in [secret, "bert", "img", OTHER, PASSWORD] {
        assert!(!log.contains(never), "{never}: {log}");
    }
}

#[tokio::test]
async fn a_session_from_before_is_worth_nothing_after_signing_in() {
    let (lodge, before) = Lodge::claimed().await;
    let tokens = [(); 2].map(|()| async { lodge.login(1, "anna", PASSWORD).await.unwrap().token });
    let [one, other] = tokens;
    let (one, other) = (one.await, other.await);
    assert_ne!(one, other);
    // Somebody signs in within a session that was there already: his own one from here on, and the other is over.
    let fixed = lodge.actor(&one).unwrap();
    let started = lodge
        .login_with(&fixed, "Anna", PASSWORD, None)
        .await
        .unwrap();
    assert_ne!(started.token, one);
    assert!(lodge.actor(&one).is_none() && lodge.actor(&other).is_some());
    assert_ne!(
        lodge.actor(&started.token).unwrap().session(),
        fixed.session()
    );
    assert!(lodge.porter.session(&before).is_ok());
    // A token that the browser made up makes no session.
    assert!(
        lodge
            .actor("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
            .is_none()
    );
}

#[tokio::test]
async fn many_sign_ins_at_once_are_one_after_the_other() {
    let (lodge, _) = Lodge::claimed().await;
    let mut tries = tokio::task::JoinSet::new();
    let lodge = Arc::new(lodge);
    for number in 0..20 {
        let lodge = Arc::clone(&lodge);
        // The right one is among those that come too late.
        let password = if number < 10 { OTHER } else { PASSWORD };
        tries.spawn(async move { kind(lodge.login(1, "anna", password).await) });
    }
    let kinds = tries.join_all().await;
    let of = |wanted| kinds.iter().filter(|kind| **kind == wanted).count();
    assert_eq!(
        (of(RefusalKind::Unauthorized), of(RefusalKind::TooMany)),
        (3, 17)
    );
}

#[tokio::test]
async fn who_goes_on_guessing_is_banned_everywhere() {
    let (lodge, _) = Lodge::claimed().await;
    for _ in 0..20 {
        assert!(lodge.login(1, "anna", OTHER).await.is_err());
    }
    assert!(lodge.warden.list().is_empty());
    assert!(lodge.login(1, "bert", OTHER).await.is_err());
    let bans: Vec<_> = lodge
        .warden
        .list()
        .iter()
        .map(|ban| ban.client.to_string())
        .collect();
    assert_eq!(bans, ["192.0.2.1"]);
    assert!(lodge.login(2, "bert", OTHER).await.is_err());
    assert_eq!(lodge.warden.list().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_banned_for_what_others_guess_at_his_name() {
    let (lodge, _) = Lodge::claimed().await;
    for from in 1..4 {
        assert!(lodge.login(from, "anna", OTHER).await.is_err());
    }
    for _ in 0..30 {
        let refused = lodge.login(77, "anna", PASSWORD).await;
        assert_eq!(kind(refused), RefusalKind::TooMany);
    }
    assert!(lodge.warden.list().is_empty());
}

#[tokio::test]
async fn too_many_who_wait_are_sent_away_and_it_is_not_held_against_them() {
    let hashing = Hashing::new();
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (hashing, gate) = (hashing.clone(), Arc::clone(&gate));
        tries.spawn(async move {
            hashing
                .run(move || gate.lock().unwrap().recv())
                .await
                .is_ok()
        });
    }
    // Those that find no place are back before any other is done.
    for _ in 0..3 {
        assert!(!tries.join_next().await.unwrap().unwrap());
    }
    drop(open);
    assert_eq!(tries.join_all().await, [true; 9]);
    assert!(hashing.run(|| ()).await.is_ok());
}

#[tokio::test]
async fn a_session_ends_with_the_role_or_the_password_of_its_user() {
    let (lodge, anna) = Lodge::claimed().await;
    lodge.add("bert", Role::Operator).await.unwrap();
    for change in [role(Role::Viewer), password(OTHER), role(Role::Admin)] {
        let now = if change.role == Some(Role::Admin) {
            OTHER
        } else {
            PASSWORD
        };
        let started = lodge.login(2, "bert", now).await.unwrap();
        let over = lodge.porter.clone().session_over(started.session.id);
        assert!(lodge.actor(&started.token).is_some());
        lodge.change(&anna, "bert", change).await.unwrap();
        assert!(lodge.actor(&started.token).is_none());
        over.await;
    }
    // Whoever changes himself stays where he is, and nowhere else.
    let elsewhere = lodge.login(3, "anna", PASSWORD).await.unwrap();
    let own = PasswordChange {
        old: PASSWORD.to_owned(),
        new: OTHER.to_owned(),
    };
    lodge
        .porter
        .change_password(&lodge.drawer, &anna, own)
        .await
        .unwrap();
    assert!(lodge.porter.session(&anna).is_ok());
    assert!(lodge.actor(&elsewhere.token).is_none());
    assert!(lodge.login(3, "anna", OTHER).await.is_ok());
    let bert = lodge.login(2, "bert", OTHER).await.unwrap();
    lodge
        .porter
        .remove_user(&lodge.drawer, &anna, "bert")
        .await
        .unwrap();
    assert!(lodge.actor(&bert.token).is_none());
    assert_eq!(
        kind(lodge.login(2, "bert", OTHER).await),
        RefusalKind::Unauthorized
    );
}

/// How an admin's session can end, or be worth less, while something that he asked for waits.
async fn lose(how: u8, lodge: &Lodge, anna: &Actor, bert: &Actor) {
    match how {
        0 => drop(lodge.porter.end_session(anna, bert.session())),
        1 => drop(lodge.change(bert, "bert", role(Role::Operator)).await),
        2 => drop(lodge.change(anna, "bert", role(Role::Viewer)).await),
        3 => {
            let removed = lodge.porter.remove_user(&lodge.drawer, anna, "bert");
            removed.await.unwrap();
        }
        _ => {
            let reset = lodge.porter.reset_users(&lodge.drawer, &Actor::Local);
            reset.await.unwrap();
        }
    }
}

#[tokio::test]
async fn who_is_no_admin_any_more_once_the_password_is_hashed_makes_nobody() {
    for how in 0..5 {
        let (lodge, anna) = Lodge::claimed().await;
        lodge.add("bert", Role::Admin).await.unwrap();
        let bert = lodge.login(2, "bert", PASSWORD).await.unwrap();
        let bert = lodge.actor(&bert.token).unwrap();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let busy = lodge.porter.hashing.clone();
        let busy = tokio::spawn(async move { busy.run(move || gate.recv()).await.is_ok() });
        tokio::task::yield_now().await;
        let (porter, drawer, asker) = (lodge.porter.clone(), lodge.drawer.clone(), bert.clone());
        let mine = NewUser {
            name: "carl".to_owned(),
            role: Role::Admin,
            password: PASSWORD.to_owned(),
        };
        let added = tokio::spawn(async move { porter.add_user(&drawer, &asker, mine).await });
        lose(how, &lodge, &anna, &bert).await;
        drop(open);
        assert!(busy.await.unwrap());
        let expected = if how == 1 {
            RefusalKind::Forbidden
        } else {
            RefusalKind::Unauthorized
        };
        assert_eq!(kind(added.await.unwrap()), expected, "{how}");
        let names = lodge.porter.users().into_iter().map(|user| user.name);
        assert!(!names.collect::<Vec<_>>().contains(&"carl".to_owned()));
        assert_eq!(
            lodge.porter.claim_status(&Actor::Local).unwrap().claimed,
            how != 4
        );
        assert!(!lodge.log().contains("carl"), "{}", lodge.log());
    }
}

#[tokio::test]
async fn who_is_signed_out_while_the_disk_is_waited_for_changes_nothing() {
    let (lodge, anna) = Lodge::claimed().await;
    lodge.add("bert", Role::Viewer).await.unwrap();
    let kept = || lodge.drawer.kept.lock().unwrap().clone().unwrap();
    let before = kept();
    let turn = lodge.drawer.turn.lock().await;
    let asked = lodge.drawer.asked.load(Ordering::Relaxed);
    let (porter, drawer, asker) = (lodge.porter.clone(), lodge.drawer.clone(), anna.clone());
    let change = role(Role::Admin);
    let changed =
        tokio::spawn(async move { porter.change_user(&drawer, &asker, "bert", change).await });
    while lodge.drawer.asked.load(Ordering::Relaxed) == asked {
        tokio::task::yield_now().await;
    }
    lodge
        .porter
        .end_session(&Actor::Local, anna.session())
        .unwrap();
    drop(turn);
    assert_eq!(kind(changed.await.unwrap()), RefusalKind::Unauthorized);
    assert_eq!(kept(), before);
    assert!(
        lodge
            .porter
            .users()
            .iter()
            .any(|user| user.role == Role::Viewer)
    );
}

#[tokio::test]
async fn a_password_that_was_changed_meanwhile_is_not_changed_back() {
    let (lodge, anna) = Lodge::claimed().await;
    let own = |new: &str| PasswordChange {
        old: PASSWORD.to_owned(),
        new: new.to_owned(),
    };
    let (porter, drawer) = (&lodge.porter, &lodge.drawer);
    let (one, other) = tokio::join!(
        porter.change_password(drawer, &anna, own(OTHER)),
        porter.change_password(drawer, &anna, own("a third one of them 9")),
    );
    assert!(one.is_ok());
    assert_eq!(kind(other), RefusalKind::Conflict);
    assert_eq!(lodge.log().matches("changed the own password").count(), 1);
    assert!(lodge.login(1, "anna", OTHER).await.is_ok());
}

#[tokio::test]
async fn the_last_admin_can_be_neither_removed_nor_demoted() {
    let (lodge, anna) = Lodge::claimed().await;
    let remove = async |name| lodge.porter.remove_user(&lodge.drawer, &anna, name).await;
    assert_eq!(kind(remove("anna").await), RefusalKind::Conflict);
    assert_eq!(
        kind(lodge.change(&anna, "anna", role(Role::Operator)).await),
        RefusalKind::Conflict
    );
    assert_eq!(kind(remove("nobody").await), RefusalKind::NotFound);
    assert_eq!(
        kind(lodge.add("ANNA", Role::Viewer).await),
        RefusalKind::Conflict
    );
    lodge.add("bert", Role::Admin).await.unwrap();
    remove("anna").await.unwrap();
    assert_eq!(kind(remove("bert").await), RefusalKind::Conflict);
}

#[tokio::test]
async fn a_disk_that_refuses_changes_nobody_but_lets_in() {
    let lodge = Lodge::with(Users::default());
    lodge.drawer.broken.store(true, Ordering::Relaxed);
    let code = lodge
        .porter
        .claim_status(&Actor::Local)
        .unwrap()
        .code
        .unwrap();
    let refused = lodge.claim(&code, "anna").await.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Failed);
    assert!(refused.message.contains("no space left"), "{refused}");
    assert!(lodge.porter.users().is_empty());
    lodge.drawer.broken.store(false, Ordering::Relaxed);
    let started = lodge
        .claim(&code, "anna")
        .await
        .expect("the code is good again");
    let anna = lodge.actor(&started.token).unwrap();
    lodge.drawer.broken.store(true, Ordering::Relaxed);
    assert_eq!(
        kind(lodge.add("bert", Role::Admin).await),
        RefusalKind::Failed
    );
    assert_eq!(
        kind(lodge.change(&anna, "anna", password(OTHER)).await),
        RefusalKind::Failed
    );
    assert!(lodge.porter.session(&anna).is_ok(), "nothing has changed");
    assert_eq!(
        kind(lodge.porter.reset_users(&lodge.drawer, &Actor::Local).await),
        RefusalKind::Failed
    );
    assert_eq!(lodge.porter.users().len(), 1);
    assert!(lodge.login(1, "anna", PASSWORD).await.is_ok());
    while !lodge
        .log()
        .contains("who signed in was not kept: no space left")
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn sessions_of_others_are_for_admins() {
    let (lodge, anna) = Lodge::claimed().await;
    lodge.add("bert", Role::Operator).await.unwrap();
    let started = lodge.login(2, "bert", PASSWORD).await.unwrap();
    let bert = lodge.actor(&started.token).unwrap();
    let porter = &lodge.porter;
    assert_eq!(porter.sessions(&anna).len(), 2);
    let own: Vec<_> = porter
        .sessions(&bert)
        .into_iter()
        .map(|session| session.user)
        .collect();
    assert_eq!(own, ["bert"]);
    assert!(porter.sessions(&visitor(1)).is_empty());
    assert_eq!(
        kind(porter.end_session(&bert, anna.session())),
        RefusalKind::NotFound
    );
    assert_eq!(
        kind(porter.end_session(&Actor::Local, None)),
        RefusalKind::NotFound
    );
    let drawer = &lodge.drawer;
    let local = &Actor::Local;
    for refused in [
        porter.session(local).err(),
        porter
            .offer_totp(drawer, local, proof(PASSWORD))
            .await
            .err(),
        porter
            .begin_totp(drawer, local, typed("000000"))
            .await
            .err(),
        porter.end_totp(drawer, local, proof(PASSWORD)).await.err(),
    ] {
        assert_eq!(refused.unwrap().kind, RefusalKind::NotFound);
    }
    porter.end_session(&anna, bert.session()).unwrap();
    assert_eq!(kind(porter.session(&bert)), RefusalKind::Unauthorized);
    porter.end_session(&anna, None).unwrap();
    assert!(porter.sessions(&Actor::Local).is_empty());
    let log = lodge.log();
    assert!(
        log.contains("audit anna: ended a session of bert\n")
            && log.contains("audit anna: signed out\n"),
        "{log}"
    );
}

#[tokio::test]
async fn the_console_begins_anew() {
    let (lodge, anna) = Lodge::claimed().await;
    let reset = async |actor: &Actor| lodge.porter.reset_users(&lodge.drawer, actor).await;
    assert_eq!(kind(reset(&anna).await), RefusalKind::Forbidden);
    assert_eq!(kind(reset(&visitor(1)).await), RefusalKind::Forbidden);
    let code = reset(&Actor::Local).await.unwrap().code.unwrap();
    assert!(lodge.porter.users().is_empty() && lodge.porter.session(&anna).is_err());
    assert!(lodge.claim(&code, "bert").await.is_ok());
    let log = lodge.log();
    assert!(
        log.contains("audit local: removed all users; the box can be claimed anew\n"),
        "{log}"
    );
}

/// A state directory of its own for one test; gone afterwards.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_damaged_list_is_laid_aside_and_opens_the_box_to_nobody() {
    let name = format!("gatehouse-operators-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let mut store = Store::open(&folder.0).unwrap().store;
    let journal = Journal::new();
    assert!(!kept(&mut store, &journal).is_claimed());
    store
        .set_blob(OPERATORS, b"{\"schema\":1,\"users\":[\"hunter2\"")
        .unwrap();
    // The second time is the start after the next.
    for _ in 0..2 {
        let users = kept(&mut store, &journal);
        assert!(users.is_closed());
        let lodge = Lodge::with(users);
        let status = lodge.porter.claim_status(&Actor::Local).unwrap();
        assert!(status.claimed && status.code.is_none());
        assert_eq!(
            kind(lodge.claim("ABCD-EFGH-JKLM", "anna").await),
            RefusalKind::Conflict
        );
        let refused = lodge.login(1, "anna", PASSWORD).await.unwrap_err();
        assert!(refused.message.contains("console"), "{refused}");
        let code = lodge
            .porter
            .reset_users(&lodge.drawer, &Actor::Local)
            .await
            .unwrap()
            .code;
        assert!(lodge.claim(&code.unwrap(), "anna").await.is_ok());
    }
    let aside = store.blob(DAMAGED).unwrap().unwrap();
    assert!(aside.ends_with(b"\"hunter2\""));
    let lodge = Lodge {
        journal,
        ..Lodge::with(Users::default())
    };
    let log = lodge.log();
    assert!(
        log.contains("laid aside as operators-damaged.json") && !log.contains("hunter2"),
        "{log}"
    );
}

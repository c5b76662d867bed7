//! Second factors.

use std::time::{SystemTime, UNIX_EPOCH};

use guard::entrance::{Change, FactorKey, Factors, Roll};
use guard::totp::TotpSecret;
use service::{Event, FactorStanding};

use super::{Browser, CONFIG, Said, World, on_worker, said};
use crate::directory::Directory;

/// One that knows who has a second factor: nobody.
fn world() -> World {
    let world = unknown();
    world.entrance.publish(Roll {
        factors: Factors::none(),
        ..Roll::default()
    });
    world
}

/// One that was not told it.
fn unknown() -> World {
    let config = CONFIG.replace("session = {", "totp = true\nsession = {");
    World::with(&config, |_, _| Ok(Directory::Test(Box::new(said))))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// The secret that a page shows.
fn shown(page: &Said) -> TotpSecret {
    let key = page.body.split_once("class=\"key\">").unwrap().1;
    let key = key.split_once('<').unwrap().0.replace(' ', "");
    TotpSecret::try_from(key).unwrap()
}

impl Browser<'_> {
    async fn code(&mut self, page: &Said, code: &str) -> Said {
        let fields = [
            ("mark", page.hidden("mark")),
            ("access", page.hidden("access")),
            ("to", page.hidden("to")),
            ("pending", page.hidden("pending")),
            ("code", code),
        ];
        self.post("/.gatehouse/code", &fields).await
    }

    /// Signs in for the first time, and says what his app has from then on.
    async fn enrol(&mut self, user: &str) -> TotpSecret {
        let page = self.sign_in("staff", "/", user, "right").await;
        let secret = shown(&page);
        let said = self.code(&page, &secret.code_at(now() - 30)).await;
        assert_eq!(said.status, 303, "{}", said.body);
        secret
    }
}

/// However he writes himself, he is asked for a code of `secret`, of which `first` was taken already.
async fn no_other_is_offered(all: &World, secret: &TotpSecret, first: &str) {
    for user in ["max", "MAX", "hq\\max"] {
        let mut other = Browser::new(all);
        let page = other.sign_in("staff", "/b", user, "right").await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("class=\"key\"") && page.body.contains("authenticator app"));
        let again = other.code(&page, first).await;
        assert_eq!(again.status, 403, "a code is good once");
        assert!(again.body.contains("used before"));
        assert_eq!(other.cookie("gatehouse_session"), None);
    }
    let mut other = Browser::new(all);
    let page = other.sign_in("staff", "/b", "max", "right").await;
    let code = secret.code_at(now() + 30);
    let said = other
        .code(&page, &format!("{} {}", &code[..3], &code[3..]))
        .await;
    assert_eq!((said.status, said.header("location")), (303, Some("/b")));
}

#[tokio::test(start_paused = true)]
async fn who_has_none_sets_one_up_and_is_asked_for_it_from_then_on() {
    let mut all = world();
    let mut keys = Vec::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        let page = max.sign_in("staff", "/a", "max", "right").await;
        assert_eq!((page.status, max.cookie("gatehouse_session")), (200, None));
        assert!(page.body.contains("Set up your second factor"));
        assert!(page.body.contains("<svg class=\"qr\""));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !page.body.contains(" style="));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        let secret = shown(&page);
        keys.push(secret.text());
        let wrong = max.code(&page, "000000").await;
        assert_eq!(wrong.status, 403);
        assert_eq!(
            shown(&wrong).text(),
            secret.text(),
            "the same is offered still"
        );
        assert_eq!(all.entrance.factor("staff", "max"), FactorStanding::None);
        // Another browser has nothing of it.
        let mut eve = Browser::new(&all);
        eve.get("/.gatehouse/login").await;
        let stolen = eve.code(&wrong, &secret.code_at(now())).await;
        assert_eq!(
            (stolen.status, eve.cookie("gatehouse_session")),
            (403, None)
        );
        let first = secret.code_at(now() - 30);
        let said = max.code(&wrong, &first).await;
        assert_eq!((said.status, said.header("location")), (303, Some("/a")));
        assert!(max.cookie("gatehouse_session").is_some());

        no_other_is_offered(&all, &secret, &first).await;
    })
    .await;
    let told = format!("{:?}", all.events());
    assert!(
        told.contains("max\\\" has set up a second factor at access `staff` from 198.51.100.1")
    );
    assert!(
        told.contains("LoginFailed") && !told.contains(&keys[0]),
        "{told}"
    );
    assert!(all.offences() > 3);
}

#[tokio::test(start_paused = true)]
async fn without_the_password_nothing_is_learnt_of_it() {
    let all = world();
    on_worker(async {
        let mut anna = Browser::new(&all);
        anna.enrol("annegret").await;
        let mut pages = Vec::new();
        for user in ["annegret", "moritz"] {
            let mut eve = Browser::new(&all);
            let said = eve.sign_in("staff", "/", user, "wrong").await;
            assert_eq!(said.status, 403);
            assert!(!said.body.contains("name=\"code\""));
            let mark = said.hidden("mark").to_owned();
            pages.push(said.body.replace(user, "").replace(&mark, ""));
        }
        assert_eq!(pages[0], pages[1]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn five_wrong_codes_are_the_most_and_ten_minutes() {
    let mut all = world();
    on_worker(async {
        let secret = Browser::new(&all).enrol("max").await;
        let mut max = Browser::new(&all);
        let mut page = max.sign_in("staff", "/", "max", "right").await;
        let mut answers = 0;
        while page.body.contains("name=\"pending\"") {
            page = max.code(&page, "1").await;
            answers += 1;
        }
        assert_eq!((answers, page.status), (5, 403));
        assert!(page.body.contains("name=\"password\""));
        let page = max.sign_in("staff", "/", "max", "right").await;
        tokio::time::advance(std::time::Duration::from_mins(10)).await;
        let said = max.code(&page, &secret.code_at(now() + 30)).await;
        assert_eq!(said.status, 403);
        assert!(said.body.contains("took too long"));
        // After more of them even the right one waits.
        for _ in 0..5 {
            let page = max.sign_in("staff", "/", "max", "right").await;
            max.code(&page, "1").await;
        }
        let page = max.sign_in("staff", "/", "max", "right").await;
        let said = max.code(&page, &secret.code_at(now() + 30)).await;
        assert_eq!(said.status, 429);
    })
    .await;
    let failed = |event: &Event| matches!(event, Event::LoginFailed { .. });
    assert_eq!(
        all.events().iter().filter(|event| failed(event)).count(),
        10
    );
    assert_eq!(all.offences(), 10);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_knows_who_has_one_nobody_is_let_in() {
    let mut all = unknown();
    on_worker(async {
        let mut max = Browser::new(&all);
        let said = max.sign_in("staff", "/", "max", "right").await;
        assert_eq!((said.status, said.header("retry-after")), (503, Some("30")));
        assert!(said.body.contains("Second factors can not be checked"));
        assert_eq!(max.cookie("gatehouse_session"), None);
        // A wrong password looks as ever.
        assert_eq!(max.sign_in("staff", "/", "max", "wrong").await.status, 403);
    })
    .await;
    let told = format!("{:?}", all.events());
    assert!(told.contains("not known who has a second factor"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn what_changes_meanwhile_begins_the_login_anew() {
    let all = world();
    on_worker(async {
        // Two browsers are offered a secret each; the first code wins.
        let (mut one, mut two) = (Browser::new(&all), Browser::new(&all));
        let pages = (
            one.sign_in("staff", "/", "max", "right").await,
            two.sign_in("staff", "/", "Max", "right").await,
        );
        let (mine, other) = (shown(&pages.0), shown(&pages.1));
        assert_ne!(mine.text(), other.text());
        assert_eq!(one.code(&pages.0, &mine.code_at(now())).await.status, 303);
        let late = two.code(&pages.1, &other.code_at(now())).await;
        assert_eq!((late.status, two.cookie("gatehouse_session")), (403, None));
        assert!(late.body.contains("name=\"password\""));

        // It is reset while a code of it is asked for.
        let page = two.sign_in("staff", "/", "max", "right").await;
        let gone = Change::FactorGone(FactorKey::of("staff", "max"));
        all.entrance.change(vec![gone]);
        let said = two.code(&page, &mine.code_at(now() + 30)).await;
        assert_eq!((said.status, two.cookie("gatehouse_session")), (403, None));
        let page = two.sign_in("staff", "/", "max", "right").await;
        assert_ne!(shown(&page).text(), mine.text());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn it_comes_after_group_and_question_of_the_directory() {
    let all = world();
    on_worker(async {
        let mut max = Browser::new(&all);
        max.host = "wiki.example.com";
        let said = max.sign_in("admins", "/", "max", "right").await;
        assert_eq!(said.status, 403);
        assert!(said.body.contains("not let in here") && !said.body.contains("class=\"key\""));
        assert_eq!(all.entrance.factor("admins", "max"), FactorStanding::None);
        let mut moritz = Browser::new(&all);
        let page = moritz.sign_in("staff", "/", "moritz", "code").await;
        let page = moritz.code(&page, "123456").await;
        assert_eq!(
            (page.status, moritz.cookie("gatehouse_session")),
            (200, None)
        );
        let secret = shown(&page);
        let said = moritz.code(&page, &secret.code_at(now())).await;
        assert_eq!(said.status, 303);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn whom_the_directory_does_not_name_sets_none_up() {
    let mut all = world();
    on_worker(async {
        let mut one = Browser::new(&all);
        let page = one.sign_in("staff", "/", "unnamed", "right").await;
        assert_eq!((page.status, one.cookie("gatehouse_session")), (503, None));
        assert!(!page.body.contains("class=\"key\""));
    })
    .await;
    let told = format!("{:?}", all.events());
    assert!(told.contains("does not say what it calls him"), "{told}");
}

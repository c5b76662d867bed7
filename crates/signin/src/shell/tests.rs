//! Browsers that sign in, over a pair of sockets and in virtual time.

mod factor;
mod provider;

use std::sync::Arc;
use std::time::Duration;

use guard::entrance::TokenHash;
use service::{Context, Event, Outbox, RollWatch};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::task::LocalSet;
use tokio::time::Instant;

use super::serve::SignIn;
use crate::directory::choice::tests::SLOW;
use crate::directory::{Answer, Directory, Fault, Person, Question, Typing};

const CONFIG: &str = r#"
schema = 1
[access.staff]
kind = "sso"
login = "radius"
radius = { server = "192.0.2.9", shared = { secret = "radius" } }
session = { domain = "example.com" }
[access.admins]
kind = "sso"
login = "radius"
radius = { server = "192.0.2.9", shared = { secret = "radius" } }
session = { domain = "example.com", cookie = "admins" }
groups = ["admins"]
[[host]]
name = "pbx.example.com"
[[host.http]]
target = "http://192.0.2.1"
access = ["staff"]
[[host]]
name = "wiki.example.com"
[[host.http]]
target = "http://192.0.2.2"
access = ["staff", "admins"]
[[host]]
name = "open.example.com"
[[host.http]]
target = "http://192.0.2.3"
"#;

/// What the made-up directory says: right is "right", "code" wants "123456" as well, "gone" is away.
#[allow(clippy::unnecessary_wraps, reason = "the shape is that of a directory")]
fn said(typing: &Typing, state: Option<&[u8]>) -> Result<Answer, Fault> {
    let person = || Person {
        user: typing.user.clone(),
        groups: vec!["users".to_owned(), "pbx".to_owned()],
        is_named: !typing.user.starts_with("unnamed"),
    };
    let ask = |state: u8| {
        Ok(Answer::Asks(Question {
            prompt: "Code from <b>your</b> app\u{7}".to_owned(),
            state: vec![state],
        }))
    };
    match (typing.password.as_str(), state) {
        ("right", None) | ("123456", Some(_)) => Ok(Answer::Known(person())),
        ("code", None) => ask(1),
        ("another", Some(&[number])) => ask(number + 1),
        ("gone", _) => Err(Fault::Unreachable {
            server: "192.0.2.9".to_owned(),
            why: "no answer in 5 s".to_owned(),
        }),
        _ => Ok(Answer::Refused("wrong password".to_owned())),
    }
}

/// The pages, and what they send out.
struct World {
    pages: Arc<SignIn>,
    outbox: Outbox,
    entrance: RollWatch,
}

impl World {
    fn new() -> Self {
        Self::with(CONFIG, |_, _| Ok(Directory::Test(Box::new(said))))
    }

    fn with(
        config: &str,
        directory: impl FnMut(&config::Access, &config::Sso) -> Result<Directory, String>,
    ) -> Self {
        let (events, offences, outbox) = Outbox::new();
        let context = Context {
            events,
            offences,
            bans: service::BanWatch::default(),
            entrance: RollWatch::default(),
            metrics: service::Registry::default(),
            workers: service::Workers::start(0).unwrap(),
        };
        let entrance = context.entrance.clone();
        let config = config::check(config, "test.toml").unwrap().config;
        let pages = SignIn::made(&config, &context, None, directory);
        Self {
            pages: Arc::new(pages.unwrap()),
            outbox,
            entrance,
        }
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.outbox.events.try_recv().ok()).collect()
    }

    fn offences(&mut self) -> usize {
        std::iter::from_fn(|| self.outbox.offences.try_recv().ok()).count()
    }
}

/// An answer.
#[derive(Debug)]
struct Said {
    status: u16,
    head: String,
    body: String,
}

impl Said {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The value of a hidden field.
    fn hidden(&self, name: &str) -> &str {
        let start = format!("name=\"{name}\" value=\"");
        let rest = self.body.split_once(&start).unwrap().1;
        rest.split_once('"').unwrap().0
    }
}

/// A browser at a host, with its cookies.
struct Browser<'b> {
    of: &'b World,
    host: &'static str,
    client: &'static str,
    cookies: Vec<(String, String)>,
    /// Further fields that it sends.
    fields: &'static str,
}

impl<'b> Browser<'b> {
    fn new(of: &'b World) -> Self {
        Self {
            of,
            host: "pbx.example.com",
            client: "198.51.100.1",
            cookies: Vec::new(),
            fields: "",
        }
    }

    async fn get(&mut self, path: &str) -> Said {
        self.ask("GET", path, "").await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Said {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.ask("POST", path, &body).await
    }

    async fn ask(&mut self, method: &str, path: &str, body: &str) -> Said {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nX-Forwarded-For: {}\r\nCookie: {}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.host,
            self.client,
            cookies.join("; "),
            self.fields,
            body.len()
        );
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let serving = tokio::task::spawn_local(Arc::clone(&self.of.pages).serve(theirs));
        ours.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        ours.read_to_string(&mut text).await.unwrap();
        serving.await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let said = Said {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        };
        self.keep(&said);
        said
    }

    fn keep(&mut self, said: &Said) {
        for line in said.head.lines() {
            let Some(set) = line.strip_prefix("set-cookie: ") else {
                continue;
            };
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !set.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        let mut cookies = self.cookies.iter();
        cookies
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Opens the login page and sends what it has.
    async fn sign_in(&mut self, access: &str, to: &str, user: &str, password: &str) -> Said {
        let to = serde_urlencoded::to_string([("access", access), ("to", to)]).unwrap();
        let page = self.get(&format!("/.gatehouse/login?{to}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let fields = [
            ("mark", page.hidden("mark")),
            ("access", page.hidden("access")),
            ("to", page.hidden("to")),
            ("user", user),
            ("password", password),
        ];
        self.post("/.gatehouse/login", &fields).await
    }
}

/// Runs a test as a worker runs the pages.
async fn on_worker<F: Future>(test: F) -> F::Output {
    LocalSet::new().run_until(test).await
}

#[tokio::test(start_paused = true)]
async fn who_signs_in_has_a_session_for_all_hosts() {
    let mut all = World::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        let said = max.sign_in("staff", "/log?a=b", " max ", "right").await;
        assert_eq!(
            (said.status, said.header("location")),
            (303, Some("/log?a=b"))
        );
        let text = max.cookie("gatehouse_session").unwrap().to_owned();
        let set = format!(
            "gatehouse_session={text}; Domain=example.com; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
        assert_eq!(said.header("set-cookie"), Some(set.as_str()));
        let live = all.entrance.session(&TokenHash::of(&text)).unwrap();
        let session = live.session();
        assert_eq!((&*session.user, &*session.access), ("max", "staff"));
        assert_eq!(session.groups, [Box::from("users"), "pbx".into()]);
        assert_eq!(session.from.to_string(), "198.51.100.1");

        // The other host knows him, and does not ask again.
        max.host = "wiki.example.com";
        let page = max.get("/.gatehouse/").await;
        assert!(page.body.contains("max") && page.body.contains("users, pbx"));
        let again = max.get("/.gatehouse/login?access=staff&to=%2Fa").await;
        assert!(again.body.contains("You are signed in") && again.body.contains("href=\"/a\""));
    })
    .await;
    assert_eq!(all.offences(), 0);
    let told = all.events();
    let [Event::Notice { text, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        text,
        "\"max\" has signed in at access `staff` from 198.51.100.1"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_is_signed_out_but_by_a_form_of_ours() {
    let mut all = World::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        max.sign_in("staff", "/", "max", "right").await;
        let text = max.cookie("gatehouse_session").unwrap().to_owned();
        max.host = "wiki.example.com";
        let page = max.get("/.gatehouse/").await;
        let mark = page.hidden("mark").to_owned();
        let linked = max.get("/.gatehouse/logout").await;
        assert!(linked.body.contains("You are signed in"));
        let unmarked = max.post("/.gatehouse/logout", &[]).await;
        assert!(unmarked.body.contains("You are signed in"));
        max.fields = "Origin: https://pbx.example.com\r\n";
        let foreign = max.post("/.gatehouse/logout", &[("mark", &mark)]).await;
        assert_eq!(foreign.status, 403);
        assert!(all.entrance.session(&TokenHash::of(&text)).is_some());
        max.fields = "Origin: https://wiki.example.com\r\nSec-Fetch-Site: same-origin\r\n";
        let out = max.post("/.gatehouse/logout", &[("mark", &mark)]).await;
        assert!(out.body.contains("You are signed out"));
        assert_eq!(max.cookie("gatehouse_session"), None);
        assert!(all.entrance.session(&TokenHash::of(&text)).is_none());
        let after = max.get("/.gatehouse/").await;
        assert!(after.body.contains("You are not signed in"));
    })
    .await;
    assert_eq!(all.offences(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_says_nothing_and_takes_its_time() {
    let mut all = World::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        max.fields = "Accept-Language: de\r\n";
        let before = Instant::now();
        let said = max.sign_in("staff", "/", "<max>", "wrong").await;
        let taken = before.elapsed().as_millis();
        assert!((1500..1520).contains(&taken), "{taken} after {SLOW:?}");
        assert_eq!(said.status, 403);
        assert!(said.body.contains("Benutzername oder Kennwort ist falsch."));
        assert!(said.body.contains("value=\"&lt;max&gt;\""), "{}", said.body);
        assert!(said.body.contains("<html lang=\"de\">"));
        assert_eq!(max.cookie("gatehouse_session"), None);
        for secret in ["wrong password", "value=\"wrong\""] {
            assert!(!said.body.contains(secret));
        }
    })
    .await;
    assert_eq!(all.offences(), 1);
    let told = all.events();
    let [
        Event::LoginFailed {
            method,
            user,
            reason,
            access,
            ..
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(
        (
            method.as_ref(),
            user.as_str(),
            reason.as_str(),
            access.as_str()
        ),
        ("sso", "<max>", "wrong password", "staff")
    );
}

#[tokio::test(start_paused = true)]
async fn who_guesses_has_to_wait() {
    let mut all = World::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        let mut said = max.sign_in("staff", "/", "max", "wrong").await;
        for _ in 0..15 {
            if said.status == 429 {
                break;
            }
            said = max.sign_in("staff", "/", "max", "wrong").await;
        }
        assert_eq!(said.status, 429);
        assert!(said.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
        // Not even the right one is looked at.
        assert_eq!(max.sign_in("staff", "/", "max", "right").await.status, 429);
        tokio::time::advance(Duration::from_mins(2)).await;
        assert_eq!(max.sign_in("staff", "/", "max", "right").await.status, 303);
    })
    .await;
    assert!(all.offences() < 15);
}

#[tokio::test(start_paused = true)]
async fn a_one_time_code_is_asked_for() {
    let mut all = World::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        let page = max.sign_in("staff", "/a", "max", "code").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Code from &lt;b&gt;your&lt;/b&gt; app<"));
        assert!(page.body.contains("autocomplete=\"one-time-code\""));
        let pending = page.hidden("pending").to_owned();
        let mark = page.hidden("mark").to_owned();
        // Another browser has nothing of it.
        let mut eve = Browser::new(&all);
        let other = eve.get("/.gatehouse/login").await.hidden("mark").to_owned();
        let fields = [
            ("mark", other.as_str()),
            ("pending", &pending),
            ("code", "123456"),
        ];
        assert_eq!(eve.post("/.gatehouse/code", &fields).await.status, 403);
        let fields = [
            ("mark", mark.as_str()),
            ("pending", &pending),
            ("code", " 123456 "),
        ];
        let said = max.post("/.gatehouse/code", &fields).await;
        assert_eq!((said.status, said.header("location")), (303, Some("/a")));
        let said = max.post("/.gatehouse/code", &fields).await;
        assert_eq!(said.status, 403, "a question is answered once");

        // Whoever has the password only gets five answers, each of which counts.
        let mut page = eve.sign_in("staff", "/", "moritz", "code").await;
        let mut answers = 0;
        while page.body.contains("name=\"pending\"") {
            tokio::time::advance(Duration::from_secs(31)).await;
            let pending = page.hidden("pending").to_owned();
            let fields = [
                ("mark", other.as_str()),
                ("pending", &pending),
                ("code", "another"),
            ];
            page = eve.post("/.gatehouse/code", &fields).await;
            answers += 1;
        }
        assert_eq!((answers, page.status), (5, 403));
    })
    .await;
    let failed = |event: &Event| matches!(event, Event::LoginFailed { .. });
    assert_eq!(all.events().iter().filter(|event| failed(event)).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_code_begins_anew() {
    let all = World::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        let page = max.sign_in("staff", "/a", "max", "code").await;
        let (pending, mark) = (page.hidden("pending"), page.hidden("mark"));
        let fields = [("mark", mark), ("pending", pending), ("code", "000000")];
        let said = max.post("/.gatehouse/code", &fields).await;
        assert_eq!(said.status, 403);
        assert!(said.body.contains("with the next code"));
        assert_eq!(said.hidden("to"), "/a");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_is_away_is_told_once_and_counts_for_nobody() {
    let mut all = World::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        for _ in 0..20 {
            let said = max.sign_in("staff", "/a", "max", "gone").await;
            assert_eq!((said.status, said.header("retry-after")), (503, Some("30")));
            assert!(said.body.contains("Nobody can sign in right now"));
            assert!(
                !said.body.contains("192.0.2.9"),
                "the operator alone is told"
            );
            assert!(said.body.contains("access=staff&amp;to=%2Fa"));
        }
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(max.sign_in("staff", "/", "max", "right").await.status, 303);
    })
    .await;
    assert_eq!(all.offences(), 0);
    let texts: Vec<_> = all
        .events()
        .into_iter()
        .map(|event| match event {
            Event::Notice { text, .. } => text,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        texts,
        [
            "access `staff`: nobody can sign in: 192.0.2.9 can not be reached: no answer in 5 s",
            "access `staff`: sign-in works again",
            "\"max\" has signed in at access `staff` from 198.51.100.1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_form_of_another_page_is_not_carried_out() {
    let mut all = World::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        let page = max.get("/.gatehouse/login?access=staff&to=%2Fa").await;
        let mark = page.hidden("mark").to_owned();
        let login = |mark| {
            [
                ("mark", mark),
                ("to", "/a"),
                ("user", "max"),
                ("password", "right"),
            ]
        };
        for fields in [
            "Origin: https://evil.example\r\n",
            "Origin: null\r\n",
            "Sec-Fetch-Site: cross-site\r\n",
            "Sec-Fetch-Site: same-site\r\n",
        ] {
            max.fields = fields;
            let said = max.post("/.gatehouse/login", &login(&mark)).await;
            assert_eq!(said.status, 403, "{fields}");
            assert!(said.body.contains("another site"));
        }
        max.fields = "";
        // Login CSRF: the mark of the attacker's own page, and the victim's cookie.
        let mut eve = Browser::new(&all);
        let hers = eve.get("/.gatehouse/login").await.hidden("mark").to_owned();
        for mark in ["", "x", hers.as_str()] {
            let said = max.post("/.gatehouse/login", &login(mark)).await;
            assert_eq!(said.status, 403);
            assert!(said.body.contains("once more") && said.body.contains("value=\"max\""));
            assert_eq!(max.cookie("gatehouse_session"), None);
        }
        // Another host's form is another form.
        max.host = "wiki.example.com";
        assert_eq!(
            max.post("/.gatehouse/login", &login(&mark)).await.status,
            403
        );
        max.host = "pbx.example.com";
        assert_eq!(
            max.post("/.gatehouse/login", &login(&mark)).await.status,
            303
        );
    })
    .await;
    assert_eq!(all.offences(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_login_leads_to_a_host_of_its_list_or_home() {
    let all = World::new();
    on_worker(async {
        for (to, place) in [
            (
                "https://wiki.example.com/a?b",
                "https://wiki.example.com/a?b",
            ),
            ("https://open.example.com/", "/"),
            ("https://evil.example/", "/"),
            ("//evil.example", "/"),
            ("/.gatehouse/logout", "/"),
        ] {
            let mut max = Browser::new(&all);
            let said = max.sign_in("staff", to, "max", "right").await;
            assert_eq!(said.header("location"), Some(place), "{to}");
        }
        // What the form says is looked at as well.
        let mut max = Browser::new(&all);
        let page = max.get("/.gatehouse/login").await;
        let fields = [
            ("mark", page.hidden("mark")),
            ("to", "https://evil.example/"),
            ("user", "max"),
            ("password", "right"),
        ];
        let said = max.post("/.gatehouse/login", &fields).await;
        assert_eq!(said.header("location"), Some("/"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_user_without_the_group_is_told_so_and_has_no_session() {
    let mut all = World::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        max.host = "wiki.example.com";
        let said = max.sign_in("admins", "/", "max", "right").await;
        assert_eq!(said.status, 403);
        assert!(said.body.contains("your account is not let in here"));
        assert_eq!(max.cookie("admins"), None);
    })
    .await;
    assert!(matches!(&all.events()[..], [Event::LoginFailed { .. }]));
}

#[tokio::test(start_paused = true)]
async fn one_address_has_few_logins_under_way() {
    let all = World::new();
    on_worker(async {
        let logins = (0..10).map(|number| {
            let all = &all;
            async move {
                let mut one = Browser::new(all);
                let user = format!("user{number}");
                one.sign_in("staff", "/", &user, "right").await.status
            }
        });
        let mut statuses = Vec::new();
        let mut pinned: Vec<_> = logins.map(Box::pin).collect();
        std::future::poll_fn(|wake| {
            pinned.retain_mut(|login| match login.as_mut().poll(wake) {
                std::task::Poll::Ready(status) => {
                    statuses.push(status);
                    false
                }
                std::task::Poll::Pending => true,
            });
            if pinned.is_empty() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        statuses.sort_unstable();
        assert_eq!(statuses, [[303; 8].as_slice(), &[503; 2]].concat());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let all = World::new();
    on_worker(async {
        let mut max = Browser::new(&all);
        for (path, status) in [
            ("/.gatehouse/login", 200),
            ("/.gatehouse/", 200),
            ("/.gatehouse/logout", 200),
            ("/.gatehouse/code", 303),
            ("/.gatehouse/else", 404),
            ("/elsewhere", 404),
        ] {
            let said = max.get(path).await;
            assert_eq!(said.status, status, "{path}");
            assert_eq!(said.header("cache-control"), Some("no-store"));
            assert_eq!(said.header("x-frame-options"), Some("DENY"));
            let policy = said.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
        }
        let other = max
            .get("/.gatehouse/login?to=https%3A%2F%2Fwiki.example.com%2F")
            .await;
        let policy = other.header("content-security-policy").unwrap();
        assert!(
            policy.contains("form-action 'self' https://wiki.example.com;"),
            "{policy}"
        );
        assert_eq!(max.ask("DELETE", "/.gatehouse/login", "").await.status, 405);
        let long = "a".repeat(9000);
        assert_eq!(
            max.ask("POST", "/.gatehouse/login", &long).await.status,
            400
        );
        max.host = "open.example.com";
        assert_eq!(max.get("/.gatehouse/login").await.status, 404);
        max.host = "elsewhere.example";
        assert_eq!(max.get("/.gatehouse/login").await.status, 404);
    })
    .await;
}

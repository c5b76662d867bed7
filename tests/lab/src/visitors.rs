//! People at a real Chromium, who go from page to page as the test tells them.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{Lab, Place, Process, browser};

const SCRIPT: &str = "tests/lab/node/visitors.mjs";

/// A Chromium outside; whoever sits at it has cookies of his own.
pub struct Visitors {
    driver: RefCell<Driver>,
}

/// What takes the orders.
struct Driver {
    process: Process,
    orders: u32,
}

/// One of them.
pub struct Visitor<'v> {
    visitors: &'v Visitors,
    name: String,
    tab: &'static str,
    language: &'static str,
}

/// A page that is shown.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The status of the answer that brought it.
    pub status: u64,
    /// Its address.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its text, as it is read.
    pub text: String,
    /// Every address on the way to it, the first that was asked for at the beginning.
    pub trail: Vec<String>,
}

impl Visitors {
    /// Starts it; certificates of `roots` are trusted, each name of `names` is found at the address beside it (`*` for every name), and no
    /// other name is found. Pictures go to the folder `shots`.
    pub fn trusting(
        lab: &Lab,
        roots: &[&Path],
        names: &[(&str, &str)],
        shots: &Path,
    ) -> Result<Self> {
        let home = browser::home(lab, Place::Internet, roots)?;
        let rules = names.iter().map(|(name, at)| format!("MAP {name} {at}, "));
        let rules = format!("{}MAP * ~NOTFOUND", rules.collect::<String>());
        let file = lab.dir().join("visitors.json");
        let told = json!({ "rules": rules, "shots": shots });
        fs::write(&file, told.to_string())?;
        let script = crate::repository().join(SCRIPT);
        let home = format!("HOME={}", home.display());
        let [script, file] = [script, file].map(|path| path.display().to_string());
        let command = ["env", &home, "node", &script, &file];
        let mut process = lab.spawn(Place::Internet, "visitors", &command)?;
        process.wait_for("ready")?;
        let driver = Driver { process, orders: 0 };
        Ok(Self {
            driver: RefCell::new(driver),
        })
    }

    /// Who is called so, with a browser in this language (`en`, `de`).
    pub fn person(&self, name: &str, language: &'static str) -> Visitor<'_> {
        Visitor {
            visitors: self,
            name: name.to_owned(),
            tab: "first",
            language,
        }
    }
}

impl Driver {
    fn order(&mut self, mut order: Value) -> Result<Value> {
        self.orders += 1;
        let number = self.orders;
        order["number"] = number.into();
        self.process.tell(&order.to_string())?;
        // The line may be seen before its end is written.
        let (begin, mut line) = (format!("answer {number} "), None);
        crate::wait_until(&format!("{begin}to {order}"), || {
            ensure!(self.process.runs()?, "the browser has ended");
            let log = self.process.log();
            let whole = log
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            let mut answers = whole.filter_map(|line| line.strip_prefix(&begin));
            line = answers.next().map(str::to_owned);
            Ok(line.is_some())
        })?;
        let line = line.context("waited for")?;
        let answer: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        ensure!(answer["error"].is_null(), "{order}: {}", answer["error"]);
        Ok(answer)
    }
}

impl Visitor<'_> {
    /// The same person at another tab.
    #[must_use]
    pub fn other_tab(&self) -> Self {
        Self {
            visitors: self.visitors,
            name: self.name.clone(),
            tab: "other",
            language: self.language,
        }
    }

    /// The words that his pages have, of these in English and in German.
    pub fn words<'w>(&self, english: &'w str, german: &'w str) -> &'w str {
        if self.language == "de" {
            german
        } else {
            english
        }
    }

    /// Opens an address.
    ///
    /// # Errors
    /// No page comes.
    pub fn open(&self, url: &str) -> Result<Seen> {
        self.seen(json!({ "do": "open", "url": url }))
    }

    /// Fills in the form that is shown, by the names of its fields, and sends it.
    pub fn send(&self, fields: &[(&str, &str)]) -> Result<Seen> {
        let fields: serde_json::Map<_, _> = fields
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.into()))
            .collect();
        self.seen(json!({ "do": "send", "fields": fields }))
    }

    /// Signs in with the form that is shown.
    pub fn sign_in(&self, user: &str, password: &str) -> Result<Seen> {
        self.send(&[("user", user), ("password", password)])
    }

    /// Presses the button with these words.
    pub fn press(&self, words: &str) -> Result<Seen> {
        self.seen(json!({ "do": "send", "fields": {}, "press": words }))
    }

    /// Follows the link with these words.
    pub fn follow(&self, words: &str) -> Result<Seen> {
        self.seen(json!({ "do": "follow", "words": words }))
    }

    /// The value of a cookie that goes to `url`, if it has one.
    pub fn cookie(&self, url: &str, name: &str) -> Result<Option<String>> {
        let answer = self.order(json!({ "do": "cookie", "url": url, "name": name }))?;
        Ok(answer["value"].as_str().map(str::to_owned))
    }

    /// Opens a WebSocket to an echo from the page that is shown, and has heard it.
    pub fn talk(&self, url: &str) -> Result<()> {
        let answer = self.order(json!({ "do": "talk", "url": url }))?;
        ensure!(answer["echo"] == "words", "{answer}");
        Ok(())
    }

    /// Whether the WebSocket is still open.
    pub fn talks(&self) -> Result<bool> {
        let answer = self.order(json!({ "do": "talks" }))?;
        answer["open"].as_bool().context("no answer")
    }

    /// Looks at the page in light and dark, narrow and wide, with axe, and takes a picture of each; what is wrong.
    ///
    /// Needs "the pages' packages".
    pub fn look(&self, name: &str) -> Result<Vec<String>> {
        let name = format!("{name}-{}", self.language);
        let answer = self.order(json!({ "do": "look", "name": name }))?;
        Ok(texts(&answer["faults"]))
    }

    fn seen(&self, order: Value) -> Result<Seen> {
        let answer = self.order(order)?;
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        Ok(Seen {
            status: answer["status"].as_u64().context("no status")?,
            url: text("url"),
            title: text("title"),
            text: text("text"),
            trail: texts(&answer["trail"]),
        })
    }

    fn order(&self, mut order: Value) -> Result<Value> {
        order["who"] = self.name.as_str().into();
        order["tab"] = self.tab.into();
        order["language"] = self.language.into();
        self.visitors.driver.borrow_mut().order(order)
    }
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

//! The power is cut at every step of an order, and between any two of its writes.

use super::*;

const NAMES: [&str; 2] = ["a.example", "b.example"];
const ACCOUNT: &str = "https://ca.example/acct/1";
const PLACE: &str = "https://ca.example/order/1";

/// What edge tells in the course of an order, all but its end.
fn news(order: &Order) -> [News; 4] {
    let id = order.id;
    let step = |step| News::Step { id, step };
    [
        News::Account {
            directory: order.authority.directory.clone(),
            url: ACCOUNT.to_owned(),
        },
        News::Begun {
            id,
            url: PLACE.to_owned(),
        },
        step(Step::Proofs),
        step(Step::Issuance),
    ]
}

#[test]
fn a_cut_at_any_step_leaves_an_order_that_is_taken_up() {
    for heard in 0..=4 {
        let mut shelf = Shelf::new(&format!("step{heard}"));
        let before = shelf.look(ONE, NOW).0.orders[0].clone();
        for news in news(&before).into_iter().take(heard) {
            shelf.hear(news, NOW + 1);
        }
        // What edge told last, or the certificate itself, is lost.
        shelf.restart();
        let after = shelf.look(ONE, NOW + 5).0.orders[0].clone();
        assert_eq!(after.request, before.request, "{heard}");
        let (known, kept) = (&before.authority.account, &after.authority.account);
        assert_eq!(kept.key, known.key, "{heard}");
        assert_eq!(kept.url.as_deref(), (heard > 0).then_some(ACCOUNT));
        assert_eq!(after.begun.as_deref(), (heard > 1).then_some(PLACE));
        assert!(issue(&mut shelf, after.id, &NAMES, NOW + 9).is_new);
        shelf.restart();
        assert_eq!(shelf.look(ONE, NOW + 10).0.orders, []);
        assert_eq!(shelf.served(ONE, NOW + 10).len(), 1, "{heard}");
    }
}

#[test]
fn a_cut_between_the_writes_of_a_certificate_is_none_too_many() {
    let blobs = ["acme/pending.json", "acme/records.json"];
    // What was not written yet when the power went.
    for missing in [&blobs[..], &blobs[1..], &[]] {
        let mut shelf = Shelf::new(&format!("write{}", missing.len()));
        let first = shelf.look(ONE, NOW).0.orders[0].clone();
        for news in news(&first) {
            shelf.hear(news, NOW + 1);
        }
        let before = missing.iter().map(|name| {
            let kept = shelf.store.as_ref().unwrap().blob(name).unwrap();
            (name, kept.unwrap_or_else(|| b"{}".to_vec()))
        });
        let before: Vec<_> = before.collect();
        assert!(issue(&mut shelf, first.id, &NAMES, NOW + 9).is_new);
        for (name, kept) in before {
            shelf.store().set_blob(name, &kept).unwrap();
        }
        shelf.restart();
        assert_eq!(shelf.look(ONE, NOW + 10).0.orders, [], "{missing:?}");
        assert_eq!(shelf.served(ONE, NOW + 10).len(), 1);
        // The next one begins anew, with a key of its own.
        shelf.book.renew("a.example", NOW + 20).unwrap();
        let next = shelf.look(ONE, NOW + 20).0.orders[0].clone();
        assert_eq!(next.begun, None, "{missing:?}");
        assert_ne!(next.request, first.request, "{missing:?}");
    }
}

#[test]
fn what_was_asked_for_by_hand_is_ordered_after_a_cut_and_not_for_ever() {
    let mut shelf = Shelf::new("byhand");
    let first = shelf.look(ONE, NOW).0.orders[0].clone();
    assert!(issue(&mut shelf, first.id, &NAMES, NOW + 1).is_new);
    shelf.book.renew("a.example", NOW + 20).unwrap();
    let asked = shelf.look(ONE, NOW + 20).0.orders[0].clone();
    shelf.restart();
    let again = shelf.look(ONE, NOW + 30).0.orders[0].clone();
    assert_eq!(again.request, asked.request);
    // It has failed: what there is goes on until its time, over a restart, too.
    shelf.hear(failed(again.id, Blame::Proof), NOW + 40);
    shelf.restart();
    assert_eq!(shelf.look(ONE, NOW + HOUR).0.orders, []);
    // By hand again, with the key that waits.
    shelf.book.renew("a.example", NOW + 2 * HOUR).unwrap();
    shelf.look(ONE, NOW + 2 * HOUR);
    shelf.restart();
    let last = shelf.look(ONE, NOW + 2 * HOUR + 1).0.orders[0].clone();
    assert_eq!(last.request, asked.request);
    assert!(issue(&mut shelf, last.id, &NAMES, NOW + 2 * HOUR + 2).is_new);
    shelf.restart();
    assert_eq!(shelf.look(ONE, NOW + 3 * HOUR).0.orders, []);
}

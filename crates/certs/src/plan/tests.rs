use super::*;

/// A morning in 2026.
const NOW: u64 = 1_800_000_000;
const NONE: Present = Present {
    life: None,
    by_hand: false,
};
const ASKED: Present = Present {
    life: None,
    by_hand: true,
};

fn days(days: u64) -> Life {
    Life {
        from: NOW,
        until: NOW + days * DAY,
    }
}

fn holding(life: Life) -> Present {
    Present {
        life: Some(life),
        by_hand: false,
    }
}

#[test]
fn what_is_not_there_is_ordered_at_once_and_what_is_there_at_its_time() {
    let record = Record::default();
    assert!(record.order_at(NONE) <= NOW);
    for (life, due) in [
        (90, 60 * DAY),
        (45, 30 * DAY),
        (10, 10 * DAY - 10 * DAY / 3),
        (6, 3 * DAY),
        (0, 0),
    ] {
        assert_eq!(record.order_at(holding(days(life))), NOW + due, "{life}");
    }
    let by_hand = Present {
        by_hand: true,
        ..holding(days(90))
    };
    assert!(record.order_at(by_hand) <= NOW);
}

#[test]
fn a_moment_in_the_window_of_the_ca_is_drawn_once() {
    let life = days(90);
    let mut record = Record::default();
    let window = (NOW + 40 * DAY, NOW + 41 * DAY);
    record.tell(NOW, life, window, None, 5);
    assert_eq!(record.order_at(holding(life)), window.0 + 5);
    assert_eq!(record.ask_at(), NOW + ASK_AGAIN);
    record.tell(NOW + DAY, life, window, Some(1), 77);
    assert_eq!(record.order_at(holding(life)), window.0 + 5);
    assert_eq!(record.ask_at(), NOW + DAY + HOUR, "not more often");
    // The CA has to revoke it.
    let past = (NOW - 2 * DAY, NOW - DAY);
    record.tell(NOW + 2 * DAY, life, past, Some(u64::MAX), u64::MAX);
    assert!(record.order_at(holding(life)) < NOW);
    assert_eq!(record.ask_at(), NOW + 3 * DAY, "not more rarely");
}

#[test]
fn a_window_that_can_not_be_is_none() {
    let life = days(90);
    for window in [
        (NOW + DAY, NOW + DAY),
        (NOW + 2 * DAY, NOW + DAY),
        (life.until, life.until + DAY),
        (u64::MAX, u64::MAX),
    ] {
        let mut record = Record::default();
        record.tell(NOW, life, window, None, 1);
        assert_eq!(
            record.order_at(holding(life)),
            life.renew_at(),
            "{window:?}"
        );
    }
    // It begins in time and ends after the certificate: what was drawn late does not count.
    let mut record = Record::default();
    record.tell(NOW, life, (NOW, u64::MAX), None, u64::MAX / 2);
    assert_eq!(record.order_at(holding(life)), life.renew_at());
}

#[test]
fn pauses_grow_with_failures_and_end_with_a_success() {
    let mut record = Record::default();
    let mut now = NOW;
    for pause in PAUSES.into_iter().chain([DAY, DAY]) {
        record.fail(now, Cure::Time, None, 0);
        assert_eq!(record.order_at(NONE), now + pause);
        now += pause;
    }
    let mut late = record.clone();
    late.fail(now, Cure::Time, None, u64::MAX);
    let pause = late.order_at(NONE) - now;
    assert!((DAY..=DAY + DAY / 5).contains(&pause), "{pause}");
    record.succeed(now);
    assert_eq!(record.failures, 0);
    record.fail(now, Cure::Time, None, 0);
    assert_eq!(record.order_at(NONE), now + MINUTE);
}

#[test]
fn what_only_the_operator_can_cure_is_tried_once_a_day_or_when_it_has_changed() {
    let mut record = Record::default();
    record.fail(NOW, Cure::Operator, None, 0);
    assert_eq!(record.order_at(NONE), NOW + DAY);
    assert!(record.order_at(ASKED) <= NOW);
    record.change();
    assert!(record.order_at(NONE) <= NOW);
}

#[test]
fn a_ca_that_wants_peace_has_it() {
    let mut record = Record::default();
    record.fail(NOW, Cure::Time, Some(3 * HOUR), 0);
    assert_eq!(record.order_at(NONE), NOW + 3 * HOUR + 1);
    assert_eq!(record.order_at(ASKED), NOW + 3 * HOUR + 1, "also by hand");
    record.change();
    assert_eq!(
        record.order_at(NONE),
        NOW + 3 * HOUR + 1,
        "also for another order"
    );
    record.fail(NOW, Cure::Time, Some(u64::MAX), 0);
    assert_eq!(
        record.order_at(NONE),
        NOW + LONGEST_WAIT + 1,
        "but not for ever"
    );
}

#[test]
fn no_more_than_five_orders_fail_an_hour_whoever_asks() {
    let mut record = Record::default();
    for minute in 0..5 {
        assert!(record.order_at(ASKED) <= NOW + minute * MINUTE);
        record.fail(NOW + minute * MINUTE, Cure::Time, None, 0);
        record.change();
    }
    assert_eq!(record.order_at(NONE), NOW + HOUR);
    assert_eq!(record.order_at(ASKED), NOW + HOUR);
}

#[test]
fn two_certificates_a_day_are_enough_but_for_who_asks() {
    let mut record = Record::default();
    record.succeed(NOW);
    assert!(record.order_at(NONE) <= NOW);
    record.succeed(NOW + HOUR);
    assert_eq!(record.order_at(NONE), NOW + DAY);
    assert!(record.order_at(ASKED) <= NOW);
    record.change();
    assert_eq!(record.order_at(NONE), NOW + DAY, "also of another kind");
}

#[test]
fn certificates_of_hours_are_had_as_often_as_they_end() {
    let (mut record, mut now) = (Record::default(), NOW);
    for _ in 0..30 {
        record.succeed(now);
        let life = Life {
            from: now,
            until: now + 8 * HOUR,
        };
        now = record.order_at(holding(life));
        assert_eq!(now, life.from + 4 * HOUR);
    }
    let life = Life {
        from: now,
        until: now,
    };
    record.succeed(now);
    assert_eq!(record.order_at(holding(life)), now + BETWEEN, "no loop");
}

#[test]
fn no_certificate_is_used_for_more_than_265_days_whoever_says_so() {
    let life = days(100 * 365);
    assert_eq!(life.renew_at(), NOW + 265 * DAY);
    let mut record = Record::default();
    let window = (NOW + 9000 * DAY, NOW + 9001 * DAY);
    record.tell(NOW, life, window, None, 5);
    assert_eq!(record.order_at(holding(life)), NOW + 265 * DAY);
}

#[test]
fn what_can_not_be_used_counts_once_and_is_judged_again_after_an_hour() {
    let mut record = Record::default();
    record.spoil(NOW, true, Cure::Time, 0);
    assert_eq!(record.order_at(NONE), NOW + HOUR);
    record.spoil(NOW + HOUR, false, Cure::Time, 0);
    assert_eq!(record.order_at(NONE), NOW + 2 * HOUR);
    record.spoil(NOW + 2 * HOUR, true, Cure::Time, 0);
    assert_eq!(record.order_at(NONE), NOW + DAY, "two of them a day");
}

#[test]
fn what_a_clock_ahead_has_left_holds_nothing_up() {
    let ahead = NOW + 1500 * DAY;
    let mut record = Record::default();
    record.succeed(ahead);
    record.succeed(ahead);
    record.fail(ahead, Cure::Operator, Some(7 * DAY), 0);
    record.tell_nothing(ahead, None);
    record.mend(NOW);
    assert!(record.order_at(NONE) <= NOW && record.order_at(ASKED) <= NOW);
    assert!(record.ask_at() <= NOW && record.last() <= NOW);
    // What can be stays.
    record.succeed(NOW);
    record.tell_nothing(NOW, Some(u64::MAX));
    record.fail(NOW, Cure::Operator, Some(7 * DAY), u64::MAX);
    let before = record.clone();
    record.mend(NOW);
    assert_eq!(record, before);
}

#[test]
fn a_year_with_a_ca_that_is_down_for_a_week_costs_few_orders() {
    let mut record = Record::default();
    let (mut now, mut life, mut orders) = (NOW, None, 0);
    while now < NOW + 365 * DAY {
        let present = Present {
            life,
            by_hand: false,
        };
        now = now.max(record.order_at(present));
        orders += 1;
        if (NOW + 60 * DAY..NOW + 67 * DAY).contains(&now) {
            record.fail(now, Cure::Time, None, now);
        } else {
            record.succeed(now);
            life = Some(Life {
                from: now,
                until: now + 90 * DAY,
            });
        }
        assert!(life.is_some_and(|life| now < life.until));
    }
    assert!((7..25).contains(&orders), "{orders}");
}

#[test]
fn the_operator_is_told_in_four_stages_and_at_the_end() {
    let end = NOW + 90 * DAY;
    for (now, expected) in [
        (NOW, None),
        (end - 30 * DAY - 1, None),
        (end - 30 * DAY, Some(30)),
        (end - 14 * DAY, Some(14)),
        (end - 8 * DAY, Some(14)),
        (end - 7 * DAY, Some(7)),
        (end - DAY, Some(1)),
        (end, Some(1)),
        (end + 1, Some(0)),
    ] {
        assert_eq!(stage(end, now), expected);
    }
}

#[test]
fn a_record_survives_and_one_of_later_is_read() {
    let mut record = Record::default();
    record.fail(NOW, Cure::Time, Some(5), 3);
    let kept = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&kept).unwrap(), record);
    assert_eq!(
        serde_json::from_str::<Record>(r#"{"later": 1}"#).unwrap(),
        Record::default()
    );
}

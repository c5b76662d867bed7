//! Authenticator apps and recovery codes.

use super::*;

use guard::operators::OFFER_TRIES;
use guard::totp::TotpSecret;

#[tokio::test]
async fn an_authenticator_app_counts_once_a_code_of_it_was_shown() {
    let (lodge, anna) = Lodge::claimed().await;
    let (porter, drawer) = (&lodge.porter, &lodge.drawer);
    let begin = async |code: &str| kind_or(porter.begin_totp(drawer, &anna, typed(code)).await);
    assert_eq!(begin("000000").await, Some(RefusalKind::Conflict));
    let refused = porter.offer_totp(drawer, &anna, proof(OTHER)).await;
    assert_eq!(kind(refused), RefusalKind::Invalid);
    let offer = porter.offer_totp(drawer, &anna, proof(PASSWORD)).await;
    let secret = TotpSecret::try_from(offer.unwrap().secret).unwrap();
    assert!(lodge.login(1, "anna", PASSWORD).await.is_ok());
    assert_eq!(begin("x").await, Some(RefusalKind::Invalid));
    assert_eq!(begin(&secret.code_at(unix())).await, None);
    assert!(porter.session(&anna).unwrap().totp);
    assert_eq!(
        kind(lodge.login(1, "anna", PASSWORD).await),
        RefusalKind::CodeWanted
    );
    let offer = porter.offer_totp(drawer, &anna, proof(PASSWORD)).await;
    assert_eq!(kind(offer), RefusalKind::Conflict);
    let end = async |password: &str, code: Option<&str>| {
        let proof = PasswordProof {
            code: code.map(str::to_owned),
            ..proof(password)
        };
        kind_or(porter.end_totp(drawer, &anna, proof).await)
    };
    let next = secret.code_at(unix() + 30);
    for (password, code) in [
        (OTHER, Some(next.as_str())),
        (PASSWORD, None),
        (PASSWORD, Some("")),
        (PASSWORD, Some("AAAA-AAAA-AAAA")),
    ] {
        assert_eq!(end(password, code).await, Some(RefusalKind::Invalid));
    }
    assert_eq!(end(PASSWORD, Some(&next)).await, None);
    assert!(lodge.login(1, "anna", PASSWORD).await.is_ok());
    assert_eq!(
        end(PASSWORD, Some(&next)).await,
        Some(RefusalKind::Conflict)
    );
    let log = lodge.log();
    let line = "audit anna: typed a wrong code where one of the own authenticator app was wanted";
    assert!(log.contains(line), "{log}");
}

#[tokio::test]
async fn an_app_that_was_offered_is_not_guessed_at_for_ever() {
    let (lodge, anna) = Lodge::claimed().await;
    let (porter, drawer) = (&lodge.porter, &lodge.drawer);
    let begin = async |code: &str| kind_or(porter.begin_totp(drawer, &anna, typed(code)).await);
    let offer = async || {
        let offer = porter.offer_totp(drawer, &anna, proof(PASSWORD)).await;
        TotpSecret::try_from(offer.unwrap().secret).unwrap()
    };
    let secret = offer().await;
    for _ in 0..OFFER_TRIES {
        assert_eq!(begin("x").await, Some(RefusalKind::Invalid));
    }
    let right = secret.code_at(unix());
    assert_eq!(begin(&right).await, Some(RefusalKind::Conflict));
    let log = lodge.log();
    let line = "audit anna: typed a wrong code for a new authenticator app\n";
    assert_eq!(log.matches(line).count(), 5, "{log}");
    let secret = offer().await;
    assert_eq!(begin(&secret.code_at(unix())).await, None);
}

#[tokio::test]
async fn an_admin_ends_the_app_of_another_and_no_app_can_not_be_ended() {
    let (lodge, anna) = Lodge::claimed().await;
    let (porter, drawer) = (&lodge.porter, &lodge.drawer);
    lodge.add("bert", Role::Admin).await.unwrap();
    let remove =
        async |actor: &Actor, name: &str| kind_or(porter.remove_totp(drawer, actor, name).await);
    assert_eq!(remove(&anna, "bert").await, Some(RefusalKind::Conflict));
    assert!(!lodge.log().contains("removed the authenticator app"));
    for by in [&anna, &Actor::Local] {
        let bert = lodge.login(2, "bert", PASSWORD).await.unwrap();
        let bert = lodge.actor(&bert.token).unwrap();
        let offer = porter.offer_totp(drawer, &bert, proof(PASSWORD)).await;
        let secret = TotpSecret::try_from(offer.unwrap().secret).unwrap();
        let code = typed(&secret.code_at(unix()));
        porter.begin_totp(drawer, &bert, code).await.unwrap();
        assert_eq!(remove(&bert, "bert").await, Some(RefusalKind::Forbidden));
        assert_eq!(remove(by, "bert").await, None);
    }
}

#[tokio::test]
async fn codes_of_an_app_are_asked_for_and_good_once() {
    let (lodge, anna) = Lodge::claimed().await;
    let (porter, drawer) = (&lodge.porter, &lodge.drawer);
    let offer = porter.offer_totp(drawer, &anna, proof(PASSWORD)).await;
    let secret = TotpSecret::try_from(offer.unwrap().secret).unwrap();
    let now = unix();
    let code = secret.code_at(now);
    let recovery = porter.begin_totp(drawer, &anna, typed(&code)).await;
    let recovery = recovery.unwrap().codes;
    let next = secret.code_at(now + 30);
    for (password, code, refused) in [
        (OTHER, Some(&recovery[0]), Some(RefusalKind::Unauthorized)),
        (PASSWORD, None, Some(RefusalKind::CodeWanted)),
        (PASSWORD, Some(&code), Some(RefusalKind::CodeWanted)),
        (PASSWORD, Some(&next), None),
        (PASSWORD, Some(&next), Some(RefusalKind::CodeWanted)),
        (PASSWORD, Some(&recovery[0]), None),
        (PASSWORD, Some(&recovery[0]), Some(RefusalKind::CodeWanted)),
        (PASSWORD, Some(&recovery[9]), None),
    ] {
        let code = code.map(String::as_str);
        let answer = lodge.login_with(&visitor(1), "anna", password, code).await;
        assert_eq!(kind_or(answer), refused, "{code:?}");
    }
    assert_eq!(porter.users()[0].recovery_codes_left, 8);
    let log = lodge.log();
    assert!(log.contains("failed sign-in as anna: wrong code"), "{log}");
    assert!(!log.contains(&recovery[0]) && !log.contains(&next), "{log}");
}

#[tokio::test]
async fn a_recovery_code_is_used_up_on_the_disk_before_it_lets_in() {
    let (lodge, anna) = Lodge::claimed().await;
    let (porter, drawer) = (&lodge.porter, &lodge.drawer);
    let offer = porter.offer_totp(drawer, &anna, proof(PASSWORD)).await;
    let secret = TotpSecret::try_from(offer.unwrap().secret).unwrap();
    let code = typed(&secret.code_at(unix()));
    let codes = porter.begin_totp(drawer, &anna, code).await.unwrap().codes;
    let anna = UserName::new("anna").unwrap();
    let started = lodge
        .login_with(&visitor(1), "anna", PASSWORD, Some(&codes[0]))
        .await;
    assert!(started.is_ok());
    let kept = drawer.kept.lock().unwrap().clone().unwrap();
    let left = kept.get(&anna).and_then(|user| user.totp.as_ref());
    assert_eq!(left.unwrap().recovery_codes_left(), 9);
}

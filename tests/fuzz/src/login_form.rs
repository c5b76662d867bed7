use signin::Form;

/// What a form of the login page says is somebody's name, a password, a code, or nothing; and never to be read from its debug form.
pub fn login_form(data: &[u8]) {
    let Some(form) = Form::read(data) else {
        return;
    };
    assert!(data.len() <= 8192);
    if let Some(user) = form.user() {
        let count = user.chars().count();
        assert!((1..=128).contains(&count) && !user.chars().any(char::is_control));
    }
    let code = form.code();
    for secret in form.password().into_iter().chain(&code) {
        let length = secret.as_str().len();
        assert!((1..=1024).contains(&length));
        assert_eq!(format!("{secret:?}"), "Typed(..)");
    }
}

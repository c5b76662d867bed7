use clap::CommandFactory as _;

use super::*;

fn parsed(line: &str) -> Result<Args, clap::Error> {
    Args::try_parse_from(line.split(' '))
}

#[test]
fn the_definitions_are_sound() {
    Args::command().debug_assert();
}

#[test]
fn what_the_manual_shows_is_understood() {
    for line in [
        "gatehouse run --config FILE --state DIR",
        "gatehouse check FILE",
        "gatehouse check FILE --tables --state DIR --json",
        "gatehouse --json explain https://hq.example/ --from 2001:db8::1 --config FILE",
        "gatehouse explain https://hq.example/ --as anna --groups staff,sales --from 203.0.113.9",
        "gatehouse status --json",
        "gatehouse log -f --service proxy -n 5",
        "gatehouse bans",
        "gatehouse bans --json",
        "gatehouse bans add 203.0.113.9",
        "gatehouse bans add 2001:db8::/64 --for 30d --reason x",
        "gatehouse tables --json",
        "gatehouse bans clear 203.0.113.9",
        "gatehouse bans clear 2001:db8::/64",
        "gatehouse bans clear --all",
        "gatehouse reload",
        "gatehouse confirm",
        "gatehouse rollback",
        "gatehouse rollback 12",
        "gatehouse generations",
        "gatehouse diff 12",
        "gatehouse diff 12 14",
        "gatehouse apply FILE",
        "gatehouse apply FILE --trial 10m",
        "gatehouse apply FILE --trial 3600s --json",
        "gatehouse secret set NAME",
        "gatehouse secret list",
        "gatehouse secret rm NAME",
        "gatehouse claim",
        "gatehouse claim --json",
        "gatehouse console",
        "gatehouse console --socket FILE --tty /dev/ttyS0",
        "gatehouse network",
        "gatehouse network --json",
        "gatehouse network set lan 192.168.1.4/24 --gateway 192.168.1.254",
        "gatehouse network set lan dhcp",
        "gatehouse ping pbx.example -c 2",
        "gatehouse lookup pbx.example --json",
        "gatehouse reboot",
        "gatehouse poweroff",
        "gatehouse factory-reset --yes",
        "gatehouse run --config FILE --console /dev/ttyS0",
        "gatehouse metrics",
        "gatehouse role edge",
        "gatehouse man DIR",
    ] {
        understood(line);
    }
}

#[test]
fn what_the_manual_shows_of_users_tokens_and_sessions_is_understood() {
    for line in [
        "gatehouse user list",
        "gatehouse user add anna --role admin",
        "gatehouse user add bert",
        "gatehouse user add login",
        "gatehouse user import .htpasswd",
        "gatehouse token new --access wcs",
        "gatehouse token new --access wcs --expires 1h --note TEXT --json",
        "gatehouse token list",
        "gatehouse token list --access wcs",
        "gatehouse token revoke 12",
        "gatehouse token revoke --access wcs --all",
        "gatehouse token key new --access wcs --note TEXT",
        "gatehouse token key list --access wcs",
        "gatehouse token key revoke 3 --access wcs",
        "gatehouse session list",
        "gatehouse session list --json",
        "gatehouse session end 12",
        "gatehouse session end --user anna@example.com",
        "gatehouse session end --all",
        "gatehouse totp list",
        "gatehouse totp list --json",
        "gatehouse totp reset --access sso --user anna@example.com",
        "gatehouse totp reset --all",
        "gatehouse user role bert operator",
        "gatehouse user password anna",
        "gatehouse user forget-app anna",
        "gatehouse user remove bert",
        "gatehouse user reset --yes",
    ] {
        understood(line);
    }
}

fn understood(line: &str) {
    if let Err(error) = parsed(line) {
        panic!("{line}: {error}");
    }
}

#[test]
fn what_the_manual_shows_of_certificates_is_understood() {
    for line in [
        "gatehouse certificate export hq.example --out hq.p12",
        "gatehouse certificate export hq.example --out hq.p12 --force --passphrase-file FILE",
        "gatehouse certificate export hq.example --chain --out hq.pem --json",
        "gatehouse certificate import hq.p12 --passphrase-file FILE",
        "gatehouse certificate import hq.pem --key hq.key --name hq.example",
        "gatehouse certificate issue anna --out anna.p12 --days 90 --force",
        "gatehouse certificate issued --json",
        "gatehouse certificate revoke anna",
    ] {
        if let Err(error) = parsed(line) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    for line in [
        "gatehouse run",
        "gatehouse check",
        "gatehouse apply",
        "gatehouse apply FILE --trial 10",
        "gatehouse apply FILE --trial 59s",
        "gatehouse apply FILE --trial 2h",
        "gatehouse apply FILE --trial m",
        "gatehouse bans clear",
        "gatehouse bans add",
        "gatehouse bans add x",
        "gatehouse bans add 203.0.113.9 --for 31d",
        "gatehouse bans add 203.0.113.9 --for 59s",
        "gatehouse bans clear x",
        "gatehouse bans clear 203.0.113.0/64",
        "gatehouse bans clear 203.0.113.9 --all",
        "gatehouse rollback -1",
        "gatehouse secret set NAME VALUE",
        "gatehouse certificate export hq.example",
        "gatehouse certificate export hq.example --out FILE --passphrase PASSPHRASE",
        "gatehouse certificate export hq.example --out FILE --chain --passphrase-file FILE",
        "gatehouse user",
        "gatehouse user add",
        "gatehouse user add anna --role root",
        "gatehouse user password anna PASSWORD",
        "gatehouse user add anna --password PASSWORD",
        "gatehouse user import",
        "gatehouse token",
        "gatehouse token new",
        "gatehouse token new --access wcs --expires 0s",
        "gatehouse token new --access wcs --expires 1y",
        "gatehouse token revoke",
        "gatehouse token revoke x",
        "gatehouse token revoke --access wcs",
        "gatehouse token revoke --all",
        "gatehouse token revoke 12 --access wcs --all",
        "gatehouse token key revoke 3",
        "gatehouse session",
        "gatehouse session end",
        "gatehouse session end x",
        "gatehouse session end 12 --all",
        "gatehouse session end 12 --user anna",
        "gatehouse session end --user anna --all",
        "gatehouse totp",
        "gatehouse totp reset",
        "gatehouse totp reset --access sso",
        "gatehouse totp reset --user anna",
        "gatehouse totp reset --access sso --all",
        "gatehouse network set lan",
        "gatehouse network set lan dhcp --gateway nowhere",
        "gatehouse ping pbx.example -c 0",
        "gatehouse explain https://hq.example/ --from nowhere",
        "gatehouse explain https://hq.example/ --groups staff",
        "gatehouse explain https://hq.example/ --as anna --certificate anna.pem",
    ] {
        let error = parsed(line).map(|_| line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn everything_that_is_shown_has_a_help_text() {
    fn visit(command: &clap::Command) {
        for argument in command.get_arguments() {
            let hidden = argument.is_hide_set() || argument.get_id() == "role";
            assert!(hidden || argument.get_help().is_some() || command.is_hide_set());
        }
        for subcommand in command.get_subcommands() {
            assert!(
                subcommand.get_about().is_some(),
                "{}",
                subcommand.get_name()
            );
            visit(subcommand);
        }
    }
    visit(&Args::command());
}

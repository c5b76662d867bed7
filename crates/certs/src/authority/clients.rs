//! Certificates for clients from the box's own CA, and the list of those that hold no more.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use rcgen::string::Ia5String;
use rcgen::{
    CertificateRevocationListParams, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

use super::{CLOCK_TOLERANCE, Ca, LONGEST_COMMON_NAME, is_possible, issue_error, params};
use crate::clients::clean;
use crate::{Error, Material, Validity};

/// Bytes of a serial number (RFC 5280 section 4.1.2.2 allows 20).
const SERIAL: usize = 16;

/// A certificate for a client, with its key.
#[derive(Debug, Clone)]
pub struct ForClient {
    /// Certificate and key.
    pub material: Material,
    /// Its serial number, in hexadecimal digits.
    pub serial: String,
    /// From when until when it is valid.
    pub validity: Validity,
}

impl Ca {
    /// A new P-256 key and a certificate that says who a client is (clientAuth alone), valid from an hour before `now` for `life`, but never beyond
    /// the root.
    ///
    /// `name` is its common name, and stands among its other names as well where it is a mail address or a host name with a dot.
    ///
    /// # Errors
    /// [`Error::BadName`] for a name that is empty, longer than 64 characters or could deceive; [`Error::Issue`] when the root is not valid at `now`.
    pub fn issue_for_client(
        &self,
        name: &str,
        life: Duration,
        now: SystemTime,
    ) -> Result<ForClient, Error> {
        let is_short = name.chars().count() <= LONGEST_COMMON_NAME;
        if !is_short || clean(name).is_none() || name.contains('*') {
            return Err(Error::BadName(name.chars().take(80).collect()));
        }
        self.is_valid_at(now)?;
        let validity = Validity {
            not_before: (now - CLOCK_TOLERANCE).max(self.validity.not_before),
            not_after: (now + life).min(self.validity.not_after),
        };
        let mut serial = [0; SERIAL];
        rand::fill(&mut serial).map_err(|_| Error::Issue("there are no random numbers".into()))?;
        // A positive number, of the same length always.
        serial[0] = serial[0] & 0x3f | 0x40;
        let mut params = params(validity, Some(name));
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.subject_alt_names.extend(alternative(name));
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().map_err(|e| issue_error(&e))?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|e| issue_error(&e))?;
        let material = Material {
            names: vec![name.to_owned()],
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            temporary: false,
            line: None,
        };
        Ok(ForClient {
            material,
            serial: hexadecimal(&serial),
            validity,
        })
    }

    /// The list, in PEM, of certificates that hold no more: serial numbers as [`ForClient`] has them, and since when. `number` grows with every list.
    ///
    /// It holds for as long as the root: who judges by it gets the next one from the box itself.
    ///
    /// # Errors
    /// [`Error::Issue`]: a serial number is none.
    pub fn revocation_list(
        &self,
        revoked: &[(String, SystemTime)],
        number: u64,
        now: SystemTime,
    ) -> Result<String, Error> {
        let revoked_certs = revoked.iter().map(|(serial, since)| {
            let serial = digits(serial)
                .ok_or_else(|| Error::Issue(format!("{serial} is no serial number")))?;
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: date_time_ymd(1970, 1, 1) + since_epoch(*since),
                reason_code: None,
                invalidity_date: None,
            })
        });
        let list = CertificateRevocationListParams {
            // A clock that is far off must not keep anybody from being revoked.
            this_update: date_time_ymd(1970, 1, 1)
                + since_epoch(
                    (now - CLOCK_TOLERANCE).min(self.validity.not_after - CLOCK_TOLERANCE),
                ),
            next_update: date_time_ymd(1970, 1, 1) + since_epoch(self.validity.not_after),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect::<Result<_, Error>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).map_err(|e| issue_error(&e))?;
        list.pem().map_err(|e| issue_error(&e))
    }
}

/// The name once more as what it is, where that can be told.
fn alternative(name: &str) -> Option<SanType> {
    let ia5 = Ia5String::try_from(name).ok()?;
    if let Some((user, host)) = name.split_once('@') {
        let is_mail = !user.is_empty() && is_possible(host);
        return is_mail.then_some(SanType::Rfc822Name(ia5));
    }
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    let is_host = name.contains('.') && is_possible(name) && !is_address;
    is_host.then_some(SanType::DnsName(ia5))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(digit).collect()
}

fn since_epoch(at: SystemTime) -> Duration {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_secs(since.as_secs())
}

fn digits(serial: &str) -> Option<Vec<u8>> {
    let is_sound = serial.len() == 2 * SERIAL && serial.is_ascii();
    let byte = |at: usize| u8::from_str_radix(&serial[at..at + 2], 16).ok();
    is_sound.then(|| (0..serial.len()).step_by(2).map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;

    use super::*;
    use crate::{Clients, OWN_CA, Outdated, PemFile, Usage, Why};

    const DAY: Duration = Duration::from_hours(24);

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_000_000)
    }

    fn leaf(material: &Material) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(material.chain_pem.as_bytes()).unwrap()
    }

    fn clients(ca: &Ca, name: &str, list: Option<&str>) -> Clients {
        let root = PemFile {
            name,
            pem: ca.root_pem(),
        };
        let list = list.map(|pem| PemFile { name, pem });
        Clients::new(&[root], list.as_slice(), Outdated::Refuse).unwrap()
    }

    #[test]
    fn what_is_issued_for_a_client_is_believed_until_it_is_revoked() {
        let ca = Ca::create("gate CA", now()).unwrap();
        let anna = ca
            .issue_for_client("anna@a.example", 30 * DAY, now())
            .unwrap();
        let phone = ca
            .issue_for_client("phone-17.a.example", 30 * DAY, now())
            .unwrap();
        assert_ne!(anna.serial, phone.serial);
        let judge = |clients: &Clients, at| {
            [&anna, &phone].map(|one| clients.verify(&leaf(&one.material), &[], at))
        };
        let [one, two] = judge(&clients(&ca, OWN_CA, None), now()).map(Result::unwrap);
        assert_eq!(one.names().collect::<Vec<_>>(), ["anna@a.example"; 2]);
        assert_eq!(two.names().collect::<Vec<_>>(), ["phone-17.a.example"; 2]);
        let list = ca
            .revocation_list(&[(anna.serial.clone(), now())], 1, now())
            .unwrap();
        let with_list = clients(&ca, OWN_CA, Some(&list));
        let [one, two] = judge(&with_list, now() + 29 * DAY);
        assert_eq!(one.unwrap_err().why, Why::Revoked);
        assert!(two.is_ok(), "the list does not run out");
        let [_, over] = judge(&with_list, now() + 31 * DAY);
        assert!(matches!(over.unwrap_err().why, Why::Expired(_)));
        assert!(with_list.problems(now() + 31 * DAY).is_empty());
        let empty = ca.revocation_list(&[], 2, now()).unwrap();
        assert!(judge(&clients(&ca, OWN_CA, Some(&empty)), now())[0].is_ok());
    }

    #[test]
    fn what_else_the_own_ca_issues_lets_nobody_in() {
        let ca = Ca::create("gate CA", now()).unwrap();
        let identity = ca.issue(&["gate.example"], Usage::Identity, now()).unwrap();
        let server = ca.issue(&["gate.example"], Usage::Server, now()).unwrap();
        let own = clients(&ca, OWN_CA, None);
        let why = |material| own.verify(&leaf(material), &[], now()).unwrap_err().why;
        assert_eq!(why(&identity), Why::NotIssuedForClients);
        assert_eq!(why(&server), Why::NotForClients);
        // Another's CA is judged as the standard says.
        let other = clients(&ca, "partners.pem", None);
        assert!(other.verify(&leaf(&identity), &[], now()).is_ok());
    }

    #[test]
    fn names_that_deceive_are_not_issued() {
        let ca = Ca::create("gate CA", now()).unwrap();
        for name in ["", " anna", "an\nna", "*.a.example", &"x".repeat(65)] {
            let refused = ca.issue_for_client(name, DAY, now()).unwrap_err();
            assert!(matches!(refused, Error::BadName(_)), "{name}");
        }
        for name in ["Jörg Müller", "anna", "a@b@c", "192.0.2.1"] {
            let issued = ca.issue_for_client(name, DAY, now()).unwrap();
            let known = clients(&ca, OWN_CA, None).verify(&leaf(&issued.material), &[], now());
            assert_eq!(known.unwrap().names().collect::<Vec<_>>(), [name]);
        }
        let far = ca.issue_for_client("anna", 9000 * DAY, now()).unwrap();
        assert_eq!(far.validity.not_after, ca.validity().not_after);
        assert!(
            ca.revocation_list(&[("xyz".into(), now())], 1, now())
                .is_err()
        );
    }
}

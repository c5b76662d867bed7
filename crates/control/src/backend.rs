//! What the supervisor provides to the API.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::render::Span;
use crate::{
    Applied, Apply, Ban, CertificateExport, CertificateImport, CertificateStatus, Checked, Cleared,
    ClientCertificate, ConfigText, Derived, Diff, Draft, Entrance, Explanation,
    ExportedCertificate, Fault, Generation, History, Host, ImportedCertificate, IssuedCertificate,
    Journal, MachineOrder, Network, NewBan, NewClientCertificate, Operators, Ordered, Rollback,
    RootCertificate, Secret, Status, ZoneChange,
};

/// What the API asks of the supervisor, for whom [`Operators::acting`] has named.
///
/// # Errors
/// Every method refuses by [`Refusal`], whose message is for the operator.
pub trait Backend: Operators + Entrance {
    /// How the box is.
    fn status(&self) -> impl Future<Output = Result<Status, Refusal>> + Send;

    /// All instruments of all processes, Prometheus text.
    fn metrics(&self) -> impl Future<Output = Result<String, Refusal>> + Send;

    /// Who is banned now.
    fn bans(&self) -> impl Future<Output = Result<Vec<Ban>, Refusal>> + Send;

    /// Bans a client by the operator's hand.
    fn ban(&self, ban: NewBan) -> impl Future<Output = Result<Ban, Refusal>> + Send;

    /// What follows from the configuration in force.
    fn derived(&self) -> impl Future<Output = Result<Derived, Refusal>> + Send;

    /// The hosts that are published.
    fn hosts(&self) -> impl Future<Output = Result<Vec<Host>, Refusal>> + Send;

    /// How the box did for the last so many seconds.
    fn history(&self, seconds: u32) -> impl Future<Output = Result<History, Refusal>> + Send;

    /// Lifts the ban of one address, or all bans.
    fn clear_ban(
        &self,
        client: Option<IpAddr>,
    ) -> impl Future<Output = Result<Cleared, Refusal>> + Send;

    /// Reads the configuration file anew and puts it into force.
    fn reload(&self) -> impl Future<Output = Result<Applied, Refusal>> + Send;

    /// Keeps the generation that is on trial; where one is given, only that one.
    fn confirm(
        &self,
        generation: Option<u32>,
    ) -> impl Future<Output = Result<Applied, Refusal>> + Send;

    /// Gives up a trial, or puts an older generation into force.
    fn rollback(&self, way: Rollback) -> impl Future<Output = Result<Applied, Refusal>> + Send;

    /// All generations that are kept, oldest first.
    fn generations(&self) -> impl Future<Output = Result<Vec<Generation>, Refusal>> + Send;

    /// The text of a generation; none given: the one in force.
    fn config_text(
        &self,
        generation: Option<u32>,
    ) -> impl Future<Output = Result<ConfigText, Refusal>> + Send;

    /// How generation `to` differs from an older one; none given: the one in force from the one before.
    fn diff(
        &self,
        from: Option<u32>,
        to: Option<u32>,
    ) -> impl Future<Output = Result<Diff, Refusal>> + Send;

    /// What there is to say of a text that could become the configuration; changes nothing.
    fn check(&self, draft: Draft) -> impl Future<Output = Result<Checked, Refusal>> + Send;

    /// Puts a text into force.
    fn apply(&self, apply: Apply) -> impl Future<Output = Result<Applied, Refusal>> + Send;

    /// Every certificate that clients are shown, and those that a CA is still to make.
    fn certificates(&self) -> impl Future<Output = Result<Vec<CertificateStatus>, Refusal>> + Send;

    /// Has the certificate of a name ordered from its CA now.
    fn renew_certificate(&self, name: String) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// The root of the box's own CA.
    fn root(&self) -> impl Future<Output = Result<RootCertificate, Refusal>> + Send;

    /// Gives out a certificate: its chain, and its key under a passphrase where there is one.
    fn export_certificate(
        &self,
        export: CertificateExport,
    ) -> impl Future<Output = Result<ExportedCertificate, Refusal>> + Send;

    /// Takes a certificate with its key in, and serves it where the configuration names it.
    fn import_certificate(
        &self,
        import: CertificateImport,
    ) -> impl Future<Output = Result<ImportedCertificate, Refusal>> + Send;

    /// Issues a certificate for a client from the box's own CA.
    fn issue_certificate(
        &self,
        new: NewClientCertificate,
    ) -> impl Future<Output = Result<IssuedCertificate, Refusal>> + Send;

    /// What was issued for clients, the oldest first.
    fn issued_certificates(
        &self,
    ) -> impl Future<Output = Result<Vec<ClientCertificate>, Refusal>> + Send;

    /// Has certificates of clients hold no more: of one serial number, or of one name.
    fn revoke_certificate(
        &self,
        certificate: String,
    ) -> impl Future<Output = Result<Vec<ClientCertificate>, Refusal>> + Send;

    /// The names of the secrets in the store.
    fn secrets(&self) -> impl Future<Output = Result<Vec<String>, Refusal>> + Send;

    /// Stores a secret, in place of one of the same name.
    fn set_secret(&self, secret: Secret) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Forgets a secret.
    fn remove_secret(&self, name: String) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// The networks of the box.
    fn network(&self) -> impl Future<Output = Result<Network, Refusal>> + Send;

    /// Puts a configuration into force that differs in the address of one zone.
    fn set_zone(&self, change: ZoneChange)
    -> impl Future<Output = Result<Applied, Refusal>> + Send;

    /// Has the box as a whole do something.
    fn order(&self, order: MachineOrder) -> impl Future<Output = Result<Ordered, Refusal>> + Send;

    /// What would happen to a request for `url` from `from`; none given: from outside. The client shows a certificate, in PEM, if one is given.
    fn explain(
        &self,
        url: String,
        from: Option<IpAddr>,
        certificate: Option<String>,
    ) -> impl Future<Output = Result<Explanation, Refusal>> + Send;

    /// The log of the box.
    fn journal(&self) -> Journal;
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which kind of reason it is.
    pub kind: RefusalKind,
    /// The reason in the operator's words; several lines where a file has several faults.
    pub message: String,
    /// After how many seconds it can be tried again, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// The faults of a configuration, where that is the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// Kinds of [`Refusal`], each with a status code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// Nobody is signed in, or what was typed is wrong: 401.
    Unauthorized,
    /// The password is right, and a code of the authenticator app is wanted, or another one: 401.
    CodeWanted,
    /// Whoever is signed in may not do it: 403.
    Forbidden,
    /// It was tried too often: 429, with the seconds to wait.
    TooMany,
    /// What was given is wrong: 422.
    Invalid,
    /// There is no such thing: 404.
    NotFound,
    /// It can not be done in this state, such as confirming what is not on trial: 409.
    Conflict,
    /// It can not be done now; later it may: 503.
    Unavailable,
    /// The box failed: 500.
    Failed,
}

impl Refusal {
    /// What was given is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Invalid, message)
    }

    /// Nobody is signed in, or what was typed is wrong.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Unauthorized, message)
    }

    /// A code of the authenticator app is wanted.
    pub fn code_wanted(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::CodeWanted, message)
    }

    /// Whoever is signed in may not do it.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Forbidden, message)
    }

    /// It was tried too often; `wait` is rounded up to whole seconds.
    pub fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self {
            retry_after_seconds: Some(seconds),
            ..Self::new(
                RefusalKind::TooMany,
                format!("too many failures; try again in {}", Span(seconds)),
            )
        }
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::NotFound, message)
    }

    /// It can not be done in this state.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Conflict, message)
    }

    /// It can not be done now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Unavailable, message)
    }

    /// The box failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Failed, message)
    }

    fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after_seconds: None,
            faults: Vec::new(),
        }
    }

    /// The same with the faults of a configuration.
    #[must_use]
    pub fn with_faults(self, faults: Vec<Fault>) -> Self {
        Self { faults, ..self }
    }
}

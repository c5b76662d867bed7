//! Certificates.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Sent};
use crate::schema::Nothing;
use crate::{
    Backend, CertificateExport, CertificateImport, CertificateName, CertificateStatus,
    ClientCertificate, ExportedCertificate, ImportedCertificate, IssuedCertificate,
    NewClientCertificate, Refusal, Revocation, RootCertificate,
};

/// Every certificate of the box, with what happens to it next.
#[utoipa::path(
    get,
    path = "/v1/certificates",
    tag = "certificates",
    responses((status = 200, description = "What clients see, then what is still to come.", body = Vec<CertificateStatus>))
)]
pub(super) async fn certificates<B: Backend>(
    State(api): State<Api<B>>,
) -> Answer<Vec<CertificateStatus>> {
    Ok(Json(api.backend.certificates().await?))
}

/// Has a certificate ordered from its CA now.
#[utoipa::path(
    post,
    path = "/v1/certificates/renew",
    tag = "certificates",
    request_body = CertificateName,
    responses(
        (status = 200, description = "It is ordered; what becomes of it is in the list.", body = Nothing),
        (status = 404, description = "No certificate of this name is had from a CA.", body = Refusal),
        (status = 409, description = "It is being ordered, can not be, or its CA wants no other order yet.", body = Refusal),
        (status = 422, description = "No name was given.", body = Refusal)
    )
)]
pub(super) async fn renew<B: Backend>(
    State(api): State<Api<B>>,
    Sent(certificate): Sent<CertificateName>,
) -> Answer<()> {
    Ok(Json(api.backend.renew_certificate(certificate.name).await?))
}

/// The root of the box's own CA.
#[utoipa::path(
    get,
    path = "/v1/certificates/root",
    tag = "certificates",
    responses((status = 200, description = "To be installed where the box is to be believed.", body = RootCertificate))
)]
pub(super) async fn root<B: Backend>(State(api): State<Api<B>>) -> Answer<RootCertificate> {
    Ok(Json(api.backend.root().await?))
}

/// Gives out a certificate, with its key where a passphrase is given to encrypt it with.
#[utoipa::path(
    post,
    path = "/v1/certificates/export",
    tag = "certificates",
    request_body = CertificateExport,
    responses(
        (status = 200, description = "The chain in PEM, or chain and key as PKCS#12.", body = ExportedCertificate),
        (status = 404, description = "There is no certificate of this name.", body = Refusal),
        (status = 422, description = "No name was given, or a passphrase that is too short.", body = Refusal)
    )
)]
pub(super) async fn export<B: Backend>(
    State(api): State<Api<B>>,
    Sent(export): Sent<CertificateExport>,
) -> Answer<ExportedCertificate> {
    Ok(Json(api.backend.export_certificate(export).await?))
}

/// Takes a certificate with its key in. One that does not fit changes nothing.
#[utoipa::path(
    post,
    path = "/v1/certificates/import",
    tag = "certificates",
    request_body = CertificateImport,
    responses(
        (status = 200, description = "It is kept, and served where the configuration names it.", body = ImportedCertificate),
        (status = 409, description = "Several certificates of the configuration could be meant, or it can not be put where that says.", body = Refusal),
        (status = 422, description = "It can not be read, does not fit its key or its names, or is not in its time.", body = Refusal)
    )
)]
pub(super) async fn import<B: Backend>(
    State(api): State<Api<B>>,
    Sent(import): Sent<CertificateImport>,
) -> Answer<ImportedCertificate> {
    Ok(Json(api.backend.import_certificate(import).await?))
}

/// Issues a certificate for a client from the box's own CA. The box keeps no key of it.
#[utoipa::path(
    post,
    path = "/v1/certificates/issue",
    tag = "certificates",
    request_body = NewClientCertificate,
    responses(
        (status = 200, description = "The file for whoever is to have it.", body = IssuedCertificate),
        (status = 409, description = "More certificates are registered than can be.", body = Refusal),
        (status = 422, description = "The name can not be that of a certificate, or the passphrase is too short.", body = Refusal)
    )
)]
pub(super) async fn issue<B: Backend>(
    State(api): State<Api<B>>,
    Sent(new): Sent<NewClientCertificate>,
) -> Answer<IssuedCertificate> {
    Ok(Json(api.backend.issue_certificate(new).await?))
}

/// What was issued for clients.
#[utoipa::path(
    get,
    path = "/v1/certificates/issued",
    tag = "certificates",
    responses((status = 200, description = "The oldest first.", body = Vec<ClientCertificate>))
)]
pub(super) async fn issued<B: Backend>(
    State(api): State<Api<B>>,
) -> Answer<Vec<ClientCertificate>> {
    Ok(Json(api.backend.issued_certificates().await?))
}

/// Has certificates of clients hold no more, from the next request on.
#[utoipa::path(
    post,
    path = "/v1/certificates/revoke",
    tag = "certificates",
    request_body = Revocation,
    responses(
        (status = 200, description = "Those that held until now.", body = Vec<ClientCertificate>),
        (status = 404, description = "None was issued that is meant.", body = Refusal),
        (status = 409, description = "All of them were revoked before.", body = Refusal),
        (status = 422, description = "No certificate was named.", body = Refusal)
    )
)]
pub(super) async fn revoke<B: Backend>(
    State(api): State<Api<B>>,
    Sent(revocation): Sent<Revocation>,
) -> Answer<Vec<ClientCertificate>> {
    let revoked = api.backend.revoke_certificate(revocation.certificate);
    Ok(Json(revoked.await?))
}

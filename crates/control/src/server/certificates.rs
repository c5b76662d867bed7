//! Certificates.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Sent};
use crate::schema::Nothing;
use crate::{
    Backend, CertificateExport, CertificateName, CertificateStatus, ExportedCertificate, Refusal,
    RootCertificate,
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

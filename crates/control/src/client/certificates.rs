//! What the command line asks about certificates.

use hyper::Method;

use crate::{
    CertificateExport, CertificateName, CertificateStatus, Client, ClientError,
    ExportedCertificate, RootCertificate,
};

impl Client {
    /// Every certificate of the box.
    ///
    /// # Errors
    /// Every method: [`ClientError`].
    pub async fn certificates(&self) -> Result<Vec<CertificateStatus>, ClientError> {
        self.ask(Method::GET, "/v1/certificates", &()).await
    }

    /// Has the certificate of a name ordered from its CA now.
    pub async fn renew_certificate(&self, name: &str) -> Result<(), ClientError> {
        let certificate = CertificateName {
            name: name.to_owned(),
        };
        self.tell(Method::POST, "/v1/certificates/renew", &certificate)
            .await
    }

    /// The root of the box's own CA.
    pub async fn root(&self) -> Result<RootCertificate, ClientError> {
        self.ask(Method::GET, "/v1/certificates/root", &()).await
    }

    /// A certificate, with its key where a passphrase is given.
    pub async fn export_certificate(
        &self,
        export: &CertificateExport,
    ) -> Result<ExportedCertificate, ClientError> {
        self.tell(Method::POST, "/v1/certificates/export", export)
            .await
    }
}

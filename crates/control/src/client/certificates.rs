//! What the command line asks about certificates.

use hyper::Method;

use crate::{
    CertificateExport, CertificateImport, CertificateName, CertificateStatus, Client,
    ClientCertificate, ClientError, ExportedCertificate, ImportedCertificate, IssuedCertificate,
    NewClientCertificate, Revocation, RootCertificate,
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

    /// Takes a certificate with its key into the box.
    pub async fn import_certificate(
        &self,
        import: &CertificateImport,
    ) -> Result<ImportedCertificate, ClientError> {
        self.tell(Method::POST, "/v1/certificates/import", import)
            .await
    }

    /// Has a certificate for a client issued.
    pub async fn issue_certificate(
        &self,
        new: &NewClientCertificate,
    ) -> Result<IssuedCertificate, ClientError> {
        self.tell(Method::POST, "/v1/certificates/issue", new).await
    }

    /// What was issued for clients.
    pub async fn issued_certificates(&self) -> Result<Vec<ClientCertificate>, ClientError> {
        self.ask(Method::GET, "/v1/certificates/issued", &()).await
    }

    /// Has certificates of clients hold no more: of one serial number, or of one name.
    pub async fn revoke_certificate(
        &self,
        certificate: &str,
    ) -> Result<Vec<ClientCertificate>, ClientError> {
        let revocation = Revocation {
            certificate: certificate.to_owned(),
        };
        self.tell(Method::POST, "/v1/certificates/revoke", &revocation)
            .await
    }
}

//! Certificates that leave the box: with their key under a passphrase, or without it.

use crate::supervisor::backend::failed;
use crate::supervisor::gate::Gate;
use certs::{Material, bundle};
use control::{CertificateExport, ExportedCertificate, Refusal, Role};
use data_encoding::BASE64;
use tokio::task::spawn_blocking;

impl Gate {
    /// Gives out a certificate that clients are shown, and says whose hand it was.
    ///
    /// # Errors
    /// There is none of this name, or the passphrase is too short to protect a key.
    pub(in crate::supervisor) async fn give_out(
        &self,
        export: CertificateExport,
    ) -> Result<ExportedCertificate, Refusal> {
        let CertificateExport { name, passphrase } = export;
        if let Some(passphrase) = &passphrase {
            is_long_enough(passphrase)?;
        }
        let material = self
            .with(|state| {
                self.hub.porter.still(&self.actor, Role::Admin)?;
                let found = of_name(&state.running.certificates, &name);
                found.cloned().ok_or_else(|| {
                    Refusal::not_found(format!(
                        "there is no certificate of {name}; `gatehouse certificate list` shows all"
                    ))
                })
            })
            .await?;
        let names = material.names.clone();
        let Some(passphrase) = passphrase else {
            self.audit(format!(
                "exported the certificate of {name} without its key"
            ));
            return Ok(ExportedCertificate {
                names,
                pem: Some(material.chain_pem),
                pkcs12: None,
            });
        };
        let file = sealed(material, passphrase).await?;
        self.audit(format!("exported the certificate of {name} with its key"));
        Ok(ExportedCertificate {
            names,
            pem: None,
            pkcs12: Some(file),
        })
    }
}

/// Key and chain as PKCS#12 in base64. To derive its keys takes a while, and the box has one thread for everything else.
///
/// # Errors
/// The box has no randomness.
pub(super) async fn sealed(material: Material, passphrase: String) -> Result<String, Refusal> {
    let name = certs::subject(&material);
    let write = move || bundle::write(&material, &name, &passphrase);
    let file = spawn_blocking(write).await.map_err(failed)?;
    Ok(BASE64.encode(&file.map_err(failed)?))
}

/// # Errors
/// A passphrase that is guessed sooner than it should be, or longer than any.
pub(super) fn is_long_enough(passphrase: &str) -> Result<(), Refusal> {
    let (least, most) = (
        CertificateExport::SHORTEST_PASSPHRASE,
        CertificateExport::LONGEST_PASSPHRASE,
    );
    if passphrase.chars().count() < least || passphrase.len() > most {
        return Err(Refusal::invalid(format!(
            "the passphrase has to have {least} characters at least, and {most} bytes at most"
        )));
    }
    Ok(())
}

/// The one that is for `name`: by the very name before one that covers it, and what stands in for another last.
fn of_name<'a>(shown: &'a [Material], name: &str) -> Option<&'a Material> {
    let name = certs::normal_name(name);
    let mut found: Vec<_> = shown
        .iter()
        .filter(|one| one.names.iter().any(|known| certs::covers(known, &name)))
        .collect();
    found.sort_by_key(|one| (one.temporary, !one.names.iter().any(|known| *known == name)));
    found.first().copied()
}

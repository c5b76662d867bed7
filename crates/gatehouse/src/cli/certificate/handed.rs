//! Certificates that go from the box into files.

use control::{CertificateExport, Client};
use data_encoding::BASE64;

use super::super::args::FileOut;
use super::super::output::Out;
use super::super::{Done, Failure, hidden};
use super::files;

/// Writes a certificate to a file: with its key, or the `chain` alone.
pub(super) async fn export(
    out: Out,
    client: &Client,
    name: String,
    chain: bool,
    to: &FileOut,
) -> Done {
    // Nobody likes to type a passphrase in vain.
    files::is_free(&to.out, to.force)?;
    let passphrase = match chain {
        true => None,
        false => Some(hidden::new_passphrase(to.passphrase_file.as_deref())?),
    };
    let exported = client
        .export_certificate(&CertificateExport { name, passphrase })
        .await?;
    let content = match (exported.pem, exported.pkcs12) {
        (Some(pem), _) => pem.into_bytes(),
        (None, pkcs12) => decoded(&pkcs12.unwrap_or_default())?,
    };
    files::write(&to.out, &content, to.force)?;
    let file = to.out.display().to_string();
    out.show(
        &serde_json::json!({ "names": exported.names, "file": file }),
        || {
            format!(
                "{file} holds the certificate of {}\n",
                exported.names.join(", ")
            )
        },
    )
}

/// A file that came in base64.
pub(super) fn decoded(text: &str) -> Result<Vec<u8>, Failure> {
    BASE64.decode(text.as_bytes()).map_err(|error| {
        Failure::Refused(format!(
            "the box answered in a way that is not understood: {error}"
        ))
    })
}

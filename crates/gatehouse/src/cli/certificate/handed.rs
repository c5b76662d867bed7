//! Certificates that go from files into the box, and from the box into files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use control::{
    CertificateExport, CertificateImport, Client, ImportedCertificate, NewClientCertificate,
};
use data_encoding::BASE64;

use super::super::args::{FileIn, FileOut};
use super::super::output::{self, Out};
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
    let passphrase = if chain {
        None
    } else {
        Some(hidden::new_passphrase(to.passphrase_file.as_deref())?)
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

/// Has a certificate for a client issued, and writes it to a file.
pub(super) async fn issue(
    out: Out,
    client: &Client,
    name: String,
    days: Option<u16>,
    to: &FileOut,
) -> Done {
    files::is_free(&to.out, to.force)?;
    let passphrase = hidden::new_passphrase(to.passphrase_file.as_deref())?;
    let issued = client
        .issue_certificate(&NewClientCertificate {
            name,
            days,
            passphrase,
        })
        .await?;
    let certificate = &issued.certificate;
    let written = files::write(&to.out, &decoded(&issued.pkcs12)?, to.force);
    if written.is_err() {
        output::note(&format!(
            "gatehouse: the certificate was issued and is lost; revoke {}",
            certificate.serial
        ));
    }
    written?;
    let file = to.out.display().to_string();
    out.show(
        &serde_json::json!({ "certificate": certificate, "file": file }),
        || {
            let (name, until, serial) = (&certificate.name, certificate.expires, &certificate.serial);
            format!("{file} holds the certificate of {name}, good until {until}, serial number {serial}\n")
        },
    )
}

/// Brings a certificate with its key into the box.
pub(super) async fn import(out: Out, client: &Client, from: FileIn) -> Done {
    let file = read(&from.file, CertificateImport::LONGEST_FILE)?;
    let key = from
        .key
        .as_deref()
        .map(|key| text(key, read(key, CertificateImport::LONGEST_KEY)?))
        .transpose()?;
    let is_pem = is_pem(&file);
    let (pem, pkcs12) = if is_pem {
        (Some(text(&from.file, file)?), None)
    } else {
        (None, Some(BASE64.encode(&file)))
    };
    let sealed = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
    let holds_key = key.as_ref().or(pem.as_ref());
    let is_sealed = !is_pem || holds_key.is_some_and(|key| key.contains(sealed));
    let passphrase = if is_sealed {
        let file = from.passphrase_file.as_deref();
        Some(hidden::passphrase(file, "Its passphrase")?)
    } else {
        None
    };
    let imported = client
        .import_certificate(&CertificateImport {
            name: from.name,
            pem,
            key,
            pkcs12,
            passphrase,
        })
        .await?;
    out.show(&imported, || said(&imported))
}

fn said(imported: &ImportedCertificate) -> String {
    let names = imported.names.join(", ");
    let until = imported.expires;
    let mut text = match (imported.line, &imported.lines) {
        (Some(line), _) => {
            format!(
                "the certificate of {names}, good until {until}, is served by line {line} now\n"
            )
        }
        (None, lines) => format!(
            "the certificate of {names}, good until {until}, is kept; so that it is served, put this into the configuration:\n\n{}",
            lines.as_deref().unwrap_or_default()
        ),
    };
    for note in &imported.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

/// Whether it is text of this kind, and not DER.
fn is_pem(file: &[u8]) -> bool {
    let begin = b"-----BEGIN ";
    file.windows(begin.len()).any(|part| part == begin)
}

fn read(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    let unusable =
        |what: String| Failure::Unusable(format!("can not read {}: {what}", path.display()));
    let length = fs::metadata(path).map_err(|error| unusable(error.to_string()))?;
    if length.len() > most as u64 {
        return Err(unusable(format!("it is longer than {most} bytes")));
    }
    fs::read(path).map_err(|error| unusable(error.to_string()))
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes)
        .map_err(|_| Failure::Unusable(format!("{}: this is no text", path.display())))
}

/// A file that came in base64.
pub(super) fn decoded(text: &str) -> Result<Vec<u8>, Failure> {
    BASE64.decode(text.as_bytes()).map_err(|error| {
        Failure::Refused(format!(
            "the box answered in a way that is not understood: {error}"
        ))
    })
}

//! What can be typed after `gatehouse certificate`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum CertificateAction {
    /// List every certificate, with what happens to it next
    List,
    /// Show all there is to say of the certificates of a name
    Show {
        /// The name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Order a certificate from its CA now, whatever is left of the one there is
    ///
    /// The one there is stays in use until the new one is there. What a CA says of its limits is obeyed.
    Renew {
        /// One of its names, as the configuration writes it
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Print the root of the box's own CA, in PEM
    ///
    /// Clients that install it believe what the box shows where no other certificate is there.
    Root,
    /// Write a certificate with its key and chain to a file (PKCS#12), encrypted with a passphrase
    ///
    /// The passphrase is asked for and not shown, or read from standard input or a file. A key never comes out unencrypted.
    #[command(after_help = "Examples:
  gatehouse certificate export hq.example --out hq.p12
  gatehouse certificate export hq.example --chain --out hq.pem")]
    Export {
        /// One of the names of the certificate
        #[arg(value_name = "NAME")]
        name: String,
        /// The chain alone, in PEM: no key, no passphrase
        #[arg(long, conflicts_with = "passphrase_file")]
        chain: bool,
        #[command(flatten)]
        to: FileOut,
    },
    /// Take a certificate with its key into the box, and serve it at once where the configuration names it
    ///
    /// It is checked first: one that does not fit its key, its time or the names of its `[[certificate]]` changes nothing. No
    /// connection is cut. Where the configuration does not name it yet, the lines to put there are printed.
    #[command(after_help = "Examples:
  gatehouse certificate import hq.p12
  gatehouse certificate import hq.pem --key hq.key --name hq.example")]
    Import(FileIn),
    /// Issue a certificate for a phone or a person from the box's own CA, into a file (PKCS#12) with its key
    ///
    /// It opens rules of hosts whose `trusted_clients` name "own". The box keeps no key of it; the passphrase of the file is asked for and
    /// not shown, or read from standard input or a file.
    #[command(after_help = "Examples:
  gatehouse certificate issue anna@example.com --out anna.p12
  gatehouse certificate issue phone-17.example.com --days 90 --out phone-17.p12")]
    Issue {
        /// Whose it is: a name, a mail address or a host name
        #[arg(value_name = "NAME")]
        name: String,
        /// How many days it holds, 1 to 3650: 397 unless said, so that what is forgotten ends within 13 months
        #[arg(long, value_name = "N")]
        days: Option<u16>,
        #[command(flatten)]
        to: FileOut,
    },
    /// List the certificates that were issued for clients
    Issued,
    /// Have a certificate that was issued for a client hold no more, from its next request on
    Revoke {
        /// Its serial number, or its name: then every certificate of that name
        #[arg(value_name = "SERIAL-or-NAME")]
        certificate: String,
    },
}

/// A certificate that goes into the box.
#[derive(Debug, clap::Args)]
pub(crate) struct FileIn {
    /// The certificate and what leads to its CA in PEM, or all of it as PKCS#12
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The key in PEM, where it is in a file of its own; it may be encrypted
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// A name of the `[[certificate]]` that it is for; without it, the one whose names it covers
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Take the passphrase of the key or file from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// A file that a key goes to.
#[derive(Debug, clap::Args)]
pub(crate) struct FileOut {
    /// The file to write, which nobody else may read
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Write it also where there is such a file already
    #[arg(long)]
    pub(crate) force: bool,
    /// Take the passphrase from the first line of this file; 8 characters at least
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

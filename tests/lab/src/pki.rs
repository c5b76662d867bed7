//! Certificates for clients, made by the openssl command as an operator would.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::{Lab, Place};

/// `openssl ca` with a database, so that certificates can begin and end when they like, and be revoked.
const CONFIGURATION: &str = "
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
default_crl_days = 7
[any]
commonName = supplied
[req]
distinguished_name = nothing
[nothing]
[client]
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
[server]
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
";

/// Two authorities, a client each of every sort, and the list of those that `ca.pem` has revoked.
const SCRIPT: &str = r#"
set -e
touch index.txt
echo 1000 > serial
echo 01 > crlnumber
authority() {
    openssl req -config ca.cnf -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$2" \
        -extensions authority -keyout $1.key -out $1.pem
}
issue() {
    openssl req -config ca.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" \
        -keyout $2.key -out $2.csr
    openssl ca -config ca.cnf -batch -notext -cert $1.pem -keyfile $1.key -extensions $4 \
        -startdate $5 -enddate $6 -in $2.csr -out $2.pem
}
authority ca "Lab clients"
authority other "Lab clients"
begin=20250101000000Z
end=20491231235959Z
issue ca alice alice client $begin $end
issue ca bob bob client $begin $end
issue ca carol alice client $begin $end
issue ca expired alice client $begin 20250201000000Z
issue ca server alice server $begin $end
issue other stranger alice client $begin $end
openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -revoke carol.pem
openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -gencrl -out ca.crl
openssl pkcs12 -export -in alice.pem -inkey alice.key -name alice -passout pass:lab -out alice.p12
"#;

/// A folder of certificates and keys: `alice`, `bob`, `carol` (revoked, called alice), `expired`, `server`
/// (serverAuth only), `stranger` (of another authority of the same name), each `.pem` and `.key`.
pub struct Pki {
    dir: PathBuf,
}

impl Pki {
    /// Makes all of it.
    pub fn make(lab: &Lab) -> Result<Self> {
        let dir = lab.dir().join("pki");
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("ca.cnf"), CONFIGURATION)?;
        let script = format!("cd {}\n{SCRIPT}", dir.display());
        lab.run(Place::Internet, &["sh", "-c", &script])?
            .success()?;
        Ok(Self { dir })
    }

    /// Where a file of it is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

//! Authorities of servers and of clients, and the files that they issue.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair,
};

/// An authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, in PEM.
    pub pem: String,
}

impl Authority {
    /// Makes one.
    pub fn new(name: &str) -> Self {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Writes its certificate.
    pub fn file(&self, path: &Path) -> PathBuf {
        fs::write(path, &self.pem).unwrap();
        path.to_owned()
    }

    /// A client's key and certificate in one file, as Java and librdkafka read them.
    pub fn client(&self, name: &str, directory: &Path) -> PathBuf {
        self.client_until(name, directory, None)
    }

    /// The same of a certificate that ends so.
    pub fn client_until(&self, name: &str, directory: &Path, end: Option<SystemTime>) -> PathBuf {
        let mut params = named(name);
        if let Some(end) = end {
            params.not_after = end.into();
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = self.sign(&params);
        let path = directory.join(format!("{name}-{}.pem", fs::read_dir(directory).unwrap().count()));
        fs::write(&path, key + &certificate).unwrap();
        path
    }

    /// Writes a new certificate of the server and its key.
    pub fn server(&self, certificate: &Path, key: &Path) {
        let mut params = named("server");
        let names = ["*.kafka.test", "localhost"].map(|name| name.try_into().unwrap());
        params.subject_alt_names = names.map(rcgen::SanType::DnsName).to_vec();
        let (signed, pair) = self.sign(&params);
        fs::write(key, pair).unwrap();
        fs::write(certificate, signed).unwrap();
    }

    fn sign(&self, params: &CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Firn tests");
    params
}

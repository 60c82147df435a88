//! The authority of `firn dev`: made at the first start, it signs the certificate that Kafka clients are shown.
//!
//! Four files in `tls/` of the data directory (`docs/formats/data-directory.md`). The certificate is made anew when fewer than
//! 30 days are left, or when it does not hold for a name that it must have. Whether it does is asked of the same code that verifies
//! certificates for clients.

use std::fs::{self, DirBuilder};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use firn_runtime::{Env, Timestamp};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::files::CertificateFiles;
use crate::config::TlsFiles;
use crate::exit::Failure;
use crate::private_file::{self, Readers};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the authority is good for.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3652);
/// How long a certificate is good for.
const CERTIFICATE_LIFE: Duration = DAY.saturating_mul(90);
/// How long before its end a certificate is made anew.
const RENEWAL: Duration = DAY.saturating_mul(30);
/// Clocks of clients may be behind.
const CLOCK_SKEW: Duration = Duration::from_secs(60 * 60);
/// How often it is looked whether the certificate must be made anew.
const CHECK_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The authority with its files.
#[derive(Debug)]
pub struct DevAuthority {
    directory: PathBuf,
    /// What the certificate must hold for, beside the addresses of this machine.
    names: Vec<String>,
}

impl DevAuthority {
    /// Makes what is missing in `tls/` of the data directory: the authority, and a certificate for this machine and for the clusters'
    /// names in `cell_domain`.
    pub fn open(data_dir: &Path, cell_domain: Option<&str>, now: Timestamp) -> Result<Self, Failure> {
        let mut names = vec!["localhost".to_owned()];
        names.extend(cell_domain.map(|domain| format!("*.{domain}")));
        let authority = Self {
            directory: data_dir.join("tls"),
            names,
        };
        authority.prepare(now).map_err(|error| {
            Failure::failed(format!(
                "tls-cert: the certificates in {} cannot be made: {error}; they are made anew if the directory is removed, and \
                 clients must then trust the new authority",
                authority.directory.display()
            ))
        })?;
        Ok(authority)
    }

    /// The certificate of the authority, in PEM: what clients must trust.
    pub fn pem(&self) -> Result<String, Failure> {
        let path = self.path("ca.pem");
        fs::read_to_string(&path).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
    }

    /// Where the certificate and its key are.
    pub fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.path("server.pem"),
            key: self.path("server.key"),
        }
    }

    /// Makes the certificate anew whenever it is due, for as long as the task runs.
    pub async fn keep_fresh(self, env: Env) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            match self.renew_if_due(env.now()) {
                Ok(true) => tracing::info!("the certificate was made anew"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "the certificate cannot be made anew; it will be tried again");
                }
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn prepare(&self, now: Timestamp) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)?;
        if !self.path("ca.pem").exists() {
            let key = KeyPair::generate().map_err(io::Error::other)?;
            let certificate = authority_params(now)
                .self_signed(&key)
                .map_err(io::Error::other)?;
            // The certificate comes last: where it is, its key is.
            self.store("ca.key", &key.serialize_pem(), Readers::Owner)?;
            self.store("ca.pem", &certificate.pem(), Readers::Everybody)?;
        }
        self.renew_if_due(now).map(drop)
    }

    /// Makes the certificate anew if it is missing, old, or not for all names; whether it did.
    fn renew_if_due(&self, now: Timestamp) -> io::Result<bool> {
        if self.holds_at(now.plus(RENEWAL)) {
            return Ok(false);
        }
        let key_text = private_file::read(&self.path("ca.key")).map_err(io::Error::other)?;
        let key_text = String::from_utf8(key_text).map_err(io::Error::other)?;
        let key = KeyPair::from_pem(&key_text).map_err(io::Error::other)?;
        let issuer = Issuer::new(authority_params(now), key);
        let (certificate, key) = self.sign(&issuer, now).map_err(io::Error::other)?;
        // Whoever reads between the two finds that they do not belong together, and reads again.
        self.store("server.key", &key.serialize_pem(), Readers::Owner)?;
        self.store("server.pem", &certificate.pem(), Readers::Everybody)?;
        Ok(true)
    }

    fn sign(
        &self,
        issuer: &Issuer<'_, KeyPair>,
        now: Timestamp,
    ) -> Result<(Certificate, KeyPair), rcgen::Error> {
        let mut params = CertificateParams::new(self.names.clone())?;
        let addresses = ADDRESSES.map(SanType::IpAddress);
        params.subject_alt_names.extend(addresses);
        params.distinguished_name = named("Firn on this machine");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        set_life(&mut params, now, CERTIFICATE_LIFE);
        let key = KeyPair::generate()?;
        Ok((params.signed_by(&key, issuer)?, key))
    }

    fn store(&self, name: &str, content: &str, readers: Readers) -> io::Result<()> {
        private_file::write(&self.path(name), content.as_bytes(), readers)
    }

    /// Whether clients that trust the authority would accept the certificate at `moment` for every name and address.
    fn holds_at(&self, moment: Timestamp) -> bool {
        let Ok(shown) = CertificateFiles::read(&self.files()) else {
            return false;
        };
        let Some((server, chain)) = shown.cert.split_first() else {
            return false;
        };
        let Some(verifier) = self.verifier() else {
            return false;
        };
        let moment = UnixTime::since_unix_epoch(moment.since(Timestamp(0)));
        let names = self.names.iter().map(|name| name.replace('*', "any"));
        let names = names.filter_map(|name| ServerName::try_from(name).ok());
        let addresses = ADDRESSES.map(|address| ServerName::IpAddress(address.into()));
        names.chain(addresses).all(|name| {
            verifier
                .verify_server_cert(server, chain, &name, &[], moment)
                .is_ok()
        })
    }

    fn verifier(&self) -> Option<Arc<WebPkiServerVerifier>> {
        let authority = CertificateDer::from_pem_file(self.path("ca.pem")).ok()?;
        let mut roots = RootCertStore::empty();
        roots.add(authority).ok()?;
        WebPkiServerVerifier::builder(Arc::new(roots)).build().ok()
    }
}

/// The addresses of this machine that only this machine reaches.
const ADDRESSES: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

fn authority_params(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("Firn development authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_life(&mut params, now, AUTHORITY_LIFE);
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn set_life(params: &mut CertificateParams, now: Timestamp, life: Duration) {
    let now = date_time_ymd(1970, 1, 1) + now.since(Timestamp(0));
    params.not_before = now - CLOCK_SKEW;
    params.not_after = now + life;
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn content(authority: &DevAuthority) -> [Vec<u8>; 4] {
        ["ca.pem", "ca.key", "server.pem", "server.key"].map(|name| fs::read(authority.path(name)).unwrap())
    }

    fn open(directory: &Path, domain: Option<&str>, now: Timestamp) -> DevAuthority {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        DevAuthority::open(directory, domain, now).unwrap()
    }

    #[test]
    fn the_certificate_holds_for_this_machine_and_for_the_names_of_clusters() {
        let scratch = tempfile::tempdir().unwrap();
        let authority = open(scratch.path(), Some("kafka.example.com"), NOW);
        assert!(authority.holds_at(NOW));
        assert!(authority.holds_at(NOW.plus(CERTIFICATE_LIFE - DAY)));
        assert!(!authority.holds_at(NOW.plus(CERTIFICATE_LIFE + DAY)));
        assert!(
            authority
                .pem()
                .unwrap()
                .starts_with("-----BEGIN CERTIFICATE-----")
        );
        for (name, mode) in [("ca.key", 0o600), ("server.key", 0o600), ("ca.pem", 0o644)] {
            let found = fs::metadata(authority.path(name)).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode, "{name}");
        }
    }

    #[test]
    fn a_certificate_with_a_month_left_stays_and_an_older_one_is_made_anew() {
        let scratch = tempfile::tempdir().unwrap();
        let first = content(&open(scratch.path(), None, NOW));
        let after = |days| NOW.plus(DAY * days);
        assert_eq!(content(&open(scratch.path(), None, after(59))), first);
        let renewed = content(&open(scratch.path(), None, after(61)));
        assert_eq!(renewed[..2], first[..2], "the authority stays");
        assert!(renewed[2] != first[2] && renewed[3] != first[3]);
    }

    #[test]
    fn another_domain_makes_the_certificate_anew_under_the_same_authority() {
        let scratch = tempfile::tempdir().unwrap();
        let first = content(&open(scratch.path(), None, NOW));
        let authority = open(scratch.path(), Some("kafka.example.com"), NOW);
        let second = content(&authority);
        assert_eq!(second[0], first[0]);
        assert_ne!(second[2], first[2]);
        assert!(authority.holds_at(NOW));
    }

    #[test]
    fn broken_files_are_made_anew_but_a_lost_key_of_the_authority_is_reported() {
        let scratch = tempfile::tempdir().unwrap();
        let authority = open(scratch.path(), None, NOW);
        fs::write(authority.path("server.pem"), "garbage").unwrap();
        assert!(open(scratch.path(), None, NOW).holds_at(NOW));
        fs::remove_file(authority.path("ca.key")).unwrap();
        fs::remove_file(authority.path("server.pem")).unwrap();
        let failure = DevAuthority::open(scratch.path(), None, NOW)
            .unwrap_err()
            .to_string();
        assert!(
            failure.starts_with("tls-cert: ") && failure.contains("ca.key does not exist"),
            "{failure}"
        );
    }
}

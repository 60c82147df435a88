//! A certificate and its key in PEM files, read anew when they change.
//!
//! The files are looked at every second by their content, so it does not matter how they are replaced. Pairs that cannot be used are
//! logged once and change nothing: the last one that could be used stays in force. A pair is taken for broken only when it looks the same
//! the next time, since nobody can replace two files at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use firn_broker::Certificates;
use firn_runtime::Env;
use parking_lot::RwLock;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsFiles;
use crate::exit::Failure;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// Why two files are no certificate with its key.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The first cannot be read, or holds no certificate.
    #[error("tls-cert: {0}")]
    Certificate(String),
    /// The second cannot be read, or holds no private key.
    #[error("tls-key: {0}")]
    Key(String),
}

impl Certificates for CertificateFiles {
    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read())
    }
}

impl From<CertificateError> for Failure {
    fn from(error: CertificateError) -> Self {
        Self::Misconfigured(error.to_string())
    }
}

/// The pair in force.
#[derive(Debug)]
pub struct CertificateFiles {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
}

impl CertificateFiles {
    /// Reads the files; a pair that cannot be used is refused.
    pub fn open(files: &TlsFiles) -> Result<Arc<Self>, CertificateError> {
        Ok(Arc::new(Self {
            files: files.clone(),
            current: RwLock::new(Self::read(files)?),
        }))
    }

    /// The pair in two files.
    pub fn read(files: &TlsFiles) -> Result<Arc<CertifiedKey>, CertificateError> {
        pair(&Texts::read(files)?, files)
    }

    /// Follows the files for as long as the task runs.
    pub async fn follow(self: Arc<Self>, env: Env) {
        let mut seen = None;
        let mut told = false;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let this = Arc::clone(&self);
            let look = move || {
                let texts = Texts::read(&this.files);
                match texts {
                    Ok(texts) => (pair(&texts, &this.files), Some(texts)),
                    Err(error) => (Err(error), None),
                }
            };
            let (read, texts) = firn_runtime::blocking(&*env.tasks, look).await;
            let same = seen.as_ref() == Some(&texts);
            seen = Some(texts);
            match read {
                Ok(pair) => {
                    told = false;
                    self.put_in_force(pair);
                }
                Err(error) if same && !told => {
                    told = true;
                    tracing::error!(%error, "the new certificate cannot be used; the last one stays in force");
                }
                Err(_) => told &= same,
            }
        }
    }

    fn put_in_force(&self, pair: Arc<CertifiedKey>) {
        if self.current.read().cert == pair.cert {
            return;
        }
        *self.current.write() = pair;
        tracing::info!(
            certificate = %self.files.certificate.display(),
            "a new certificate is in force for new connections"
        );
    }
}

/// What the files hold.
#[derive(PartialEq, Eq)]
struct Texts {
    certificate: Vec<u8>,
    key: zeroize::Zeroizing<Vec<u8>>,
}

impl Texts {
    fn read(TlsFiles { certificate, key }: &TlsFiles) -> Result<Self, CertificateError> {
        let why = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        Ok(Self {
            certificate: std::fs::read(certificate)
                .map_err(|error| CertificateError::Certificate(why(certificate, error)))?,
            key: std::fs::read(key)
                .map_err(|error| CertificateError::Key(why(key, error)))?
                .into(),
        })
    }
}

fn pair(
    texts: &Texts,
    TlsFiles { certificate, key }: &TlsFiles,
) -> Result<Arc<CertifiedKey>, CertificateError> {
    let no_certificate =
        |why: &str| CertificateError::Certificate(format!("{} {why}", certificate.display()));
    let no_key = |why: &str| CertificateError::Key(format!("{} {why}", key.display()));
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&texts.certificate)
        .collect::<Result<_, _>>()
        .map_err(|error| no_certificate(&format!("is no PEM file: {error}")))?;
    if chain.is_empty() {
        return Err(no_certificate("holds no certificate in PEM"));
    }
    let private =
        PrivateKeyDer::from_pem_slice(&texts.key).map_err(|_| no_key("holds no private key in PEM"))?;
    let signing = rustls::crypto::ring::sign::any_supported_type(&private).map_err(|_| {
        no_key("holds a key of a kind that is not supported: RSA, ECDSA P-256 or P-384, or Ed25519")
    })?;
    let pair = CertifiedKey::new(chain, signing);
    match pair.keys_match() {
        Ok(()) => Ok(Arc::new(pair)),
        Err(error) => Err(no_key(&format!(
            "does not belong to {}: {error}",
            certificate.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn made() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (certificate.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn files(directory: &Path) -> TlsFiles {
        TlsFiles {
            certificate: directory.join("cert.pem"),
            key: directory.join("key.pem"),
        }
    }

    fn write(files: &TlsFiles, (certificate, key): &(String, String)) {
        fs::write(&files.certificate, certificate).unwrap();
        fs::write(&files.key, key).unwrap();
    }

    #[test]
    fn files_that_are_no_pair_are_refused_by_the_name_of_the_setting() {
        let scratch = tempfile::tempdir().unwrap();
        let files = files(scratch.path());
        let refusal = || CertificateFiles::open(&files).unwrap_err().to_string();
        assert!(refusal().starts_with("tls-cert: "), "{}", refusal());
        let (first, second) = (made(), made());
        write(&files, &(first.0.clone(), second.1));
        assert!(
            refusal().starts_with("tls-key: ") && refusal().contains("does not belong to"),
            "{}",
            refusal()
        );
        write(&files, &(first.0.clone(), "garbage".into()));
        assert!(refusal().contains("holds no private key"), "{}", refusal());
        write(&files, &(String::new(), first.1.clone()));
        assert!(refusal().contains("holds no certificate"), "{}", refusal());
        write(&files, &first);
        CertificateFiles::open(&files).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_pair_comes_into_force_and_a_broken_one_does_not() {
        let scratch = tempfile::tempdir().unwrap();
        let files = files(scratch.path());
        let (first, second) = (made(), made());
        write(&files, &first);
        let pair = CertificateFiles::open(&files).unwrap();
        let env = Env::system();
        let following = env.tasks.spawn(Box::pin(Arc::clone(&pair).follow(env.clone())));
        let shown = || pair.current().cert[0].clone();
        let before = shown();
        write(&files, &(second.0.clone(), first.1.clone()));
        tokio::time::sleep(INTERVAL * 5).await;
        assert_eq!(shown(), before, "half of a pair changes nothing");
        fs::remove_file(&files.key).unwrap();
        tokio::time::sleep(INTERVAL * 5).await;
        assert_eq!(shown(), before);
        write(&files, &second);
        tokio::time::sleep(INTERVAL * 5).await;
        assert_ne!(shown(), before);
        following.abort();
    }
}

//! What a cluster's clients show beside keys and passwords: tokens of an identity provider, Firn's own in Kafka, certificates.

use std::io::{Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::life::Life;
use super::search::Secret;
use crate::support::firn::Firn;
use crate::support::identity_provider::{AUDIENCE, IdentityProvider};
use crate::support::rest::{Tenant, id};
use crate::support::tls::{self, TlsStream};

/// A cluster that trusts an identity provider.
pub struct Proofs<'a> {
    firn: &'a Firn,
    tenant: &'a Tenant,
    provider: IdentityProvider,
}

impl<'a> Proofs<'a> {
    /// Of this tenant's cluster.
    pub fn new(firn: &'a Firn, tenant: &'a Tenant) -> Self {
        let provider = IdentityProvider::start();
        Self {
            firn,
            tenant,
            provider,
        }
    }

    fn path(&self, what: &str) -> String {
        format!("/v1/clusters/{}/{what}", self.tenant.cluster)
    }

    /// Shows all of them, rightly and wrongly; `own` is a token of Firn's.
    pub fn show(&self, life: &mut Life, own: &str) {
        let shared: [u8; 32] = rand::random();
        let encoded = URL_SAFE_NO_PAD.encode(shared);
        let mistake = json!({ "kty": "oct", "kid": "shared", "alg": "HS256", "k": encoded });
        self.provider.publish(mistake);
        life.secrets.push(Secret::of_bytes(
            "a secret key among a provider's public ones",
            &encoded,
            &shared,
        ));
        self.tokens(life, own);
        self.certificates(life);
    }

    fn tokens(&self, life: &mut Life, own: &str) {
        let trusted = json!({ "name": "tokens", "issuer": self.provider.issuer(), "audiences": [AUDIENCE] });
        let path = self.path("identity-providers");
        let made = self.tenant.make(&path, &trusted);
        let path = format!("{path}/{}", id(&made));
        let right = self.provider.token("app");
        let mut claims = self.provider.claims("app");
        claims["aud"] = json!("another audience");
        let wrong = self.provider.key().sign(&claims);
        for (token, error) in [
            (right.as_str(), 0),
            (own, 0),
            (&wrong, 58),
            (&format!("{own}x"), 58),
        ] {
            life.secrets.push(Secret::new("a token", token));
            let signature = token.rsplit('.').next().unwrap();
            life.secrets.push(Secret::new("a token's signature", signature));
            let (code, told) = self.bearer(token);
            assert_eq!(code, error, "{told}");
            life.refusals.extend((error != 0).then_some(told));
        }
        let rest = self.tenant.rest();
        for change in [
            json!({ "audiences": right }),
            json!({ "jwks_url": right }),
            json!({ "issuer": right }),
        ] {
            life.mistake(rest, "PATCH", &path, &change);
        }
    }

    /// Gives the private key of a client's certificate where certificates belong.
    fn certificates(&self, life: &mut Life) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        let private = key.serialize_pem();
        for line in private.lines().filter(|line| !line.starts_with('-')) {
            life.secrets.push(Secret::new("a line of a private key", line));
        }
        life.secrets
            .push(Secret::of_bytes("a private key", &private, &key.serialize_der()));
        let rest = self.tenant.rest();
        let pools = self.path("ca-pools");
        let pool = |certificates: Value| json!({ "name": "clients", "certificates": certificates });
        for certificates in [
            json!([private]),
            json!([format!("{certificate}{private}")]),
            json!([certificate, private]),
            json!(private),
        ] {
            life.mistake(rest, "POST", &pools, &pool(certificates));
        }
        let made = self.tenant.make(&pools, &pool(json!([certificate])));
        let path = format!("{pools}/{}", id(&made));
        for change in [
            json!({ "certificates": [private] }),
            json!({ "crls": [private] }),
            json!({ "name": private }),
        ] {
            life.mistake(rest, "PATCH", &path, &change);
        }
    }

    /// Shows a token by OAUTHBEARER: the error code, and all that was answered.
    fn bearer(&self, token: &str) -> (i16, String) {
        let (host, _) = self.tenant.bootstrap.rsplit_once(':').unwrap();
        let config = tls::trusting(&self.firn.ca_file());
        let mut stream = tls::connect(&config, &self.firn.kafka, host).unwrap();
        let mechanism = [&11_u16.to_be_bytes()[..], b"OAUTHBEARER"].concat();
        let (code, told) = ask(&mut stream, 17, &mechanism);
        assert_eq!(code, 0, "{told}");
        let message = format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}");
        let (code, told) = ask(&mut stream, 36, &sized(message.as_bytes()));
        if code != 0 || !told.contains("invalid_token") {
            return (code, told);
        }
        let (code, more) = ask(&mut stream, 36, &sized(b"\x01"));
        (code, told + &more)
    }
}

fn sized(token: &[u8]) -> Vec<u8> {
    let length = u32::try_from(token.len()).unwrap();
    [&length.to_be_bytes()[..], token].concat()
}

/// Sends a request of version 1 without a client id: the error code, which comes first in the answer, and the whole of it.
fn ask(stream: &mut TlsStream, api: u16, body: &[u8]) -> (i16, String) {
    let head = [&api.to_be_bytes()[..], &[0, 1, 0, 0, 0, 9, 0xff, 0xff]].concat();
    stream.write_all(&sized(&[&head[..], body].concat())).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut answer).unwrap();
    let code = i16::from_be_bytes([answer[4], answer[5]]);
    (code, String::from_utf8_lossy(&answer).into_owned())
}

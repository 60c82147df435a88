//! Whom a client claims to be, before it has shown anything: for the audit trail of the cluster that it claims to be of.

use firn_catalog::ids::{ApiKeyId, ClusterId};
use firn_catalog::image::Image;
use firn_secrets::api_key;
use firn_secrets::scram::ClientFirst;

use crate::authentication::mechanism::Mechanism;
use crate::authentication::server_name::Named;

/// What a client claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The cluster, if one is known: by the id of a key, by a generated name, or by the server name.
    pub(crate) cluster: Option<ClusterId>,
    /// The user's name.
    pub(crate) name: String,
}

/// What stands for a name that is a secret, put there by mistake.
const SECRET: &str = "(an API key)";
/// What stands for the name in a ticket, which could not be opened.
const TICKET: &str = "(a ticket)";
/// What stands for the name in a token, which nobody has vouched for.
const TOKEN: &str = "(a token)";

impl Claim {
    /// What a token says; `None`: nothing new. Who shows a ticket claims nothing in clear.
    pub(crate) fn of(
        mechanism: Option<Mechanism>,
        token: &[u8],
        image: &Image,
        slug: Option<&str>,
    ) -> Option<Self> {
        let (name, by_name) = match mechanism? {
            Mechanism::Plain => {
                let text = std::str::from_utf8(token).ok()?;
                let mut parts = text.split('\0').skip(1);
                let (name, key) = (parts.next()?, parts.next()?);
                let key = api_key::parse(key).and_then(|key| image.api_key(ApiKeyId(key.id)));
                (name.to_owned(), key.map(|credential| credential.cluster))
            }
            Mechanism::Scram(_) => {
                let first = ClientFirst::parse(token).ok()?;
                let mut users = image.scram_user(None, first.user()).all().iter();
                let cluster = users.next().map(|credential| credential.cluster);
                (first.user().to_owned(), cluster)
            }
            Mechanism::OAuthBearer => (TOKEN.to_owned(), None),
            Mechanism::Delegation => return None,
            Mechanism::Kerberos => (TICKET.to_owned(), None),
        };
        let by_server_name = match Named::of(slug, image) {
            Named::Cluster(cluster) => Some(cluster.id),
            Named::No | Named::Nobody => None,
        };
        let name = match api_key::resembles(&name) {
            true => SECRET.to_owned(),
            false => name,
        };
        Some(Self {
            cluster: by_name.or(by_server_name),
            name,
        })
    }
}

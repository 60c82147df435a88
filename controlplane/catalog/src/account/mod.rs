//! The account store: organizations, people, projects, roles, and what they are let in with.
//!
//! Each write names its [`crate::commands::Actor`], asks inside its transaction whether a role of the actor's allows it
//! (`Tx::require`), and stores its audit row in the same transaction. What an actor has no role in does not exist for it.
//!
//! A write that takes `rehearsal` does and checks everything and keeps nothing.

mod access;
pub mod api_keys;
mod bindings;
pub mod clusters;
mod credentials;
mod error;
mod idempotency;
mod identities;
mod invitations;
mod login_providers;
mod logins;
mod master_key;
mod members;
mod networks;
mod one_time;
mod operations;
mod organization_limits;
mod organizations;
mod people;
mod projects;
pub mod scram_credentials;
pub mod service_accounts;
mod sessions;
mod signing_keys;

pub(crate) use access::Denied;
pub use bindings::{BindingFilter, Holder, MAX_BINDINGS, RoleBinding};
pub use credentials::ReconciledCredentials;
pub use error::AccountError;
pub use idempotency::{ANSWERS_KEPT, CLAIM_HOLDS, Claim, ClaimId};
pub use identities::{Identity, Linking};
pub use invitations::{Accepting, Invitation, Joined, MAX_INVITATIONS, NewInvitation};
pub use login_providers::{LoginProvider, LoginProviderSettings, MAX_LOGIN_PROVIDERS, Sealed};
pub use logins::{LinkedLogin, MAX_LINKED_LOGINS};
pub use members::Member;
pub use networks::AlterOrganizationNetworks;
pub use one_time::{Kind, OneTime};
pub use operations::Operation;
pub use organization_limits::LimitUse;
pub(crate) use organizations::NewOrganization;
pub use organizations::{FIRST_PROJECT, MAX_OWNED, MAX_TITLE, Organization};
pub use people::{
    Login, MAX_EMAIL_BYTES, MAX_PERSON_NAME, PasswordHash, Person, SignUp, SignedUp, normalize_email,
};
pub use projects::{MAX_PROJECTS, Project};
pub use sessions::{MAX_SESSIONS, MAX_USER_AGENT, NewSession, SESSION_IDLE, SESSION_LIFE, Session};
pub use signing_keys::SigningKey;

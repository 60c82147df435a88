//! Invitations into an organization.
//!
//! A token is mailed; whoever brings it back becomes a member: a person who is logged in with that address, or a new one.
//! Nothing tells who invites whether an address has an account. An organization mails so many in a day, and each address gets so many
//! mails that others ask for.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::{Accepting, Invitation, Joined, NewInvitation, PasswordHash};
use firn_catalog::ids::{InvitationId, OrganizationId};
use firn_secrets::{Secrets, token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::role_bindings::RoleName;
use super::signup::{require_email, require_name};
use crate::accounts;
use crate::mail::letters;
use crate::passwords::{Source, require_strong};
use crate::rules::login_throttle::Origin;
use crate::rules::{
    Body, Caller, Ids, Listing, Moment, Paging, Problem, RequestInfo, Write, created, deleted, ok,
};
use crate::state::Api;

/// How long an invitation can be accepted.
const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The purpose of the digests of tokens.
const DIGEST: &str = "invitation";

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_invitations, create_invitation))
        .routes(routes!(revoke_invitation))
        .routes(routes!(accept_invitation))
}

/// An invitation.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
struct InvitationView {
    /// Its id.
    #[schema(pattern = "^inv_[a-h][a-z2-7]{25}$")]
    id: String,
    /// The address that it is for.
    #[schema(max_length = 254)]
    email: String,
    /// The role in all of the organization that comes with it.
    role: RoleName,
    /// Who invited.
    #[schema(max_length = 300)]
    invited_by: String,
    /// When.
    created_at: Moment,
    /// Until when it can be accepted.
    expires_at: Moment,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let invited_by = invitation.invited_by;
        Self {
            id: invitation.id.public(),
            email: invitation.email,
            role: invitation.role.into(),
            invited_by: invited_by
                .strip_prefix("User:")
                .map_or(invited_by.clone(), str::to_owned),
            created_at: Moment(invitation.created_at),
            expires_at: Moment(invitation.expires_at),
        }
    }
}

/// Who is invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationRequest {
    /// The address.
    #[schema(max_length = 254, format = "email", example = "grace@example.com")]
    email: String,
    /// The role in all of the organization. Nobody gives one that allows more than they may do themselves.
    role: RoleName,
}

/// A token that was mailed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptanceRequest {
    /// The token.
    #[schema(max_length = 100)]
    token: String,
    /// Of a new person: what it is called.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Of a new person: its password.
    #[serde(default)]
    #[schema(min_length = 10, max_length = 200, format = "password")]
    password: Option<String>,
}

/// What became of an accepted invitation.
#[derive(Serialize, ToSchema)]
#[schema(as = Membership)]
struct JoinedView {
    /// The organization.
    #[schema(pattern = "^org_[a-h][a-z2-7]{25}$")]
    organization: String,
    /// What people call it.
    #[schema(max_length = 100)]
    organization_name: String,
    /// The person who is a member now.
    #[schema(pattern = "^per_[a-h][a-z2-7]{25}$")]
    person: String,
    /// The role that it has in all of the organization.
    role: RoleName,
}

impl From<Joined> for JoinedView {
    fn from(joined: Joined) -> Self {
        Self {
            organization: joined.organization.public(),
            organization_name: joined.title,
            person: joined.person.public(),
            role: joined.role.into(),
        }
    }
}

fn digest(secrets: &Secrets, token: &str) -> String {
    secrets.digest(DIGEST, token.as_bytes())
}

/// List invitations
///
/// Those that can still be accepted.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/invitations", tag = "members",
    params(("page_size" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page of invitations", body = Listing<InvitationView>))
)]
async fn list_invitations(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    paging: Paging,
) -> Result<Response, Problem> {
    let after = paging.after_id(InvitationId::from_public)?;
    let found = api
        .catalog
        .invitations(&caller.actor(), organization, after, paging.rows())
        .await?;
    Ok(ok(paging.page(
        found,
        |row| row.id.public(),
        InvitationView::from,
    )))
}

/// Invite somebody
///
/// A token is mailed to the address; it is good for seven days, as long as who invites may give that role. An organization invites at most
/// 50 times in a day. Inviting an address again replaces the invitation.
#[utoipa::path(
    post, path = "/v1/organizations/{organization}/invitations", tag = "members", request_body = InvitationRequest,
    responses((status = 201, description = "Invited", body = InvitationView, headers(("Location" = String))))
)]
async fn create_invitation(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    write: Write,
    Body(body): Body<InvitationRequest>,
) -> Result<Response, Problem> {
    let token = token::generate(&*api.env.random);
    let new = NewInvitation {
        organization,
        email: require_email(&body.email)?,
        role: body.role.into(),
        token: digest(&api.secrets, &token),
        expires_at: api.env.now().plus(LIFE),
    };
    let actor = caller.actor();
    let invite = |rehearsal| api.catalog.create_invitation(&actor, &new, rehearsal);
    let (rehearsed, _) = invite(true).await?;
    let made = if write.rehearsal {
        rehearsed
    } else {
        // Asked once it is clear that only this is in the way: nobody else uses an organization's invitations up.
        let throttle = &api.accounts().throttle;
        throttle
            .admit_invitation(organization, &new.email)
            .map_err(accounts::too_often)?;
        let (made, title) = invite(false).await?;
        let mail = letters::invitation(&api.settings.public_url, &made.email, &title, &token);
        api.accounts().outbox.post(mail);
        made
    };
    let organization = organization.public();
    let location = format!(
        "/v1/organizations/{organization}/invitations/{}",
        made.id.public()
    );
    Ok(created(InvitationView::from(made), location, None))
}

/// Revoke an invitation
#[utoipa::path(
    delete, path = "/v1/organizations/{organization}/invitations/{invitation}", tag = "members",
    responses((status = 204, description = "Revoked"))
)]
async fn revoke_invitation(
    State(api): State<Api>,
    caller: Caller,
    Ids((organization, id)): Ids<(OrganizationId, InvitationId)>,
    write: Write,
) -> Result<Response, Problem> {
    api.catalog
        .revoke_invitation(&caller.actor(), organization, id, write.rehearsal)
        .await?;
    Ok(deleted())
}

/// Accept an invitation
///
/// As the person that is logged in, whose address must be the invited one; or, without a session, as a new person with a name and a
/// password, who can log in afterwards.
#[utoipa::path(
    post, path = "/v1/invitations/accept", tag = "members", request_body = AcceptanceRequest,
    security((), ("session" = [])),
    responses((status = 200, description = "The person is a member", body = JoinedView))
)]
async fn accept_invitation(
    State(api): State<Api>,
    caller: Option<Caller>,
    request: RequestInfo,
    write: Write,
    Body(body): Body<AcceptanceRequest>,
) -> Result<Response, Problem> {
    let origin = Origin::of(request.address);
    let throttle = &api.accounts().throttle;
    throttle.admit_address(origin).map_err(accounts::too_often)?;
    let token = digest(&api.secrets, &Zeroizing::new(body.token));
    let (actor, accepting) = match caller {
        Some(caller) => (caller.actor(), Accepting::Known(caller.person()?)),
        None => {
            let (name, password) = (body.name.as_deref(), body.password);
            let name = require_name("/name", name.unwrap_or_default())?;
            let password = Zeroizing::new(password.unwrap_or_default());
            let email = api.catalog.invited_address(&token).await?;
            require_strong("/password", &password, &email)?;
            let source = Source::Address(origin);
            let password = PasswordHash(api.accounts().passwords.hash(source, password).await?);
            (accounts::stranger(&request), Accepting::New { name, password })
        }
    };
    let joined = api
        .catalog
        .accept_invitation(&actor, &token, &accepting, write.rehearsal)
        .await?;
    Ok(ok(JoinedView::from(joined)))
}

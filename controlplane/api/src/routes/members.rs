//! Members: the people of an organization.

use axum::extract::State;
use axum::response::Response;
use firn_catalog::account::Member;
use firn_catalog::ids::{OrganizationId, PersonId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rules::{Caller, Ids, Listing, Moment, Paging, Problem, Write, deleted, ok};
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list_members))
        .routes(routes!(remove_member))
}

/// A member of an organization.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
struct MemberView {
    /// The person.
    #[schema(pattern = "^per_[a-h][a-z2-7]{25}$")]
    id: String,
    /// What the person is called.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The person's address.
    #[schema(max_length = 254)]
    email: String,
    /// Since when it is a member.
    joined_at: Moment,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            id: member.person.public(),
            name: member.name,
            email: member.email,
            joined_at: Moment(member.joined_at),
        }
    }
}

/// List members
///
/// What roles they have is under role-bindings.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/members", tag = "members",
    params(("page_size" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)),
    responses((status = 200, description = "A page of members", body = Listing<MemberView>))
)]
async fn list_members(
    State(api): State<Api>,
    caller: Caller,
    Ids(organization): Ids<OrganizationId>,
    paging: Paging,
) -> Result<Response, Problem> {
    let after = paging.after_id(PersonId::from_public)?;
    let found = api
        .catalog
        .members(&caller.actor(), organization, after, paging.rows())
        .await?;
    Ok(ok(paging.page(
        found,
        |row| row.person.public(),
        MemberView::from,
    )))
}

/// Remove a member
///
/// With all roles that the person has in the organization. Everybody may leave; the last owner may not.
#[utoipa::path(
    delete, path = "/v1/organizations/{organization}/members/{member}", tag = "members",
    responses((status = 204, description = "Removed"))
)]
async fn remove_member(
    State(api): State<Api>,
    caller: Caller,
    Ids((organization, person)): Ids<(OrganizationId, PersonId)>,
    write: Write,
) -> Result<Response, Problem> {
    api.catalog
        .remove_member(&caller.actor(), organization, person, write.rehearsal)
        .await?;
    Ok(deleted())
}

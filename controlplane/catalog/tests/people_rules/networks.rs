//! From where an organization is reached.

use std::net::IpAddr;

use firn_catalog::access::Role;
use firn_catalog::account::clusters::ClusterFilter;
use firn_catalog::account::{AccountError, AlterOrganizationNetworks};
use firn_catalog::commands::Actor;
use firn_catalog::ids::OrganizationId;
use firn_catalog::networks;

use super::{World, person};

fn change(organization: OrganizationId, texts: &[&str]) -> AlterOrganizationNetworks {
    AlterOrganizationNetworks {
        organization,
        networks: networks::parse(texts).unwrap(),
        expected: None,
        force: false,
    }
}

fn at(actor: &Actor, address: Option<&str>) -> Actor {
    Actor {
        address: address.map(|address| address.parse::<IpAddr>().unwrap()),
        ..actor.clone()
    }
}

pub async fn members_come_from_the_organizations_networks_and_strangers_learn_nothing(world: &World) {
    let catalog = &world.catalog;
    let (ada, _) = world.somebody("ada@x.org").await;
    let (organization, owner) = (world.organization(&ada).await, person(&ada, None));
    let (eve, _) = world.somebody("eve@y.org").await;
    let list = change(organization, &["192.0.2.0/24", "2001:db8::/32"]);
    catalog
        .alter_organization_networks(&owner, &list, false)
        .await
        .unwrap();
    let project = catalog
        .projects(&owner, Some(organization), None, 1)
        .await
        .unwrap()[0]
        .id;
    for here in ["192.0.2.200", "::ffff:192.0.2.3", "2001:db8::7"] {
        let actor = at(&owner, Some(here));
        assert!(catalog.organization(&actor, organization).await.is_ok(), "{here}");
        assert!(catalog.project(&actor, project).await.is_ok(), "{here}");
    }
    let refused = Err(AccountError::AddressNotAllowed);
    for elsewhere in [Some("198.51.100.1"), Some("127.0.0.1"), None] {
        let actor = at(&owner, elsewhere);
        assert_eq!(catalog.organization(&actor, organization).await, refused);
        assert_eq!(
            catalog.project(&actor, project).await.err(),
            Some(AccountError::AddressNotAllowed)
        );
        assert!(
            catalog
                .create_project(&actor, organization, "more", false)
                .await
                .is_err()
        );
        let stranger = at(&person(&eve, None), elsewhere);
        let missing = Err(AccountError::NotFound { what: "organization" });
        assert_eq!(catalog.organization(&stranger, organization).await, missing);
    }
    let told = "SELECT count(*) FROM account_audit WHERE decision = 'denied' AND action = 'create_project'";
    assert_eq!(
        world.number(told).await,
        3,
        "a write from elsewhere is in the trail"
    );
}

pub async fn lists_that_span_organizations_leave_out_what_is_not_reached_from_there(world: &World) {
    let catalog = &world.catalog;
    let (ada, _) = world.somebody("ada@x.org").await;
    let (open, owner) = (world.organization(&ada).await, person(&ada, None));
    let closed = catalog
        .found_organization(&owner, "closed", false)
        .await
        .unwrap()
        .id;
    let list = change(closed, &["192.0.2.1"]);
    catalog
        .alter_organization_networks(&owner, &list, false)
        .await
        .unwrap();
    let elsewhere = at(&owner, Some("198.51.100.1"));
    let organizations = async |actor: &Actor| {
        let mut ids: Vec<_> = catalog
            .organizations(actor, None, 10)
            .await
            .unwrap()
            .iter()
            .map(|one| one.id)
            .collect();
        ids.sort_unstable();
        ids
    };
    let mut both = vec![open, closed];
    both.sort_unstable();
    assert_eq!(organizations(&owner).await, both);
    assert_eq!(organizations(&elsewhere).await, [open]);
    assert_eq!(catalog.projects(&owner, None, None, 10).await.unwrap().len(), 2);
    let projects = catalog.projects(&elsewhere, None, None, 10).await.unwrap();
    assert!(projects.iter().all(|project| project.organization == open) && projects.len() == 1);
    let clusters = catalog
        .clusters(&elsewhere, &ClusterFilter::default(), None, 10)
        .await
        .unwrap();
    assert!(clusters.is_empty());
}

pub async fn nobody_locks_itself_out_without_insisting(world: &World) {
    let catalog = &world.catalog;
    let (ada, _) = world.somebody("ada@x.org").await;
    let (organization, owner) = (world.organization(&ada).await, person(&ada, None));
    let mut list = change(organization, &["198.51.100.0/24"]);
    let refused = catalog.alter_organization_networks(&owner, &list, false).await;
    assert!(
        matches!(refused, Err(AccountError::Protected { .. })),
        "{refused:?}"
    );
    list.expected = Some(networks::version(&list.networks));
    let stale = catalog.alter_organization_networks(&owner, &list, false).await;
    assert!(
        matches!(stale, Err(AccountError::VersionMismatch { .. })),
        "{stale:?}"
    );
    list.expected = Some(networks::version(&[]));
    list.force = true;
    catalog
        .alter_organization_networks(&owner, &list, true)
        .await
        .unwrap();
    assert!(
        catalog.organization(&owner, organization).await.is_ok(),
        "that was a rehearsal"
    );
    catalog
        .alter_organization_networks(&owner, &list, false)
        .await
        .unwrap();
    assert!(catalog.organization(&owner, organization).await.is_err());
    let back = at(&owner, Some("198.51.100.9"));
    let found = catalog.organization_networks(&back, organization).await.unwrap();
    assert_eq!(found, list.networks);
    let viewer = world
        .colleague(&back, organization, "vic@x.org", Role::Viewer)
        .await;
    let viewer = at(&person(&viewer, None), Some("198.51.100.9"));
    let refused = catalog.organization_networks(&viewer, organization).await;
    assert_eq!(refused, Err(AccountError::Forbidden));
    let none = change(organization, &[]);
    let refused = catalog.alter_organization_networks(&viewer, &none, false).await;
    assert_eq!(refused, Err(AccountError::Forbidden));
    catalog
        .alter_organization_networks(&back, &none, false)
        .await
        .unwrap();
    assert!(catalog.organization(&owner, organization).await.is_ok());
    assert_eq!(
        catalog
            .user_in_cluster(&owner, firn_catalog::ids::ClusterId(7))
            .await,
        Err(AccountError::NotFound { what: "cluster" })
    );
}

//! From the name in a TLS handshake to a cluster.

use std::sync::Arc;

use firn_catalog::entities::Cluster;
use firn_catalog::image::Image;

use crate::network::listener::Transport;

/// The cluster's label in a name under the cell's domain, `{slug}` or `{slug}-b{node}`; `None` of any other name. No slug ends
/// like the name of a broker.
pub(crate) fn slug_in(transport: &Transport, cell_domain: Option<&str>) -> Option<Arc<str>> {
    let Transport::Tls {
        server_name: Some(name),
    } = transport
    else {
        return None;
    };
    slug_of(name, cell_domain)
}

/// The same of a name, in lower case.
pub(crate) fn slug_of(name: &str, cell_domain: Option<&str>) -> Option<Arc<str>> {
    let label = name
        .trim_end_matches('.')
        .strip_suffix(cell_domain?)?
        .strip_suffix('.')?;
    if label.is_empty() || label.contains('.') {
        return None;
    }
    let before_number = label.trim_end_matches(|c: char| c.is_ascii_digit());
    let slug = match before_number.strip_suffix("-b") {
        Some(slug) if before_number.len() < label.len() && !slug.is_empty() => slug,
        _ => label,
    };
    Some(slug.into())
}

/// What a connection's server name says of its cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Named<'a> {
    /// Nothing.
    No,
    /// This one.
    Cluster(&'a Arc<Cluster>),
    /// One of this cell's names, which no cluster has.
    Nobody,
}

impl<'a> Named<'a> {
    /// What this slug says, as of this image.
    pub(crate) fn of(slug: Option<&str>, image: &'a Image) -> Self {
        match slug {
            None => Self::No,
            Some(slug) => image.cluster_by_slug(slug).map_or(Self::Nobody, Self::Cluster),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(name: Option<&str>) -> Option<String> {
        let server_name = name.map(str::to_owned);
        slug_in(&Transport::Tls { server_name }, Some("cell.test")).map(|slug| slug.to_string())
    }

    #[test]
    fn names_under_the_cell_s_domain_name_clusters() {
        for (name, expected) in [
            ("shop.cell.test", "shop"),
            ("shop.cell.test.", "shop"),
            ("shop-b0.cell.test", "shop"),
            ("shop-b17.cell.test", "shop"),
            ("shop-b.cell.test", "shop-b"),
            ("shop-17.cell.test", "shop-17"),
            ("-b1.cell.test", "-b1"),
        ] {
            assert_eq!(slug(Some(name)).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn other_names_name_none() {
        for name in [
            None,
            Some("cell.test"),
            Some(".cell.test"),
            Some("a.b.cell.test"),
            Some("shopcell.test"),
            Some("shop.cell.test.evil"),
            Some("localhost"),
        ] {
            assert_eq!(slug(name), None, "{name:?}");
        }
        assert_eq!(slug_in(&Transport::Plaintext, Some("cell.test")), None);
        let server_name = Some("shop.cell.test".to_owned());
        assert_eq!(slug_in(&Transport::Tls { server_name }, None), None);
    }
}

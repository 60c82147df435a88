//! Whom a cluster's pools of certificate authorities let in, and why not the others.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod certificates;

use certificates::{Authority, pool, self_signed};
use firn_catalog::ids::{CaPoolId, ClusterId};
use firn_catalog::trust::{
    AdmittedClient, CaPool, CaPoolBody, CertificateRefused, ClientTrust, NameSource, PrincipalMapping,
};
use firn_runtime::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair,
    KeyUsagePurpose, NameConstraints, SanType, SerialNumber, date_time_ymd,
};
use rustls_pki_types::CertificateDer;

/// 2026-06-01.
const NOW: Timestamp = Timestamp(1_780_272_000_000);

fn trusting(bodies: &[CaPoolBody]) -> ClientTrust {
    let pools: Vec<_> = (1..)
        .zip(bodies)
        .map(|(id, body)| CaPool {
            id: CaPoolId(id),
            cluster: ClusterId(1),
            name: id.to_string(),
            body: body.clone().checked(None).unwrap(),
            version: 1,
            created_at: NOW,
        })
        .collect();
    ClientTrust::of(pools.iter())
}

fn admit(trust: &ClientTrust, chain: &[CertificateDer<'_>]) -> Result<AdmittedClient, CertificateRefused> {
    trust.admit(&chain[0], &chain[1..], NOW)
}

fn refused(trust: &ClientTrust, chain: &[CertificateDer<'_>]) -> Option<CertificateRefused> {
    admit(trust, chain).err()
}

fn nothing(_: &mut CertificateParams) {}

#[test]
fn a_client_of_the_authority_is_who_its_certificate_says() {
    let authority = Authority::new("authority");
    let trust = trusting(&[pool(&[&authority])]);
    let chain = [authority.client("alice", |params| {
        params.not_after = date_time_ymd(2030, 1, 1);
    })];
    let client = admit(&trust, &chain).unwrap();
    assert_eq!(&*client.name, "alice");
    assert_eq!(client.not_after, Timestamp(1_893_456_000_000));
    assert_eq!(client.facts.subject, "CN=alice");
    let digest = ring::digest::digest(&ring::digest::SHA256, &chain[0]);
    assert_eq!(client.certificate.0.to_be_bytes(), digest.as_ref()[..16]);
    assert!(trust.still_admits(&client));
}

/// Fails the test unless each of these chains is refused for its reason.
#[track_caller]
fn assert_refused(trust: &ClientTrust, rows: &[(&str, Vec<CertificateDer<'_>>, CertificateRefused)]) {
    for (what, chain, why) in rows {
        assert_eq!(refused(trust, chain), Some(*why), "{what}");
    }
}

#[test]
fn every_bad_kind_of_certificate_is_refused_for_what_it_is() {
    use CertificateRefused as R;
    let authority = Authority::new("authority");
    let trust = trusting(&[pool(&[&authority])]);
    let client = |change: fn(&mut CertificateParams)| vec![authority.client("alice", change)];
    let broken = {
        let mut der = authority.client("alice", nothing).to_vec();
        let last = der.len() - 1;
        der[last] ^= 1;
        CertificateDer::from(der)
    };
    let for_servers =
        |p: &mut CertificateParams| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let for_encryption = |p: &mut CertificateParams| p.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    let unnamed = |p: &mut CertificateParams| p.distinguished_name.push(DnType::OrganizationName, "o");
    let rows = [
        (
            "expired",
            client(|p| p.not_after = date_time_ymd(2026, 5, 31)),
            R::Expired,
        ),
        (
            "early",
            client(|p| p.not_before = date_time_ymd(2026, 6, 2)),
            R::NotYetValid,
        ),
        ("for servers", client(for_servers), R::WrongUsage),
        ("for encryption", client(for_encryption), R::WrongUsage),
        ("an authority's", vec![authority.der()], R::SelfSigned),
        ("self-signed", vec![self_signed("alice")], R::SelfSigned),
        (
            "nothing that can be read",
            vec![CertificateDer::from(vec![0x30, 3, 1, 1, 0])],
            R::Unreadable,
        ),
        ("no bytes", vec![CertificateDer::from(Vec::new())], R::Unreadable),
        ("changed after it was signed", vec![broken], R::WrongSignature),
        ("of no name", client(unnamed), R::NoName),
        (
            "of a name of Firn's",
            vec![authority.client("ANONYMOUS", nothing)],
            R::NameRefused,
        ),
    ];
    assert_refused(&trust, &rows);
    let strangers = ClientTrust::default();
    assert_eq!(refused(&strangers, &client(nothing)), Some(R::UnknownAuthority));
}

#[test]
fn every_bad_chain_is_refused_for_what_it_is() {
    use CertificateRefused as R;
    let authority = Authority::new("authority");
    let (other, namesake) = (Authority::new("other"), Authority::new("authority"));
    let narrow = authority.authority("narrow", |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let below = narrow.authority("below", nothing);
    let none = Authority::with("none", |params| params.is_ca = IsCa::ExplicitNoCa);
    let constrained = authority.authority("constrained", |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("inside.test".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    });
    let outside = constrained.client("alice", |params| {
        params.subject_alt_names = vec![SanType::DnsName("outside.test".try_into().unwrap())];
    });
    let too_deep = vec![below.client("alice", nothing), below.der(), narrow.der()];
    let six = [vec![authority.client("alice", nothing)], vec![authority.der(); 5]].concat();
    let rows = [
        (
            "of another",
            vec![other.client("alice", nothing)],
            R::UnknownAuthority,
        ),
        (
            "of a namesake",
            vec![namesake.client("alice", nothing)],
            R::WrongSignature,
        ),
        ("longer than the authority allows", too_deep, R::ChainTooLong),
        ("more than five", six, R::ChainTooLong),
        (
            "of no authority",
            vec![none.client("alice", nothing), none.der()],
            R::NotAnAuthority,
        ),
        (
            "not for this name",
            vec![outside, constrained.der()],
            R::NotForSuchNames,
        ),
    ];
    assert_refused(&trusting(&[pool(&[&authority])]), &rows);
}

#[test]
fn a_chain_of_five_leads_to_the_authority_and_lasts_as_long_as_its_shortest_link() {
    let authority = Authority::new("authority");
    let mut links = vec![authority.authority("1", |params| params.not_after = date_time_ymd(2030, 1, 1))];
    for name in ["2", "3", "4"] {
        links.push(links.last().unwrap().authority(name, nothing));
    }
    let client = links.last().unwrap().client("alice", nothing);
    let chain: Vec<_> = [client]
        .into_iter()
        .chain(links.iter().rev().map(Authority::der))
        .collect();
    let trust = trusting(&[pool(&[&authority])]);
    assert_eq!(chain.len(), 5);
    assert_eq!(
        admit(&trust, &chain).unwrap().not_after,
        Timestamp(1_893_456_000_000)
    );
}

#[test]
fn what_an_authority_has_revoked_is_not_let_in_nor_kept_even_by_an_old_list() {
    let authority = Authority::new("authority");
    let middle = authority.authority("middle", |params| {
        params.serial_number = Some(SerialNumber::from(7));
    });
    let numbered = |number: u64| {
        move |params: &mut CertificateParams| params.serial_number = Some(SerialNumber::from(number))
    };
    let direct = [authority.client("alice", numbered(5))];
    let through = [middle.client("bob", numbered(8)), middle.der()];
    let open = trusting(&[pool(&[&authority])]);
    let clients = [admit(&open, &direct).unwrap(), admit(&open, &through).unwrap()];
    for (revoked, expected) in [(5, [true, false]), (7, [false, true]), (8, [false, false])] {
        let mut body = pool(&[&authority]);
        body.revocation_lists = vec![authority.revoking(&[1, revoked, 300])];
        let trust = trusting(&[body]);
        for ((chain, client), is_revoked) in [&direct[..], &through[..]]
            .into_iter()
            .zip(&clients)
            .zip(expected)
        {
            let why = is_revoked.then_some(CertificateRefused::Revoked);
            assert_eq!(refused(&trust, chain), why, "{revoked}");
            assert_eq!(trust.still_admits(client), !is_revoked, "{revoked}");
        }
    }
}

#[test]
fn a_chain_of_many_bytes_is_refused() {
    let authority = Authority::new("authority");
    let trust = trusting(&[pool(&[&authority])]);
    let named = |count: usize| {
        move |params: &mut CertificateParams| {
            let names = (0..count).map(|name| format!("name-{name}.of-the-client.test"));
            params.subject_alt_names = names
                .map(|name| SanType::DnsName(name.as_str().try_into().unwrap()))
                .collect();
        }
    };
    assert_eq!(refused(&trust, &[authority.client("alice", named(100))]), None);
    let large = [authority.client("alice", named(1_000))];
    assert_eq!(refused(&trust, &large), Some(CertificateRefused::ChainTooLong));
}

#[test]
fn two_authorities_of_one_name_overlap_and_a_list_counts_for_the_one_that_signed_it() {
    let (old, new) = (Authority::new("authority"), Authority::new("authority"));
    let numbered = |params: &mut CertificateParams| params.serial_number = Some(SerialNumber::from(5));
    let (of_old, of_new) = ([old.client("alice", numbered)], [new.client("alice", numbered)]);
    let mut body = pool(&[&old, &new]);
    body.revocation_lists = vec![old.revoking(&[5])];
    let trust = trusting(&[body]);
    assert_eq!(refused(&trust, &of_old), Some(CertificateRefused::Revoked));
    let client = admit(&trust, &of_new).unwrap();
    assert!(trust.still_admits(&client));
    assert!(!trusting(&[pool(&[&old])]).still_admits(&client));
}

#[test]
fn an_authority_that_renews_its_certificate_keeps_its_clients() {
    let shared = KeyPair::generate().unwrap().serialize_pem();
    let key = || KeyPair::from_pem(&shared).unwrap();
    let expired = Authority::with_key("authority", key(), |p| p.not_after = date_time_ymd(2026, 1, 1));
    let renewed = Authority::with_key("authority", key(), nothing);
    let chain = [expired.client("alice", nothing)];
    let refused_now = refused(&trusting(&[pool(&[&expired])]), &chain);
    assert_eq!(refused_now, Some(CertificateRefused::AuthorityExpired));
    let client = admit(&trusting(&[pool(&[&expired, &renewed])]), &chain).unwrap();
    assert!(trusting(&[pool(&[&renewed])]).still_admits(&client));
}

#[test]
fn each_pool_names_the_clients_of_its_own_authorities() {
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let mapped = |authority: &Authority, source, rules: &str| CaPoolBody {
        mapping: PrincipalMapping {
            source,
            rules: rules.to_owned(),
        },
        ..pool(&[authority])
    };
    let named = |params: &mut CertificateParams| {
        params.subject_alt_names = vec![
            SanType::IpAddress("127.0.0.1".parse().unwrap()),
            SanType::DnsName("Host.test".try_into().unwrap()),
            SanType::DnsName("second.test".try_into().unwrap()),
            SanType::Rfc822Name("alice@mail.test".try_into().unwrap()),
            SanType::URI("spiffe://cell/alice".try_into().unwrap()),
        ];
    };
    let (of_first, of_second) = ([first.client("alice", named)], [second.client("bob", nothing)]);
    for (source, rules, expected) in [
        (NameSource::Subject, "DEFAULT", "CN=alice"),
        (NameSource::SanDns, "RULE:^(.*)\\.test$/$1/L", "host"),
        (NameSource::SanEmail, "RULE:^(.*)@.*$/$1/U", "ALICE"),
        (NameSource::SanUri, "DEFAULT", "spiffe://cell/alice"),
    ] {
        let trust = trusting(&[mapped(&first, source, rules), pool(&[&second])]);
        let client = admit(&trust, &of_first).unwrap();
        assert_eq!(&*client.name, expected);
        assert_eq!(&*admit(&trust, &of_second).unwrap().name, "bob");
        let other = mapped(&first, source, "RULE:^.*$/somebody/");
        assert!(
            !trusting(&[other]).still_admits(&client),
            "who has another name now is another"
        );
        let longer = mapped(&first, source, &format!("RULE:^nobody$/x/,{rules}"));
        assert!(trusting(&[longer]).still_admits(&client), "the name is the same");
    }
    let trust = trusting(&[mapped(&second, NameSource::SanUri, "DEFAULT")]);
    assert_eq!(refused(&trust, &of_second), Some(CertificateRefused::NoName));
}

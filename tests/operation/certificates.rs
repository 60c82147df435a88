//! What TLS clients are shown: the certificate of `firn dev`'s own authority, and one from files that are replaced while it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::firn::{Firn, FirnOptions, PATIENCE};
use crate::support::tls::{self, Authority};
use crate::support::wait_for;

#[test]
fn whoever_trusts_the_authority_that_dev_serves_can_connect_by_every_name_of_this_machine() {
    let firn = Firn::start(FirnOptions::default().set("cell-domain", "cell.example"));
    let authority = firn.get("/v1/certificate-authority").expect(200);
    assert_eq!(authority.header("content-type"), Some("application/x-pem-file"));
    let file = firn.options().scratch().join("trusted.pem");
    fs::write(&file, &authority.body).unwrap();
    let config = tls::trusting(&file);
    for name in ["localhost", "127.0.0.1", "dev.cell.example"] {
        let mut stream = tls::connect(&config, &firn.kafka, name).unwrap();
        assert!(tls::serves(&mut stream), "{name}");
    }
    let error = tls::connect(&config, &firn.kafka, "elsewhere.example").unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[test]
fn the_authority_and_the_certificate_survive_a_restart_and_their_keys_are_private() {
    let mut firn = Firn::start(FirnOptions::default());
    let directory = firn.options().data_dir().join("tls");
    let content = |name: &str| fs::read(directory.join(name)).unwrap();
    let names = ["ca.pem", "ca.key", "server.pem", "server.key"];
    let before = names.map(content);
    assert_eq!(firn.terminate().code(), Some(0));
    firn.restart();
    assert_eq!(names.map(content), before);
    let key = firn.options().data_dir().join("master.key");
    for private in [key, directory.join("ca.key"), directory.join("server.key")] {
        let mode = fs::metadata(&private).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", private.display());
    }
}

#[test]
fn a_replaced_certificate_is_shown_without_a_restart_and_a_broken_one_is_not() {
    let options = FirnOptions::default();
    let authority = Authority::new(options.scratch());
    authority.issue();
    let [certificate, key] = authority.files();
    let firn = Firn::start(
        options
            .set("tls-cert", certificate.to_str().unwrap())
            .set("tls-key", key.to_str().unwrap()),
    );
    assert_eq!(
        firn.get("/v1/certificate-authority").status,
        404,
        "it is not this process's authority"
    );
    let config = tls::trusting(&authority.file());
    let connect = || tls::connect(&config, &firn.kafka, "localhost").unwrap();
    let mut old = connect();
    let first = tls::shown(&old);

    fs::write(&key, "broken").unwrap();
    let told = wait_for(PATIENCE, || firn.log().contains("cannot be used").then_some(()));
    assert!(told.is_some(), "{}", firn.log());
    assert!(firn.log().contains("tls-key: "), "{}", firn.log());
    assert_eq!(tls::shown(&connect()), first);

    authority.issue();
    let changed = wait_for(PATIENCE, || (tls::shown(&connect()) != first).then_some(()));
    assert!(changed.is_some(), "{}", firn.log());
    assert!(tls::serves(&mut connect()));
    assert!(tls::serves(&mut old), "open connections go on");
}

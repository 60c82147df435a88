//! MIT's Kerberos server on loopback, of whoever runs the tests.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::RngExt as _;
use tempfile::TempDir;

use super::wait_for;

/// The realm.
pub const REALM: &str = "FIRN.TEST";
/// How long the server may take to answer. Generous: two cores may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many ports it tries: somebody else may be quicker to take one.
const TRIES: usize = 10;

/// How wrong clocks may be, in seconds; everywhere in the realm.
pub const SKEW: u64 = 5;

/// A realm with its server; both end when dropped.
pub struct Kdc {
    directory: TempDir,
    child: Child,
}

impl Kdc {
    /// Makes the realm and starts its server.
    pub fn start() -> Self {
        let server = (0..TRIES).find_map(|_| Self::at(free_port()));
        server.expect("krb5kdc stays")
    }

    /// The same on this port; `None` if somebody else was quicker to take it, as the server says by ending.
    fn at(port: u16) -> Option<Self> {
        let directory = tempfile::Builder::new().prefix("firn-kdc-").tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let client = format!(
            "[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n \
             dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n clockskew = {SKEW}\n\
             [realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{port}\n }}\n[domain_realm]\n localhost = {REALM}\n 127.0.0.1 = {REALM}\n"
        );
        fs::write(at("krb5.conf"), client).unwrap();
        let server = format!(
            "[kdcdefaults]\n kdc_listen = \"\"\n kdc_tcp_listen = 127.0.0.1:{port}\n[realms]\n {REALM} = {{\n  \
             database_name = {db}\n  key_stash_file = {stash}\n  supported_enctypes = aes256-cts-hmac-sha1-96:normal\n }}\n\
             [logging]\n kdc = FILE:{log}\n",
            db = at("principal").display(),
            stash = at("stash").display(),
            log = at("kdc.log").display(),
        );
        fs::write(at("kdc.conf"), server).unwrap();
        let mut make = command(directory.path(), "kdb5_util");
        run(make.args(["create", "-s", "-r", REALM, "-P", "master-password-of-a-test"]));
        let mut serve = command(directory.path(), "krb5kdc");
        let log = fs::File::create(at("krb5kdc.out")).unwrap();
        let child = serve.arg("-n").stdout(Stdio::null()).stderr(log).spawn();
        let mut child = child.expect("krb5kdc is there: scripts/need kerberos");
        // By its own log: at the port somebody else may answer.
        let up = wait_for(PATIENCE, || {
            let log = fs::read_to_string(at("kdc.log")).unwrap_or_default();
            match log.contains("commencing operation") {
                true => Some(true),
                false => child.try_wait().unwrap().map(|_| false),
            }
        });
        if up.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        up.expect("krb5kdc begins or ends")
            .then_some(Self { directory, child })
    }

    /// What programs find the realm by, as `KRB5_CONFIG`.
    pub fn config(&self) -> PathBuf {
        self.directory.path().join("krb5.conf")
    }

    /// Makes a principal with a random key; `options` as kadmin has them.
    pub fn add(&self, principal: &str, options: &str) {
        self.admin(&format!("addprinc -randkey {options} {principal}"));
    }

    /// Gives a principal another key.
    pub fn change_key(&self, principal: &str) {
        self.admin(&format!("cpw -randkey {principal}"));
    }

    /// Makes a principal anew, so that it has another key of the same version.
    pub fn replace(&self, principal: &str) {
        self.admin(&format!("delprinc -force {principal}"));
        self.add(principal, "");
    }

    /// A file with the keys of principals, as they are; those that it has already stay in it.
    pub fn keytab(&self, name: &str, principals: &[&str]) -> PathBuf {
        let path = self.directory.path().join(format!("{name}.keytab"));
        let list = principals.join(" ");
        self.admin(&format!("ktadd -norandkey -k {} {list}", path.display()));
        path
    }

    fn admin(&self, query: &str) {
        let mut admin = command(self.directory.path(), "kadmin.local");
        run(admin.args(["-r", REALM, "-q", query]));
    }
}

impl Drop for Kdc {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A port that was free a moment ago, none of those that the system gives to whoever asks for any.
fn free_port() -> u16 {
    let mut tries = (0..100).map(|_| rand::rng().random_range(10_000..30_000));
    let found = tries.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    found.expect("most ports are free")
}

fn command(directory: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env("PATH", format!("{path}:/usr/sbin"))
        .env("KRB5_CONFIG", directory.join("krb5.conf"))
        .env("KRB5_KDC_PROFILE", directory.join("kdc.conf"));
    command
}

fn run(command: &mut Command) {
    let what = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}: scripts/need kerberos"));
    let said = String::from_utf8_lossy(&output.stderr);
    let failed = said
        .lines()
        .any(|line| line.contains("while") || line.contains("rror"));
    assert!(output.status.success() && !failed, "{what}: {said}");
}

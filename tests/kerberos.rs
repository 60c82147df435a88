//! GSSAPI with a real realm: Java's client and librdkafka log in by keytab and do what ACLs allow them; tickets that do not hold
//! are refused, and the log says why. Rules for names give what Kafka's own classes give.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use support::clients::{self, Client, Security};
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::kafka_tools::{KafkaTools, Tool};
use support::kdc::{Kdc, REALM, SKEW};
use support::rest::Tenant;
use support::server::create_topic;
use support::wait_for;

const TOPIC: &str = "tickets";
/// The name of the broker's keytab.
const SERVICE: &str = "service";
/// What the log says of a ticket that the key does not open.
const BROKEN: &str = "authentication failed";
/// What the log says of a token that was shown before.
const REPLAY: &str = "the ticket was shown before: a replay";
/// How long until that is in the log.
const LOGGED: Duration = Duration::from_secs(5);
/// For how many seconds a brief ticket holds: as long as a program may need to begin to use it.
const BRIEF: u64 = 6;
/// How many times a good ticket is got: on a machine that is busy one may come too late.
const TRIES: usize = 5;
/// Kafka's error code.
const SASL_AUTHENTICATION_FAILED: i16 = 58;

/// A realm with the service, and `firn dev` that takes its tickets.
struct Bench {
    kdc: Kdc,
    firn: Firn,
}

impl Bench {
    fn start() -> Self {
        Self::with(FirnOptions::default())
    }

    fn with(options: FirnOptions) -> Self {
        let kdc = Kdc::start();
        let names = ["localhost", "127.0.0.1", "stale", "replaced"].map(|host| format!("kafka/{host}"));
        let names: Vec<_> = names
            .iter()
            .map(String::as_str)
            .chain(["http/localhost"])
            .collect();
        for name in &names {
            kdc.add(name, "");
        }
        let keytab = kdc.keytab(SERVICE, &names);
        let options = options
            .set("kerberos-keytab", keytab.display().to_string())
            .set("kerberos-realm", REALM)
            .set("log-level", "info,firn_kerberos=debug")
            .set("kerberos-rules", r"RULE:[1:$1@$0](.*@FIRN\.TEST)s/@.*//")
            .env("KRB5_CONFIG", kdc.config().display().to_string());
        let firn = Firn::start(options);
        Self { kdc, firn }
    }

    /// A client of this principal, by a keytab of its own.
    fn java(&self, class: &str) -> Client {
        let config = self.kdc.config();
        let flags = format!("-Djava.security.krb5.conf={} -Xshare:auto", config.display());
        clients::java(class).env("JAVA_TOOL_OPTIONS", flags)
    }

    fn security(principal: &str, keytab: &Path) -> Security {
        Security {
            mechanism: "GSSAPI",
            username: principal.to_owned(),
            password: keytab.display().to_string(),
            authority: None,
        }
    }

    fn kcat(&self, principal: &str, keytab: &Path) -> Client {
        let (config, cache) = (self.kdc.config(), keytab.with_extension("cache"));
        clients::kcat()
            .env("KRB5_CONFIG", config.display().to_string())
            .env("KRB5CCNAME", format!("FILE:{}", cache.display()))
            .args(["-b", &self.firn.kafka, "-X", "security.protocol=sasl_plaintext"])
            .args([
                "-X",
                "sasl.mechanisms=GSSAPI",
                "-X",
                "sasl.kerberos.service.name=kafka",
            ])
            .args(["-X", &format!("sasl.kerberos.principal={principal}@{REALM}")])
            .args(["-X", &format!("sasl.kerberos.keytab={}", keytab.display())])
    }

    /// Waits until the log says this.
    fn logged(&self, text: &str) {
        let found = wait_for(PATIENCE, || self.firn.log().contains(text).then_some(()));
        assert!(found.is_some(), "{text} is not in the log:\n{}", self.firn.log());
    }

    /// The error that a first token is answered with.
    fn show(&self, token: &[u8]) -> i16 {
        let mut stream = TcpStream::connect(&self.firn.kafka).unwrap();
        let mechanism = [&6_u16.to_be_bytes()[..], b"GSSAPI"].concat();
        assert_eq!(ask(&mut stream, 17, &mechanism), 0, "the mechanism is offered");
        let length = u32::try_from(token.len()).unwrap().to_be_bytes();
        ask(&mut stream, 36, &[&length[..], token].concat())
    }
}

/// Sends a request of version 1 without a client id; the error code, which comes first in the answer.
fn ask(stream: &mut TcpStream, api: u16, body: &[u8]) -> i16 {
    let head = [&api.to_be_bytes()[..], &[0, 1, 0, 0, 0, 9, 0xff, 0xff]].concat();
    let length = u32::try_from(head.len() + body.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], &head, body].concat()).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut answer).unwrap();
    i16::from_be_bytes([answer[4], answer[5]])
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.trim().as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn short_names_are_what_kafka_s_own_classes_say() {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/kerberos/names.tsv");
    let table = fs::read_to_string(table).unwrap();
    let rows: Vec<_> = table.lines().filter(|line| !line.starts_with('#')).collect();
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("rows");
    fs::write(&input, rows.join("\n")).unwrap();
    let said = clients::java("KerberosNames").input(&input).run();
    let expected: Vec<_> = rows.iter().map(|row| row.rsplit('\t').next().unwrap()).collect();
    let said: Vec<_> = said.lines().collect();
    assert!(said.len() > 40);
    for ((row, expected), said) in rows.iter().zip(expected).zip(said) {
        assert_eq!(said, expected, "{row}");
    }
}

/// Lets alice write and read.
fn allow_alice(tools: &mut KafkaTools) {
    let topic = format!("--operation Read --operation Write --operation Describe --topic {TOPIC}");
    let cluster = "--operation IdempotentWrite --cluster";
    for what in [topic.as_str(), cluster] {
        tools.ok(Tool::Acls, &format!("--add --allow-principal User:alice {what}"));
    }
}

#[test]
fn clients_with_tickets_do_what_acls_allow_and_no_more() {
    let bench = Bench::start();
    let kafka = bench.firn.kafka.clone();
    for principal in ["alice", "bob", "carol/host"] {
        bench.kdc.add(principal, "");
    }
    let keytab = |name: &str| bench.kdc.keytab(&name.replace('/', "-"), &[name]);
    let (alice, bob, carol) = (keytab("alice"), keytab("bob"), keytab("carol/host"));
    create_topic(&kafka, TOPIC, 1, &[]);
    let mut tools = KafkaTools::start(&kafka);
    allow_alice(&mut tools);
    let input = bench.firn.options().scratch().join("records");
    fs::write(&input, "0\t1000\t6b\t6a617661\t\n").unwrap();
    let produce = |principal: &str, keytab: &Path| {
        bench
            .java("Client")
            .security(&Bench::security(&format!("{principal}@{REALM}"), keytab))
            .input(&input)
            .args(["produce", &kafka, TOPIC, "none"])
    };
    let denied = |principal: &str, keytab: &Path| {
        let output = produce(principal, keytab).into_command().output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let refused = !output.status.success() && said.contains("AuthorizationException");
        assert!(refused, "{principal}: {said}");
    };
    produce("alice", &alice).run();
    let text = bench.firn.options().scratch().join("text");
    fs::write(&text, "k:kcat\n").unwrap();
    bench
        .kcat("alice", &alice)
        .args(["-P", "-t", TOPIC, "-K", ":", "-p", "0"])
        .input(&text)
        .run();
    let all = ["-C", "-t", TOPIC, "-p", "0", "-o", "beginning", "-c", "2"];
    let read = || bench.kcat("alice", &alice).args(all).args(["-f", "%k=%s\n"]);
    assert_eq!(read().run(), "k=java\nk=kcat\n");
    let text = bench
        .java("Client")
        .security(&Bench::security(&format!("alice@{REALM}"), &alice))
        .args(["text", &kafka, TOPIC, "2"])
        .run();
    assert_eq!(text, "0\tk\tjava\n0\tk\tkcat\n");
    // Whoever is known may do nothing without an ACL; whoever has no name is refused.
    denied("bob", &bob);
    let refused = bench
        .kcat("carol/host", &carol)
        .args(["-L", "-m", "5"])
        .into_command()
        .output()
        .unwrap();
    assert!(!refused.status.success());
    bench.logged("no rule gives the principal a name");
    // What is denied on top is allowed no longer, to either client.
    let args =
        format!("--add --deny-principal User:alice --operation Read --operation Write --topic {TOPIC}");
    tools.ok(Tool::Acls, &args);
    denied("alice", &alice);
    let refused = read().arg("-e").into_command().output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("Topic authorization failed"), "{said}");
    assert_eq!(String::from_utf8_lossy(&refused.stdout), "");
}

#[test]
fn tickets_that_do_not_hold_are_refused_and_the_log_says_why() {
    let bench = Bench::start();
    bench.kdc.add("alice", "");
    bench.kdc.add("brief", &format!("-maxlife {BRIEF}seconds"));
    bench.kdc.change_key("kafka/stale");
    bench.kdc.replace("kafka/replaced");
    let keytab = bench.kdc.keytab("both", &["alice", "brief"]);
    let tokens = |services: &[&str]| -> Vec<Vec<u8>> {
        let java = bench.java("KerberosTokens").arg(&keytab);
        java.args(services).run().lines().map(unhex).collect()
    };
    let others = ["http@localhost", "kafka@stale", "kafka@replaced"].map(|service| ["alice", service]);
    let others = tokens(&[&others.concat()[..], &["brief", "kafka@localhost"]].concat());
    let [foreign, stale, replaced, brief] = &others[..] else {
        panic!("{} tokens", others.len());
    };
    // One that is shown in time, and shown again in time: it says of when it is, and clocks may be wrong by little.
    let shown_twice = (0..TRIES).find_map(|_| {
        let good = tokens(&["alice", "kafka@localhost"]).remove(0);
        let taken = bench.show(&good) == 0;
        assert_eq!(bench.show(&good), SASL_AUTHENTICATION_FAILED);
        let replay = || bench.firn.log().contains(REPLAY).then_some(());
        (taken && wait_for(LOGGED, replay).is_some()).then_some(good)
    });
    let good = &shown_twice.unwrap_or_else(|| panic!("no good ticket is taken:\n{}", bench.firn.log()));
    let refused = |token: &[u8], why: &str| {
        assert_eq!(bench.show(token), SASL_AUTHENTICATION_FAILED, "{why}");
        bench.logged(why);
    };
    refused(foreign, "the ticket is for another service");
    refused(stale, "another service or key than the keytab has");
    let failures = bench.firn.log().matches(BROKEN).count();
    refused(replaced, BROKEN);
    let more = || (bench.firn.log().matches(BROKEN).count() > failures).then_some(());
    assert!(wait_for(PATIENCE, more).is_some(), "{}", bench.firn.log());
    refused(b"nonsense", "the token cannot be accepted");
    let mut garbled = good.clone();
    *garbled.last_mut().unwrap() ^= 1;
    refused(&garbled, BROKEN);
    thread::sleep(Duration::from_secs(BRIEF + SKEW + 1));
    refused(brief, "mechanism=\"GSSAPI\"");
    let log = bench.firn.log();
    assert!(
        log.contains("the ticket has expired") || log.contains("clock"),
        "{log}"
    );
    assert_eq!(log.matches("panicked").count(), 0);
}

#[test]
fn a_client_speaks_for_itself_alone_and_no_longer_than_its_ticket_holds() {
    let bench = Bench::start();
    bench.kdc.add("alice", "");
    bench.kdc.add("brief", &format!("-maxlife {BRIEF}seconds"));
    let keytab = bench.kdc.keytab("both", &["alice", "brief"]);
    let (host, port) = bench.firn.kafka.split_once(':').unwrap();
    let (own, foreign) = (format!("alice@{REALM}"), format!("bob@{REALM}"));
    let said = bench
        .java("KerberosLogin")
        .arg(&keytab)
        .args([host, port])
        .args(["alice", "-", "go", "alice", &own, "go", "alice", "alice", "go"])
        .args(["alice", &foreign, "go", "alice", "bob", "go"])
        .args(["brief", "-", "wait"])
        .run();
    let said: Vec<_> = said.lines().collect();
    let lifetime = |line: &str| {
        let (code, rest) = line.split_once(' ').unwrap();
        assert_eq!(code, "0", "{said:?}");
        rest.trim_end_matches(" closed").parse::<u64>().unwrap()
    };
    let [plain, own, short, foreign, other, brief] = said[..] else {
        panic!("{said:?}");
    };
    for line in [plain, own, short] {
        assert!(lifetime(line) > 60_000, "the ticket holds for hours: {said:?}");
    }
    for line in [foreign, other] {
        assert_eq!(line, format!("{SASL_AUTHENTICATION_FAILED} 0"));
    }
    bench.logged("the authorization identity is somebody else");
    assert!(
        (1..=(BRIEF + SKEW) * 1_000).contains(&lifetime(brief)),
        "{said:?}"
    );
    assert!(brief.ends_with(" closed"), "{said:?}");
}

#[test]
fn tickets_are_for_the_one_cluster_whose_they_are() {
    let bench = Bench::with(FirnOptions::default().set("cell-domain", "kafka.test"));
    bench.kdc.add("alice", "");
    let alice = bench.kdc.keytab("alice", &["alice"]);
    let tenant = Tenant::new(&bench.firn.http, "foreign", None);
    let (slug, _) = tenant.bootstrap.split_once('.').unwrap();
    let (_, port) = bench.firn.kafka.rsplit_once(':').unwrap();
    let mut names = String::new();
    for host in ["dev", "dev-b0", slug].map(|label| format!("{label}.kafka.test")) {
        names.push_str(&format!("127.0.0.1 {host}\n"));
        let service = format!("kafka/{host}");
        bench.kdc.add(&service, "");
        bench.kdc.keytab(SERVICE, &[&service]);
    }
    let hosts = bench.firn.options().scratch().join("hosts");
    fs::write(&hosts, names).unwrap();
    let security = Security {
        authority: Some(bench.firn.ca_file()),
        ..Bench::security(&format!("alice@{REALM}"), &alice)
    };
    let input = bench.firn.options().scratch().join("records");
    fs::write(&input, "0\t1000\t6b\t6a617661\t\n").unwrap();
    let said = |label: &str| {
        let flags = format!(
            "-Djdk.net.hosts.file={} -Djava.security.krb5.conf={} -Xshare:auto",
            hosts.display(),
            bench.kdc.config().display()
        );
        let client = bench.java("Client").env("JAVA_TOOL_OPTIONS", flags);
        let address = format!("{label}.kafka.test:{port}");
        let client = client.security(&security).input(&input);
        let client = client.args(["produce", &address, TOPIC, "none"]);
        let output = client.into_command().output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let own = said("dev");
    assert!(
        own.contains("AuthorizationException"),
        "known, without an ACL: {own}"
    );
    let foreign = said(slug);
    assert!(foreign.contains("SaslAuthenticationException"), "{foreign}");
    bench.logged("the server name is not that of the cluster whose clients show tickets");
}

#[test]
fn a_broker_that_cannot_take_tickets_does_not_start_and_says_what_is_missing() {
    let kdc = Kdc::start();
    kdc.add("http/localhost", "");
    let keytab = kdc.keytab("http", &["http/localhost"]);
    let options = FirnOptions::default()
        .set("kerberos-keytab", keytab.display().to_string())
        .set("kerberos-realm", REALM)
        .env("KRB5_CONFIG", kdc.config().display().to_string());
    let ended = Firn::try_start(options.clone())
        .err()
        .expect("it has no key for kafka");
    assert!(
        ended
            .stderr
            .contains("no key that can be used for the service kafka"),
        "{}",
        ended.stderr
    );
    let ended = Firn::try_start(
        options
            .set("kerberos-service", "http")
            .set("kerberos-rules", "RULE:[1:$3]"),
    );
    let ended = ended.err().expect("there is no such component");
    assert!(ended.stderr.contains("RULE:[1:$3]"), "{}", ended.stderr);
}

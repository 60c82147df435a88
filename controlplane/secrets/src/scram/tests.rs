//! The vectors of RFC 7677 (and one for SHA-512), and everything that a client may get wrong.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use firn_runtime::{Random, SystemRandom};

use super::*;

fn decoy() -> Decoy {
    Decoy {
        salt: vec![7; 24],
        iterations: ITERATIONS,
    }
}

/// A client, written from RFC 5802 apart from the server.
struct Client {
    mechanism: Mechanism,
    header: &'static str,
    bare: String,
    password: &'static str,
}

impl Client {
    fn new(mechanism: Mechanism, user: &str, password: &'static str) -> Self {
        Self {
            mechanism,
            header: "n,,",
            bare: format!("n={user},r=fyko+d2lbbFgONRv9qkxdawL"),
            password,
        }
    }

    fn first(&self) -> ClientFirst {
        ClientFirst::parse(format!("{}{}", self.header, self.bare).as_bytes()).unwrap()
    }

    /// The final message, and the signature that the server must answer with.
    fn last(&self, server_first: &str, change: impl Fn(&mut String)) -> (String, String) {
        let field = |name: &str| {
            let mut parts = server_first.split(',');
            parts.find_map(|part| part.strip_prefix(name)).unwrap()
        };
        let salt = STANDARD.decode(field("s=")).unwrap();
        let iterations = field("i=").parse().unwrap();
        let mut salted = vec![0; self.mechanism.digest_length()];
        let rounds = NonZeroU32::new(iterations).unwrap();
        pbkdf2::derive(
            self.mechanism.pbkdf2(),
            rounds,
            &salt,
            self.password.as_bytes(),
            &mut salted,
        );
        let mut without_proof = format!("c={},r={}", STANDARD.encode(self.header), field("r="));
        change(&mut without_proof);
        let signed = format!("{},{server_first},{without_proof}", self.bare);
        let client_key = self.mechanism.hmac(&salted, b"Client Key");
        let stored_key = self.mechanism.hash(client_key.as_ref());
        let signature = self.mechanism.hmac(stored_key.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(key, signature)| key ^ signature)
            .collect();
        let server_key = self.mechanism.hmac(&salted, b"Server Key");
        let expected = self.mechanism.hmac(server_key.as_ref(), signed.as_bytes());
        (
            format!("{without_proof},p={}", STANDARD.encode(proof)),
            format!("v={}", STANDARD.encode(expected)),
        )
    }
}

/// Runs an exchange of `client` against these verifiers; `change` alters the final message before it is signed.
fn exchange(
    client: &Client,
    verifiers: &[&Verifier],
    change: impl Fn(&mut String),
) -> Result<usize, Refused> {
    let first = client.first();
    let (server, message) = Server::start(client.mechanism, &first, verifiers, &decoy(), &SystemRandom);
    let (last, expected) = client.last(&message, change);
    let proven = server.finish(last.as_bytes())?;
    assert_eq!(proven.message, expected);
    Ok(proven.verifier)
}

/// Gives the bytes whose base64url is the server's part of a vector's nonce.
struct Known(&'static [u8]);

impl Random for Known {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(self.0);
    }
}

#[test]
fn the_vector_of_rfc_7677_holds() {
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let verifier = verifier(Mechanism::Sha256, "pencil", &salt, 4096);
    let first = ClientFirst::parse(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
    let (server, message) = Server::start_with_nonce(
        Mechanism::Sha256,
        &first,
        &[&verifier],
        &decoy(),
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    );
    assert_eq!(
        message,
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    let proven = server
        .finish(
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
              p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        )
        .unwrap();
    assert_eq!(proven.message, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

#[test]
fn the_first_message_of_the_server_extends_the_nonce() {
    let verifier = verifier(Mechanism::Sha512, "pencil", b"salt", 4096);
    let client = Client::new(Mechanism::Sha512, "user", "pencil");
    let (_, message) = Server::start(
        Mechanism::Sha512,
        &client.first(),
        &[&verifier],
        &decoy(),
        &Known(&[255; 24]),
    );
    assert_eq!(
        message,
        format!("r=fyko+d2lbbFgONRv9qkxdawL{},s=c2FsdA==,i=4096", "_".repeat(32))
    );
}

/// Computed with Python's hashlib and hmac, as are the keys of SHA-256's vector.
#[test]
fn verifiers_are_known() {
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    for (mechanism, stored, server) in [
        (
            Mechanism::Sha256,
            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=",
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        ),
        (
            Mechanism::Sha512,
            "6AAub3065EYRmyFpM2RNwqK+eGnrkYuEWbXn19LsEmBqzu8QaCXNc1FwpnX9NhH2hK/60dzj9DoO5DvVkOHbvg==",
            "jZHbYjC1aHh0/hKbxyBuGFjDrgjgKTT1esA7awWiKcRZ0o/0b1yWEebBeSVkkCFewf91nLDfKF24mvD5nmE6rA==",
        ),
    ] {
        let verifier = verifier(mechanism, "pencil", &salt, 4096);
        assert_eq!(STANDARD.encode(&verifier.stored_key), stored);
        assert_eq!(STANDARD.encode(&verifier.server_key), server);
        assert_eq!(format!("{verifier:?}"), "Verifier(..)");
        let json = serde_json::to_string(&verifier).unwrap();
        assert!(json.contains(stored), "{json}");
        assert_eq!(serde_json::from_str::<Verifier>(&json).unwrap(), verifier);
    }
}

#[test]
fn the_right_password_is_proven_with_either_hash() {
    for mechanism in Mechanism::ALL {
        let kept = verifier(mechanism, "pencil", &[1; 24], 4096);
        let client = |password| Client::new(mechanism, "user", password);
        assert_eq!(exchange(&client("pencil"), &[&kept], |_| ()), Ok(0));
        let wrong = exchange(&client("Pencil"), &[&kept], |_| ());
        assert_eq!(wrong, Err(Refused("the password is wrong")));
        assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
    }
    assert_eq!(Mechanism::from_name("SCRAM-SHA-1"), None);
}

#[test]
fn either_of_two_passwords_that_share_a_salt_is_proven() {
    let old = verifier(Mechanism::Sha256, "old", &[1; 24], 4096);
    let new = verifier(Mechanism::Sha256, "new", &[1; 24], 4096);
    let foreign = verifier(Mechanism::Sha256, "new", &[2; 24], 4096);
    let client = |password| Client::new(Mechanism::Sha256, "user", password);
    assert_eq!(exchange(&client("old"), &[&old, &new], |_| ()), Ok(0));
    assert_eq!(exchange(&client("new"), &[&old, &new], |_| ()), Ok(1));
    assert!(exchange(&client("other"), &[&old, &new], |_| ()).is_err());
    assert!(exchange(&client("new"), &[&old, &foreign], |_| ()).is_err());
    assert!(exchange(&client("new"), &[&old], |_| ()).is_err());
}

#[test]
fn a_user_who_does_not_exist_is_told_the_same_salt_and_refused_at_the_end() {
    let client = Client::new(Mechanism::Sha256, "nobody", "pencil");
    let first = client.first();
    let told = || {
        let (server, message) = Server::start(client.mechanism, &first, &[], &decoy(), &SystemRandom);
        let (last, _) = client.last(&message, |_| ());
        let refused = server.finish(last.as_bytes()).unwrap_err();
        assert_eq!(refused, Refused("there is no such user"));
        message.split_once(",s=").unwrap().1.to_owned()
    };
    assert_eq!(told(), told());
    assert_eq!(told(), format!("{},i=4096", STANDARD.encode([7; 24])));
}

#[test]
fn no_proof_fits_the_empty_place_of_a_second_password() {
    let kept = verifier(Mechanism::Sha256, "pencil", &[1; 24], 4096);
    let client = Client::new(Mechanism::Sha256, "user", "pencil");
    let first = client.first();
    for verifiers in [&[&kept][..], &[]] {
        let (mut server, message) =
            Server::start(client.mechanism, &first, verifiers, &decoy(), &SystemRandom);
        // As if somebody had found a key with the hash that stands in empty places.
        let (last, _) = client.last(&message, |_| ());
        server.candidates = [
            server.candidates[1].clone(),
            verifier(client.mechanism, "pencil", &[1; 24], 4096),
        ];
        if verifiers.is_empty() {
            server.candidates[1].salt = vec![7; 24];
        }
        assert!(server.finish(last.as_bytes()).is_err());
    }
}

#[test]
fn changed_final_messages_are_refused() {
    let kept = verifier(Mechanism::Sha256, "pencil", &[1; 24], 4096);
    let client = Client::new(Mechanism::Sha256, "user", "pencil");
    let run = |change: &dyn Fn(&mut String)| exchange(&client, &[&kept], change);
    let replace = |from: &'static str, to: &'static str| {
        move |message: &mut String| *message = message.replace(from, to)
    };
    assert_eq!(run(&|_| ()), Ok(0));
    assert_eq!(run(&|message| message.push_str(",x=ignored")), Ok(0));
    // The client is honest about what it changed: its proof covers it.
    for change in [
        &replace("c=biws", "c=eSws") as &dyn Fn(&mut String),
        &replace("c=biws", "c=biw"),
        &replace("c=biws,", ""),
        &replace("c=biws", "c=cD1mb28sLA=="),
        &replace("r=fyko", "r=Fyko"),
        &|message| message.push('x'),
        &|message| message.truncate(40),
        &|message| message.push_str(",m=must"),
        &|message| message.push_str(",tokenauth=true"),
        &|message| message.push_str(",p=AAAA,"),
        &|message| message.push_str(&",x=y".repeat(2000)),
    ] {
        assert!(run(change).is_err());
    }
}

#[test]
fn a_client_that_repeats_its_own_nonce_is_let_in_and_no_other_prefix_is() {
    let kept = verifier(Mechanism::Sha256, "pencil", &[1; 24], 4096);
    let client = Client::new(Mechanism::Sha256, "user", "pencil");
    let with = |prefix: &str| {
        let prefixed = format!("r={prefix}fyko");
        exchange(&client, &[&kept], |message| {
            *message = message.replacen("r=fyko", &prefixed, 1);
        })
    };
    assert_eq!(with("fyko+d2lbbFgONRv9qkxdawL"), Ok(0));
    for wrong in ["x", "fyko+d2lbbFgONRv9qkxdawLfyko+d2lbbFgONRv9qkxdawL"] {
        assert!(with(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_proof_is_worth_nothing_in_another_exchange() {
    let kept = verifier(Mechanism::Sha256, "pencil", &[1; 24], 4096);
    let client = Client::new(Mechanism::Sha256, "user", "pencil");
    let start = || {
        Server::start(
            client.mechanism,
            &client.first(),
            &[&kept],
            &decoy(),
            &SystemRandom,
        )
    };
    let (server, message) = start();
    let (last, _) = client.last(&message, |_| ());
    assert!(server.finish(last.as_bytes()).is_ok());
    assert!(start().0.finish(last.as_bytes()).is_err());
}

#[test]
fn first_messages_are_read_as_the_grammar_has_them() {
    let user = |message: &str| ClientFirst::parse(message.as_bytes()).map(|first| first.user().to_owned());
    assert_eq!(user("n,,n=user,r=abc").unwrap(), "user");
    assert_eq!(user("y,,n=user,r=abc").unwrap(), "user");
    assert_eq!(user("n,a=user,n=user,r=abc").unwrap(), "user");
    assert_eq!(user("n,a=a=2Cb,n=a=2Cb,r=abc").unwrap(), "a,b");
    assert_eq!(user("n,,n==3D=2Cx,r=abc").unwrap(), "=,x");
    assert_eq!(user("n,,n=ü,r=abc,x=unknown").unwrap(), "ü");
    for refused in [
        "",
        "n",
        "n,",
        "n,,",
        "p=tls-unique,,n=user,r=abc",
        "N,,n=user,r=abc",
        "x,,n=user,r=abc",
        "n,a=other,n=user,r=abc",
        "n,user,n=user,r=abc",
        "n,a=,n=user,r=abc",
        "n,,m=x,n=user,r=abc",
        "n,,n=user,r=abc,m=x",
        "n,,n=user,r=abc,tokenauth=true",
        "n,,n=user,r=abc,tokenauth=false",
        "n,,n=,r=abc",
        "n,,n=user=2c,r=abc",
        "n,,n=us=er,r=abc",
        "n,,n=us\ter,r=abc",
        "n,,n=us\u{7f}er,r=abc",
        "n,,n=us\u{85}er,r=abc",
        "n,,n=us\0er,r=abc",
        "n,,n=user",
        "n,,n=user,r=",
        "n,,n=user,r=a b",
        "n,,n=user,r=ä",
        "n,,r=abc,n=user",
        "n,,n=user,x=1,r=abc",
        "n,,n=user,r=abc,",
        "n,,n=user,r=abc,=1",
        "n,,n=user,r=abc,x",
        "n,,n=user,r=abc,x=",
    ] {
        assert!(user(refused).is_err(), "{refused:?} was accepted");
    }
    assert!(user(&format!("n,,n=user,r={}", "a".repeat(257))).is_err());
    assert!(user(&format!("n,,n={},r=a", "a".repeat(5000))).is_err());
    assert!(ClientFirst::parse(b"n,,n=\xff,r=abc").is_err());
}

#[test]
fn no_final_message_of_any_bytes_makes_a_panic() {
    let client = Client::new(Mechanism::Sha256, "user", "pencil");
    let mut bytes = [0_u8; 64];
    for round in 0..2_000_usize {
        SystemRandom.fill(&mut bytes);
        let length = round % bytes.len();
        let text: Vec<u8> = bytes[..length]
            .iter()
            .map(|byte| b"c=biws,r=p,=a\xc3\xa4"[usize::from(*byte) % 15])
            .collect();
        drop(ClientFirst::parse(&text));
        let (server, _) = Server::start(client.mechanism, &client.first(), &[], &decoy(), &SystemRandom);
        assert!(server.finish(&text).is_err());
    }
}

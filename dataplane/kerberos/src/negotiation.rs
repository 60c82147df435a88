//! The messages of RFC 4752 from the acceptor's side. The context itself is whoever's [`Context`] it is.
//!
//! The client's tokens go to the context until it stands. Then the server says, wrapped, which security layers it has (none but
//! "no layer"), and the client answers, wrapped, which one it takes and for whom it speaks. So whoever replays a recorded first
//! token gets no further, even where no replay cache knows it: the last message needs the session's key.

use std::time::Duration;

/// How many of the client's tokens a context may take.
const MOST_TOKENS: usize = 8;
/// The security layer that is none, as a bit.
const NO_LAYER: u8 = 1;
/// The length of the layer and the size in the messages about layers.
const LAYER_LENGTH: usize = 4;

/// Why a client is refused. For the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str);

/// Who a client has shown to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The principal, with its realm.
    pub principal: String,
    /// Whom the client wants to be; empty: the principal.
    pub authzid: String,
    /// How long the ticket holds, with the clock skew that is allowed for.
    pub lifetime: Duration,
}

/// What a token led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// This is to be sent, and an answer to come.
    Next(Vec<u8>),
    /// The client is known. Nothing is to be sent.
    Done(Ticket),
}

/// What a context makes of a token.
pub(crate) struct Accepted {
    /// What is to be sent; empty: nothing.
    pub(crate) token: Vec<u8>,
    /// Whether the context stands; the initiator and how long it holds.
    pub(crate) initiator: Option<(String, Duration)>,
}

/// A security context as its acceptor sees it.
pub(crate) trait Context: Send {
    /// Takes a token of a context that does not stand yet.
    fn accept(&mut self, token: &[u8]) -> Result<Accepted, Refused>;

    /// Signs a message.
    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, Refused>;

    /// Checks a signed message.
    fn unwrap(&mut self, message: &[u8]) -> Result<Vec<u8>, Refused>;
}

/// One client's login.
pub struct Negotiation {
    context: Box<dyn Context>,
    stage: Stage,
}

enum Stage {
    /// The context takes tokens; it has taken so many.
    Accepting(usize),
    /// It stands, and the client's last word on it, an empty one, is to come.
    Standing(String, Duration),
    /// The client's choice of a layer is to come.
    Layers(String, Duration),
    Over,
}

impl Negotiation {
    pub(crate) fn new(context: Box<dyn Context>) -> Self {
        let stage = Stage::Accepting(0);
        Self { context, stage }
    }

    /// Takes the client's next token. May read and write files. After a refusal, and after the end, every token is refused.
    pub fn step(&mut self, token: &[u8]) -> Result<Step, Refused> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Accepting(taken) if taken < MOST_TOKENS => self.accept(taken, token),
            Stage::Accepting(_) => Err(Refused("the context takes too many tokens")),
            Stage::Standing(principal, lifetime) if token.is_empty() => self.offer(principal, lifetime),
            Stage::Standing(..) => Err(Refused("a token came after the context stood")),
            Stage::Layers(principal, lifetime) => self.choice(principal, lifetime, token),
            Stage::Over => Err(Refused("the negotiation is over")),
        }
    }

    fn accept(&mut self, taken: usize, token: &[u8]) -> Result<Step, Refused> {
        // Some clients begin with nothing, and are asked for their first token.
        if taken == 0 && token.is_empty() {
            self.stage = Stage::Accepting(1);
            return Ok(Step::Next(Vec::new()));
        }
        let accepted = self.context.accept(token)?;
        match accepted.initiator {
            None => self.stage = Stage::Accepting(taken + 1),
            Some((principal, lifetime)) if accepted.token.is_empty() => {
                return self.offer(principal, lifetime);
            }
            Some((principal, lifetime)) => self.stage = Stage::Standing(principal, lifetime),
        }
        Ok(Step::Next(accepted.token))
    }

    fn offer(&mut self, principal: String, lifetime: Duration) -> Result<Step, Refused> {
        let offer = self.context.wrap(&[NO_LAYER, 0, 0, 0])?;
        self.stage = Stage::Layers(principal, lifetime);
        Ok(Step::Next(offer))
    }

    fn choice(&mut self, principal: String, lifetime: Duration, token: &[u8]) -> Result<Step, Refused> {
        let message = self.context.unwrap(token)?;
        let Some((layer, authzid)) = message.split_at_checked(LAYER_LENGTH) else {
            return Err(Refused("the choice of a security layer is malformed"));
        };
        // Java sends the size of its buffer even where no layer needs one.
        if layer.first() != Some(&NO_LAYER) {
            return Err(Refused("the client wants a security layer"));
        }
        let authzid = String::from_utf8(authzid.to_vec());
        Ok(Step::Done(Ticket {
            principal,
            authzid: authzid.map_err(|_| Refused("the authorization identity is not UTF-8"))?,
            lifetime,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A context that stands after so many tokens, and whose signature is a mark.
    struct Scripted {
        rounds: usize,
        answers: bool,
    }

    impl Context for Scripted {
        fn accept(&mut self, token: &[u8]) -> Result<Accepted, Refused> {
            if token == b"bad" {
                return Err(Refused("bad"));
            }
            self.rounds = self.rounds.saturating_sub(1);
            let stands = self.rounds == 0;
            Ok(Accepted {
                token: match self.answers || !stands {
                    true => b"answer".to_vec(),
                    false => Vec::new(),
                },
                initiator: stands.then(|| ("alice@FIRN.TEST".to_owned(), HOUR)),
            })
        }

        fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, Refused> {
            Ok([b"signed", message].concat())
        }

        fn unwrap(&mut self, message: &[u8]) -> Result<Vec<u8>, Refused> {
            let message = message.strip_prefix(b"signed");
            message.map(<[u8]>::to_vec).ok_or(Refused("not signed"))
        }
    }

    fn negotiation(rounds: usize, answers: bool) -> Negotiation {
        Negotiation::new(Box::new(Scripted { rounds, answers }))
    }

    fn next(bytes: &[u8]) -> Result<Step, Refused> {
        Ok(Step::Next(bytes.to_vec()))
    }

    const OFFER: &[u8] = b"signed\x01\0\0\0";

    fn done(authzid: &str) -> Result<Step, Refused> {
        Ok(Step::Done(Ticket {
            principal: "alice@FIRN.TEST".to_owned(),
            authzid: authzid.to_owned(),
            lifetime: HOUR,
        }))
    }

    #[test]
    fn a_client_that_wants_no_layer_is_known() {
        for authzid in ["", "alice@FIRN.TEST"] {
            let mut login = negotiation(1, true);
            assert_eq!(login.step(b"token"), next(b"answer"));
            assert_eq!(login.step(b""), next(OFFER));
            let choice = ["signed\x01\0\x10\0", authzid].concat();
            assert_eq!(login.step(choice.as_bytes()), done(authzid));
            assert!(login.step(choice.as_bytes()).is_err(), "it is over");
        }
    }

    #[test]
    fn a_context_that_says_nothing_last_is_followed_by_the_offer_at_once() {
        let mut login = negotiation(2, false);
        assert_eq!(login.step(b""), next(b""), "the first token is asked for");
        assert_eq!(login.step(b"one"), next(b"answer"));
        assert_eq!(login.step(b"two"), next(OFFER));
        assert_eq!(login.step(b"signed\x01\0\0\0"), done(""));
    }

    #[test]
    fn everything_else_is_refused_for_good() {
        let standing = || {
            let mut login = negotiation(1, true);
            login.step(b"token").unwrap();
            login
        };
        let offered = || {
            let mut login = standing();
            login.step(b"").unwrap();
            login
        };
        for (mut login, token) in [
            (negotiation(1, true), &b"bad"[..]),
            (standing(), b"more"),
            (standing(), b"signed\x01\0\0\0"),
            (offered(), b""),
            (offered(), b"\x01\0\0\0"),
            (offered(), b"signed"),
            (offered(), b"signed\x01\0\0"),
            (offered(), b"signed\x02\0\0\0"),
            (offered(), b"signed\x04\0\0\0"),
            (offered(), b"signed\x03\0\0\0"),
            (offered(), b"signed\x00\0\0\0"),
            (offered(), b"signed\x01\0\0\0\xff"),
        ] {
            assert!(login.step(token).is_err(), "{token:?}");
            assert!(login.step(b"signed\x01\0\0\0").is_err(), "{token:?}");
        }
        let mut endless = negotiation(100, true);
        let taken = (0..100).take_while(|_| endless.step(b"token").is_ok()).count();
        assert_eq!(taken, MOST_TOKENS);
    }
}

//! One connection's state between its SASL requests: which mechanism was chosen, what comes next. Apart from I/O.

use bytes::Bytes;
use futures::future::BoxFuture;

use super::credentials::{Known, Login, Proving, Refused};
use super::kerberos::{Kerberos, Progress, Tickets};
use super::mechanism::Mechanism;
use super::tokens::{Judged, REFUSAL};

/// How the tokens of an exchange come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// As frames of their own, without a header: SaslHandshake 0.
    Raw,
    /// In SaslAuthenticate requests: SaslHandshake 1.
    Wrapped,
}

/// Where an exchange is.
#[derive(Default)]
pub(crate) enum Exchange {
    /// Nowhere.
    #[default]
    None,
    /// A mechanism was chosen.
    Chosen(Mechanism, Tokens),
    /// A SCRAM proof is to come.
    Proving(Box<Proving>, Mechanism, Tokens),
    /// More of a ticket is to come, or is looked at.
    Ticket(Box<Tickets>, Tokens),
    /// A bearer was refused, and is to say that it knows.
    Refusing(Tokens),
}

/// Why a mechanism cannot be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotChosen {
    /// It is unknown, or not for this connection.
    NotOffered,
    /// An exchange has begun.
    Begun,
}

/// What a token led to.
pub(crate) enum Step {
    /// The exchange goes on with this answer.
    Next(Vec<u8>),
    /// The client is who it says, and is told this; `None`: nothing, where silence can be told from an empty token.
    Done(Box<Login>, Option<Vec<u8>>),
    /// What judges the token comes from elsewhere: once this is ready, the same token is to be given again.
    Later(BoxFuture<'static, ()>),
    /// It is not, and is told so. The exchange ends with its next token, whatever that is.
    Refused(Refused, Vec<u8>),
    /// It is not. The exchange is over, and so is the connection.
    Failed(Refused),
    /// The client has heard that it was refused. So is the connection over.
    Over,
}

impl Exchange {
    /// Chooses a mechanism by its name, before any other is.
    pub(crate) fn choose(
        &mut self,
        name: &str,
        tokens: Tokens,
        offered: &[Mechanism],
    ) -> Result<(), NotChosen> {
        if !matches!(self, Self::None) {
            return Err(NotChosen::Begun);
        }
        let chosen = offered.iter().find(|mechanism| mechanism.name() == name);
        *self = Self::Chosen(*chosen.ok_or(NotChosen::NotOffered)?, tokens);
        Ok(())
    }

    /// How the next token comes; `None`: none may.
    pub(crate) fn awaits(&self) -> Option<Tokens> {
        match self {
            Self::None => None,
            Self::Chosen(_, tokens)
            | Self::Proving(_, _, tokens)
            | Self::Ticket(_, tokens)
            | Self::Refusing(tokens) => Some(*tokens),
        }
    }

    /// The mechanism that was chosen.
    pub(crate) fn mechanism(&self) -> Option<Mechanism> {
        match self {
            Self::None => None,
            Self::Chosen(mechanism, _) | Self::Proving(_, mechanism, _) => Some(*mechanism),
            Self::Ticket(..) => Some(Mechanism::Kerberos),
            Self::Refusing(_) => Some(Mechanism::OAuthBearer),
        }
    }

    /// Takes a token.
    pub(crate) fn token(&mut self, token: &Bytes, known: &Known<'_>) -> Step {
        match self.advance(token, known) {
            Ok(step) => step,
            Err(refused) => Step::Failed(refused),
        }
    }

    fn advance(&mut self, token: &Bytes, known: &Known<'_>) -> Result<Step, Refused> {
        match std::mem::take(self) {
            Self::None => Err(Refused("no mechanism was chosen")),
            Self::Chosen(Mechanism::Plain, _) => Ok(done(known.plain(token)?, Vec::new())),
            Self::Chosen(Mechanism::Delegation, _) => Ok(done(known.delegation(token)?, Vec::new())),
            Self::Chosen(Mechanism::OAuthBearer, tokens) => Ok(match known.bearer(token) {
                Ok(Judged::Known(login)) => done(login, Vec::new()),
                Ok(Judged::Later(ready)) => {
                    *self = Self::Chosen(Mechanism::OAuthBearer, tokens);
                    Step::Later(ready)
                }
                Err(refused) => {
                    *self = Self::Refusing(tokens);
                    Step::Refused(refused, REFUSAL.as_bytes().to_vec())
                }
            }),
            Self::Refusing(_) => Ok(Step::Over),
            Self::Chosen(Mechanism::Kerberos, tokens) => {
                let kerberos = known.kerberos.ok_or(Refused("no tickets are taken"))?;
                self.ticket(kerberos, kerberos.begin(), tokens, token, known)
            }
            Self::Ticket(tickets, tokens) => {
                let kerberos = known.kerberos.ok_or(Refused("no tickets are taken"))?;
                self.ticket(kerberos, *tickets, tokens, token, known)
            }
            Self::Chosen(mechanism @ Mechanism::Scram(hash), tokens) => {
                let (proving, answer) = known.scram(hash, token)?;
                *self = Self::Proving(Box::new(proving), mechanism, tokens);
                Ok(Step::Next(answer.into_bytes()))
            }
            Self::Proving(proving, _, _) => {
                let (login, answer) = known.proof(*proving, token)?;
                Ok(done(login, answer.into_bytes()))
            }
        }
    }
}

impl Exchange {
    fn ticket(
        &mut self,
        kerberos: &Kerberos,
        tickets: Tickets,
        tokens: Tokens,
        token: &Bytes,
        known: &Known<'_>,
    ) -> Result<Step, Refused> {
        Ok(match kerberos.token(tickets, token)? {
            Progress::Later(tickets, ready) => {
                *self = Self::Ticket(Box::new(tickets), tokens);
                Step::Later(ready)
            }
            Progress::Next(tickets, answer) => {
                *self = Self::Ticket(Box::new(tickets), tokens);
                Step::Next(answer)
            }
            Progress::Known(ticket) => Step::Done(Box::new(kerberos.login(&ticket, known)?), None),
        })
    }
}

fn done(login: Login, answer: Vec<u8>) -> Step {
    Step::Done(Box::new(login), Some(answer))
}

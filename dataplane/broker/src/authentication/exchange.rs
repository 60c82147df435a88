//! One connection's state between its SASL requests: which mechanism was chosen, what comes next. Apart from I/O.

use super::credentials::{Known, Login, Proving, Refused};
use super::mechanism::Mechanism;

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
    Next(String),
    /// The client is who it says, and is told this.
    Done(Box<Login>, String),
    /// It is not. The exchange is over, and so is the connection.
    Failed(Refused),
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
            Self::Chosen(_, tokens) | Self::Proving(_, _, tokens) => Some(*tokens),
        }
    }

    /// The mechanism that was chosen.
    pub(crate) fn mechanism(&self) -> Option<Mechanism> {
        match self {
            Self::None => None,
            Self::Chosen(mechanism, _) | Self::Proving(_, mechanism, _) => Some(*mechanism),
        }
    }

    /// Takes a token.
    pub(crate) fn token(&mut self, token: &[u8], known: &Known<'_>) -> Step {
        match self.advance(token, known) {
            Ok(step) => step,
            Err(refused) => Step::Failed(refused),
        }
    }

    fn advance(&mut self, token: &[u8], known: &Known<'_>) -> Result<Step, Refused> {
        match std::mem::take(self) {
            Self::None => Err(Refused("no mechanism was chosen")),
            Self::Chosen(Mechanism::Plain, _) => Ok(done(known.plain(token)?, String::new())),
            Self::Chosen(Mechanism::Delegation, _) => Ok(done(known.delegation(token)?, String::new())),
            Self::Chosen(mechanism @ Mechanism::Scram(hash), tokens) => {
                let (proving, answer) = known.scram(hash, token)?;
                *self = Self::Proving(Box::new(proving), mechanism, tokens);
                Ok(Step::Next(answer))
            }
            Self::Proving(proving, _, _) => {
                let (login, answer) = known.proof(*proving, token)?;
                Ok(done(login, answer))
            }
        }
    }
}

fn done(login: Login, answer: String) -> Step {
    Step::Done(Box::new(login), answer)
}

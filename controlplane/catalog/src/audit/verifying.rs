//! Whether lines are a trail that nobody has changed: each says where it stands and what came before it.

use super::chain::{FIRST, Line};

/// The longest line that is looked at. Those that the service writes are far shorter.
pub const MAX_LINE: usize = 256 * 1024;

/// Where a trail ended when somebody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The trail's public id.
    pub trail: String,
    /// The position of its last row; 0 if it had none.
    pub position: i64,
    /// The hash of that row.
    pub hash: String,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is no line of a trail.
    #[error("it is no line of an audit trail: {0}")]
    Unreadable(String),
    /// Somebody has written it anew.
    #[error("it is not written as the service writes it")]
    Rewritten,
    /// It is longer than any.
    #[error("it is longer than any line of an audit trail")]
    TooLong,
    /// It belongs to another trail.
    #[error("it is of trail {found}, and those before it are of {expected}")]
    OtherTrail {
        /// That of the lines before.
        expected: String,
        /// That of this.
        found: String,
    },
    /// Lines are missing, or stand elsewhere.
    #[error("it has position {found}, and {expected} comes here: lines are missing, doubled or moved")]
    Position {
        /// What comes here.
        expected: i64,
        /// What is here.
        found: i64,
    },
    /// The line before was another one.
    #[error("it names {found} as the hash before it, which is {expected}")]
    PreviousHash {
        /// The hash before it.
        expected: String,
        /// What it says.
        found: String,
    },
    /// What it says is not what was hashed.
    #[error("its hash does not fit what it says: it was changed")]
    Hash,
    /// The head is of another trail.
    #[error("the head is of trail {head}, and the file of {file}")]
    HeadOfOther {
        /// The head's.
        head: String,
        /// The file's.
        file: String,
    },
    /// The file ends before the head.
    #[error(
        "the head is at position {head}, and the file ends at {last}: rows were cut off, or are not exported yet"
    )]
    CutOff {
        /// Where the head is.
        head: i64,
        /// Where the file ends.
        last: i64,
    },
    /// The file begins after the head.
    #[error("the head is at position {head}, and the file begins at {first}: export from the head on")]
    BeginsAfterHead {
        /// Where the head is.
        head: i64,
        /// Where the file begins.
        first: i64,
    },
    /// The row at the head's position is another one than it was.
    #[error("the row at position {position} has another hash than the head says: the trail was written anew")]
    HeadHash {
        /// The position.
        position: i64,
    },
}

/// What a file that holds together is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The trail's public id.
    pub trail: String,
    /// The position of the first row.
    pub first: i64,
    /// The position of the last one.
    pub last: i64,
    /// The hash of the last one.
    pub hash: String,
    /// Whether the first row is the chain's first.
    pub from_the_beginning: bool,
}

/// Takes the lines of a trail one after the other.
#[derive(Debug, Default)]
pub struct Verifier {
    so_far: Option<Verified>,
    head: Option<Head>,
    /// Whether the row at the head's position has come, and was the one.
    head_found: bool,
}

impl Verifier {
    /// One that also compares with where the trail ended at some time.
    pub fn new(head: Option<Head>) -> Self {
        Self {
            head,
            ..Self::default()
        }
    }

    /// Takes the next line, without its end. Nothing more is said after the first that is broken.
    pub fn line(&mut self, text: &str) -> Result<(), Broken> {
        if text.len() > MAX_LINE {
            return Err(Broken::TooLong);
        }
        let line: Line = serde_json::from_str(text).map_err(|error| Broken::Unreadable(error.to_string()))?;
        let chained = line
            .chained()
            .ok_or_else(|| Broken::Unreadable("a text in it is none that a row has".to_owned()))?;
        self.compare_place(&line)?;
        if chained.hash(&line.previous_hash) != line.hash {
            return Err(Broken::Hash);
        }
        if line.text() != text {
            return Err(Broken::Rewritten);
        }
        self.compare_head(&line)?;
        self.follow(line);
        Ok(())
    }

    /// Whether it stands where it does in the trail.
    fn compare_place(&self, line: &Line) -> Result<(), Broken> {
        match &self.so_far {
            Some(before) => {
                if line.trail != before.trail {
                    return Err(Broken::OtherTrail {
                        expected: before.trail.clone(),
                        found: line.trail.clone(),
                    });
                }
                let expected = before.last + 1;
                if line.position != expected {
                    let found = line.position;
                    return Err(Broken::Position { expected, found });
                }
                if line.previous_hash != before.hash {
                    return Err(Broken::PreviousHash {
                        expected: before.hash.clone(),
                        found: line.previous_hash.clone(),
                    });
                }
            }
            None if line.position < 1 => {
                let found = line.position;
                return Err(Broken::Position { expected: 1, found });
            }
            None if line.position == 1 && line.previous_hash != FIRST => {
                return Err(Broken::PreviousHash {
                    expected: FIRST.to_owned(),
                    found: line.previous_hash.clone(),
                });
            }
            None => {}
        }
        Ok(())
    }

    fn compare_head(&mut self, line: &Line) -> Result<(), Broken> {
        let Some(head) = &self.head else {
            return Ok(());
        };
        if head.trail != line.trail {
            return Err(Broken::HeadOfOther {
                head: head.trail.clone(),
                file: line.trail.clone(),
            });
        }
        // The row before the first need not be in the file: the first names its hash.
        let follows = self.so_far.is_none() && head.position > 0 && line.position - 1 == head.position;
        if head.position != line.position && !follows {
            return Ok(());
        }
        let there = if follows { &line.previous_hash } else { &line.hash };
        self.head_found = head.hash == *there;
        match self.head_found {
            true => Ok(()),
            false => Err(Broken::HeadHash {
                position: head.position,
            }),
        }
    }

    fn follow(&mut self, line: Line) {
        match &mut self.so_far {
            Some(so_far) => {
                so_far.last = line.position;
                so_far.hash = line.hash;
            }
            None => {
                self.so_far = Some(Verified {
                    from_the_beginning: line.previous_hash == FIRST,
                    trail: line.trail,
                    first: line.position,
                    last: line.position,
                    hash: line.hash,
                });
            }
        }
    }

    /// What the lines are, if they hold together; `None` if there were none.
    pub fn finish(self) -> Result<Option<Verified>, Broken> {
        let (first, last) = match &self.so_far {
            Some(so_far) => (so_far.first, so_far.last),
            None => (0, 0),
        };
        if let Some(head) = self.head.filter(|_| !self.head_found) {
            if head.position > last {
                let head = head.position;
                return Err(Broken::CutOff { head, last });
            }
            if head.position > 0 && head.position < first {
                let head = head.position;
                return Err(Broken::BeginsAfterHead { head, first });
            }
        }
        Ok(self.so_far)
    }
}

//! `firn audit verify`: whether an export of an audit trail is as the service wrote it. It needs no service and no settings.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use firn_api::{KeptHead, PublishedKeys};
use firn_catalog::audit::verifying::{Broken, MAX_LINE, Verified, Verifier};
use firn_catalog::moment::Moment;
use firn_runtime::Timestamp;

use crate::exit::Failure;
use crate::say;

/// After how many lines it is told how far it is.
const TELL_EVERY: u64 = 100_000;
/// The longest head that is read.
const MAX_HEAD: u64 = 64 * 1024;
/// What stands for standard input.
const STDIN: &str = "-";

/// What is to be verified.
#[derive(Debug)]
pub struct Verify {
    /// The export; `-`: standard input.
    pub file: PathBuf,
    /// A file with an end of the trail that was kept, or its token.
    pub head: Option<String>,
    /// A file with the keys that the service publishes.
    pub jwks: Option<PathBuf>,
}

/// What a look at an export found.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// It holds together.
    Holds(Option<Verified>),
    /// It does not; the line, and why. None: it is about the file as a whole.
    Broken(Option<u64>, Broken),
}

/// Verifies, and says what it found on standard output.
pub fn verify(asked: &Verify) -> Result<(), Failure> {
    let published = asked.jwks.as_deref().map(read_keys).transpose()?;
    let kept = asked.head.as_deref();
    let kept = kept.map(|head| read_head(head, published.as_ref())).transpose()?;
    let verifier = Verifier::new(kept.as_ref().map(|kept| kept.head.clone()));
    let name = asked.file.display();
    let found = match asked.file == Path::new(STDIN) {
        true => lines(std::io::stdin().lock(), verifier),
        false => {
            let file =
                File::open(&asked.file).map_err(|error| Failure::failed(format!("{name}: {error}")))?;
            lines(BufReader::with_capacity(1 << 20, file), verifier)
        }
    };
    let found = found.map_err(|error| Failure::failed(format!("{name}: {error}")))?;
    let mut out = std::io::stdout();
    match found {
        Finding::Holds(verified) => {
            say(&mut out, &told(verified.as_ref(), kept.as_ref()));
            Ok(())
        }
        Finding::Broken(Some(line), why) => Err(Failure::failed(format!("{name}: line {line}: {why}"))),
        Finding::Broken(None, why) => Err(Failure::failed(format!("{name}: {why}"))),
    }
}

fn read_head(head: &str, published: Option<&PublishedKeys>) -> Result<KeptHead, Failure> {
    let path = Path::new(head);
    let text = match path.is_file() {
        false => head.to_owned(),
        true => read_file(path)?,
    };
    let kept = firn_api::read_audit_head(&text, published);
    kept.map_err(|why| Failure::failed(format!("--head is no head that can be trusted: {why}")))
}

fn read_keys(path: &Path) -> Result<PublishedKeys, Failure> {
    let keys = PublishedKeys::read(&read_file(path)?);
    keys.map_err(|why| Failure::failed(format!("--jwks {}: {why}", path.display())))
}

/// The text of a small file.
fn read_file(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_HEAD).read_to_string(&mut text));
    read.map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    Ok(text)
}

/// Looks at one line after the other, and stops at the first that is broken.
fn lines(mut from: impl BufRead, mut verifier: Verifier) -> std::io::Result<Finding> {
    let mut number = 0_u64;
    let mut line = Vec::new();
    let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX) + 2;
    let mut progress = Progress::new();
    loop {
        line.clear();
        if from.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        let ended = line.pop_if(|last| *last == b'\n').is_some();
        let checked = match std::str::from_utf8(&line) {
            Ok(text) => verifier.line(text),
            Err(_) => Err(Broken::Unreadable("it is not UTF-8".to_owned())),
        };
        if let Err(why) = checked {
            progress.end();
            return Ok(Finding::Broken(Some(number), why));
        }
        if !ended {
            break;
        }
        progress.told(number);
    }
    progress.end();
    Ok(match verifier.finish() {
        Ok(verified) => Finding::Holds(verified),
        Err(why) => Finding::Broken(None, why),
    })
}

fn told(verified: Option<&Verified>, kept: Option<&KeptHead>) -> String {
    let Some(verified) = verified else {
        return "the export holds no line: there is nothing to verify\n".to_owned();
    };
    let Verified {
        trail,
        first,
        last,
        hash,
        from_the_beginning,
    } = verified;
    let mut text = format!("unbroken: trail {trail}, positions {first} to {last}, hash of the last {hash}\n");
    if !from_the_beginning {
        text.push_str(
            "the file does not begin with the chain's first row: what came before it is not verified\n",
        );
    }
    match kept {
        None => text.push_str("without --head it is not verified whether rows were cut off at the end\n"),
        Some(kept) => {
            let at = Moment(Timestamp(kept.at.saturating_mul(1_000)));
            let (position, issuer) = (kept.head.position, &kept.issuer);
            text.push_str(&format!(
                "the head at position {position} of {at} by {issuer} is in it\n"
            ));
            text.push_str(&match &kept.signed_by {
                Some(key) if kept.published => {
                    format!("the head is signed by key {key}, which the service publishes\n")
                }
                Some(key) => format!(
                    "the head is signed by a key that the head itself brings; compare its x with /v1/jwks.json (--jwks): {key}\n"
                ),
                None => "the head's signature was not checked: keep the whole answer, with its key, or give --jwks\n"
                    .to_owned(),
            });
        }
    }
    text
}

/// How far it is, on standard error, for people only.
struct Progress {
    shown: bool,
    terminal: bool,
}

impl Progress {
    fn new() -> Self {
        Self {
            shown: false,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    fn told(&mut self, lines: u64) {
        if self.terminal && lines.is_multiple_of(TELL_EVERY) {
            self.shown = true;
            say(
                &mut std::io::stderr(),
                &format!("\r{lines} lines are right so far"),
            );
        }
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            drop(std::io::stderr().write_all(b"\n"));
        }
    }
}

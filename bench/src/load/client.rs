//! A blocking connection that reads answers in large pieces.

use std::io::{IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::wire::{accepted, sasl_handshake, sasl_plain};

/// Longer than any answer takes that is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(120);
/// Room for answers at first; it grows to the largest one.
const ROOM: usize = 64 << 10;
/// The largest answer that is believed.
const MOST: usize = 256 << 20;
/// How many pieces one system call takes (Linux's IOV_MAX).
const MOST_PIECES: usize = 1024;

/// A connection to a broker.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    room: Vec<u8>,
    /// Received and not yet handed out: from here...
    begin: usize,
    /// ...to here.
    end: usize,
}

impl Client {
    /// Connects to `host:port`, and logs in if it is `user:password@host:port`.
    pub fn connect(address: &str) -> anyhow::Result<Self> {
        if let Some((login, address)) = address.rsplit_once('@') {
            let (user, password) = login.split_once(':').context("a login is user:password")?;
            let mut client = Self::connect(address)?;
            accepted(client.ask(&sasl_handshake())?)?;
            accepted(client.ask(&sasl_plain(user, password))?)?;
            return Ok(client);
        }
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self::of(stream))
    }

    fn of(stream: TcpStream) -> Self {
        Self {
            stream,
            room: vec![0; ROOM],
            begin: 0,
            end: 0,
        }
    }

    /// The same connection for a second thread, which sends while this one reads answers.
    pub fn sender(&self) -> anyhow::Result<Self> {
        Ok(Self::of(self.stream.try_clone()?))
    }

    /// Sends all pieces, one after the other.
    pub fn send<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) -> anyhow::Result<()> {
        let mut slices: Vec<IoSlice<'a>> = pieces.into_iter().map(IoSlice::new).collect();
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            let window = rest.len().min(MOST_PIECES);
            match self.stream.write_vectored(&rest[..window]) {
                Ok(0) => bail!("the broker takes no more bytes"),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("cannot send"),
            }
        }
        Ok(())
    }

    /// The next answer, without its length.
    pub fn answer(&mut self) -> anyhow::Result<&[u8]> {
        while self.whole()?.is_none() {
            self.receive()?;
        }
        self.arrived()?.context("the loop ends when an answer is whole")
    }

    /// The next answer, if it has been received already.
    pub fn arrived(&mut self) -> anyhow::Result<Option<&[u8]>> {
        let Some(length) = self.whole()? else {
            return Ok(None);
        };
        let from = self.begin + 4;
        self.begin = from + length;
        Ok(Some(&self.room[from..from + length]))
    }

    /// Sends a frame and waits for its answer.
    pub fn ask(&mut self, frame: &[u8]) -> anyhow::Result<&[u8]> {
        self.send([frame])?;
        self.answer()
    }

    /// The length of the next answer, if that and the answer are there.
    fn whole(&self) -> anyhow::Result<Option<usize>> {
        let claimed = self.claimed()?;
        Ok(claimed.filter(|length| self.end - self.begin >= 4 + length))
    }

    fn claimed(&self) -> anyhow::Result<Option<usize>> {
        let Some(prefix) = self.room[self.begin..self.end].first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > MOST {
            bail!("an answer claims {length} bytes");
        }
        Ok(Some(length))
    }

    fn receive(&mut self) -> anyhow::Result<()> {
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        }
        let needed = self.claimed()?.map_or(4, |length| 4 + length);
        if self.room.len() - self.begin < needed || self.end == self.room.len() {
            self.room.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
            let room = needed.max(self.room.len());
            self.room.resize(room, 0);
        }
        match self.stream.read(&mut self.room[self.end..]) {
            Ok(0) => bail!("the broker closed the connection"),
            Ok(read) => self.end += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("no answer"),
        }
        Ok(())
    }
}

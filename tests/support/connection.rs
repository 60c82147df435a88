//! A connection to the API that is kept from request to request, and that may come from any address of the machine.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use super::http::{Answer, Request};

/// How long an answer may take before the test fails. Generous: two cores may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection, opened when it is first needed and again when the server has closed it.
pub struct Connection {
    address: String,
    from: Option<IpAddr>,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    /// To `HOST:PORT`.
    pub fn to(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            from: None,
            stream: None,
        }
    }

    /// To `ADDRESS:PORT` from this address of the machine.
    pub fn from(address: &str, from: IpAddr) -> Self {
        Self {
            from: Some(from),
            ..Self::to(address)
        }
    }

    /// Sends a request and waits for the answer; fails the test if there is none.
    pub fn send(&mut self, request: &Request) -> Answer {
        self.try_send(request)
            .unwrap_or_else(|error| panic!("{error}: {request:?}"))
    }

    fn try_send(&mut self, request: &Request) -> io::Result<Answer> {
        if let Some(stream) = self.stream.take()
            && let Ok(answer) = self.exchange(stream, request)
        {
            return Ok(answer);
        }
        let stream = match self.from {
            None => TcpStream::connect(&self.address)?,
            Some(from) => connect_from(from, self.address.parse().map_err(io::Error::other)?)?,
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        self.exchange(BufReader::new(stream), request)
    }

    fn exchange(&mut self, mut stream: BufReader<TcpStream>, request: &Request) -> io::Result<Answer> {
        stream
            .get_mut()
            .write_all(&request.bytes(&self.address, "keep-alive"))?;
        let answer = read_answer(&mut stream)?;
        if answer.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

fn read_answer(stream: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let status = read_line(stream)?;
    let number = status.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status: u16 = number.ok_or_else(|| io::Error::other(format!("no status in {status:?}")))?;
    let mut headers = Vec::new();
    while let Some((name, value)) = read_line(stream)?.split_once(':') {
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer {
        status,
        headers,
        body: String::new(),
    };
    let body = match (
        answer.header("content-length"),
        answer.header("transfer-encoding"),
    ) {
        (Some(length), _) if status != 204 => {
            let mut body = vec![0; length.parse().map_err(io::Error::other)?];
            stream.read_exact(&mut body)?;
            body
        }
        (None, Some("chunked")) => read_chunks(stream)?,
        _ => Vec::new(),
    };
    answer.body = String::from_utf8_lossy(&body).into_owned();
    Ok(answer)
}

fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

fn read_chunks(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&read_line(stream)?, 16).map_err(io::Error::other)?;
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..])?;
        stream.read_exact(&mut [0; 2])?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// The standard library cannot choose the address that a connection comes from.
fn connect_from(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        socket.connect(to).await
    })?;
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

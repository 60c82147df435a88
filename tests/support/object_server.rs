//! A small S3 server in this process, for what a real one does not do on demand: hold puts back, or break the promise
//! of conditional puts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use super::firn::FirnOptions;

/// A running server; its thread ends with the test's process.
pub struct ObjectServer {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Whether creates are answered with success although something is there.
    lies: bool,
    held: Mutex<bool>,
    released: Condvar,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: &'static str,
    headers: String,
    body: Vec<u8>,
}

impl ObjectServer {
    /// One that keeps its promises.
    pub fn start() -> Self {
        Self::serve(Shared::default())
    }

    /// One that says yes to every create, and overwrites.
    pub fn that_lets_every_create_win() -> Self {
        Self::serve(Shared {
            lies: true,
            ..Shared::default()
        })
    }

    fn serve(shared: Shared) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(shared);
        let server = Self {
            address,
            shared: Arc::clone(&shared),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, shared) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || shared.connection(stream));
            }
        });
        server
    }

    /// Makes `firn` keep its objects here.
    pub fn keep(&self, options: FirnOptions) -> FirnOptions {
        options
            .arg("--store")
            .arg("s3://bucket/cell")
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address))
            .env("AWS_ACCESS_KEY_ID", "firn")
            .env("AWS_SECRET_ACCESS_KEY", "firn-secret")
            .env("AWS_REGION", "us-east-1")
    }

    /// From now on puts wait.
    pub fn hold_puts(&self) {
        *self.shared.held.lock().unwrap() = true;
    }

    /// Lets the puts that wait go on, and all that come.
    pub fn release_puts(&self) {
        *self.shared.held.lock().unwrap() = false;
        self.shared.released.notify_all();
    }
}

impl Shared {
    fn connection(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut writer = stream;
        while let Some(request) = read(&mut reader) {
            let answer = self.answer(&request);
            let head = format!(
                "HTTP/1.1 {}\r\ncontent-length: {}\r\n{}\r\n",
                answer.status,
                answer.body.len(),
                answer.headers
            );
            let body = if request.method == "HEAD" {
                &[][..]
            } else {
                &answer.body
            };
            if writer.write_all(head.as_bytes()).is_err() || writer.write_all(body).is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        match request.method.as_str() {
            "PUT" => self.put(request),
            "GET" if request.query.contains("list-type") => self.list(request),
            "GET" | "HEAD" => self.get(request),
            "DELETE" => {
                self.objects.lock().unwrap().remove(&request.path);
                answer("204 No Content", "")
            }
            "POST" if request.query.starts_with("delete") => self.delete(request),
            _ => answer(
                "501 Not Implemented",
                "<Error><Code>NotImplemented</Code></Error>",
            ),
        }
    }

    fn put(&self, request: &Request) -> Answer {
        let mut held = self.held.lock().unwrap();
        while *held {
            held = self.released.wait(held).unwrap();
        }
        drop(held);
        let mut objects = self.objects.lock().unwrap();
        let create = request.headers.contains_key("if-none-match") && !self.lies;
        if create && objects.contains_key(&request.path) {
            let body = "<Error><Code>PreconditionFailed</Code></Error>";
            return answer("412 Precondition Failed", body);
        }
        objects.insert(request.path.clone(), request.body.clone());
        answer("200 OK", "")
    }

    fn get(&self, request: &Request) -> Answer {
        let objects = self.objects.lock().unwrap();
        let Some(object) = objects.get(&request.path) else {
            return answer("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>");
        };
        let Some(range) = request.headers.get("range") else {
            return Answer {
                body: object.clone(),
                ..answer("200 OK", "")
            };
        };
        let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let length = object.len();
        let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
            (Ok(from), Ok(to)) => (from, length.min(to + 1)),
            (Ok(from), Err(_)) => (from, length),
            (Err(_), last) => (length - length.min(last.unwrap()), length),
        };
        if from >= to {
            return answer(
                "416 Range Not Satisfiable",
                "<Error><Code>InvalidRange</Code></Error>",
            );
        }
        let mut part = answer("206 Partial Content", "");
        write!(
            part.headers,
            "content-range: bytes {from}-{}/{length}\r\n",
            to - 1
        )
        .unwrap();
        part.body = object[from..to].to_vec();
        part
    }

    /// Everything, whatever prefix is asked for: nobody else keeps anything here.
    fn list(&self, request: &Request) -> Answer {
        let mut body = String::from("<ListBucketResult>");
        for (path, object) in &*self.objects.lock().unwrap() {
            let Some(key) = path.strip_prefix(&request.path) else {
                continue;
            };
            let key = key.trim_start_matches('/');
            let size = object.len();
            write!(
                body,
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <ETag>\"1\"</ETag><Size>{size}</Size></Contents>"
            )
            .unwrap();
        }
        body.push_str("</ListBucketResult>");
        answer("200 OK", &body)
    }

    fn delete(&self, request: &Request) -> Answer {
        let text = String::from_utf8_lossy(&request.body);
        let mut objects = self.objects.lock().unwrap();
        for key in text
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| rest.split('<').next())
        {
            objects.remove(&format!("{}/{key}", request.path.trim_end_matches('/')));
        }
        answer("200 OK", "<DeleteResult></DeleteResult>")
    }
}

fn answer(status: &'static str, body: &str) -> Answer {
    Answer {
        status,
        headers: "etag: \"1\"\r\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n".into(),
        body: body.as_bytes().to_vec(),
    }
}

/// The next request; `None`: the client has gone.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
            None => break,
        };
    }
    let length = headers
        .get("content-length")
        .map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request {
        method,
        path: path.into(),
        query: query.into(),
        headers,
        body,
    })
}

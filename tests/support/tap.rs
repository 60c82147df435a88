//! A tap between Kafka clients and a broker: it passes frames on and knows at any time which Produce requests the broker
//! has not answered. Clients must know the broker by the tap's address (`--advertise`).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::wait_for;

/// How long connections to a broker that was killed may take to end, and producers to find it again. Generous: two cores may
/// be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// The key of Produce, as a frame begins with it.
const PRODUCE: [u8; 2] = [0, 0];

/// A listening tap. Its threads end with the process.
pub struct Tap {
    /// Where clients connect, as `HOST:PORT`.
    pub address: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    broker: Mutex<String>,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    last: u64,
    /// The correlation ids of Produce requests without an answer, by connection.
    open: BTreeMap<u64, BTreeSet<[u8; 4]>>,
    /// Produce requests that had no answer when the broker's side of their connection ended.
    lost: usize,
    /// Produce requests that were answered.
    answered: usize,
}

impl Tap {
    /// Listens on a free port. Connections fail until [`Self::lead_to`] names a broker.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Without a broker the client is dropped, and connects again.
                if let Ok(broker) = TcpStream::connect(shared.broker.lock().unwrap().as_str()) {
                    pass_on(&shared, client, broker).unwrap_or_default();
                }
            }
        });
        Self { address, state }
    }

    /// New connections go to this broker.
    pub fn lead_to(&self, broker: &str) {
        broker.clone_into(&mut self.state.broker.lock().unwrap());
    }

    /// Waits until the broker has answered another Produce request.
    pub fn wait_for_answer(&self) {
        let answered = || self.state.connections.lock().unwrap().answered;
        let before = answered();
        wait_for(PATIENCE, || (answered() > before).then_some(())).expect("produce goes on");
    }

    /// How many Produce requests the broker left without an answer when `kill` killed it.
    pub fn unanswered_at(&self, kill: impl FnOnce()) -> usize {
        let before = self.state.connections.lock().unwrap().lost;
        kill();
        let ended = wait_for(PATIENCE, || {
            let connections = self.state.connections.lock().unwrap();
            connections.open.is_empty().then_some(connections.lost)
        });
        ended.expect("connections end with the broker") - before
    }
}

/// Starts the two threads of a connection.
fn pass_on(state: &Arc<State>, client: TcpStream, broker: TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    broker.set_nodelay(true)?;
    let halves = (client.try_clone()?, broker.try_clone()?);
    let id = {
        let mut connections = state.connections.lock().unwrap();
        connections.last += 1;
        let id = connections.last;
        connections.open.insert(id, BTreeSet::new());
        id
    };
    let client_left = Arc::new(AtomicBool::new(false));
    let (shared, left) = (Arc::clone(state), Arc::clone(&client_left));
    thread::spawn(move || {
        let (mut client, mut broker) = halves;
        requests(&shared, id, &mut client, &mut broker, &left);
        let _ = broker.shutdown(Shutdown::Both);
    });
    let shared = Arc::clone(state);
    thread::spawn(move || {
        let (mut client, mut broker) = (client, broker);
        answers(&shared, id, &mut client, &mut broker);
        {
            let mut connections = shared.connections.lock().unwrap();
            let unanswered = connections.open.remove(&id).unwrap_or_default().len();
            if !client_left.load(Ordering::SeqCst) {
                connections.lost += unanswered;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
    });
    Ok(())
}

fn requests(
    state: &State,
    id: u64,
    client: &mut TcpStream,
    broker: &mut TcpStream,
    client_left: &AtomicBool,
) {
    loop {
        let Ok(frame) = read_frame(client) else {
            client_left.store(true, Ordering::SeqCst);
            return;
        };
        if frame[4..].starts_with(&PRODUCE) {
            let correlation = frame[8..12].try_into().unwrap();
            let mut connections = state.connections.lock().unwrap();
            if let Some(unanswered) = connections.open.get_mut(&id) {
                unanswered.insert(correlation);
            }
        }
        if broker.write_all(&frame).is_err() {
            return;
        }
    }
}

fn answers(state: &State, id: u64, client: &mut TcpStream, broker: &mut TcpStream) {
    while let Ok(frame) = read_frame(broker) {
        {
            let mut connections = state.connections.lock().unwrap();
            let unanswered = connections.open.get_mut(&id);
            let answer = unanswered.is_some_and(|unanswered| unanswered.remove(&frame[4..8]));
            connections.answered += usize::from(answer);
        }
        if client.write_all(&frame).is_err() {
            return;
        }
    }
}

/// A frame with its length.
fn read_frame(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    from.read_exact(&mut frame)?;
    let length = i32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
    frame.resize(4 + usize::try_from(length).unwrap(), 0);
    from.read_exact(&mut frame[4..])?;
    Ok(frame)
}

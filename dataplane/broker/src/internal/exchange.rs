//! About once a second: takes the turn of the broker's ledger, and tells the other brokers of the cell what is wanted here. A broker
//! that does not answer is told again in the next turn; it is never waited for longer than a turn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_catalog::entities::Address;
use firn_catalog::ids::IncarnationId;
use firn_catalog::image::Image;
use tokio::time::Instant;
use tracing::debug;

use super::message;
use super::peer::Peer;
use crate::serving::shared::Serving;

/// From one turn to the next.
const TURN: Duration = Duration::from_secs(1);
/// How long another broker may take.
const PATIENCE: Duration = Duration::from_millis(800);

type Peers = BTreeMap<IncarnationId, Peer>;

/// Takes turns for as long as the broker serves.
pub(crate) async fn run(serving: Arc<Serving>) {
    let own = serving.log.incarnation();
    let mut peers = Peers::new();
    let mut last = Instant::now();
    loop {
        tokio::time::sleep_until(last + TURN).await;
        let now = Instant::now();
        let mut wanted = serving.ledger.turn(now - last);
        last = now;
        let others = others(&serving.image(), own);
        peers.retain(|id, _| others.iter().any(|(other, _)| other == id));
        // Who says nothing is not known to want nothing: so something is said also if there is nothing to say.
        let message = message::encode_demands(&mut wanted);
        let told = others.into_iter().map(|(id, address)| {
            let (serving, message, peer) = (&serving, &message, peers.remove(&id));
            async move {
                let told =
                    tokio::time::timeout(PATIENCE, tell(serving, (own, &address), peer, message)).await;
                match told {
                    Ok(Ok(peer)) => return Some((id, peer)),
                    Ok(Err(error)) => {
                        debug!(%address, %error, "another broker cannot be told what is wanted here");
                    }
                    Err(_) => debug!(%address, "another broker takes too long"),
                }
                None
            }
        });
        let told = futures::future::join_all(told).await;
        peers = told.into_iter().flatten().collect();
    }
}

/// The other brokers that can be reached.
fn others(image: &Image, own: IncarnationId) -> Vec<(IncarnationId, Address)> {
    let others = image.brokers().filter(|broker| broker.id != own);
    others
        .filter_map(|broker| Some((broker.id, broker.internal.clone()?)))
        .collect()
}

/// Tells one, on the connection that there is or, if that is gone, on a new one.
async fn tell(
    serving: &Serving,
    (own, address): (IncarnationId, &Address),
    peer: Option<Peer>,
    message: &Bytes,
) -> std::io::Result<Peer> {
    if let Some(mut peer) = peer
        && peer.say(message).await.is_ok()
    {
        return Ok(peer);
    }
    let mut peer = Peer::connect(own, address, &serving.env, &serving.logins.keys.secrets).await?;
    peer.say(message).await?;
    Ok(peer)
}

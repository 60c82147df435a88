//! The broker that the client tests speak to: `firn`, or, to prove the tests themselves, any Kafka broker that
//! `KAFKA_BOOTSTRAP=HOST:PORT` names.

use std::path::PathBuf;

use super::clients;
use super::firn::{Firn, FirnOptions};

/// A broker for one test.
pub struct Server {
    /// Where Kafka clients connect, as `HOST:PORT`.
    pub address: String,
    options: FirnOptions,
    firn: Option<Firn>,
}

impl Server {
    /// Starts `firn` unless the environment names another broker.
    pub fn start(options: FirnOptions) -> Self {
        if let Ok(address) = std::env::var("KAFKA_BOOTSTRAP") {
            return Self {
                address,
                options,
                firn: None,
            };
        }
        let firn = Firn::start(options.clone());
        Self {
            address: firn.kafka.clone(),
            options,
            firn: Some(firn),
        }
    }

    /// Whether this is `firn` and not the other broker.
    pub fn is_firn(&self) -> bool {
        self.firn.is_some()
    }

    /// `firn`, to stop it and start it again; `None` of the other broker.
    pub fn firn(&mut self) -> Option<&mut Firn> {
        self.firn.as_mut()
    }

    /// A path for a file of the test, which goes away with the server.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.options.scratch().join(name)
    }

    /// Creates a topic; its name, which is `name` and what makes it unique on a broker that outlives the test.
    pub fn topic(&self, name: &str, partitions: usize) -> String {
        let topic = format!("{name}-{}", std::process::id());
        create_topic(&self.address, &topic, partitions, &[]);
        topic
    }
}

/// Creates a topic with configs of the form `KEY=VALUE`.
pub fn create_topic(address: &str, topic: &str, partitions: usize, configs: &[&str]) {
    clients::go()
        .args(["create", address, topic, &partitions.to_string()])
        .args(configs)
        .run();
}

//! The broker: network, protocol, one handler per Kafka API

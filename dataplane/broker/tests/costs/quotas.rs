//! Requests about client quotas, of very many, very short entries.

use kafka_protocol::messages as m;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;

use super::support::client::text;
use super::{Many, each, many, name};

pub fn of_quotas(all: &mut Vec<Many>) {
    let component = |_| {
        ComponentData::default()
            .with_entity_type(text("user"))
            .with_match_type(2)
    };
    let request = m::DescribeClientQuotasRequest::default().with_components(each(component));
    many(all, 0, &request);
    let part = |kind: &str| {
        EntityData::default()
            .with_entity_type(text(kind))
            .with_entity_name(None)
    };
    let user = |number| part("user").with_entity_name(Some(text(&name(number))));
    let op = || {
        OpData::default()
            .with_key(text("request_percentage"))
            .with_value(1.0)
    };
    let entry = |parts, ops| EntryData::default().with_entity(parts).with_ops(ops);
    let kinds: [Box<dyn Fn(i32) -> EntryData>; 5] = [
        Box::new(|_| entry(vec![part("group")], vec![])),
        Box::new(|_| entry(vec![part("user")], vec![])),
        Box::new(|_| entry(vec![part("user")], vec![OpData::default()])),
        Box::new(|number| entry(vec![user(number)], vec![op()])),
        Box::new(|number| match number {
            0 => entry(each(|_| part("x")), vec![]),
            1 => entry(vec![part("user")], each(|_| op())),
            _ => entry(vec![part("user")], vec![op()]),
        }),
    ];
    for version in [0, 1] {
        for kind in &kinds {
            many(
                all,
                version,
                &m::AlterClientQuotasRequest::default().with_entries(each(kind)),
            );
        }
    }
}

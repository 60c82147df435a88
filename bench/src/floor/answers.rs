//! What it answers: the few requests of the load generator, and none with an error but by ending the connection.

use anyhow::{Context, bail};
use bytes::BufMut;

use super::Topics;
use crate::wire::{self, Fields};

/// What a Produce request's head says, and where its batch begins.
pub(super) struct Produce<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) batch_at: usize,
}

/// API key with version, and correlation id, of a request without its length; and the fields after the header.
pub(super) fn header(frame: &[u8]) -> anyhow::Result<((i16, i16), i32, Fields<'_>)> {
    let mut fields = Fields(frame);
    let api = (fields.i16()?, fields.i16()?);
    let correlation = fields.i32()?;
    fields.short()?;
    Ok((api, correlation, fields))
}

/// The fields of a Produce request for one batch, of a frame of `length` bytes.
pub(super) fn produce<'a>(mut fields: Fields<'a>, length: usize) -> anyhow::Result<Produce<'a>> {
    fields.short()?;
    fields.i16()?;
    fields.i32()?;
    fields.count()?;
    let topic = std::str::from_utf8(fields.short()?)?;
    fields.count()?;
    let partition = fields.i32()?;
    let bytes = fields.count()?;
    Ok(Produce {
        topic,
        partition,
        batch_at: length.checked_sub(bytes).context("the batch is cut off")?,
    })
}

/// The answer to a Produce request whose batch begins at `offset`.
pub(super) fn produced(correlation: i32, topic: &str, partition: i32, offset: i64) -> Vec<u8> {
    answer(correlation, |body| {
        body.put_i32(1);
        wire::put_string(body, topic);
        body.put_i32(1);
        body.put_i32(partition);
        body.put_i16(0);
        body.put_i64(offset);
        body.put_i64(-1);
        body.put_i64(0);
        body.put_i32(0);
    })
}

/// The answer to any other request.
pub(super) fn other(
    api: (i16, i16),
    correlation: i32,
    fields: Fields<'_>,
    topics: &Topics,
) -> anyhow::Result<Vec<u8>> {
    match api {
        wire::CREATE_TOPICS => create(correlation, fields, topics),
        wire::METADATA => Ok(metadata(correlation, topics)),
        wire::LIST_OFFSETS => list_offsets(correlation, fields),
        (api, version) => bail!("the floor does not serve API {api} in version {version}"),
    }
}

fn answer(correlation: i32, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut answer = Vec::with_capacity(128);
    answer.put_i32(0);
    answer.put_i32(correlation);
    body(&mut answer);
    let length = answer.len() - 4;
    wire::set_length(&mut answer, length);
    answer
}

fn create(correlation: i32, mut fields: Fields<'_>, topics: &Topics) -> anyhow::Result<Vec<u8>> {
    let mut names = Vec::new();
    for _ in 0..fields.count()? {
        let name = std::str::from_utf8(fields.short()?)?.to_owned();
        topics.create(&name, usize::try_from(fields.i32()?)?);
        names.push(name);
        fields.i16()?;
        fields.i32()?;
        fields.i32()?;
    }
    Ok(answer(correlation, |body| {
        body.put_i32(0);
        put_count(body, names.len());
        for name in &names {
            wire::put_string(body, name);
            body.put_i16(0);
            body.put_i16(-1);
        }
    }))
}

fn metadata(correlation: i32, topics: &Topics) -> Vec<u8> {
    let topics = topics.all();
    answer(correlation, |body| {
        body.put_i32(0);
        body.put_i32(0);
        put_count(body, topics.len());
        for (name, partitions) in &topics {
            body.put_i16(0);
            wire::put_string(body, name);
            body.put_i8(0);
            put_count(body, *partitions);
            for partition in 0..*partitions {
                body.put_i16(0);
                put_count(body, partition);
                body.put_i32(0);
                body.put_i32(0);
                body.put_i32(0);
            }
        }
    })
}

fn list_offsets(correlation: i32, mut fields: Fields<'_>) -> anyhow::Result<Vec<u8>> {
    fields.i32()?;
    fields.count()?;
    let topic = std::str::from_utf8(fields.short()?)?;
    let partitions = fields.count()?;
    Ok(answer(correlation, |body| {
        body.put_i32(1);
        wire::put_string(body, topic);
        put_count(body, partitions);
        for partition in 0..partitions {
            put_count(body, partition);
            body.put_i16(0);
            body.put_i64(-1);
            body.put_i64(0);
        }
    }))
}

fn put_count(body: &mut Vec<u8>, count: usize) {
    body.put_i32(i32::try_from(count).expect("counts here come from an int32 of a request"));
}

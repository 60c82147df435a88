//! CreateTopics 4, Metadata 1, ListOffsets 1, ApiVersions 0.

use anyhow::bail;
use bytes::BufMut;

use super::{Fields, frame, put_string};

/// CreateTopics: API key and version.
pub const CREATE_TOPICS: (i16, i16) = (19, 4);
/// Metadata: API key and version.
pub const METADATA: (i16, i16) = (3, 1);
/// ListOffsets: API key and version.
pub const LIST_OFFSETS: (i16, i16) = (2, 1);
const API_VERSIONS: (i16, i16) = (18, 0);
const TIMEOUT_MS: i32 = 120_000;

/// Creates topics of as many partitions each.
pub fn create_topics(names: &[String], partitions: i32) -> Vec<u8> {
    let (api, version) = CREATE_TOPICS;
    frame(api, version, 0, |body| {
        body.put_i32(i32::try_from(names.len()).expect("there are few topics"));
        for name in names {
            put_string(body, name);
            body.put_i32(partitions);
            body.put_i16(1);
            body.put_i32(0);
            body.put_i32(0);
        }
        body.put_i32(TIMEOUT_MS);
        body.put_u8(0);
    })
}

/// Whether all topics were created.
pub fn created(answer: &[u8]) -> anyhow::Result<()> {
    let mut fields = Fields::of(answer)?;
    fields.i32()?;
    for _ in 0..fields.count()? {
        let name = String::from_utf8_lossy(fields.short()?).into_owned();
        let code = fields.i16()?;
        let why = String::from_utf8_lossy(fields.short()?).into_owned();
        if code != 0 {
            bail!("CreateTopics of {name} answered error {code}: {why}");
        }
    }
    Ok(())
}

/// Asks for all topics.
pub fn metadata() -> Vec<u8> {
    let (api, version) = METADATA;
    frame(api, version, 0, |body| body.put_i32(-1))
}

/// How many partitions of topics whose name begins with `prefix` have a leader, by a Metadata answer.
pub fn led_partitions(answer: &[u8], prefix: &str) -> anyhow::Result<usize> {
    let mut fields = Fields::of(answer)?;
    for _ in 0..fields.count()? {
        fields.i32()?;
        fields.short()?;
        fields.i32()?;
        fields.short()?;
    }
    fields.i32()?;
    let mut led = 0;
    for _ in 0..fields.count()? {
        fields.i16()?;
        let counts = fields.short()?.starts_with(prefix.as_bytes());
        fields.i8()?;
        for _ in 0..fields.count()? {
            let error = fields.i16()?;
            fields.i32()?;
            let leader = fields.i32()?;
            for _ in 0..2 {
                for _ in 0..fields.count()? {
                    fields.i32()?;
                }
            }
            led += usize::from(counts && error == 0 && leader >= 0);
        }
    }
    Ok(led)
}

/// Asks where each partition of a topic ends, which only its leader tells.
pub fn list_offsets(topic: &str, partitions: i32) -> Vec<u8> {
    const LATEST: i64 = -1;
    let (api, version) = LIST_OFFSETS;
    frame(api, version, 0, |body| {
        body.put_i32(-1);
        body.put_i32(1);
        put_string(body, topic);
        body.put_i32(partitions);
        for partition in 0..partitions {
            body.put_i32(partition);
            body.put_i64(LATEST);
        }
    })
}

/// How many partitions are served, by a ListOffsets answer.
pub fn served_partitions(answer: &[u8]) -> anyhow::Result<usize> {
    let mut fields = Fields::of(answer)?;
    let mut served = 0;
    for _ in 0..fields.count()? {
        fields.short()?;
        for _ in 0..fields.count()? {
            fields.i32()?;
            served += usize::from(fields.i16()? == 0);
            fields.i64()?;
            fields.i64()?;
        }
    }
    Ok(served)
}

/// Asks what is served: the first request of every client.
pub fn api_versions() -> Vec<u8> {
    let (api, version) = API_VERSIONS;
    frame(api, version, 0, |_| {})
}

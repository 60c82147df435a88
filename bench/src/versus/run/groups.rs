//! Consumer groups: one with very many members, and very many with one.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::{Measured, Times, create};
use crate::load::{Client, sleep_until};
use crate::subject::Subject;
use crate::versus::results::Metric;
use crate::wire::groups::{self, Member};

/// How often a member that nobody answers yet asks again.
const PAUSE: Duration = Duration::from_millis(50);
/// Heartbeats in a second, of all members.
const HEARTBEATS: f64 = 10_000.0;

/// A member with the connection on which its requests wait.
struct Joined {
    client: Client,
    member: Member,
}

/// `count` members join one group until it is stable, send heartbeats, and one leaves.
pub fn one_group(subject: Subject, count: usize, times: &Times) -> anyhow::Result<(Subject, Measured)> {
    let name = "many-members";
    coordinated(&subject.address, name)?;
    let clients: Vec<Client> = (0..count)
        .map(|_| Client::connect(&subject.address))
        .collect::<anyhow::Result<_>>()?;
    let mut measured = Measured::default();
    subject.process().reset_peak()?;
    let (began, cpu) = (Instant::now(), subject.process().cpu_seconds()?);
    let none = vec![String::new(); count];
    let mut members = generation(name, clients, &none)?;
    let spent = subject.process().cpu_seconds()? - cpu;
    measured.figures.extend([
        (Metric::Stable, began.elapsed().as_secs_f64()),
        (Metric::CpuPerMember, spent * 1e6 / count as f64),
    ]);

    let cpu = subject.process().cpu_seconds()?;
    let beats = heartbeats(&mut members, times)?;
    let spent = subject.process().cpu_seconds()? - cpu;
    measured
        .figures
        .insert(Metric::CpuPerHeartbeat, spent * 1e6 / beats as f64);

    let began = Instant::now();
    let mut last = members.pop().context("there are members")?;
    ensure!(
        groups::settled(last.client.ask(&last.member.leave())?)?,
        "a member cannot leave"
    );
    let ids: Vec<String> = members.iter().map(|joined| joined.member.id.clone()).collect();
    let clients = members.into_iter().map(|joined| joined.client).collect();
    let members = generation(name, clients, &ids)?;
    measured
        .figures
        .insert(Metric::StableAgain, began.elapsed().as_secs_f64());
    measured
        .figures
        .insert(Metric::PeakMemory, subject.process().peak_mib()?);
    drop(members);
    Ok((subject, measured))
}

/// `count` groups of one member each commit an offset every second.
pub fn many_groups(subject: Subject, count: usize, times: &Times) -> anyhow::Result<(Subject, Measured)> {
    let topic = "committed";
    create(&subject.address, topic, 1)?;
    coordinated(&subject.address, "many-groups-0")?;
    let mut client = Client::connect(&subject.address)?;
    let commits: Vec<Vec<u8>> = (0..count)
        .map(|number| {
            // Consumers without a group's management: what a commit costs is the same.
            let member = Member {
                group: format!("many-groups-{number}"),
                id: String::new(),
                generation: -1,
                members: Vec::new(),
            };
            member.commit(topic, 1)
        })
        .collect();
    let mut done = 0_u32;
    let mut cpu = subject.process().cpu_seconds()?;
    let start = Instant::now();
    let opens = start + times.warm_up;
    let closes = opens + times.measured;
    let interval = Duration::from_secs(1) / u32::try_from(count)?;
    let mut due = start;
    for commit in commits.iter().cycle() {
        if due >= closes {
            break;
        }
        if due <= opens {
            (done, cpu) = (0, subject.process().cpu_seconds()?);
        }
        sleep_until(due);
        groups::committed(client.ask(commit)?)?;
        done += 1;
        due += interval;
    }
    let spent = subject.process().cpu_seconds()? - cpu;
    let mut measured = Measured::default();
    measured.figures.extend([
        (Metric::CpuPerCommit, spent * 1e6 / f64::from(done)),
        (Metric::Requests, f64::from(done) / opens.elapsed().as_secs_f64()),
    ]);
    Ok((subject, measured))
}

/// Waits until somebody coordinates a group and takes its requests.
fn coordinated(address: &str, group: &str) -> anyhow::Result<()> {
    let mut client = Client::connect(address)?;
    for _ in 0..600 {
        if groups::coordinated(client.ask(&groups::find_coordinator(group))?)? {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    anyhow::bail!("nobody coordinates {group}")
}

/// All join and get their assignments. Each has a connection, since a JoinGroup keeps it until the last one has joined.
fn generation(group: &str, mut clients: Vec<Client>, ids: &[String]) -> anyhow::Result<Vec<Joined>> {
    for (client, id) in clients.iter_mut().zip(ids) {
        client.send([&groups::join(group, id)[..]])?;
    }
    let mut all = Vec::with_capacity(clients.len());
    for (mut client, id) in clients.into_iter().zip(ids) {
        let mut joined = groups::joined(group, client.answer()?)?;
        while joined.is_none() {
            std::thread::sleep(PAUSE);
            joined = groups::joined(group, client.ask(&groups::join(group, id))?)?;
        }
        let member = joined.context("the loop ends with a member")?;
        all.push(Joined { client, member });
    }
    for joined in &mut all {
        joined.client.send([&joined.member.sync()[..]])?;
    }
    for joined in &mut all {
        ensure!(
            groups::settled(joined.client.answer()?)?,
            "the group does not become stable"
        );
    }
    Ok(all)
}

/// Heartbeats of all members in turn at a fixed rate; how many.
fn heartbeats(members: &mut [Joined], times: &Times) -> anyhow::Result<u64> {
    let frames: Vec<Vec<u8>> = members.iter().map(|joined| joined.member.heartbeat()).collect();
    let start = Instant::now();
    let total = (times.measured.as_secs_f64() * HEARTBEATS) as u64;
    let mut done = 0_u64;
    while done < total {
        // A hundred at a time: the generator sleeps no shorter than a timer tick.
        sleep_until(start + Duration::from_secs_f64(done as f64 / HEARTBEATS));
        let from = usize::try_from(done)? % members.len();
        let to = (from + 100).min(members.len());
        for (joined, frame) in members[from..to].iter_mut().zip(&frames[from..to]) {
            joined.client.send([&frame[..]])?;
        }
        for joined in &mut members[from..to] {
            ensure!(
                groups::settled(joined.client.answer()?)?,
                "a stable group rebalances"
            );
        }
        done += (to - from) as u64;
    }
    Ok(done)
}

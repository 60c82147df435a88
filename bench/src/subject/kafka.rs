//! Apache Kafka: one KRaft node, from its published jars, with the settings and the JVM flags that it is shipped with.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::Started;
use super::process::Process;
use super::s3::free_address;
use crate::load::Client;
use crate::wire;

/// What `bin/kafka-server-start.sh` and `bin/kafka-run-class.sh` set.
const JVM: [&str; 9] = [
    "-Xmx1G",
    "-Xms1G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-XX:MaxInlineLevel=15",
    "-Djava.awt.headless=true",
];
/// The values of the `server.properties` that is shipped, which differ in part from the broker's own defaults. Addresses and
/// the data directory are added.
const SHIPPED: &str = "\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
num.partitions=1
num.recovery.threads.per.data.dir=2
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
";
const CLUSTER_ID: &str = "Zmlybi1iZW5jaC1rYWZrYQ";
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts Kafka on `data`, which is formatted if it is new, with `extra` settings, and waits until it answers.
pub(super) fn start(jars: &Path, data: &Path, extra: &[&str]) -> anyhow::Result<Started> {
    let properties = data.join("server.properties");
    let logs = data.join("kafka");
    let (address, controller) = (free_address()?, free_address()?);
    let mut text = format!(
        "{SHIPPED}listeners=PLAINTEXT://{address},CONTROLLER://{controller}\n\
         advertised.listeners=PLAINTEXT://{address}\n\
         controller.quorum.bootstrap.servers={controller}\nlog.dirs={}\n",
        logs.display()
    );
    extra.iter().for_each(|line| text.extend([line, "\n"]));
    fs::write(&properties, text).with_context(|| format!("cannot write {}", properties.display()))?;
    if !logs.exists() {
        format(jars, &properties)?;
    }
    let began = Instant::now();
    let output = fs::File::create(data.join("kafka.out"))?;
    let mut command = Command::new("java");
    command
        .args(JVM)
        .arg("-cp")
        .arg(jars.join("*"))
        .arg("kafka.Kafka")
        .arg(&properties)
        .stdout(output.try_clone()?)
        .stderr(output);
    let mut process = Process::spawn("Kafka", &mut command)?;
    while !answers(&address) {
        process.expect_alive()?;
        ensure!(began.elapsed() < PATIENCE, "Kafka does not serve on {address}");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(Started {
        process,
        address,
        http: None,
        ready_after: began.elapsed(),
    })
}

fn format(jars: &Path, properties: &Path) -> anyhow::Result<()> {
    let output = Command::new("java")
        .arg("-cp")
        .arg(jars.join("*"))
        .args([
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
            "-t",
            CLUSTER_ID,
            "-c",
        ])
        .arg(properties)
        .stdin(Stdio::null())
        .output()
        .context("cannot start java: the make target installs it")?;
    ensure!(
        output.status.success(),
        "Kafka's StorageTool failed (are its jars in {}? `make bench-vs-kafka` puts them there): {}{}",
        jars.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Whether a broker answers there.
fn answers(address: &str) -> bool {
    let hello = || Client::connect(address)?.ask(&wire::api_versions()).map(|_| ());
    hello().is_ok()
}

//! Apache Kafka's command-line tools, all run in one JVM by `tests/clients/java/Tools.java`.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::clients;

/// One of Kafka's tools.
#[derive(Clone, Copy, Debug)]
pub enum Tool {
    /// `kafka-topics`
    Topics,
    /// `kafka-configs`
    Configs,
    /// `kafka-acls`
    Acls,
    /// `kafka-get-offsets`
    GetOffsets,
    /// `kafka-delete-records`
    DeleteRecords,
    /// `kafka-log-dirs`
    LogDirs,
    /// `kafka-broker-api-versions`
    BrokerApiVersions,
    /// `kafka-cluster`; its command comes before the address
    Cluster,
    /// `kafka-consumer-groups`
    ConsumerGroups,
    /// `kafka-console-consumer`
    ConsoleConsumer,
    /// `kafka-verifiable-consumer`
    VerifiableConsumer,
}

impl Tool {
    fn main_class(self) -> &'static str {
        match self {
            Self::Topics => "org.apache.kafka.tools.TopicCommand",
            Self::Configs => "kafka.admin.ConfigCommand",
            Self::Acls => "org.apache.kafka.tools.AclCommand",
            Self::GetOffsets => "org.apache.kafka.tools.GetOffsetShell",
            Self::DeleteRecords => "org.apache.kafka.tools.DeleteRecordsCommand",
            Self::LogDirs => "org.apache.kafka.tools.LogDirsCommand",
            Self::BrokerApiVersions => "org.apache.kafka.tools.BrokerApiVersionsCommand",
            Self::Cluster => "org.apache.kafka.tools.ClusterTool",
            Self::ConsumerGroups => "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
            Self::ConsoleConsumer => "org.apache.kafka.tools.consumer.ConsoleConsumer",
            Self::VerifiableConsumer => "org.apache.kafka.tools.VerifiableConsumer",
        }
    }
}

/// What a tool said and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Its exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The JVM, with the tools' broker.
pub struct KafkaTools {
    jvm: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    address: String,
}

impl KafkaTools {
    /// Starts the JVM; its tools speak to the broker at `address`.
    pub fn start(address: &str) -> Self {
        let mut jvm = clients::java("Tools").into_command();
        let mut jvm = jvm
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let requests = jvm.stdin.take().unwrap();
        let answers = BufReader::new(jvm.stdout.take().unwrap());
        Self {
            jvm,
            requests,
            answers,
            address: address.into(),
        }
    }

    /// Runs a tool with arguments that hold no spaces, separated by them.
    pub fn run(&mut self, tool: Tool, args: &str) -> Said {
        let args = args.split_whitespace();
        let bootstrap = ["--bootstrap-server", &self.address];
        let args: Vec<&str> = match tool {
            Tool::Cluster => args.chain(bootstrap).collect(),
            _ => bootstrap.into_iter().chain(args).collect(),
        };
        let mut request = format!("{}\n{}\n", args.len() + 1, tool.main_class());
        args.iter().for_each(|arg| request.extend([arg, "\n"]));
        self.requests.write_all(request.as_bytes()).unwrap();
        self.answer(&format!("{tool:?} {args:?}"))
    }

    /// Runs a tool that must succeed; its standard output.
    pub fn ok(&mut self, tool: Tool, args: &str) -> String {
        let said = self.run(tool, args);
        assert_eq!(said.status, 0, "{tool:?} {args}: {said:?}");
        said.out
    }

    /// Runs a tool that must fail; all that it said.
    pub fn refused(&mut self, tool: Tool, args: &str) -> String {
        let said = self.run(tool, args);
        assert_eq!(said.status, 1, "{tool:?} {args}: {said:?}");
        said.out + &said.err
    }

    fn answer(&mut self, what: &str) -> Said {
        let mut head = String::new();
        self.answers.read_line(&mut head).unwrap();
        let mut numbers = head
            .split_whitespace()
            .map(|number| number.parse::<i32>().unwrap());
        let mut next = || {
            numbers
                .next()
                .unwrap_or_else(|| panic!("the JVM ended during {what}"))
        };
        let (status, out, err) = (next(), next(), next());
        let mut text = |length: i32| {
            let mut bytes = vec![0; usize::try_from(length).unwrap()];
            self.answers.read_exact(&mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        Said {
            status,
            out: text(out),
            err: text(err),
        }
    }
}

impl Drop for KafkaTools {
    fn drop(&mut self) {
        self.jvm.kill().unwrap();
        self.jvm.wait().unwrap();
    }
}

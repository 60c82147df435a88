//! The one table of settings. Flags, environment variables, TOML keys, help and `firn config` come from it.

use super::kind::Kind;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The flag without its dashes. The environment variable is `FIRN_` and the name in capitals.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The value if nobody sets it, in the same notation as everywhere; empty: see `effect`.
    pub default: &'static str,
    /// What it changes, in a sentence or two for the person who is about to set it.
    pub effect: &'static str,
}

impl Setting {
    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("FIRN_{}", self.name.replace('-', "_").to_uppercase())
    }

    /// The top-level key in a TOML file. `[kafka]` is the table of broker settings there, so the address that
    /// `--kafka` sets has a key of its own.
    pub fn key(&self) -> &'static str {
        match self.name {
            "kafka" => "kafka-address",
            KAFKA_CONFIG => "kafka",
            name => name,
        }
    }
}

/// The one setting that is a set of pairs.
pub const KAFKA_CONFIG: &str = "kafka-config";

const fn setting(name: &'static str, kind: Kind, default: &'static str, effect: &'static str) -> Setting {
    Setting {
        name,
        kind,
        default,
        effect,
    }
}

/// Every setting, in the order in which help and `firn config` show them.
pub const SETTINGS: &[Setting] = &[
    setting(
        "data-dir",
        Kind::Path,
        "./.firn",
        "Where this process keeps everything that it keeps itself. One process at a time; made if \
         absent.",
    ),
    setting(
        "kafka",
        Kind::Address,
        "127.0.0.1:9092",
        "Where Kafka clients connect, with TLS and without: the first byte tells. Port 0 picks a free one. `firn dev` serves \
         without a password, so it takes loopback addresses only.",
    ),
    setting(
        "http",
        Kind::Address,
        "127.0.0.1:8080",
        "Where the API, the pages, /healthz, /readyz and /metrics are served; of a broker only the last three. Port 0 picks a \
         free one; loopback only in `firn dev`.",
    ),
    setting(
        "advertise",
        Kind::Host,
        "",
        "The host, or host:port, that clients are told to connect to: by a broker its own, by `firn control` one that leads to \
         any broker of the cell. Unset: the address that `kafka` is bound to, which does only if that is one address.",
    ),
    setting(
        "internal",
        Kind::Address,
        "",
        "Where `firn control` speaks Kafka to this broker for people and programs that it has let in. Only it \
         can log in there; keep the port from everybody else all the same, since it is not encrypted. Unset: 127.0.0.1:9094; a free \
         port in `firn dev`.",
    ),
    setting(
        "internal-advertise",
        Kind::Host,
        "",
        "The host, or host:port, at which `firn control` reaches `internal`. Unset: the address that \
         `internal` is bound to.",
    ),
    setting(
        "node",
        Kind::Node,
        "0",
        "The number of this broker in its cell, which clients see. Each broker has one of its own and keeps it \
         for ever: a broker that starts under the number of another takes over from it.",
    ),
    setting(
        "cell-domain",
        Kind::Domain,
        "",
        "The domain of the clusters' host names. Clients of the cluster `orders` bootstrap from orders.DOMAIN and are sent on to \
         orders-b0.DOMAIN for broker 0, all at the port of `advertise`: one wildcard record and one certificate for *.DOMAIN \
         do for all. Unset: every client is told the address of `advertise`.",
    ),
    setting(
        "tls-cert",
        Kind::Path,
        "",
        "The PEM file of the certificate that Kafka clients are shown, followed by those between it and its authority. It is read \
         anew when it changes; one that cannot be used is logged, and the last one stays. Unset: `firn dev` makes an \
         authority and a certificate in the data directory; `firn broker` serves without TLS.",
    ),
    setting(
        "tls-key",
        Kind::Path,
        "",
        "The PEM file of the private key of `tls-cert`; readable by this process and nobody else.",
    ),
    setting(
        "kerberos-keytab",
        Kind::Path,
        "",
        "The keytab of this broker's service in Kerberos: with it, clients may log in with tickets (SASL mechanism GSSAPI). Keys that are \
         added to it are used without a restart. Needs MIT's library (Debian: libgssapi-krb5-2), which reads /etc/krb5.conf, or the file \
         in KRB5_CONFIG. Unset: no tickets are taken.",
    ),
    setting(
        "kerberos-service",
        Kind::Text,
        "kafka",
        "The name of the service, as in kafka/HOST@REALM: what clients have as sasl.kerberos.service.name.",
    ),
    setting(
        "kerberos-realm",
        Kind::Text,
        "",
        "The realm whose principals the rule DEFAULT of `kerberos-rules` is about. Needed with `kerberos-keytab`.",
    ),
    setting(
        "kerberos-cluster",
        Kind::Text,
        "",
        "The id or the slug of the cluster whose clients log in with tickets. A user that comes so has no role: ACLs say what it may do. Unset: \
         `dev` in `firn dev`; `firn broker` does not start with a keytab and without a cluster.",
    ),
    setting(
        "kerberos-rules",
        Kind::Text,
        "DEFAULT",
        "From a principal to the name of a user, as Kafka's sasl.kerberos.principal.to.local.rules has it: rules by commas, of \
         which the first that applies counts, such as RULE:[2:$1@$0](.*@EXAMPLE\\.COM)s/@.*//,DEFAULT. A principal to which none \
         applies is refused.",
    ),
    setting(
        "master-key",
        Kind::Path,
        "",
        "The file of the key that all secrets in the catalog are sealed and checked with: 64 hex digits, mode 0600, the same \
         file for every broker and control process of a cell (openssl rand -hex 32). Whoever loses it loses every credential. \
         Unset: `firn dev` makes one in the data directory; `firn broker` and `firn control` do not start.",
    ),
    setting(
        "public-url",
        Kind::HttpUrl,
        "",
        "The address at which people and programs reach the API: in mails, in redirects of logins, and as the issuer of tokens. \
         With https, cookies are for https only. Unset: http:// and the address that `http` is bound to.",
    ),
    setting(
        "trusted-proxies",
        Kind::Networks,
        "",
        "The networks of the proxies before `http`, such as those that terminate TLS: 10.0.0.0/8,fd00::/8. The client of a request from \
         one of them is the last address in X-Forwarded-For that is in none of them; it is the one that limits, login throttles and \
         audit go by. From anywhere else the header counts for nothing, since anybody can write it. Unset behind a proxy, all \
         clients are one address, and a stranger who tries too often locks everybody out.",
    ),
    setting(
        "outbound-networks",
        Kind::Networks,
        "",
        "Networks of your own in which URLs that tenants give may be asked too, such as those of identity providers inside: 10.1.0.0/16. \
         Unset: the public internet only, so that no tenant reaches what this process reaches; `firn dev` asks this machine, too.",
    ),
    setting(
        "smtp-url",
        Kind::SmtpUrl,
        "",
        "The server that takes mail: smtps://USER:PASSWORD@HOST, smtp://HOST:587?tls=required, or smtp://HOST for a \
         server on this machine. Better in the environment or the file than as a flag, which every process can read. \
         Unset: `firn dev` shows mail at /dev/mail; `firn control` does not start.",
    ),
    setting(
        "mail-from",
        Kind::Mailbox,
        "Firn <firn@localhost>",
        "The sender of mails: ADDRESS or NAME <ADDRESS>.",
    ),
    setting(
        "api-requests-per-principal",
        Kind::Count,
        "1200",
        "Requests to the API in a minute from one person or service account, at each process; the next one is answered 429 with the \
         time to wait.",
    ),
    setting(
        "api-requests-per-address",
        Kind::Count,
        "600",
        "Requests to the API in a minute from one address without a live credential, at each process; of an IPv6 address the first \
         64 bits count.",
    ),
    setting(
        "prices",
        Kind::Prices,
        "produced_bytes=0.03,fetched_bytes=0.02,storage_byte_hours=0.00005,partition_hours=0.0005",
        "What usage costs: of a GiB for produced_bytes and fetched_bytes, of a GiB kept for an hour for storage_byte_hours, of a partition \
         for an hour for partition_hours. What is not named costs nothing. Costs are told with usage; nothing is billed.",
    ),
    setting(
        "currency",
        Kind::Currency,
        "USD",
        "In what `prices` are: the code of a currency.",
    ),
    setting(
        "undelete-window",
        Kind::Duration,
        "7d",
        "How long a deleted cluster can be brought back. After that its topics and records go for good.",
    ),
    setting(
        "catalog",
        Kind::Url,
        "",
        "The catalog database: sqlite://FILE or postgres://USER@HOST/DATABASE. Unset: sqlite, in the \
         data directory.",
    ),
    setting(
        "store",
        Kind::Url,
        "",
        "The object store of all settled records: s3://BUCKET/PREFIX or file:///DIR. Unset: a folder in \
         the data directory. For s3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION are read, and \
         AWS_ENDPOINT_URL for a server other than that of AWS, such as http://127.0.0.1:9000.",
    ),
    setting(
        "wal",
        Kind::Wal,
        "disk",
        "The write-ahead log, durable before an acknowledgement: `disk` or `disk:DIR` (fast; this \
         machine's disk must survive), or `object` (with the store and the catalog elsewhere, nothing on \
         this machine must survive; an acknowledgement costs a PUT).",
    ),
    setting(
        KAFKA_CONFIG,
        Kind::Pairs,
        "",
        "A Kafka broker setting, KEY=VALUE, such as num.partitions=3. Repeat the flag; separate pairs \
         by `;` in the environment; a [kafka] table in the file.",
    ),
    setting(
        "wal-linger",
        Kind::Duration,
        "2ms",
        "How long records may wait for company before they are written. A lone producer does not \
         wait; longer makes fewer, larger writes on a busy broker.",
    ),
    setting(
        "wal-slot-bytes",
        Kind::Bytes,
        "4MiB",
        "The most that one write to the write-ahead log holds.",
    ),
    setting(
        "wal-slots-in-flight",
        Kind::Count,
        "4",
        "How many writes to the write-ahead log may be under way at once. More hides the latency of \
         an object store, at more memory.",
    ),
    setting(
        "max-pending-bytes",
        Kind::Bytes,
        "64MiB",
        "Records accepted but not yet durable, in the whole process. Beyond it producers wait; \
         heartbeats and fetches do not.",
    ),
    setting(
        "hot-memory-bytes",
        Kind::Bytes,
        "16MiB",
        "Recent records kept in memory for consumers that keep up.",
    ),
    setting(
        "hot-disk-bytes",
        Kind::Bytes,
        "2GiB",
        "Recent records kept on the local disk for consumers that are a little behind. A cache: it \
         may be lost.",
    ),
    setting(
        "offload-interval",
        Kind::Duration,
        "10min",
        "How long records stay in the write-ahead log at most before they are settled in the object \
         store.",
    ),
    setting(
        "offload-bytes",
        Kind::Bytes,
        "256MiB",
        "How many bytes of records may gather in the write-ahead log before they are settled early. \
         After a crash the next start reads the index of each slot that is not settled, not its records.",
    ),
    setting(
        "segment-min-bytes",
        Kind::Bytes,
        "4MiB",
        "A partition with at least this much to settle gets an object of its own; smaller ones share \
         one.",
    ),
    setting(
        "cold-cache-bytes",
        Kind::Bytes,
        "64MiB",
        "Memory for blocks read back from the object store, with their read-ahead.",
    ),
    setting(
        "retention-check-interval",
        Kind::Duration,
        "1min",
        "How often it is looked for records past retention.ms and retention.bytes, and for objects \
         in the store that nothing names any more and whose gc-grace is over.",
    ),
    setting(
        "gc-grace",
        Kind::Duration,
        "1h",
        "How long an object that nothing names any more is kept, for reads under way and a restored \
         catalog. Make it longer than the age of your oldest catalog backup.",
    ),
    setting(
        "max-groups-per-cluster",
        Kind::Count,
        "10000",
        "Consumer groups of one cluster; the next one is refused with POLICY_VIOLATION. For members of a group see the Kafka setting \
         group.max.size.",
    ),
    setting(
        "max-connections-per-ip",
        Kind::Count,
        "20000",
        "Connections of Kafka clients from one address at once; the next one is closed. For all \
         addresses together, and for the largest request and the longest idle time, see the Kafka \
         settings max.connections, socket.request.max.bytes and connections.max.idle.ms.",
    ),
    setting(
        "max-connections-per-principal",
        Kind::Count,
        "1000",
        "Connections of one user or service account of a cluster to this broker at once; the next one is closed once it has shown who \
         it is. For all of a cluster see the cluster's own limit.",
    ),
    setting(
        "max-pending-bytes-per-connection",
        Kind::Bytes,
        "32MiB",
        "Records that one connection may have accepted but not yet durable. Beyond it that \
         connection waits.",
    ),
    setting(
        "shutdown-timeout",
        Kind::Duration,
        "30s",
        "How long a stop may take. Clients have half of it to take their answers, and the log what is \
         left to make pending records durable; after that the process ends with exit code 1.",
    ),
    setting(
        "log-level",
        Kind::Filter,
        "info",
        "What is logged: error, warn, info, debug or trace, or per module, such as \
         info,firn_log=debug.",
    ),
    setting(
        "log-format",
        Kind::Choice(&["text", "json"]),
        "text",
        "How log lines are written on standard error.",
    ),
    setting(
        "otlp-endpoint",
        Kind::HttpUrl,
        "",
        "Where traces and metrics are sent by OTLP over HTTP, such as http://127.0.0.1:4318; \
         /v1/traces and /v1/metrics are appended. Unset: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and \
         OTEL_EXPORTER_OTLP_METRICS_ENDPOINT as they are, else OTEL_EXPORTER_OTLP_ENDPOINT with the \
         same paths appended, else nowhere.",
    ),
];

/// The setting of this name.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

-- The cell store: brokers, topics, partitions, objects, feed and audit of one cell. One text for SQLite and PostgreSQL.
-- Ids are 32 hexadecimal digits, times milliseconds since the Unix epoch, JSON is text.

-- One row, locked last by every transaction that tells the feed something.
CREATE TABLE cell_feed_head (
    id BIGINT PRIMARY KEY,
    head BIGINT NOT NULL
);
INSERT INTO cell_feed_head (id, head) VALUES (1, 0);

CREATE TABLE cell_feed (
    sequence BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    change TEXT NOT NULL
);

CREATE TABLE cell_audit (
    id TEXT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    principal TEXT NOT NULL,
    request TEXT NOT NULL,
    cluster TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL
);
CREATE INDEX cell_audit_by_cluster ON cell_audit (cluster, sequence);

CREATE TABLE cell_incarnations (
    id TEXT PRIMARY KEY,
    opening BIGINT NOT NULL UNIQUE,
    node BIGINT NOT NULL,
    state TEXT NOT NULL,
    wal TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    offloaded BIGINT NOT NULL,
    fence BIGINT,
    recovery_index TEXT,
    seal_order BIGINT UNIQUE,
    address TEXT
);

CREATE TABLE cell_clusters (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    kafka_id TEXT NOT NULL,
    organization TEXT NOT NULL,
    max_topics BIGINT NOT NULL,
    max_partitions BIGINT NOT NULL,
    topic_count BIGINT NOT NULL,
    partition_count BIGINT NOT NULL,
    configs TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- collision_name is the name with every '.' as '_': two names of one cluster may not share it.
CREATE TABLE cell_topics (
    id TEXT PRIMARY KEY,
    cluster TEXT NOT NULL REFERENCES cell_clusters (id),
    name TEXT NOT NULL,
    collision_name TEXT NOT NULL,
    partitions BIGINT NOT NULL,
    configs TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (cluster, collision_name)
);

CREATE TABLE cell_partitions (
    topic TEXT NOT NULL REFERENCES cell_topics (id),
    number BIGINT NOT NULL,
    owner TEXT NOT NULL,
    leader_epoch BIGINT NOT NULL,
    log_start BIGINT NOT NULL,
    end_hint BIGINT NOT NULL,
    PRIMARY KEY (topic, number)
);
CREATE INDEX cell_partitions_by_owner ON cell_partitions (owner);

-- size, index_size and the segment's columns are known once the object is live.
CREATE TABLE cell_objects (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    registered_by TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    size BIGINT,
    index_size BIGINT,
    segment_topic TEXT,
    segment_number BIGINT,
    segment_first BIGINT,
    segment_end BIGINT,
    marked_at BIGINT
);
CREATE INDEX cell_objects_registered ON cell_objects (registered_at) WHERE state = 'registered';
CREATE INDEX cell_objects_deleting ON cell_objects (marked_at) WHERE state = 'deleting';

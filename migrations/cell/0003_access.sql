-- Who may do what in a cluster, how much, from where, and whom it trusts. One text for SQLite and PostgreSQL; see 0001_cell.sql.

-- What clients may send and receive, in bytes of records a second over all brokers.
ALTER TABLE cell_clusters ADD COLUMN max_ingress BIGINT NOT NULL DEFAULT 1099511627776;
ALTER TABLE cell_clusters ADD COLUMN max_egress BIGINT NOT NULL DEFAULT 1099511627776;
-- JSON: the networks from which Kafka clients may come; empty: from anywhere.
ALTER TABLE cell_clusters ADD COLUMN networks TEXT NOT NULL DEFAULT '[]';

-- Kafka's ACLs. id is made of all that the binding says, so that there is each one once. Words are those of Kafka's tools, in lower case.
CREATE TABLE cell_acls (
    cluster TEXT NOT NULL REFERENCES cell_clusters (id),
    id TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    pattern_type TEXT NOT NULL,
    resource_name TEXT NOT NULL,
    principal TEXT NOT NULL,
    host TEXT NOT NULL,
    operation TEXT NOT NULL,
    permission TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (cluster, id)
);

-- Kafka's client quotas: entity is JSON, and names it in one way only; quotas is JSON from key to number.
CREATE TABLE cell_quotas (
    cluster TEXT NOT NULL REFERENCES cell_clusters (id),
    entity TEXT NOT NULL,
    quotas TEXT NOT NULL,
    PRIMARY KEY (cluster, entity)
);

-- Certificate authorities whose clients a cluster trusts. body is JSON.
CREATE TABLE cell_ca_pools (
    id TEXT PRIMARY KEY,
    cluster TEXT NOT NULL REFERENCES cell_clusters (id),
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (cluster, name)
);

-- Identity providers whose tokens a cluster trusts. body is JSON.
CREATE TABLE cell_identity_providers (
    id TEXT PRIMARY KEY,
    cluster TEXT NOT NULL REFERENCES cell_clusters (id),
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (cluster, name)
);

-- The audit trail of a cluster is a chain: position counts its rows without gaps, and hash covers the row and the hash before it
-- (docs/formats/audit.md). Rows from before the chain have no position.
ALTER TABLE cell_audit ADD COLUMN position BIGINT;
ALTER TABLE cell_audit ADD COLUMN hash TEXT;
ALTER TABLE cell_audit ADD COLUMN credential TEXT;
ALTER TABLE cell_audit ADD COLUMN address TEXT;
ALTER TABLE cell_audit ADD COLUMN resource_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE cell_audit ADD COLUMN decision TEXT NOT NULL DEFAULT 'allowed';
ALTER TABLE cell_audit ADD COLUMN detail TEXT NOT NULL DEFAULT 'null';
CREATE UNIQUE INDEX cell_audit_by_position ON cell_audit (cluster, position);

CREATE INDEX cell_audit_by_time ON cell_audit (cluster, at);

-- Where the chain of a cluster ends, and whose the cluster is. Stays when the cluster goes, so that its organization still reads it.
CREATE TABLE cell_audit_heads (
    cluster TEXT PRIMARY KEY,
    position BIGINT NOT NULL,
    hash TEXT NOT NULL,
    organization TEXT NOT NULL
);

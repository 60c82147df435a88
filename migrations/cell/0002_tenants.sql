-- What tenants have in a cell: lives of clusters, credentials, usage. One text for SQLite and PostgreSQL; see 0001_cell.sql.

-- Up to where in the feed this incarnation serves.
ALTER TABLE cell_incarnations ADD COLUMN applied BIGINT NOT NULL DEFAULT 0;
-- JSON: where the control plane reaches it.
ALTER TABLE cell_incarnations ADD COLUMN internal TEXT;

-- state: active | suspended | deleting, which goes at delete_at. version is that of the account store's row that this follows.
ALTER TABLE cell_clusters ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE cell_clusters ADD COLUMN delete_at BIGINT;
ALTER TABLE cell_clusters ADD COLUMN max_groups BIGINT NOT NULL DEFAULT 10000;
ALTER TABLE cell_clusters ADD COLUMN max_connections BIGINT NOT NULL DEFAULT 10000;
ALTER TABLE cell_clusters ADD COLUMN max_storage_bytes BIGINT NOT NULL DEFAULT 1125899906842624;
ALTER TABLE cell_clusters ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- What was used in one minute (minutes since the Unix epoch), as one broker counted it; see docs/metering.md. principal '' has what
-- the cluster as a whole takes up. A row without an incarnation is a whole hour, begins at that minute, and adds up its rows.
CREATE TABLE cell_usage (
    organization TEXT NOT NULL,
    minute BIGINT NOT NULL,
    cluster TEXT NOT NULL,
    principal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    produced_bytes BIGINT NOT NULL,
    fetched_bytes BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    connections_peak BIGINT NOT NULL,
    storage_byte_minutes BIGINT NOT NULL,
    partition_minutes BIGINT NOT NULL,
    PRIMARY KEY (organization, minute, cluster, principal, incarnation)
);
CREATE INDEX cell_usage_by_minute ON cell_usage (minute);

-- One row: all minutes before this one are rolled up into hours. Locked by whoever rolls up.
CREATE TABLE cell_usage_rollup (
    id BIGINT PRIMARY KEY,
    minute BIGINT NOT NULL
);
INSERT INTO cell_usage_rollup (id, minute) VALUES (1, 0);

-- kind: api_key | scram. username is what a client sends: an API key's public id, or a SCRAM user's name, which up to two
-- credentials share while its password changes; a generated one is in one cluster only. user_name is what follows 'User:'.
CREATE TABLE cell_credentials (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    cluster TEXT NOT NULL REFERENCES cell_clusters (id),
    username TEXT NOT NULL,
    generated BIGINT NOT NULL,
    service_account TEXT,
    user_name TEXT NOT NULL,
    roles TEXT NOT NULL,
    proof TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX cell_credentials_by_cluster ON cell_credentials (cluster, username);
CREATE INDEX cell_credentials_by_service_account ON cell_credentials (service_account);
CREATE INDEX cell_credentials_generated ON cell_credentials (username) WHERE generated = 1;

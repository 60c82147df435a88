-- People, their roles, and what they log in with. One text for SQLite and PostgreSQL; see 0001_account.sql.

DROP TABLE account_people;

-- email is trimmed and in lower case. password is an argon2id hash; none: this person logs in through a provider only, or has not
-- proven the address yet.
CREATE TABLE account_people (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password TEXT,
    verified_at BIGINT,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- title is the name that people see, which others may have too; name is unique and internal: the public id, or 'dev'.
ALTER TABLE account_organizations ADD COLUMN title TEXT NOT NULL DEFAULT 'dev';
ALTER TABLE account_organizations ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE account_projects ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

CREATE TABLE account_members (
    organization TEXT NOT NULL REFERENCES account_organizations (id),
    person TEXT NOT NULL REFERENCES account_people (id),
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (organization, person)
);
CREATE INDEX account_members_by_person ON account_members (person);

-- principal is a person (principal_kind 'person') or a service account ('service_account');
-- scope is an organization, a project or a cluster, as scope_kind says. One role for each principal in each scope.
CREATE TABLE account_bindings (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES account_organizations (id),
    principal_kind TEXT NOT NULL,
    principal TEXT NOT NULL,
    scope_kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (principal, scope)
);
CREATE INDEX account_bindings_by_organization ON account_bindings (organization, id);

-- A login. digest is a keyed digest of what the cookie holds. last_used_at moves at most once a minute.
CREATE TABLE account_sessions (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES account_people (id),
    digest TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT,
    user_agent TEXT NOT NULL
);
CREATE INDEX account_sessions_by_person ON account_sessions (person, id);

-- A token that was mailed, as a keyed digest; kind is 'verify' or 'reset'. password is the hash that a signup brought: it is in
-- force once this very token comes back, so that who signs up with a stranger's address does not choose the stranger's password.
CREATE TABLE account_one_time (
    digest TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES account_people (id),
    password TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX account_one_time_by_person ON account_one_time (person, kind);

-- Failed logins with addresses that no account has, counted in a few rows: nothing reads them. They keep the database as busy as the
-- audit row of a known one does.
CREATE TABLE account_unknown_logins (
    slot BIGINT PRIMARY KEY,
    head BIGINT NOT NULL,
    last TEXT NOT NULL
);

-- client_secret is sealed under the master key; allowed_domains is a JSON list.
CREATE TABLE account_login_providers (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES account_organizations (id),
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    client_secret TEXT NOT NULL,
    allowed_domains TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX account_login_providers_by_organization ON account_login_providers (organization, id);

-- Who a person is to a provider.
CREATE TABLE account_identities (
    provider TEXT NOT NULL REFERENCES account_login_providers (id),
    subject TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES account_people (id),
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX account_identities_by_person ON account_identities (person);

-- What a cluster shall be; the cell is brought to it. applied is the version of this row that the cell is known to have.
-- state: active | suspended | purging; with a delete_at it is being deleted, and goes then. limits is JSON. sought_name is name in
-- lower case.
ALTER TABLE account_clusters ADD COLUMN name TEXT NOT NULL DEFAULT 'dev';
ALTER TABLE account_clusters ADD COLUMN sought_name TEXT NOT NULL DEFAULT 'dev';
ALTER TABLE account_clusters ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
ALTER TABLE account_clusters ADD COLUMN delete_at BIGINT;
ALTER TABLE account_clusters ADD COLUMN deletion_protection BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account_clusters ADD COLUMN limits TEXT NOT NULL
    DEFAULT '{"topics":10000,"partitions":100000,"groups":10000,"connections":10000,"storage_bytes":1125899906842624}';
ALTER TABLE account_clusters ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE account_clusters ADD COLUMN applied BIGINT NOT NULL DEFAULT 1;
-- Who made this version, and by which request: what the cell's audit trail says, whoever brings it there.
ALTER TABLE account_clusters ADD COLUMN changed_by TEXT NOT NULL DEFAULT 'Cell';
ALTER TABLE account_clusters ADD COLUMN changed_in TEXT NOT NULL DEFAULT '';
-- How many clusters the organization may have, if it is not the usual number.
ALTER TABLE account_organizations ADD COLUMN max_clusters BIGINT;
-- What the limits of all its clusters may come to together, if it is not the usual amount.
ALTER TABLE account_organizations ADD COLUMN max_partitions BIGINT;
ALTER TABLE account_organizations ADD COLUMN max_storage_bytes BIGINT;
ALTER TABLE account_organizations ADD COLUMN max_connections BIGINT;
CREATE INDEX account_clusters_by_project ON account_clusters (project, cluster);
CREATE INDEX account_clusters_unapplied ON account_clusters (cluster) WHERE applied < version;
CREATE INDEX account_clusters_leaving ON account_clusters (delete_at) WHERE delete_at IS NOT NULL;

-- Counts the organization's audit rows; whoever writes one locks the row, so that the rows of an organization commit in their order.
ALTER TABLE account_organizations ADD COLUMN audit_head BIGINT NOT NULL DEFAULT 0;
-- The row of a deleted organization stays for its audit trail; nobody is a member of it any more.
ALTER TABLE account_organizations ADD COLUMN deleted_at BIGINT;

-- decision is 'allowed' or 'denied'; detail is JSON. credential, address: by what and from where, if there was any.
CREATE TABLE account_audit (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES account_organizations (id),
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    principal TEXT NOT NULL,
    credential TEXT,
    address TEXT,
    request TEXT NOT NULL,
    action TEXT NOT NULL,
    resource_kind TEXT NOT NULL,
    resource TEXT NOT NULL,
    decision TEXT NOT NULL,
    detail TEXT NOT NULL,
    UNIQUE (organization, sequence)
);
CREATE INDEX account_audit_by_time ON account_audit (organization, at);

-- token is a keyed digest of what was mailed. A row goes when the invitation is accepted, revoked or replaced.
CREATE TABLE account_invitations (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES account_organizations (id),
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    invited_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (organization, email)
);

-- key is a digest of principal, route and Idempotency-Key, body one of the request. answer is sealed; none: in flight.
CREATE TABLE account_idempotency (
    key TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    claim TEXT NOT NULL,
    claimed_at BIGINT NOT NULL,
    answer TEXT
);
CREATE INDEX account_idempotency_by_time ON account_idempotency (claimed_at);

-- A change of the cell that was told in its feed at sequence, and is done once every broker has applied it.
CREATE TABLE account_operations (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX account_operations_by_time ON account_operations (created_at);

-- A principal that is a program. One with a deleted_at holds nothing any more; its row stays while something may still bring a
-- credential of it to a cell, also beyond its project. roles_changed_at: its cells may not know its roles yet.
CREATE TABLE account_service_accounts (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    roles_changed_at BIGINT,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX account_service_accounts_by_name ON account_service_accounts (project, name) WHERE deleted_at IS NULL;
CREATE INDEX account_service_accounts_by_project ON account_service_accounts (project, id);
CREATE INDEX account_service_accounts_leaving ON account_service_accounts (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX account_service_accounts_stale ON account_service_accounts (roles_changed_at) WHERE roles_changed_at IS NOT NULL;

-- digest is a keyed digest of the whole key, empty once it is revoked. A key with a cluster works as SASL/PLAIN there: applied is 1
-- once the cell knows what this row says, or need not know. The row of a revoked key stays as that of a deleted service account.
CREATE TABLE account_api_keys (
    id TEXT PRIMARY KEY,
    service_account TEXT NOT NULL REFERENCES account_service_accounts (id),
    cluster TEXT,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT,
    applied BIGINT NOT NULL
);
CREATE INDEX account_api_keys_by_service_account ON account_api_keys (service_account, id);
CREATE INDEX account_api_keys_by_cluster ON account_api_keys (cluster);
CREATE INDEX account_api_keys_unapplied ON account_api_keys (id) WHERE applied = 0;
CREATE INDEX account_api_keys_revoked ON account_api_keys (revoked_at) WHERE revoked_at IS NOT NULL;

-- Keys that sign access tokens. public_key is base64url; private_key is sealed under the master key. A key signs from signs_from on
-- until the next one does, and verifies until the last token that it signed has expired.
CREATE TABLE account_signing_keys (
    id TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,
    private_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL UNIQUE
);

-- One row once a process has started: which master key the sealed and keyed values in this catalog belong to, by a digest.
CREATE TABLE account_master_key (
    id BIGINT PRIMARY KEY,
    mark TEXT NOT NULL
);

-- People, their roles, and what they log in with. One text for SQLite and PostgreSQL; see 0001_account.sql.

DROP TABLE account_people;

-- email is trimmed and in lower case. password is an argon2id hash; none: this person logs in through a provider only.
CREATE TABLE account_people (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password TEXT,
    verified_at BIGINT,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

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

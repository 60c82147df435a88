-- The account store: who there is, and which cluster is in which cell. One text for SQLite and PostgreSQL.
-- Ids are 32 hexadecimal digits, times milliseconds since the Unix epoch.

CREATE TABLE account_organizations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE account_people (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES account_organizations (id),
    email TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE account_projects (
    id TEXT PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES account_organizations (id),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (organization, name)
);

-- cluster and cell name things of the cell stores: ids only, no foreign key, since a cell may be another database.
CREATE TABLE account_clusters (
    cluster TEXT PRIMARY KEY,
    project TEXT NOT NULL REFERENCES account_projects (id),
    slug TEXT NOT NULL,
    cell TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (cell, slug)
);

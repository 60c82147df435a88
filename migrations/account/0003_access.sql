-- Networks, rates and the chained audit trail of accounts. One text for SQLite and PostgreSQL; see 0001_account.sql.

-- What the limits of all its clusters may come to together, if it is not the usual amount: bytes of records a second in and out.
ALTER TABLE account_organizations ADD COLUMN max_ingress BIGINT;
ALTER TABLE account_organizations ADD COLUMN max_egress BIGINT;

-- JSON: the networks from which the organization is reached by REST; empty: from anywhere.
ALTER TABLE account_organizations ADD COLUMN networks TEXT NOT NULL DEFAULT '[]';

-- The audit trail is a chain: hash covers the row and the hash before it (docs/formats/audit.md). Rows from before it have none.
ALTER TABLE account_audit ADD COLUMN hash TEXT;
ALTER TABLE account_organizations ADD COLUMN audit_hash TEXT NOT NULL DEFAULT '';

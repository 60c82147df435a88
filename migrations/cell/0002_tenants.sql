-- What tenants have in a cell: lives of clusters, credentials, usage. One text for SQLite and PostgreSQL; see 0001_cell.sql.

-- Up to where in the feed this incarnation serves.
ALTER TABLE cell_incarnations ADD COLUMN applied BIGINT NOT NULL DEFAULT 0;

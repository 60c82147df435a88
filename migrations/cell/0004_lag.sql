-- How far consumer groups were behind, minute by minute (minutes since the Unix epoch), as their coordinators saw it; one text for
-- SQLite and PostgreSQL, see 0001_cell.sql. The group is the SHA-256 of its name, in hex: names are any text of any length.
-- lag_ms is how old the oldest record was that the group had not passed; null: not known. Rows of one group, topic and minute
-- replace each other, so a repeat changes nothing. Old minutes are thinned, very old ones go.
CREATE TABLE cell_lag (
    cluster TEXT NOT NULL,
    group_digest TEXT NOT NULL,
    topic TEXT NOT NULL,
    minute BIGINT NOT NULL,
    lag_records BIGINT NOT NULL,
    lag_ms BIGINT,
    PRIMARY KEY (cluster, group_digest, topic, minute)
);

CREATE INDEX cell_lag_by_minute ON cell_lag (minute);

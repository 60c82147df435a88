//! A broker's log: all its partitions, its incarnation, its background work.

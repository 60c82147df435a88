//! The seeded simulation of the log under faults

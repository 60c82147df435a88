//! What each role of the binary puts together. `process::life` starts and stops them.
//!
//! | module | role |
//! |---|---|
//! | `dev` | `firn dev`: both planes in one process, on this machine |
//! | `broker` | `firn broker`: the data plane of a cell |
//! | `control` | `firn control`: the control plane of a cell, any number of them |

pub mod broker;
pub mod control;
pub mod dev;

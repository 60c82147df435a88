//! The parts of a process, built from the settings. Roles put them together (`src/roles`).
//!
//! | module | what is in it |
//! |---|---|
//! | `foundation` | what both planes stand on: the catalog, its image, the secrets |
//! | `data_plane` | store, write-ahead log, log, broker, usage meter |
//! | `control_plane` | the REST API and what it keeps in order in the background |
//! | `places` | where store and write-ahead log are |
//! | `master_key` | the key that secrets in the catalog are sealed with |
//! | `tuning` | from the names that operators set to the settings of log and broker |
//! | `background` | tasks that end with their owner |

mod background;
pub mod control_plane;
pub mod data_plane;
pub mod foundation;
mod master_key;
mod places;
mod tuning;

pub use control_plane::ControlPlane;
pub use data_plane::{DataPlane, Halted, Halts};
pub use foundation::Foundation;

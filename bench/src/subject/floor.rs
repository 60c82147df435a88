//! The floor: this program itself, in a process of its own.

use std::path::Path;
use std::process::Command;

use super::{Started, firn};

/// Starts it with its log in `data`.
pub(super) fn start(data: &Path) -> anyhow::Result<Started> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["floor", "--data-dir"]).arg(data);
    firn::ready("the floor", &mut command)
}

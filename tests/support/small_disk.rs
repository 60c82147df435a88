//! A small file system of its own for one test, which can run full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A mounted tmpfs; unmounted when dropped.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts one of `mib` MiB. Fails the test where that is not allowed: skipping it would say that it passed.
    pub fn mount(mib: u32) -> Self {
        let directory = tempfile::Builder::new().prefix("firn-disk-").tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(directory.path())
            .output()
            .unwrap_or_else(|error| panic!("mount cannot be run: {error}"));
        assert!(
            mounted.status.success(),
            "this test fills a tmpfs, which takes root (or CAP_SYS_ADMIN) to mount: run the tests as root. mount says: {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Self(directory)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes `mib` MiB away with a file that [`Self::make_room`] removes.
    pub fn take_room(&self, mib: usize) {
        fs::write(self.ballast(), vec![0; mib << 20]).unwrap();
    }

    /// Gives the room back that [`Self::take_room`] took.
    pub fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazy: a process that a failed test leaves for a moment may still have files open there.
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        if !std::thread::panicking() {
            assert!(unmounted.unwrap().success(), "umount {}", self.path().display());
        }
    }
}

//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are built or fetched, not written.
const NOT_OURS: [&str; 9] = [
    "target",
    ".git",
    ".cache",
    ".firn",
    ".terraform",
    "node_modules",
    "__pycache__",
    "dist",
    "dist.next",
];

/// A text file of the repository.
pub struct SourceFile {
    /// Its path from the root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl SourceFile {
    /// What follows the last dot of its name.
    pub fn extension(&self) -> &str {
        let name = self.path.rsplit_once('/').map_or(&*self.path, |(_, name)| name);
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Whether a program wrote it: it says so as Go's tools do, or is the console's picture of the API.
    pub fn is_generated(&self) -> bool {
        let first = self.text.lines().take(10);
        self.path == "web/src/api/schema.d.ts"
            || first
                .into_iter()
                .any(|line| line.starts_with("// Code generated") && line.ends_with("DO NOT EDIT."))
    }

    /// Whether it names the program that runs it.
    pub fn is_script(&self) -> bool {
        self.text.starts_with("#!")
    }
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the repository, by path.
pub fn files() -> Vec<SourceFile> {
    let mut paths = Vec::new();
    walk(root(), &mut paths);
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(&path).ok()?;
            let path = path.strip_prefix(root()).expect("found under the root");
            Some(SourceFile {
                path: path.to_string_lossy().replace('\\', "/"),
                text,
            })
        })
        .collect()
}

fn walk(directory: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if NOT_OURS.iter().any(|skipped| name == *skipped) {
            continue;
        }
        // A file may vanish while others work in the tree; links are followed by nobody.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&path, paths),
            Ok(kind) if kind.is_file() => paths.push(path),
            _ => {}
        }
    }
}

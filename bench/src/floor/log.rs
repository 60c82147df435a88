//! Its log: files that were filled with zeros before, written over in turn by one thread, with one `fdatasync` for a group.

use std::fs::File;
use std::io::{IoSlice, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc;

use anyhow::Context;
use bytes::Bytes;
use tokio::sync::oneshot;

const FILES: usize = 8;
/// Bytes of a file.
pub(super) const FILE: usize = 64 << 20;
/// A group is synced once it has so many bytes, or nothing more waits.
const MOST: usize = 4 << 20;
/// How many pieces one system call takes (Linux's IOV_MAX).
const MOST_PIECES: usize = 1024;

/// A batch that is to be on disk, and who waits for it.
pub(super) struct Append {
    pub(super) batch: Bytes,
    pub(super) done: oneshot::Sender<()>,
}

/// The way to the log's thread.
#[derive(Clone)]
pub(super) struct Log(mpsc::Sender<Append>);

impl Log {
    /// Makes the files of `size` bytes in `data` and starts the thread.
    pub(super) fn start(data: &Path, size: usize) -> anyhow::Result<Self> {
        std::fs::create_dir_all(data)?;
        let files: Vec<File> = (0..FILES)
            .map(|number| zeroed(&data.join(format!("{number}.log")), size))
            .collect::<anyhow::Result<_>>()?;
        let (sender, appends) = mpsc::channel();
        std::thread::Builder::new()
            .name("floor-log".to_owned())
            .spawn(move || {
                if let Err(error) = write_all(files, size, &appends) {
                    super::complain("the log", &error);
                    std::process::exit(1);
                }
            })?;
        Ok(Self(sender))
    }

    /// Hands over a batch; the receiver is told once it is on disk.
    pub(super) fn append(&self, batch: Bytes) -> anyhow::Result<oneshot::Receiver<()>> {
        let (done, receiver) = oneshot::channel();
        let sent = self.0.send(Append { batch, done });
        sent.ok().context("the log's thread has ended")?;
        Ok(receiver)
    }
}

fn zeroed(path: &Path, size: usize) -> anyhow::Result<File> {
    let mut file = File::create(path)?;
    let zeros = vec![0; 1 << 20];
    for _ in 0..size / zeros.len() {
        file.write_all(&zeros)?;
    }
    file.sync_all()?;
    Ok(file)
}

fn write_all(mut files: Vec<File>, size: usize, appends: &mpsc::Receiver<Append>) -> anyhow::Result<()> {
    let mut at = 0;
    let mut left = size;
    let mut group = Vec::new();
    files[0].rewind()?;
    while let Ok(first) = appends.recv() {
        let mut bytes = first.batch.len();
        group.push(first);
        while bytes < MOST {
            let Ok(next) = appends.try_recv() else { break };
            bytes += next.batch.len();
            group.push(next);
        }
        if bytes > left {
            at = (at + 1) % FILES;
            left = size;
            files[at].seek(SeekFrom::Start(0))?;
        }
        left = left.saturating_sub(bytes);
        write_group(&mut files[at], &group)?;
        for append in group.drain(..) {
            // Whoever waited may have gone.
            let _ = append.done.send(());
        }
    }
    Ok(())
}

fn write_group(file: &mut File, group: &[Append]) -> anyhow::Result<()> {
    let mut slices: Vec<_> = group.iter().map(|append| IoSlice::new(&append.batch)).collect();
    let mut rest = &mut slices[..];
    while !rest.is_empty() {
        let window = rest.len().min(MOST_PIECES);
        let written = file.write_vectored(&rest[..window])?;
        IoSlice::advance_slices(&mut rest, written);
    }
    Ok(file.sync_data()?)
}

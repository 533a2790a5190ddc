//! The disk: one call of the system for all writes that wait for it.

use std::{
    fs::File,
    io::Write as _,
    process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use tokio::sync::oneshot;

use crate::{BenchError, failure::Trying as _};

#[derive(Default)]
struct Waiting {
    writes: Mutex<Vec<oneshot::Sender<()>>>,
    some: Condvar,
}

impl Waiting {
    fn writes(&self) -> MutexGuard<'_, Vec<oneshot::Sender<()>>> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that wait now, once there are any.
    fn take(&self) -> Vec<oneshot::Sender<()>> {
        let waiting = self.some.wait_while(self.writes(), |waiting| waiting.is_empty());
        std::mem::take(&mut *waiting.unwrap_or_else(PoisonError::into_inner))
    }
}

/// A file whose writes are made durable, many at a time.
pub(super) struct Disk(Arc<Waiting>);

impl Disk {
    /// Starts the thread that waits for the disk.
    pub(super) fn start(file: File) -> Result<Self, BenchError> {
        let waiting = Arc::new(Waiting::default());
        let served = Arc::clone(&waiting);
        thread::Builder::new()
            .name("disk".to_owned())
            .spawn(move || {
                loop {
                    // Those who wait have written before they waited, so that
                    // this call covers them.
                    let covered = served.take();
                    if let Err(error) = file.sync_data() {
                        // Nothing can be promised any more.
                        let _unread = writeln!(std::io::stderr(), "the disk failed: {error}");
                        process::abort();
                    }
                    for write in covered {
                        // Who waited may have gone away.
                        let _gone: Result<(), ()> = write.send(());
                    }
                }
            })
            .trying("start the thread that waits for the disk")?;
        Ok(Self(waiting))
    }

    /// Waits until everything that was written before this call is durable.
    pub(super) async fn synced(&self) {
        let (done, covered) = oneshot::channel();
        self.0.writes().push(done);
        self.0.some.notify_one();
        // The thread never gives a wait up; it ends the process instead.
        let _always: Result<(), oneshot::error::RecvError> = covered.await;
    }
}

//! A disk that remembers every step, and what a power cut may leave of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::disk::Disk;
use crate::name;

/// What is on the disk: the directories, and the files with their content.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Image {
    pub(super) directories: BTreeSet<String>,
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// One step, as a file system without any promise beyond POSIX sees it.
#[derive(Clone, Debug)]
enum Step {
    MakeDirectory(String),
    Create {
        path: String,
        inode: usize,
    },
    Write {
        inode: usize,
        content: Vec<u8>,
    },
    SyncFile {
        inode: usize,
    },
    Rename {
        from: String,
        to: String,
        inode: usize,
    },
    Remove {
        path: String,
    },
    SyncDirectory(String),
}

/// A mistake that the simulated store makes, to see whether the replay finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Forget {
    #[default]
    Nothing,
    FileSync,
    DirectorySync,
}

#[derive(Debug, Default)]
struct State {
    start: Image,
    now: BTreeMap<String, usize>,
    directories: BTreeSet<String>,
    inodes: Vec<Vec<u8>>,
    log: Vec<Step>,
    forget: Forget,
    /// The change, counted from now, that fails; it does nothing.
    fails: Option<usize>,
    read_only: bool,
}

/// Clones share the same disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Sim(Arc<Mutex<State>>);

impl Sim {
    pub(super) fn new(start: &Image, forget: Forget) -> Self {
        let sim = Self::default();
        let mut state = sim.0.lock().unwrap();
        state.start = start.clone();
        state.forget = forget;
        state.directories.clone_from(&start.directories);
        for (path, content) in &start.files {
            let inode = state.inodes.len();
            state.inodes.push(content.clone());
            state.now.insert(path.clone(), inode);
        }
        drop(state);
        sim
    }

    pub(super) fn of(start: &Image) -> Self {
        Self::new(start, Forget::Nothing)
    }

    /// The disk as it is without a power cut.
    pub(super) fn image(&self) -> Image {
        let state = self.0.lock().unwrap();
        let files = state
            .now
            .iter()
            .map(|(path, inode)| (path.clone(), state.inodes[*inode].clone()));
        Image {
            directories: state.directories.clone(),
            files: files.collect(),
        }
    }

    /// The number of steps so far.
    pub(super) fn steps(&self) -> usize {
        self.0.lock().unwrap().log.len()
    }

    pub(super) fn fail_change(&self, number: Option<usize>) {
        self.0.lock().unwrap().fails = number;
    }

    pub(super) fn make_read_only(&self) {
        self.0.lock().unwrap().read_only = true;
    }

    /// Everything that may be on the disk if the power goes after the first `steps` steps.
    pub(super) fn crashes(&self, steps: usize) -> BTreeSet<Image> {
        let state = self.0.lock().unwrap();
        let done = &state.log[..steps];
        let open_names: Vec<usize> = (0..steps)
            .filter(|step| !name_is_durable(done, *step))
            .collect();
        let mut images = BTreeSet::new();
        for lost in subsets(&open_names) {
            for remains in [
                Remains::All,
                Remains::Nothing,
                Remains::Half,
                Remains::Zeros,
            ] {
                images.insert(after_crash(&state.start, done, &lost, remains));
            }
        }
        images
    }

    fn change(&self) -> io::Result<std::sync::MutexGuard<'_, State>> {
        let mut state = self.0.lock().unwrap();
        if state.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        match state.fails {
            Some(0) => {
                state.fails = None;
                return Err(io::ErrorKind::StorageFull.into());
            }
            Some(left) => state.fails = Some(left - 1),
            None => {}
        }
        Ok(state)
    }
}

impl Disk for Sim {
    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let state = self.0.lock().unwrap();
        let inode = *state.now.get(path).ok_or(io::ErrorKind::NotFound)?;
        let content = state.inodes[inode].clone();
        if content.len() as u64 > limit {
            Err(io::ErrorKind::FileTooLarge.into())
        } else {
            Ok(content)
        }
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let state = self.0.lock().unwrap();
        let inside = state
            .now
            .keys()
            .filter(|path| name::directory(path) == directory);
        Ok(inside
            .map(|path| path.rsplit('/').next().unwrap().to_owned())
            .collect())
    }

    fn directories(&self) -> io::Result<Vec<String>> {
        let state = self.0.lock().unwrap();
        Ok(state.directories.iter().cloned().collect())
    }

    fn make_directory(&self, directory: &str) -> io::Result<()> {
        if self.0.lock().unwrap().directories.contains(directory) {
            return Ok(());
        }
        let mut state = self.change()?;
        state.directories.insert(directory.into());
        state.log.push(Step::MakeDirectory(directory.into()));
        Ok(())
    }

    fn write_new(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let mut state = self.change()?;
        let directory = name::directory(path);
        if !directory.is_empty() && !state.directories.contains(directory) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if state.now.remove(path).is_some() {
            state.log.push(Step::Remove { path: path.into() });
        }
        let inode = state.inodes.len();
        state.inodes.push(content.to_vec());
        state.now.insert(path.into(), inode);
        state.log.push(Step::Create {
            path: path.into(),
            inode,
        });
        state.log.push(Step::Write {
            inode,
            content: content.to_vec(),
        });
        if state.forget != Forget::FileSync {
            state.log.push(Step::SyncFile { inode });
        }
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.change()?;
        let inode = state.now.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.now.insert(to.into(), inode);
        state.log.push(Step::Rename {
            from: from.into(),
            to: to.into(),
            inode,
        });
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.change()?;
        state.now.remove(path).ok_or(io::ErrorKind::NotFound)?;
        state.log.push(Step::Remove { path: path.into() });
        Ok(())
    }

    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        let mut state = self.change()?;
        if state.forget != Forget::DirectorySync {
            state.log.push(Step::SyncDirectory(directory.into()));
        }
        Ok(())
    }

    fn full_path(&self, path: &str) -> PathBuf {
        PathBuf::from("/state").join(path)
    }
}

/// What remains of the content of a file that was not synced.
#[derive(Clone, Copy)]
enum Remains {
    All,
    Nothing,
    Half,
    Zeros,
}

/// False for a change of names whose directory was not synced after it.
fn name_is_durable(done: &[Step], step: usize) -> bool {
    let directory = match &done[step] {
        Step::MakeDirectory(_) => "",
        Step::Create { path, .. } | Step::Rename { to: path, .. } | Step::Remove { path } => {
            name::directory(path)
        }
        Step::Write { .. } | Step::SyncFile { .. } | Step::SyncDirectory(_) => return true,
    };
    done[step..]
        .iter()
        .any(|later| matches!(later, Step::SyncDirectory(synced) if synced == directory))
}

/// All subsets of a few; of many, those that a file system is likeliest to leave: a beginning, or all but one, or one.
fn subsets(of: &[usize]) -> Vec<BTreeSet<usize>> {
    if of.len() <= 8 {
        let pick = |bits: usize| {
            (0..of.len())
                .filter(|bit| bits >> bit & 1 == 1)
                .map(|bit| of[bit])
                .collect()
        };
        return (0..1_usize << of.len()).map(pick).collect();
    }
    let beginnings = (0..=of.len()).map(|cut| of[cut..].iter().copied().collect());
    let single = of.iter().map(|one| BTreeSet::from([*one]));
    let but_one = of
        .iter()
        .map(|one| of.iter().copied().filter(|other| other != one).collect());
    beginnings.chain(single).chain(but_one).collect()
}

fn after_crash(start: &Image, done: &[Step], lost: &BTreeSet<usize>, remains: Remains) -> Image {
    let mut directories = start.directories.clone();
    let mut inodes: Vec<Vec<u8>> = start.files.values().cloned().collect();
    let mut names: BTreeMap<String, usize> = start.files.keys().cloned().zip(0..).collect();
    for (number, step) in done.iter().enumerate() {
        match step {
            Step::Write { inode, content } => {
                let synced = done[number..].iter().any(
                    |later| matches!(later, Step::SyncFile { inode: other } if other == inode),
                );
                let remains = if synced { Remains::All } else { remains };
                inodes.resize(inodes.len().max(inode + 1), Vec::new());
                inodes[*inode] = match remains {
                    Remains::All => content.clone(),
                    Remains::Nothing => Vec::new(),
                    Remains::Half => content[..content.len() / 2].to_vec(),
                    Remains::Zeros => vec![0; content.len()],
                };
            }
            _ if lost.contains(&number) => {}
            Step::MakeDirectory(directory) => {
                directories.insert(directory.clone());
            }
            Step::Create { path, inode } => {
                names.insert(path.clone(), *inode);
            }
            Step::Rename { from, to, inode } => {
                names.retain(|name, held| name != from || held != inode);
                names.insert(to.clone(), *inode);
            }
            Step::Remove { path } => {
                names.remove(path);
            }
            Step::SyncFile { .. } | Step::SyncDirectory(_) => {}
        }
    }
    names.retain(|path, _| {
        name::directory(path).is_empty() || directories.contains(name::directory(path))
    });
    let content = |inode: usize| inodes.get(inode).cloned().unwrap_or_default();
    let files = names
        .into_iter()
        .map(|(path, inode)| (path, content(inode)))
        .collect();
    Image { directories, files }
}

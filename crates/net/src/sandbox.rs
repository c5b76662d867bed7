//! What a process may still do once it has its sockets: another user, no capability, no file, no
//! other program (capabilities(7), landlock(7), seccomp(2)).

use caps::{CapSet, Capability};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus,
    Scope,
};
use nix::libc;
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;

/// A process could not be shut in; it must not go on.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// User or group could not be changed.
    #[error("can not change to user {uid}: {source}")]
    User {
        /// The user wanted.
        uid: u32,
        /// What the system said.
        source: io::Error,
    },
    /// Capabilities could not be given up.
    #[error("can not give up capabilities: {0}")]
    Capabilities(String),
    /// New privileges could not be ruled out.
    #[error("can not rule out new privileges: {0}")]
    Privileges(io::Error),
    /// Landlock did not take the rules.
    #[error("landlock: {0}")]
    Landlock(#[from] landlock::RulesetError),
    /// Seccomp did not take the filter.
    #[error("seccomp: {0}")]
    Seccomp(#[from] seccompiler::Error),
}

/// How far a process is shut in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Whether landlock closes the file system.
    pub landlock: bool,
    /// Whether seccomp closes all system calls but those of a network server.
    pub seccomp: bool,
}

/// Raises the number of files that this process and those it starts may have open as far as it may go,
/// and returns it: a connection takes two and more, and the usual 1024 are soon gone. The hard limit is
/// raised to `wanted` as well, where it is lower and this process may do that.
///
/// # Errors
/// The system's.
pub fn raise_open_files(wanted: u64) -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if hard < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted).is_ok() {
        return Ok(wanted);
    }
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}

/// Files that a process has open beside its connections: listeners, links, pollers, idle connections to targets.
const OTHER_FILES: u64 = 1024;

/// How many files must be allowed for so many connections of clients at once, each with one to a target.
pub fn files_for(connections: u32) -> u64 {
    u64::from(connections) * 2 + OTHER_FILES
}

/// How many connections of clients at once so many files allow: the other way round.
pub fn connections_for(files: u64) -> u32 {
    // With very few files, keep half for connections all the same.
    let others = OTHER_FILES.min(files / 2);
    u32::try_from((files - others) / 2).unwrap_or(u32::MAX)
}

/// Keeps every descriptor of this process but standard input, output and error from programs that it
/// starts: what it was itself started with may be anything.
///
/// # Errors
/// None yet: what the system refuses to mark stays as it is.
pub fn close_on_exec_above_stdio() -> io::Result<()> {
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    Ok(())
}

/// Gives up every capability for good and, with a `uid`, changes to that user and group.
///
/// # Errors
/// A `uid` without root; or the kernel refuses.
pub fn drop_rights(uid: Option<u32>) -> Result<(), SandboxError> {
    let capabilities =
        |error: caps::errors::CapsError| SandboxError::Capabilities(error.to_string());
    // Only CAP_SETPCAP may empty the bounding set. Who lacks it gains nothing by that set either: no
    // program that could give capabilities is started with the privileges closed off below.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).map_err(capabilities)? {
        caps::clear(None, CapSet::Bounding).map_err(capabilities)?;
    }
    caps::clear(None, CapSet::Ambient).map_err(capabilities)?;
    if let Some(uid) = uid {
        become_user(uid).map_err(|errno| SandboxError::User {
            uid,
            source: errno.into(),
        })?;
    }
    for set in [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
        caps::clear(None, set).map_err(capabilities)?;
    }
    set_no_new_privs().map_err(|errno| SandboxError::Privileges(errno.into()))
}

fn become_user(uid: u32) -> nix::Result<()> {
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
    setgroups(&[])?;
    setresgid(group, group, group)?;
    setresuid(user, user, user)
}

/// Closes the file system and every system call that a network server does not need, for this thread
/// and those it starts: call it while it is the only one. Opening a file or a listener, starting a
/// program, tracing a process then fail with "not permitted".
///
/// # Errors
/// The kernel refuses the rules. A kernel without landlock or seccomp is no error: see [`Sandbox`].
pub fn shut_in() -> Result<Sandbox, SandboxError> {
    let landlock = close_files()?;
    let arch = TargetArch::try_from(std::env::consts::ARCH).ok();
    let seccomp = match arch {
        Some(arch) => close_calls(arch)?,
        None => false,
    };
    Ok(Sandbox { landlock, seccomp })
}

fn close_files() -> Result<bool, SandboxError> {
    let abi = ABI::V6;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

fn close_calls(arch: TargetArch) -> Result<bool, SandboxError> {
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter = SeccompFilter::new(allowed_calls()?, refuse, SeccompAction::Allow, arch)
        .map_err(seccompiler::Error::from)?;
    // The flags of clone3 lie in memory, where a filter can not look; without clone3 the C library
    // takes clone, whose flags can be seen.
    let no_clone3 = SeccompFilter::new(
        BTreeMap::from([(libc::SYS_clone3, vec![])]),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::ENOSYS.cast_unsigned()),
        arch,
    )
    .map_err(seccompiler::Error::from)?;
    for filter in [no_clone3, filter] {
        let program: BpfProgram = filter.try_into().map_err(seccompiler::Error::from)?;
        match apply_filter(&program) {
            Err(seccompiler::Error::Seccomp(error)) if is_unknown(&error) => return Ok(false),
            applied => applied?,
        }
    }
    Ok(true)
}

/// What a kernel without seccomp, or without its filters, says.
fn is_unknown(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL))
}

/// Calls that need no look at their arguments.
const PLAIN_CALLS: &[libc::c_long] = &[
    // Sockets that exist.
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    // Descriptors.
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_splice,
    libc::SYS_write,
    libc::SYS_writev,
    // Memory.
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    // Threads, time, signals.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_clone3,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_nanosleep,
    libc::SYS_prctl,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
];

#[cfg(target_arch = "x86_64")]
const ARCH_CALLS: &[libc::c_long] = &[libc::SYS_epoll_wait, libc::SYS_poll];
#[cfg(not(target_arch = "x86_64"))]
const ARCH_CALLS: &[libc::c_long] = &[];

/// What an ioctl is asked that has a socket not wait (`FIONBIO`). Libraries of C differ in the type of theirs.
const FIONBIO: u64 = 0x5421;

fn allowed_calls() -> Result<BTreeMap<libc::c_long, Vec<SeccompRule>>, SandboxError> {
    let mut calls: BTreeMap<_, _> = PLAIN_CALLS
        .iter()
        .chain(ARCH_CALLS)
        .map(|call| (*call, vec![]))
        .collect();
    let families = [libc::AF_INET, libc::AF_INET6]
        .into_iter()
        .map(|family| rule(0, SeccompCmpOp::Eq, u64::from(family.cast_unsigned())))
        .collect::<Result<_, _>>()?;
    calls.insert(libc::SYS_socket, families);
    // A pair leads nowhere but into this process.
    let unix = u64::from(libc::AF_UNIX.cast_unsigned());
    let pairs = rule(0, SeccompCmpOp::Eq, unix)?;
    calls.insert(libc::SYS_socketpair, vec![pairs]);
    // The standard library's way to what fcntl may do as well: that a socket does not wait.
    let no_wait = rule(1, SeccompCmpOp::Eq, FIONBIO)?;
    calls.insert(libc::SYS_ioctl, vec![no_wait]);
    let threads = u64::from(libc::CLONE_THREAD.cast_unsigned());
    let thread_only = rule(0, SeccompCmpOp::MaskedEq(threads), threads)?;
    calls.insert(libc::SYS_clone, vec![thread_only]);
    // Abort and panic signal a thread of this process; another process is nobody's to signal.
    let own = rule(0, SeccompCmpOp::Eq, u64::from(std::process::id()))?;
    calls.insert(libc::SYS_tgkill, vec![own]);
    // A thread may give way to others; none is named, so that it is the one that asks.
    let itself = [
        condition(0, SeccompCmpOp::Eq, u64::from(libc::PRIO_PROCESS))?,
        condition(1, SeccompCmpOp::Eq, 0)?,
    ];
    let itself = SeccompRule::new(itself.into()).map_err(seccompiler::Error::from)?;
    calls.insert(libc::SYS_setpriority, vec![itself]);
    Ok(calls)
}

fn rule(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, SandboxError> {
    let only = condition(argument, operator, value)?;
    Ok(SeccompRule::new(vec![only]).map_err(seccompiler::Error::from)?)
}

fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, SandboxError> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value);
    Ok(condition.map_err(seccompiler::Error::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg::F_GETFD, FcntlArg::F_SETFD, FdFlag};
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;
    use std::process::Command;
    use std::thread;

    /// The rules hold for one thread, so that a test can shut in a thread of its own.
    fn shut_in_thread(test: impl FnOnce(Sandbox) + Send + 'static) {
        let thread = thread::spawn(move || test(shut_in().unwrap()));
        thread.join().unwrap();
    }

    #[test]
    fn a_process_that_is_shut_in_still_talks_over_the_network() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        shut_in_thread(move |_| {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            client.write_all(b"ping").unwrap();
            let mut received = [0; 4];
            server.read_exact(&mut received).unwrap();
            assert_eq!(&received, b"ping");
            assert!(UdpSocket::bind("127.0.0.1:0").is_ok());
            let (near, _far) = UnixStream::pair().unwrap();
            near.set_nonblocking(true).unwrap();
            let worker = thread::spawn(|| 7);
            assert_eq!(worker.join().unwrap(), 7);
        });
    }

    #[test]
    fn rights_are_dropped_without_root_too() {
        // Capabilities are a thread's own as well.
        let thread = thread::spawn(|| {
            drop_rights(None).unwrap();
            for set in [
                CapSet::Effective,
                CapSet::Permitted,
                CapSet::Inheritable,
                CapSet::Ambient,
            ] {
                assert!(caps::read(None, set).unwrap().is_empty(), "{set:?}");
            }
            // The second time there is no CAP_SETPCAP left.
            drop_rights(None).unwrap();
            assert!(nix::sys::prctl::get_no_new_privs().unwrap());
        });
        thread.join().unwrap();
    }

    #[test]
    fn inherited_descriptors_are_not_passed_on() {
        let file = std::fs::File::open("/dev/null").unwrap();
        nix::fcntl::fcntl(&file, F_SETFD(FdFlag::empty())).unwrap();
        close_on_exec_above_stdio().unwrap();
        let flags = nix::fcntl::fcntl(&file, F_GETFD).unwrap();
        assert_eq!(flags, FdFlag::FD_CLOEXEC.bits());
    }

    #[test]
    fn the_limit_of_open_files_is_raised_to_its_end() {
        let limit = raise_open_files(0).unwrap();
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (limit, limit));
    }

    #[test]
    fn files_and_connections_are_counted_both_ways() {
        for connections in [1, 600, 16_384, 1_000_000] {
            assert!(connections_for(files_for(connections)) >= connections);
        }
        assert_eq!(connections_for(files_for(16_384)), 16_384);
        assert_eq!(connections_for(1024), 256);
        assert_eq!(
            (connections_for(0), connections_for(u64::MAX)),
            (0, u32::MAX)
        );
    }

    #[test]
    fn a_process_that_is_shut_in_opens_no_file_no_listener_and_no_program() {
        shut_in_thread(|sandbox| {
            assert!(sandbox.seccomp, "{sandbox:?}");
            assert!(std::fs::read("/etc/hostname").is_err());
            assert!(std::fs::write("/tmp/gatehouse-sandbox-test", b"x").is_err());
            assert!(std::fs::read_dir("/").is_err());
            assert!(Command::new("/bin/true").status().is_err());
            assert!(UnixStream::connect("/run/nothing").is_err());
            // A terminal's name, settings and the like.
            let settings = nix::sys::termios::tcgetattr(io::stdin());
            assert_eq!(settings.unwrap_err(), nix::errno::Errno::EPERM);
            assert!(nix::sys::signal::kill(nix::unistd::getppid(), None).is_err());
            if sandbox.landlock {
                assert!(TcpListener::bind("127.0.0.1:0").is_err());
            }
        });
    }
}

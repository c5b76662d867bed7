//! What all connections of one thread share; nothing here is `Send`, and nothing is locked.

use crate::core::{Standing, TargetKey, http_date};
use crate::metrics::Instruments;
use crate::shell::caps::Caps;
use crate::shell::handshakes::Handshakes;
use crate::shell::limits::{self, Limits};
use crate::shell::live::Live;
use crate::shell::logins::Logins;
use arc_swap::ArcSwap;
use net::pool::{Pool, PoolLimits};
use net::resolve::{Names, ResolveError, Resolver};
use net::stream::Stream;
use service::{Context, Event};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};
use tokio::task::AbortHandle;

/// What all threads share.
pub(crate) struct Shared {
    pub(crate) live: ArcSwap<Live>,
    pub(crate) context: Context,
    pub(crate) instruments: Instruments,
    pub(crate) caps: Arc<Caps>,
    pub(crate) handshakes: Handshakes,
    pub(crate) logins: Logins,
    /// When the proxy started.
    pub(crate) started: Instant,
}

/// What all connections of one thread share.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    current: RefCell<Rc<Current>>,
    pub(crate) pool: RefCell<Pool<TargetKey, Stream>>,
    draining: Cell<bool>,
    slots: RefCell<HashMap<u64, Rc<Slot>>>,
    next_slot: Cell<u64>,
    next_shed: Cell<Instant>,
    date: RefCell<(u64, Rc<str>)>,
}

/// The configuration in force, as this thread holds it.
pub(crate) struct Current {
    pub(crate) live: Arc<Live>,
    limits: Rc<Limits>,
    resolver: Rc<WorkerResolver>,
}

struct WorkerResolver {
    names: Names,
    resolver: Result<Resolver, ResolveError>,
}

/// A connection, as the thread sees it.
#[derive(Default)]
pub(crate) struct Slot {
    abort: OnceCell<AbortHandle>,
    /// Wakes it when something changes that it must know while nothing comes in.
    waker: RefCell<Option<Waker>>,
    /// Whether it waits for a request.
    idle: Cell<bool>,
    /// Whether it is to end as soon as it is idle, to make room for another.
    shed: Cell<bool>,
}

impl Slot {
    /// Has the connection woken at a reload, when draining begins, and when it is to make room.
    pub(crate) fn watch(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        match &*known {
            Some(known) if known.will_wake(waker) => {}
            _ => *known = Some(waker.clone()),
        }
    }

    /// Takes note of whether the connection waits for a request.
    pub(crate) fn set_idle(&self, idle: bool) {
        self.idle.set(idle);
    }

    /// Whether it is to end as soon as it is idle.
    pub(crate) fn is_shed(&self) -> bool {
        self.shed.get()
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let current = Current::new(shared.live.load_full(), None);
        Self {
            shared,
            current: RefCell::new(Rc::new(current)),
            pool: RefCell::new(Pool::new(PoolLimits {
                per_target: limits::IDLE_PER_TARGET,
                total: limits::IDLE_CONNECTIONS,
                idle: limits::IDLE_TARGET,
            })),
            draining: Cell::new(false),
            slots: RefCell::default(),
            next_slot: Cell::new(0),
            next_shed: Cell::new(Instant::now()),
            date: RefCell::new((0, "".into())),
        }
    }

    /// The configuration in force; read once for each request.
    pub(crate) fn current(&self) -> Rc<Current> {
        let newest = self.shared.live.load();
        let mut current = self.current.borrow_mut();
        if !Arc::ptr_eq(&newest, &current.live) {
            // Those to TLS targets may have been made as somebody else, and behind those to the login page are the pages of before.
            let renamed = newest.identity != current.live.identity;
            let is_same = |target: &TargetKey| !(target.inside || renamed && target.tls.is_some());
            let mut pool = self.pool.borrow_mut();
            pool.sweep(Instant::now(), is_same, |_| true);
            drop(pool);
            *current = Rc::new(Current::new(Arc::clone(&newest), Some(&current)));
        }
        Rc::clone(&current)
    }

    /// Whether connections are to end when they can.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// The time for the health of targets: since the proxy has started.
    pub(crate) fn now(&self) -> Duration {
        self.shared.started.elapsed()
    }

    /// Tells that a target is well again.
    pub(crate) fn tell_well(&self, target: &TargetKey, standing: &Standing) {
        self.show(target, standing, 1);
        self.notice(format!("target {} is well again", **target));
    }

    /// Tells that a target is not well any more, so that requests go elsewhere where they can.
    pub(crate) fn tell_unwell(&self, target: &TargetKey, standing: &Standing, why: &str) {
        self.show(target, standing, 0);
        self.notice(format!("target {} is not well: {why}", **target));
    }

    fn show(&self, target: &TargetKey, standing: &Standing, well: i64) {
        // A request that began before a reload may still try one that is shown no more.
        if self.wants(standing) {
            let gauge = self.shared.instruments.target_well(target, standing);
            gauge.set(well);
        }
    }

    /// Whether a rule in force still goes by it.
    pub(crate) fn wants(&self, standing: &Standing) -> bool {
        let current = self.current();
        let mut standings = current.live.routes.standings();
        standings.any(|(_, wanted)| std::ptr::eq(Arc::as_ptr(wanted), standing))
    }

    /// Tells the operator.
    pub(crate) fn notice(&self, text: String) {
        self.shared.context.events.send(Event::Notice {
            service: "proxy".into(),
            text,
        });
    }

    /// The time now for `Date`, formatted once a second.
    pub(crate) fn date(&self) -> Rc<str> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let mut date = self.date.borrow_mut();
        if date.0 != now {
            *date = (now, http_date(now).into());
        }
        Rc::clone(&date.1)
    }

    /// Runs a connection, which `make` makes of its slot.
    pub(crate) fn spawn<F>(self: &Rc<Self>, make: impl FnOnce(Rc<Slot>) -> F)
    where
        F: Future<Output = ()> + 'static,
    {
        let id = self.next_slot.get();
        self.next_slot.set(id + 1);
        let slot = Rc::new(Slot::default());
        let connection = make(Rc::clone(&slot));
        let leave = Leave {
            worker: Rc::clone(self),
            id,
        };
        let task = tokio::task::spawn_local(async move {
            let _leave = leave;
            connection.await;
        });
        // It was empty: the slot is new.
        let _ = slot.abort.set(task.abort_handle());
        self.slots.borrow_mut().insert(id, slot);
    }

    /// Ends some of the connections that wait for a request, so that others can come in. Not more
    /// often than every [`limits::SHED`], since all are looked at.
    pub(crate) fn shed(&self) {
        let now = Instant::now();
        if now < self.next_shed.get() {
            return;
        }
        self.next_shed.set(now + limits::SHED);
        let slots = self.slots.borrow();
        let most = slots.len().div_ceil(limits::SHED_PART);
        let idle = slots
            .values()
            .filter(|slot| slot.idle.get() && !slot.shed.get());
        for slot in idle.take(most) {
            slot.shed.set(true);
            slot.wake();
        }
    }

    /// The limits in force.
    pub(crate) fn limits(&self) -> Rc<Limits> {
        Rc::clone(&self.current.borrow().limits)
    }

    /// After a reload: tunnels look whether they are still allowed, targets that are gone
    /// lose their idle connections.
    pub(crate) fn reloaded(&self) {
        let current = self.current();
        let wanted: std::collections::HashSet<TargetKey> = current
            .live
            .routes
            .targets()
            .map(|(_, target)| target.clone())
            .collect();
        self.pool
            .borrow_mut()
            .sweep(Instant::now(), |target| wanted.contains(target), |_| true);
        self.wake_all();
    }

    /// Closes idle connections to targets that are old or dead.
    pub(crate) fn sweep(&self) {
        self.pool
            .borrow_mut()
            .sweep(Instant::now(), |_| true, Stream::is_quiet);
    }

    /// Idle connections end now, busy ones after their response.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.pool.borrow_mut().clear();
        self.wake_all();
    }

    /// All connections end now.
    pub(crate) fn cut(&self) {
        for slot in self.slots.borrow().values() {
            if let Some(task) = slot.abort.get() {
                task.abort();
            }
        }
    }

    /// Has everything that is open look whether it still may be.
    pub(crate) fn wake_all(&self) {
        for slot in self.slots.borrow().values() {
            slot.wake();
        }
    }
}

impl Current {
    fn new(live: Arc<Live>, before: Option<&Self>) -> Self {
        let known = before.map(|before| &before.resolver);
        let resolver = match known.filter(|known| known.names == live.names) {
            Some(known) => Rc::clone(known),
            None => Rc::new(WorkerResolver {
                names: live.names.clone(),
                resolver: live.names.resolver(),
            }),
        };
        let limits = Rc::new(live.limits.clone());
        Self {
            live,
            limits,
            resolver,
        }
    }

    /// Finds addresses of targets' names.
    pub(crate) fn resolver(&self) -> Result<&Resolver, &ResolveError> {
        self.resolver.resolver.as_ref()
    }
}

/// Leaves the table of connections, however the connection ended.
struct Leave {
    worker: Rc<Worker>,
    id: u64,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.worker.slots.borrow_mut().remove(&self.id);
    }
}

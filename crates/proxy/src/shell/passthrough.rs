//! TLS that goes to its target as it is: the hello that was read, and every byte after it.

use crate::core::{Identity, PassthroughHost};
use crate::shell::alarm::Alarm;
use crate::shell::buffer::Buffer;
use crate::shell::forward::Upgraded;
use crate::shell::lane::Lane;
use crate::shell::limits;
use crate::shell::report::{Report, Told};
use crate::shell::request::Place;
use crate::shell::tunnel::{Asked, Counted, HeldWatch, Tunnel};
use crate::shell::worker::{Current, Slot, Worker};
use net::stream::Stream;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// A client whose TLS another is to speak.
pub(crate) struct Passed {
    pub(crate) current: Rc<Current>,
    pub(crate) stream: Stream,
    /// What was read of it.
    pub(crate) hello: Buffer,
    pub(crate) asked: Asked,
    pub(crate) place: Place,
    /// How long nothing may move; `None` takes the default.
    pub(crate) idle: Option<Duration>,
}

impl Passed {
    pub(crate) fn new(
        current: Rc<Current>,
        stream: Stream,
        hello: Buffer,
        asked: Asked,
        host: &PassthroughHost,
    ) -> Self {
        let (idle, line) = (host.idle, Some(host.line));
        let host = Some(current.live.routes.hosts().len() + host.index);
        Self {
            place: Place { host, line },
            current,
            stream,
            hello,
            asked,
            idle,
        }
    }
}

/// Connects it with its target, to the end of both directions.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    slot: Rc<Slot>,
    identity: Rc<Identity>,
    passed: Passed,
) {
    let Passed {
        current,
        mut stream,
        hello,
        asked,
        place,
        idle,
    } = passed;
    let told = Told {
        host: asked.server_name.as_deref().unwrap_or_default().to_owned(),
        asked: "TLS passthrough".to_owned(),
    };
    let report = Report {
        shared: &worker.shared,
        current: &current,
        identity: &identity,
        told: &told,
        host: place.host,
        line: place.line,
    };
    let mut target = match worker
        .connect(&current, &asked.target, Some(&identity))
        .await
    {
        Ok(connected) => connected.stream,
        Err(reason) => return report.rejected(&reason, None),
    };
    report.forwarded(&*asked.target, true);
    let host = report.host().clone();
    let _upgraded = Upgraded::count(&host);
    let (mut up, mut down) = (Lane::default(), Lane::default());
    up.buffer = hello;
    up.begin_tunnel();
    down.begin_tunnel();
    let tunnel = Tunnel {
        worker: &worker,
        current: Rc::clone(&current),
        slot: &slot,
        identity: &identity,
        asked,
        idle,
        client: &mut stream,
        target: &mut target,
        up: &mut up,
        down: &mut down,
        alarm: &mut Alarm::new(Instant::now() + idle.unwrap_or(limits::IDLE_UPGRADED)),
        up_ended: false,
        down_ended: false,
        closing: false,
        watch: HeldWatch::default(),
        accepted: None,
        counted: Counted::new(&host),
    };
    // The socket tells the client how it ended.
    let _ = tunnel.run().await;
}

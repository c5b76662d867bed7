//! The DHCP client on a port of the box, against dnsmasq.

use std::fs;
use std::net::Ipv4Addr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use lab::{Lab, Place, Process, Site, test, wait_until};
use net::Device;
use net::datagram::{dhcp_client_key, open_dhcp_client};
use net::sandbox::{drop_rights, shut_in};
use tokio::sync::{mpsc, watch};
use uplink::dhcp::{HardwareAddr, Identity, Lease, Loss, Order, Standing, run};

const NEEDS: &[&str] = &["dnsmasq"];
const MAC: HardwareAddr = HardwareAddr([2, 0, 0, 0, 0, 7]);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 5);

/// dnsmasq in the LAN for addresses of one /24, with a lease of two minutes (its shortest), renewed after 10 s and by
/// everybody after 20.
pub(crate) fn dnsmasq(lab: &Lab, first: &str, last: &str) -> Result<Process> {
    let leases = format!("--dhcp-leasefile={}/leases", lab.dir().display());
    let pid = format!("--pid-file={}/dnsmasq.pid", lab.dir().display());
    let (net, _) = first.rsplit_once('.').context("an IPv4 address")?;
    let option = |number: u8, host: u8| format!("--dhcp-option={number},{net}.{host}");
    let (router, names, time) = (option(3, 1), option(6, 53), option(42, 123));
    let range = format!("--dhcp-range={first},{last},255.255.255.0,2m");
    let command = [
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--port=0",
        "--user=root",
        "--interface=segment",
        "--bind-interfaces",
        "--dhcp-authoritative",
        // It would wait for an answer to a ping before each offer.
        "--no-ping",
        "--log-dhcp",
        "--log-facility=-",
        "--dhcp-option=58,10s",
        "--dhcp-option=59,20s",
        &router,
        &names,
        &time,
        "--dhcp-option=15,office.example",
        "--dhcp-option=26,1400",
        &range,
        &leases,
        &pid,
    ];
    let mut process = lab.spawn(Place::Lan, &format!("dnsmasq-{first}"), &command)?;
    process.wait_for("DHCP, IP range")?;
    Ok(process)
}

/// Lets answers in that come before there is an address; in the namespace of the box.
pub(crate) fn no_path_filter() -> Result<()> {
    for name in ["all", "eth0"] {
        fs::write(format!("/proc/sys/net/ipv4/conf/{name}/rp_filter"), "0")?;
    }
    Ok(())
}

/// A client on eth0 of the box, and what the test does in place of the router: it sets the address.
struct Port<'lab> {
    lab: &'lab Lab,
    standing: watch::Receiver<Standing>,
    orders: mpsc::Sender<Order>,
    thread: JoinHandle<Result<()>>,
}

impl<'lab> Port<'lab> {
    /// Takes all addresses from eth0 and starts a client there.
    fn start(lab: &'lab Lab, remembered: Option<Lease>) -> Result<Self> {
        let mac = MAC.to_string();
        let link = ["ip", "link", "set", "eth0", "address", &mac];
        let flush = ["ip", "address", "flush", "dev", "eth0"];
        for command in [&link[..], &flush] {
            lab.run(Place::Gate, command)?.success()?;
        }
        let socket = lab.enter(Place::Gate, || -> Result<_> {
            no_path_filter()?;
            Ok(open_dhcp_client(&dhcp_client_key(Device::named("eth0")))?)
        })??;
        let (sender, standing) = watch::channel(Standing::default());
        let (orders, receiver) = mpsc::channel(1);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            // As little as the process may do that will run it: no capability, no file, few system calls.
            drop_rights(None)?;
            shut_in()?;
            let identity = Identity {
                hardware: MAC,
                hostname: Some("gate".to_owned()),
            };
            Ok(runtime.block_on(run(socket, identity, remembered, receiver, sender))?)
        });
        Ok(Self {
            lab,
            standing,
            orders,
            thread,
        })
    }

    /// Waits until what the port has is as wanted.
    fn wait_for(&self, what: &str, wanted: impl Fn(&Standing) -> bool) -> Result<Standing> {
        let mut found = Standing::default();
        wait_until(what, || {
            found = self.standing.borrow().clone();
            Ok(wanted(&found))
        })
        .with_context(|| format!("{found:?}"))?;
        Ok(found)
    }

    /// Waits for another lease than `old`, and sets its address.
    fn lease(&self, old: Option<&Lease>) -> Result<Lease> {
        let found = self.wait_for("a lease", |now| {
            now.lease.is_some() && now.lease.as_ref() != old
        })?;
        let lease = found.lease.context("waited for")?;
        let address = lease.address.to_string();
        let set = ["ip", "address", "replace", &address, "dev", "eth0"];
        self.lab.run(Place::Gate, &set)?.success()?;
        Ok(lease)
    }

    /// Gives the lease back and waits for the end of the client.
    fn release(self) -> Result<()> {
        self.orders.blocking_send(Order::Release)?;
        self.thread.join().expect("the client does not panic")?;
        Ok(())
    }
}

#[test]
fn a_port_without_an_address_gets_renews_and_gives_back_its_lease() {
    test(Site::one_server(), NEEDS, |lab| {
        let mut server = dnsmasq(lab, "192.168.10.100", "192.168.10.100")?;
        let port = Port::start(lab, None)?;
        let lease = port.lease(None)?;
        assert_eq!(lease.address.to_string(), "192.168.10.100/24");
        assert_eq!(
            (lease.server, lease.router),
            (SERVER, Some(Ipv4Addr::new(192, 168, 10, 1)))
        );
        assert_eq!(lease.name_servers, [Ipv4Addr::new(192, 168, 10, 53)]);
        assert_eq!(lease.time_servers, [Ipv4Addr::new(192, 168, 10, 123)]);
        assert_eq!(
            (lease.domain.as_deref(), lease.mtu),
            (Some("office.example"), Some(1400))
        );
        let times = lease.times.context("it ends")?;
        assert_eq!((times.renew, times.rebind, times.lasts), (10, 20, 120));
        assert!(
            server.log().contains("client provides name: gate"),
            "{}",
            server.log()
        );

        let renewed = port.lease(Some(&lease))?;
        assert_eq!(renewed.address, lease.address);
        assert!(renewed.times.context("it ends")?.expires > times.expires);
        assert_eq!(server.log().matches("DHCPDISCOVER").count(), 1);
        assert_eq!(port.standing.borrow().fault, None);

        port.release()?;
        server.wait_for("DHCPRELEASE")
    });
}

#[test]
fn a_server_that_comes_late_and_changes_its_range_is_followed() {
    test(Site::one_server(), NEEDS, |lab| {
        let port = Port::start(lab, None)?;
        // The first question is heard by nobody.
        let server = dnsmasq(lab, "192.168.10.100", "192.168.10.100")?;
        let lease = port.lease(None)?;
        drop(server);
        fs::remove_file(lab.dir().join("leases"))?;
        let server = dnsmasq(lab, "192.168.10.200", "192.168.10.200")?;
        let denied = |now: &Standing| matches!(now.loss, Some(Loss::Denied(_)));
        port.wait_for("a no to the renewal", denied)?;
        let flush = ["ip", "address", "flush", "dev", "eth0"];
        lab.run(Place::Gate, &flush)?.success()?;
        let other = port.lease(Some(&lease))?;
        assert_eq!(other.address.to_string(), "192.168.10.200/24");
        assert!(server.log().contains("DHCPNAK"), "{}", server.log());
        Ok(())
    });
}

#[test]
fn a_lease_whose_server_is_gone_is_renewed_by_another_that_knows_of_it() {
    test(Site::one_server(), NEEDS, |lab| {
        let server = dnsmasq(lab, "192.168.10.100", "192.168.10.100")?;
        let port = Port::start(lab, None)?;
        let lease = port.lease(None)?;
        drop(server);
        // The same table of leases at another address: who is asked alone does not answer, all are asked.
        for line in ["flush dev segment", "add 192.168.10.6/24 dev segment"] {
            let mut command = vec!["ip", "address"];
            command.extend(line.split(' '));
            lab.run(Place::Lan, &command)?.success()?;
        }
        let server = dnsmasq(lab, "192.168.10.100", "192.168.10.100")?;
        let rebound = port.lease(Some(&lease))?;
        assert_eq!(rebound.address, lease.address);
        assert_eq!(rebound.server, Ipv4Addr::new(192, 168, 10, 6));
        assert_eq!(port.standing.borrow().loss, None);
        // Both servers write to one log.
        assert_eq!(server.log().matches("DHCPDISCOVER").count(), 1);
        Ok(())
    });
}

#[test]
fn a_remembered_lease_outlives_a_silent_server_up_to_its_end() {
    test(Site::one_server(), NEEDS, |lab| {
        let server = dnsmasq(lab, "192.168.10.100", "192.168.10.100")?;
        let port = Port::start(lab, None)?;
        let mut lease = port.lease(None)?;
        drop(port.orders);
        port.thread.join().expect("the client does not panic")?;

        // The box starts again, and so does the server.
        let port = Port::start(lab, Some(lease.clone()))?;
        let again = port.lease(None)?;
        assert_eq!(again.address, lease.address);
        assert_eq!(
            server.log().matches("DHCPDISCOVER").count(),
            1,
            "asked for by its address"
        );
        drop(port.orders);
        port.thread.join().expect("the client does not panic")?;

        // Nobody answers any more, and twenty seconds are left.
        drop(server);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let times = lease.times.as_mut().context("it ends")?;
        times.expires = (now + Duration::from_secs(20)).as_secs();
        let port = Port::start(lab, Some(lease.clone()))?;
        assert_eq!(port.lease(None)?, lease);
        let lost = port.wait_for("its end", |now| now.lease.is_none() && now.loss.is_some())?;
        assert_eq!(lost.loss, Some(Loss::Expired));
        Ok(())
    });
}

#[test]
fn a_port_that_is_down_is_told_of_and_one_that_is_gone_ends_its_client() {
    test(Site::one_server(), NEEDS, |lab| {
        let _server = dnsmasq(lab, "192.168.10.100", "192.168.10.100")?;
        let port = Port::start(lab, None)?;
        let lease = port.lease(None)?;
        let link = |change: &[&str]| {
            let command = [&["ip", "link"], change].concat();
            lab.run(Place::Gate, &command)?.success()
        };
        link(&["set", "eth0", "down"])?;
        port.orders.blocking_send(Order::Verify)?;
        let found = port.wait_for("a fault", |now| now.fault.is_some())?;
        assert_eq!(found.lease, Some(lease));

        link(&["set", "eth0", "up"])?;
        port.orders.blocking_send(Order::Verify)?;
        port.wait_for("no fault", |now| now.fault.is_none() && now.lease.is_some())?;

        link(&["delete", "eth0"])?;
        port.orders.blocking_send(Order::Verify)?;
        let ended = port.thread.join().expect("the client does not panic");
        let error = ended.expect_err("there is nothing to ask on");
        assert!(error.to_string().contains("No such device"), "{error}");
        Ok(())
    });
}

use super::*;
use crate::tls::{Trust, client_config, provider, server_config};
use certs::{Ca, Chooser, Usage};
use rustls::RootCertStore;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector};

struct Pki {
    ca: Ca,
    server: Arc<ServerConfig>,
}

fn pki() -> Pki {
    let ca = Ca::create("Test", SystemTime::now()).unwrap();
    let material = ca.issue(&["a.example"], Usage::Server, SystemTime::now());
    let chooser = Chooser::new(vec![material.unwrap()]).unwrap();
    let server = server_config(Arc::new(chooser), &[b"h2", b"http/1.1"]).unwrap();
    Pki {
        ca,
        server: Arc::new(server),
    }
}

impl Pki {
    fn trust(&self) -> Trust {
        Trust::Ca(self.ca.root_pem().to_owned())
    }

    /// A client that shares no code of ours.
    fn connector(&self, version: &'static rustls::SupportedProtocolVersion) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.ca.root_pem().as_bytes()).unwrap();
        roots.add(root).unwrap();
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }
}

fn name() -> ServerName<'static> {
    ServerName::try_from("a.example").unwrap()
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap());
    let (near, far) = tokio::join!(near, listener.accept());
    let (near, far) = (near.unwrap(), far.unwrap().0);
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    (near, far)
}

fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let byte = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..count).map(byte).collect()
}

/// Everything that is sent comes back, in pieces of all sizes.
async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut room = vec![0; 40_000];
    loop {
        let count = reader.read(&mut room).await.unwrap();
        if count == 0 {
            return writer.shutdown().await.unwrap();
        }
        writer.write_all(&room[..count]).await.unwrap();
        writer.flush().await.unwrap();
    }
}

async fn send_and_get_back(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let data = noise(3_000_000);
    let (mut reader, mut writer) = tokio::io::split(stream);
    let send = async {
        let mut rest = &data[..];
        for size in [1, 2, 16_383, 16_384, 16_385, 100_000].iter().cycle() {
            let count = rest.len().min(*size);
            writer.write_all(&rest[..count]).await.unwrap();
            rest = &rest[count..];
            if rest.is_empty() {
                break;
            }
        }
        writer.shutdown().await.unwrap();
    };
    let mut back = Vec::new();
    let ((), read) = tokio::join!(send, reader.read_to_end(&mut back));
    read.unwrap();
    assert!(back == data);
}

#[tokio::test]
async fn our_server_understands_other_clients() {
    let pki = pki();
    for version in [&TLS12, &TLS13] {
        let (near, far) = pair().await;
        let server = tokio::spawn({
            let config = Arc::clone(&pki.server);
            async move { echo(Stream::accept(far, config, b"").await.unwrap()).await }
        });
        let connector = pki.connector(version);
        let client = connector.connect(name(), near).await.unwrap();
        send_and_get_back(client).await;
        server.await.unwrap();
    }
}

#[tokio::test]
async fn our_client_understands_other_servers() {
    let pki = pki();
    let (near, far) = pair().await;
    let acceptor = TlsAcceptor::from(Arc::clone(&pki.server));
    let server = tokio::spawn(async move { echo(acceptor.accept(far).await.unwrap()).await });
    let config = Arc::new(client_config(&pki.trust(), None).unwrap());
    let client = Stream::connect(near, config, name()).await.unwrap();
    assert_eq!(client.alpn(), Some(&b"http/1.1"[..]));
    send_and_get_back(client).await;
    server.await.unwrap();
}

#[tokio::test]
async fn new_keys_are_taken_up_in_the_middle() {
    let pki = pki();
    let (near, far) = pair().await;
    let config = Arc::clone(&pki.server);
    let server =
        tokio::spawn(async move { echo(Stream::accept(far, config, b"").await.unwrap()).await });
    let mut client = pki.connector(&TLS13).connect(name(), near).await.unwrap();
    for round in 0..5 {
        let text = format!("round {round}");
        client.write_all(text.as_bytes()).await.unwrap();
        client.get_mut().1.refresh_traffic_keys().unwrap();
        client.write_all(b"!").await.unwrap();
        let mut back = vec![0; text.len() + 1];
        client.read_exact(&mut back).await.unwrap();
        assert_eq!(back, format!("{text}!").into_bytes());
    }
    client.shutdown().await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn sessions_are_resumed() {
    let pki = pki();
    let connector = pki.connector(&TLS13);
    for expected in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
        let (near, far) = pair().await;
        let config = Arc::clone(&pki.server);
        let server =
            tokio::spawn(
                async move { echo(Stream::accept(far, config, b"").await.unwrap()).await },
            );
        let mut client = connector.connect(name(), near).await.unwrap();
        client.write_all(b"x").await.unwrap();
        // The tickets come with the first data.
        client.read_exact(&mut [0]).await.unwrap();
        assert_eq!(client.get_ref().1.handshake_kind(), Some(expected));
        client.shutdown().await.unwrap();
        server.await.unwrap();
    }
}

async fn ours() -> (Stream, Stream) {
    let pki = pki();
    let (near, far) = pair().await;
    let config = Arc::new(client_config(&pki.trust(), None).unwrap());
    let (near, far) = tokio::join!(
        async {
            let mut near = Stream::connect(near, config, name()).await?;
            // Our last flight goes with the first data; here there is none yet.
            near.flush().await?;
            Ok::<_, io::Error>(near)
        },
        Stream::accept(far, Arc::clone(&pki.server), b"")
    );
    (near.unwrap(), far.unwrap())
}

#[tokio::test]
async fn an_end_without_goodbye_is_an_error_and_one_with_it_is_not() {
    let (near, mut far) = ours().await;
    drop(near);
    let error = far.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);

    let (mut near, mut far) = ours().await;
    near.write_all(b"bye").await.unwrap();
    near.shutdown().await.unwrap();
    let mut seen = Vec::new();
    far.read_to_end(&mut seen).await.unwrap();
    assert_eq!(seen, b"bye");
    // The other direction is still open.
    far.write_all(b"wait").await.unwrap();
    far.shutdown().await.unwrap();
    seen.clear();
    near.read_to_end(&mut seen).await.unwrap();
    assert_eq!(seen, b"wait");
}

#[tokio::test]
async fn tickets_are_quiet_and_data_and_ends_are_not() {
    let (mut near, mut far) = ours().await;
    far.flush().await.unwrap();
    sleep(Duration::from_millis(20)).await;
    assert!(near.is_quiet(), "tickets have come");
    assert!(near.is_quiet_now());
    far.write_all(b"unasked").await.unwrap();
    far.flush().await.unwrap();
    assert!(!near.is_quiet_now(), "no event was needed for that");
    sleep(Duration::from_millis(20)).await;
    assert!(!near.is_quiet_now());
    assert!(!near.is_quiet());

    let (near, far) = pair().await;
    let (mut near, mut far) = (Stream::plain(near), Stream::plain(far));
    assert!(near.is_quiet() && near.is_quiet_now());
    drop(far.shutdown().await);
    assert!(!near.is_quiet_now(), "no event was needed for that");
}

#[tokio::test]
async fn slices_are_taken_in_order_whatever_their_sizes() {
    let (mut near, mut far) = ours().await;
    let data = noise(100_000);
    let cuts = [0, 1, 1, 300, 16_000, 16_383, 33_000, 80_000, 100_000];
    let slices: Vec<IoSlice<'_>> = cuts
        .windows(2)
        .map(|cut| IoSlice::new(&data[cut[0]..cut[1]]))
        .collect();
    let taken = poll_fn(|cx| near.poll_write_some(cx, &slices)).await;
    let taken = taken.unwrap();
    assert!(taken >= 64 * 1024 && taken <= data.len(), "{taken}");
    near.flush().await.unwrap();
    let mut seen = vec![0; taken];
    far.read_exact(&mut seen).await.unwrap();
    assert!(seen == data[..taken]);
}

#[tokio::test]
async fn what_the_socket_does_not_take_waits_and_is_bounded() {
    let (mut near, mut far) = ours().await;
    let data = noise(64 * 1024);
    let mut written = 0;
    let write = async |near: &mut Stream| {
        let slices = [IoSlice::new(&data)];
        let write = poll_fn(|cx| near.poll_write_some(cx, &slices));
        timeout(Duration::from_millis(100), write).await
    };
    while let Ok(count) = write(&mut near).await {
        written += count.unwrap();
        assert!(written < 64 * 1024 * 1024, "nothing held it back");
    }
    assert!(near.unsent() > 0);
    let mut seen = vec![0; written];
    let (read, flushed) = tokio::join!(far.read_exact(&mut seen), near.flush());
    read.unwrap();
    flushed.unwrap();
    assert!(near.unsent() == 0);
    assert!(seen.chunks(data.len()).all(|chunk| data.starts_with(chunk)));
}

#[tokio::test]
async fn garbage_is_answered_with_an_alert() {
    let pki = pki();
    let (mut near, far) = pair().await;
    let hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00";
    let (sent, accepted) = tokio::join!(
        near.write_all(hello),
        Stream::accept(far, Arc::clone(&pki.server), b"")
    );
    sent.unwrap();
    let error = accepted.err().unwrap();
    assert!(tls_fault(&error).is_some(), "{error}");
    let mut alert = [0; 7];
    near.read_exact(&mut alert).await.unwrap();
    assert_eq!(alert[0], 0x15, "{alert:?}");

    // In the middle of a session the fault stays, too.
    let (near, mut far) = ours().await;
    let Stream { mut io, .. } = near;
    io.write_all(b"\x17\x03\x03\x00\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        .await
        .unwrap();
    assert!(far.read(&mut [0; 8]).await.is_err());
    assert!(far.read(&mut [0; 8]).await.is_err());
    assert!(far.write(b"x").await.is_err());
}

#[tokio::test]
async fn a_digest_and_a_name_decide_who_is_trusted() {
    let pki = pki();
    let other = Ca::create("Other", SystemTime::now()).unwrap();
    let cases = [
        (pki.trust(), "a.example", true),
        (pki.trust(), "b.example", false),
        (Trust::Ca(other.root_pem().to_owned()), "a.example", false),
        (Trust::System, "a.example", false),
        (Trust::Sha256([0; 32]), "a.example", false),
        (Trust::Any, "a.example", true),
    ];
    for (trust, asked, expected) in cases {
        let (near, far) = pair().await;
        let config = Arc::new(client_config(&trust, None).unwrap());
        let asked = ServerName::try_from(asked).unwrap();
        let (near, _far) = tokio::join!(
            async {
                let mut near = Stream::connect(near, config, asked.clone()).await?;
                near.flush().await?;
                Ok::<_, io::Error>(near)
            },
            Stream::accept(far, without_names(&pki), b"")
        );
        assert_eq!(near.is_ok(), expected, "{trust:?} for {asked:?}");
    }
}

/// A server that shows its one certificate whatever name is asked for.
fn without_names(pki: &Pki) -> Arc<ServerConfig> {
    let material = pki
        .ca
        .issue(&["a.example"], Usage::Server, SystemTime::now());
    let key = Arc::new(material.unwrap().certified_key().unwrap());
    let chooser = Arc::new(rustls::sign::SingleCertAndKey::from(key));
    Arc::new(server_config(chooser, &[]).unwrap())
}

#[tokio::test]
async fn an_aborted_connection_is_reset() {
    let (near, far) = pair().await;
    let (near, mut far) = (Stream::plain(near), Stream::plain(far));
    near.reset_when_dropped(true);
    drop(near);
    let error = far.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_pair_within_the_process_is_a_connection_like_any_other() {
    let (near, far) = UnixStream::pair().unwrap();
    let mut near = Stream::inside(near).unwrap();
    let mut far = Stream::inside(far).unwrap();
    assert!(near.is_quiet_now() && near.is_quiet());
    far.write_all(b"ping").await.unwrap();
    assert!(!near.is_quiet_now());
    let mut room = [0; 4];
    near.read_exact(&mut room).await.unwrap();
    assert_eq!(&room, b"ping");
    // More than the kernel keeps for one of them.
    let (sent, taken) = (vec![7; 1 << 20], async {
        let mut taken = Vec::new();
        near.read_to_end(&mut taken).await.unwrap();
        taken.len()
    });
    let sending = async {
        far.write_all(&sent).await.unwrap();
        poll_fn(|cx| far.poll_finish(cx)).await.unwrap();
    };
    assert_eq!(tokio::join!(sending, taken).1, 1 << 20);
    near.reset_when_dropped(true);
    drop(near);
    assert_eq!(far.read(&mut room).await.unwrap_or(0), 0);
}

//! Somebody between the program and a database server: listens, takes TLS out of the server's greeting, or answers in
//! the server's place with a certificate of its own.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::servers::Engine;

/// The eight bytes with which PostgreSQL's clients ask for TLS.
pub(crate) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// CLIENT_SSL, in the second byte of the capabilities.
const CLIENT_SSL: u8 = 0x08;

/// What is done to a connection.
#[derive(Clone)]
pub(crate) enum Deed {
    Listen,
    Strip,
    /// Shows the certificate of this file, with the key of the other.
    Pretend {
        certificate: std::path::PathBuf,
        key: std::path::PathBuf,
    },
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    ended: Arc<AtomicBool>,
    heard: Arc<Mutex<Vec<u8>>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// In front of a server's port.
    pub(crate) fn new(engine: Engine, server: u16, deed: Deed) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (ended, heard) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stop, ears) = (Arc::clone(&ended), Arc::clone(&heard));
        let accepting = std::thread::spawn(move || {
            let mut connections = Vec::new();
            for client in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let (client, ears, deed) = (client.expect("a client"), Arc::clone(&ears), deed.clone());
                connections.push(std::thread::spawn(move || {
                    // A connection that somebody breaks off is what this is for.
                    serve(engine, client, server, &deed, &ears).ok();
                }));
            }
            for connection in connections {
                connection.join().expect("a connection's thread");
            }
        });
        Proxy { port, ended, heard, accepting }
    }

    /// Waits for the end of all connections; what clients sent, as this side could read it.
    pub(crate) fn heard(self) -> Vec<u8> {
        self.ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)).expect("the way in"));
        self.accepting.join().expect("the proxy's thread");
        let heard = self.heard.lock().expect("ears");
        heard.clone()
    }
}

fn serve(
    engine: Engine,
    mut client: TcpStream,
    server: u16,
    deed: &Deed,
    ears: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let mut up = TcpStream::connect(("127.0.0.1", server))?;
    match (engine, deed) {
        (_, Deed::Listen) => {}
        (Engine::Postgres, deed) => {
            let mut request = [0; 8];
            client.read_exact(&mut request)?;
            ears.lock().expect("ears").extend_from_slice(&request);
            assert_eq!(request, SSL_REQUEST, "asks for TLS first");
            client.write_all(if matches!(deed, Deed::Strip) { b"N" } else { b"S" })?;
        }
        (Engine::Mysql, deed) => {
            let mut greeting = packet(&mut up)?;
            if matches!(deed, Deed::Strip) {
                // Behind the head, the protocol and the version: the thread, eight bytes of salt and a zero.
                let version = greeting[5..].iter().position(|byte| *byte == 0).expect("a version");
                let capabilities = 5 + version + 1 + 4 + 8 + 1;
                assert!(greeting[capabilities + 1] & CLIENT_SSL != 0, "the server does offer TLS");
                greeting[capabilities + 1] &= !CLIENT_SSL;
            }
            client.write_all(&greeting)?;
        }
    }
    if let Deed::Pretend { certificate, key } = deed {
        if engine == Engine::Mysql {
            packet(&mut client)?;
        }
        return pretend(client, certificate, key, ears);
    }
    let (mut back, mut down) = (client.try_clone()?, up.try_clone()?);
    let answering = std::thread::spawn(move || {
        std::io::copy(&mut down, &mut back).ok();
        back.shutdown(Shutdown::Both).ok();
    });
    let mut bytes = [0; 4096];
    while let Ok(got @ 1..) = client.read(&mut bytes) {
        ears.lock().expect("ears").extend_from_slice(&bytes[..got]);
        up.write_all(&bytes[..got])?;
    }
    up.shutdown(Shutdown::Both).ok();
    answering.join().expect("the other direction");
    Ok(())
}

/// A packet of MariaDB's protocol, with its head.
fn packet(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let mut packet = head.to_vec();
    packet.resize(4 + usize::from(head[0]) + usize::from(head[1]) * 256, 0);
    stream.read_exact(&mut packet[4..])?;
    Ok(packet)
}

/// The other end of the TLS, as far as somebody believes it. What was said in it is heard.
fn pretend(
    client: TcpStream,
    certificate: &std::path::Path,
    key: &std::path::Path,
    ears: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(key).expect("its key");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate], key));
    let connection = ServerConnection::new(Arc::new(config.expect("TLS"))).expect("TLS");
    let mut tls = StreamOwned::new(connection, client);
    let mut bytes = [0; 4096];
    let got = tls.read(&mut bytes)?;
    ears.lock().expect("ears").extend_from_slice(&bytes[..got]);
    Ok(())
}

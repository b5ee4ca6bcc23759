//! A server on loopback that says exactly what a test tells it to, byte for byte, one answer a connection.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What one connection gets.
pub(crate) enum Answer {
    /// These bytes; then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes; then nothing, while the connection stays open.
    Silence(Vec<u8>),
}

/// An answer with status, headers and body.
pub(crate) fn http(status: u16, headers: &[&str], body: &[u8]) -> Answer {
    Answer::Bytes(raw(status, headers, body))
}

pub(crate) fn raw(status: u16, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        text.push_str(&format!("{header}\r\n"));
    }
    text.push_str("\r\n");
    [text.into_bytes(), body.to_vec()].concat()
}

/// The server; it ends with the test.
pub(crate) struct Server {
    pub(crate) port: u16,
    /// Each connection's first bytes: a request, or a TLS greeting.
    pub(crate) heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Server {
    /// Gives the answers in order; a connection too many is closed at once.
    pub(crate) async fn start(answers: Vec<Answer>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Server::on(listener, answers)
    }

    /// On a port that was taken beforehand, so that answers can name it.
    pub(crate) fn on(listener: TcpListener, answers: Vec<Answer>) -> Server {
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        tokio::spawn(async move {
            let mut answers = answers.into_iter();
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answers.next();
                let log = Arc::clone(&log);
                tokio::spawn(async move { serve(stream, answer, &log).await });
            }
        });
        Server { port, heard }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn requests(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

async fn serve(mut stream: TcpStream, answer: Option<Answer>, log: &Mutex<Vec<Vec<u8>>>) {
    let request = request(&mut stream).await;
    log.lock().unwrap().push(request);
    match answer {
        Some(Answer::Bytes(bytes)) => drop(stream.write_all(&bytes).await),
        Some(Answer::Silence(bytes)) => {
            drop(stream.write_all(&bytes).await);
            std::future::pending::<()>().await;
        }
        None => {}
    }
}

/// A whole request, or the first bytes of what is none.
async fn request(stream: &mut TcpStream) -> Vec<u8> {
    let mut got = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => got.extend_from_slice(&buffer[..n]),
            _ => return got,
        }
        let text = String::from_utf8_lossy(&got).to_ascii_lowercase();
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            if got[0] == 0x16 {
                return got;
            }
            continue;
        };
        let length =
            head.split("content-length: ").nth(1).and_then(|t| t.lines().next()?.trim().parse().ok());
        if got.len() >= head.len() + 4 + length.unwrap_or(0usize) {
            return got;
        }
    }
}

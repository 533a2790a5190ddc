//! Serves the written pages as the function answers them: with its headers.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use aftercart::run::http::Response;

use super::super::failure::{Failure, Trying};

/// The most of a form.
const BODY_BYTES_MAX: u64 = 64 * 1024;

/// A server on a port of its own.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves the files of a folder, until this process ends.
    pub(super) fn start(folder: &Path) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").trying("serve the pages")?;
        let port = listener.local_addr().trying("serve the pages")?.port();
        let (sent, folder) = (Arc::new(Mutex::new(Vec::new())), folder.to_owned());
        let noted = Arc::clone(&sent);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (folder, noted) = (folder.clone(), Arc::clone(&noted));
                thread::spawn(move || converse(&connection, &folder, &noted).ok());
            }
        });
        Ok(Self { port, sent })
    }

    /// Where a page is.
    pub(super) fn address(&self, page: &str) -> String {
        format!("http://127.0.0.1:{}/{page}", self.port)
    }

    /// The forms that were sent.
    pub(super) fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn converse(
    connection: &TcpStream,
    folder: &Path,
    sent: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first)?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap_or(0);
        }
    }
    let mut words = first.split(' ');
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or_default();
    let name = path.trim_start_matches('/').split('?').next().unwrap_or_default();
    if method == "POST" {
        let mut body = String::new();
        reader.take(BODY_BYTES_MAX.min(length)).read_to_string(&mut body)?;
        sent.lock().unwrap_or_else(PoisonError::into_inner).push(body);
    }
    let page = fs::read_to_string(folder.join(name)).unwrap_or_default();
    let page = Response::html(200, page);
    let mut head = format!("HTTP/1.1 200 OK\r\ncontent-type: {}\r\n", page.content_type);
    for (name, value) in &page.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", page.body.len()));
    let mut out = connection;
    out.write_all(head.as_bytes())?;
    out.write_all(page.body.as_bytes())
}

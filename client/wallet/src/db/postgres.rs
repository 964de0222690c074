//! PostgreSQL, by the part of its protocol that these tables need: statements with arguments, and rows.
//!
//! Protocol 3.0 over a socket, one question at a time. Arguments and rows go as text, whose meaning their
//! types give. `docs/decisions/027-the-wallets-tables.md` says why this is not a library.

mod sign_in;
mod wire;

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use super::{Answer, Connection, DbError, Row, Value};
use wire::{Message, Wire};

/// How long an answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(120);

/// Numbers of types.
const BYTEA: u32 = 17;
const INT8: u32 = 20;
const INT4: u32 = 23;
const TEXT: u32 = 25;

/// A socket of either kind.
trait Socket: Read + Write + Send {}
impl<T: Read + Write + Send> Socket for T {}

pub(super) struct Postgres(Wire);

/// What went wrong, in words.
pub(super) fn fault(what: impl std::fmt::Display) -> DbError {
    DbError::Postgres(what.to_string())
}

impl Postgres {
    pub(super) fn open(config: &str) -> Answer<Self> {
        let settings = settings(config)?;
        let get = |name: &str| settings.get(name).map(String::as_str);
        let host = get("host").unwrap_or("/var/run/postgresql");
        let port: u16 = get("port").unwrap_or("5432").parse().map_err(|_| fault("`port` is no port"))?;
        let user = get("user").ok_or_else(|| fault("`user` is missing in `database`"))?;
        let socket: Box<dyn Socket> = if host.starts_with('/') {
            let stream = UnixStream::connect(Path::new(host).join(format!(".s.PGSQL.{port}")));
            let stream = stream.map_err(fault)?;
            stream.set_read_timeout(Some(ANSWER_WAIT)).map_err(fault)?;
            Box::new(stream)
        } else {
            let stream = TcpStream::connect((host, port)).map_err(fault)?;
            stream.set_nodelay(true).map_err(fault)?;
            stream.set_read_timeout(Some(ANSWER_WAIT)).map_err(fault)?;
            Box::new(stream)
        };
        let mut wire = Wire::new(socket);
        let password = match get("password_file") {
            Some(path) => {
                Some(std::fs::read_to_string(path).map_err(|error| fault(format!("{path}: {error}")))?)
            }
            None => None,
        };
        let database = get("dbname").unwrap_or(user);
        sign_in::sign_in(&mut wire, user, database, password.as_deref().map(str::trim))?;
        Ok(Postgres(wire))
    }

    /// Sends a statement with its arguments; returns its rows, and how many it changed.
    fn ask(&mut self, sql: &str, args: &[Value]) -> Answer<(Vec<Row>, u64)> {
        // `?1` is SQLite's way of writing `$1`. No statement here has a question mark in a text.
        let mut parse = Message::new(b'P').text("").text(&sql.replace('?', "$")).int_16(args.len());
        let mut bind = Message::new(b'B').text("").text("").int_16(0).int_16(args.len());
        for arg in args {
            // Nothing has no type of its own: the server finds the column's.
            parse = parse.int_32(match arg {
                Value::Null => 0,
                Value::Int(_) => INT8,
                Value::Text(_) => TEXT,
                Value::Bytes(_) => BYTEA,
            });
            bind = match arg {
                Value::Null => bind.int_32(u32::MAX),
                Value::Int(number) => bind.value(number.to_string().as_bytes()),
                Value::Text(text) => bind.value(text.as_bytes()),
                Value::Bytes(bytes) => bind.value(format!("\\x{}", hex::encode(bytes)).as_bytes()),
            };
        }
        let bind = bind.int_16(0);
        let describe = Message::new(b'D').byte(b'P').text("");
        let execute = Message::new(b'E').text("").int_32(0);
        self.0.send(&[parse, bind, describe, execute, Message::new(b'S')])?;
        self.rows()
    }

    /// Reads answers until the server is ready again.
    fn rows(&mut self) -> Answer<(Vec<Row>, u64)> {
        let (mut types, mut rows, mut changed, mut refused) = (Vec::new(), Vec::new(), 0, None);
        loop {
            let (kind, mut body) = self.0.receive()?;
            match kind {
                b'T' => {
                    types.clear();
                    for _ in 0..body.int_16()? {
                        body.text()?;
                        body.skip(6)?;
                        types.push(body.int_32()?);
                        body.skip(8)?;
                    }
                }
                b'D' => {
                    body.int_16()?;
                    let values = types.iter().map(|kind| value(*kind, body.value()?));
                    rows.push(Row(values.collect::<Answer<_>>()?));
                }
                // Such as `INSERT 0 5`: the count stands last.
                b'C' => {
                    let tag = body.text()?;
                    changed = tag.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
                }
                b'E' => refused = Some(body.refusal()?),
                b'Z' => break,
                _ => {}
            }
        }
        match refused {
            Some(why) => Err(fault(why)),
            None => Ok((rows, changed)),
        }
    }
}

fn value(kind: u32, bytes: Option<&[u8]>) -> Answer<Value> {
    let Some(bytes) = bytes else { return Ok(Value::Null) };
    let text = std::str::from_utf8(bytes).map_err(fault)?;
    Ok(match kind {
        INT8 | INT4 => Value::Int(text.parse().map_err(fault)?),
        TEXT => Value::Text(text.to_owned()),
        BYTEA => Value::Bytes(hex::decode(text.trim_start_matches("\\x")).map_err(fault)?),
        _ => return Err(DbError::Foreign(format!("a column of type {kind}"))),
    })
}

/// `name=value` pairs with spaces between them.
fn settings(config: &str) -> Answer<HashMap<String, String>> {
    const NAMES: [&str; 5] = ["host", "port", "user", "dbname", "password_file"];
    let mut settings = HashMap::new();
    for pair in config.split_whitespace() {
        match pair.split_once('=') {
            Some((name, value)) if NAMES.contains(&name) => settings.insert(name.into(), value.into()),
            _ => return Err(fault(format!("`{pair}` is none of {}", NAMES.join("=…, ")))),
        };
    }
    Ok(settings)
}

impl Connection for Postgres {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Answer<u64> {
        self.ask(sql, args).map(|(_, changed)| changed)
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Answer<Vec<Row>> {
        self.ask(sql, args).map(|(rows, _)| rows)
    }

    fn script(&mut self, sql: &str) -> Answer<()> {
        self.0.send(&[Message::new(b'Q').text(sql)])?;
        self.rows().map(drop)
    }

    fn bytes_type(&self) -> &'static str {
        "BYTEA"
    }

    fn begin(&mut self) -> Answer<()> {
        self.script("BEGIN ISOLATION LEVEL REPEATABLE READ")
    }
}

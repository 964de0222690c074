//! Messages: a byte for the kind, the length, the body.

use super::{fault, Socket};
use crate::db::Answer;

/// Bytes of one answer's message at most: far above any row of these tables.
const MESSAGE_MAX: usize = 64 << 20;

/// A message to the server.
pub(super) struct Message {
    kind: Option<u8>,
    body: Vec<u8>,
}

impl Message {
    pub(super) fn new(kind: u8) -> Self {
        Message { kind: Some(kind), body: Vec::new() }
    }

    /// The first message, which has no kind.
    pub(super) fn first() -> Self {
        Message { kind: None, body: Vec::new() }
    }

    pub(super) fn byte(mut self, byte: u8) -> Self {
        self.body.push(byte);
        self
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.body.extend(bytes);
        self
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes()).byte(0)
    }

    /// A count: the protocol gives it sixteen bits.
    pub(super) fn int_16(self, count: usize) -> Self {
        self.bytes(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes())
    }

    pub(super) fn int_32(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn value(self, bytes: &[u8]) -> Self {
        self.int_32(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).bytes(bytes)
    }
}

/// The body of a message from the server.
pub(super) struct Body {
    bytes: Vec<u8>,
    at: usize,
}

impl Body {
    fn take(&mut self, count: usize) -> Answer<&[u8]> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| fault("an answer ends too early"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    pub(super) fn skip(&mut self, count: usize) -> Answer<()> {
        self.take(count).map(drop)
    }

    pub(super) fn int_16(&mut self) -> Answer<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn int_32(&mut self) -> Answer<u32> {
        self.take(4).map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub(super) fn value(&mut self) -> Answer<Option<&[u8]>> {
        match self.int_32()? {
            u32::MAX => Ok(None),
            length => self.take(length as usize).map(Some),
        }
    }

    pub(super) fn text(&mut self) -> Answer<String> {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let length = rest.iter().position(|byte| *byte == 0).ok_or_else(|| fault("a text has no end"))?;
        let text = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.skip(length + 1)?;
        Ok(text)
    }

    pub(super) fn rest(&mut self) -> Vec<u8> {
        self.bytes.split_off(self.at.min(self.bytes.len()))
    }

    /// Why the server refused: fields, of which `M` is for people.
    pub(super) fn refusal(&mut self) -> Answer<String> {
        let mut said = String::new();
        loop {
            match self.take(1)?[0] {
                0 => return Ok(said),
                b'M' => said = self.text()?,
                _ => drop(self.text()?),
            }
        }
    }
}

/// The connection.
pub(super) struct Wire {
    socket: Box<dyn Socket>,
    ahead: Vec<u8>,
}

impl Wire {
    pub(super) fn new(socket: Box<dyn Socket>) -> Self {
        Wire { socket, ahead: Vec::new() }
    }

    /// Sends messages at once.
    pub(super) fn send(&mut self, messages: &[Message]) -> Answer<()> {
        let mut bytes = Vec::new();
        for message in messages {
            bytes.extend(message.kind);
            let length = u32::try_from(message.body.len() + 4).map_err(fault)?;
            bytes.extend(length.to_be_bytes());
            bytes.extend(&message.body);
        }
        self.socket.write_all(&bytes).and_then(|()| self.socket.flush()).map_err(fault)
    }

    /// Receives the next message.
    pub(super) fn receive(&mut self) -> Answer<(u8, Body)> {
        self.fill(5)?;
        let length =
            u32::from_be_bytes([self.ahead[1], self.ahead[2], self.ahead[3], self.ahead[4]]) as usize;
        if !(4..MESSAGE_MAX).contains(&length) {
            return Err(fault("an answer is too long: that is no PostgreSQL"));
        }
        self.fill(length + 1)?;
        let rest = self.ahead.split_off(length + 1);
        let message = std::mem::replace(&mut self.ahead, rest);
        Ok((message[0], Body { bytes: message, at: 5 }))
    }

    fn fill(&mut self, count: usize) -> Answer<()> {
        let mut chunk = [0; 16_384];
        while self.ahead.len() < count {
            match self.socket.read(&mut chunk).map_err(fault)? {
                0 => return Err(fault("the connection ended")),
                read => self.ahead.extend(&chunk[..read]),
            }
        }
        Ok(())
    }
}

//! Signing in: trusted (a socket of the same machine), or SCRAM-SHA-256 (RFC 7677).

use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::{
    fault,
    wire::{Body, Message, Wire},
};
use crate::db::Answer;

/// Protocol 3.0.
const PROTOCOL: u32 = 196_608;

/// Rounds that a server may ask for: more would be made to hold this program up.
const ROUNDS_MAX: u32 = 1_000_000;

pub(super) fn sign_in(wire: &mut Wire, user: &str, database: &str, password: Option<&str>) -> Answer<()> {
    let hello = Message::first().int_32(PROTOCOL).text("user").text(user).text("database").text(database);
    // Bytes as hex, whatever the server's default is.
    wire.send(&[hello
        .text("client_encoding")
        .text("UTF8")
        .text("options")
        .text("-c bytea_output=hex")
        .byte(0)])?;
    loop {
        let (kind, mut body) = wire.receive()?;
        match kind {
            b'R' => match body.int_32()? {
                0 => {}
                10 => scram(wire, password)?,
                other => {
                    return Err(fault(format!(
                        "the server wants a way of signing in ({other}) that is not spoken here; use scram-sha-256"
                    )))
                }
            },
            b'E' => return Err(fault(body.refusal()?)),
            b'Z' => return Ok(()),
            _ => {}
        }
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Answer<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(fault)?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac.finalize().into_bytes().into())
}

fn field<'t>(text: &'t str, name: &str) -> Answer<&'t str> {
    let mut parts = text.split(',');
    parts.find_map(|part| part.strip_prefix(name)).ok_or_else(|| fault("the server's SCRAM is not in order"))
}

fn challenge(wire: &mut Wire, expected: u32) -> Answer<String> {
    let (kind, mut body): (u8, Body) = wire.receive()?;
    match kind {
        b'R' if body.int_32()? == expected => String::from_utf8(body.rest()).map_err(fault),
        b'E' => Err(fault(body.refusal()?)),
        _ => Err(fault("the server's SCRAM is not in order")),
    }
}

fn scram(wire: &mut Wire, password: Option<&str>) -> Answer<()> {
    let password = password.ok_or_else(|| fault("the server wants a password; name a `password_file`"))?;
    if !password.is_ascii() {
        // Others are prepared by a table of Unicode's.
        return Err(fault("the password has other characters than ASCII; choose one without"));
    }
    let nonce = Base64::encode_string(&rand::random::<[u8; 18]>());
    let bare = format!("n=,r={nonce}");
    let first = format!("n,,{bare}");
    wire.send(&[Message::new(b'p').text("SCRAM-SHA-256").value(first.as_bytes())])?;

    let server = challenge(wire, 11)?;
    let both = field(&server, "r=")?;
    if !both.starts_with(&nonce) {
        return Err(fault("the server answers another client"));
    }
    let salt = Base64::decode_vec(field(&server, "s=")?).map_err(fault)?;
    let rounds: u32 = field(&server, "i=")?.parse().map_err(fault)?;
    if !(4_096..=ROUNDS_MAX).contains(&rounds) {
        return Err(fault("the server's SCRAM is not in order"));
    }
    let mut block = hmac(password.as_bytes(), &[&salt, &[0, 0, 0, 1]])?;
    let mut salted = block;
    for _ in 1..rounds {
        block = hmac(password.as_bytes(), &[&block])?;
        salted.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    let without_proof = format!("c=biws,r={both}");
    let said = format!("{bare},{server},{without_proof}");
    let client_key = hmac(&salted, &[b"Client Key"])?;
    let signature = hmac(&Sha256::digest(client_key), &[said.as_bytes()])?;
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, byte)| key ^ byte).collect();
    let last = format!("{without_proof},p={}", Base64::encode_string(&proof));
    wire.send(&[Message::new(b'p').bytes(last.as_bytes())])?;

    // The server proves in turn that it knows the password.
    let server_key = hmac(&salted, &[b"Server Key"])?;
    let expected = Base64::encode_string(&hmac(&server_key, &[said.as_bytes()])?);
    match field(&challenge(wire, 12)?, "v=")? == expected {
        true => Ok(()),
        false => Err(fault("the server does not know the password")),
    }
}

//! Bytes that are not a bundle of tokens, or not in their one form.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{json, Value};
use stipend_evidence_token::{
    issue::{bundle as bundle_of, digest, signed_part, Statement},
    Reason, BUNDLE_LEN_MAX, DEVICES_MAX, TOKEN_LEN_MAX,
};
use support::*;

fn text(bundle: &[u8]) -> String {
    String::from_utf8(bundle.to_vec()).unwrap()
}

#[test]
fn a_bundle_is_refused_by_its_length_before_it_is_read() {
    assert_eq!(check(&vec![b'['; BUNDLE_LEN_MAX + 1]), whole(Reason::BundleTooLong));
    assert_eq!(check(&vec![b'['; BUNDLE_LEN_MAX]), whole(Reason::TooDeep));
}

#[test]
fn a_token_is_refused_by_its_length_before_it_is_read() {
    let long = "A".repeat(TOKEN_LEN_MAX + 1);
    assert_eq!(check(&bundle(&long, &tokens().1)), overall(Reason::TokenTooLong));
    let longest = "A".repeat(TOKEN_LEN_MAX);
    assert_eq!(check(&bundle(&longest, &tokens().1)), overall(Reason::NotToken));
}

#[test]
fn the_longest_bundle_has_room_for_the_most_devices() {
    let bundle = Statement::new(&NONCE, NOW_MS, DEVICES_MAX).bundle(&issuer());
    assert_eq!(check(&bundle).unwrap().devices.len(), DEVICES_MAX);
    let bundle = Statement::new(&NONCE, NOW_MS, DEVICES_MAX + 1).bundle(&issuer());
    assert_eq!(check(&bundle), whole(Reason::TooManyDevices));
}

#[test]
fn other_shapes_of_json_are_no_bundle() {
    let (overall_token, device_token) = tokens();
    let devices = json!({ FIRST: device_token });
    for other in [
        json!(null),
        json!({}),
        json!([]),
        json!(overall_token),
        json!([["JWT", overall_token]]),
        json!([["JWT", overall_token], devices, {}]),
        json!([devices, ["JWT", overall_token]]),
        json!([["jwt", overall_token], devices]),
        json!([["JWT", overall_token, ""], devices]),
        json!([[overall_token], devices]),
        json!([["JWT", null], devices]),
        json!([["JWT", overall_token], [device_token]]),
        json!([["JWT", overall_token], { FIRST: null }]),
        json!([["JWT", overall_token], { FIRST: ["JWT", device_token] }]),
    ] {
        assert_eq!(check(other.to_string().as_bytes()), whole(Reason::NotBundle), "{other}");
    }
}

#[test]
fn bytes_that_are_not_json_are_refused() {
    for bytes in [&b""[..], b"[", b"{}}", b"nul", b"[1,]", b"[01]", b"{\"a\"}", b"\"\xff\"", b"[\"\x01\"]"] {
        assert_eq!(check(bytes), whole(Reason::NotJson), "{bytes:?}");
    }
}

#[test]
fn white_space_and_escapes_around_tokens_are_refused() {
    let (overall_token, device_token) = tokens();
    let compact = text(&bundle(&overall_token, &device_token));
    for other in [
        format!("{compact}\n"),
        format!(" {compact}"),
        compact.replace(",{", ", {"),
        compact.replace("GPU-0", "\\u0047PU-0"),
        compact.replace("GPU-0", "GPU-0 "),
    ] {
        assert_eq!(check(other.as_bytes()), whole(Reason::BundleNotCompact), "{other}");
    }
}

#[test]
fn a_name_that_comes_twice_is_refused_wherever_it_comes() {
    let (overall_token, device_token) = tokens();
    let twice = text(&bundle(&overall_token, &device_token))
        .replace("{\"GPU-0\":", &format!("{{\"GPU-0\":\"{device_token}\",\"GPU-0\":"));
    assert_eq!(check(twice.as_bytes()), whole(Reason::DuplicateName));

    let header = issuer().header().to_string();
    let twice = header.replace("{", "{\"alg\":\"none\",");
    assert_eq!(check(&with_header(&twice)), overall(Reason::DuplicateName));

    let claims = String::from_utf8(part(&overall_token, 1)).unwrap();
    for (name, value) in [("x-nvidia-overall-att-result", "false"), ("other", "1,\"other\":2")] {
        let twice = claims.replacen('{', &format!("{{\"{name}\":{value},"), 1);
        let token = issuer().sign(&header, &twice);
        assert_eq!(check(&bundle(&token, &device_token)), overall(Reason::DuplicateName));
    }
    // Also where two spellings are one name, and inside of a claim that nobody reads.
    for nested in [r#"{"\u0069ss":"x","#, r#"{"other":{"a":1,"a":1},"#] {
        let token = issuer().sign(&header, &claims.replacen('{', nested, 1));
        assert_eq!(check(&bundle(&token, &device_token)), overall(Reason::DuplicateName));
    }
}

#[test]
fn deep_json_is_refused_before_it_is_read() {
    let (_, device_token) = tokens();
    let deep = format!("[{}{}]", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(check(deep.as_bytes()), whole(Reason::TooDeep));
    let header = format!("{{\"alg\":{}{}}}", "[".repeat(4_000), "]".repeat(4_000));
    assert_eq!(check(&with_header(&header)), overall(Reason::TooDeep));
    let claims = format!("{{\"iss\":{}{}}}", "{\"a\":".repeat(500), "}".repeat(500));
    let token = issuer().sign(&issuer().header().to_string(), &claims);
    assert_eq!(check(&bundle(&token, &device_token)), overall(Reason::TooDeep));
}

#[test]
fn a_token_has_three_parts() {
    let (overall_token, device_token) = tokens();
    let (signed, signature) = overall_token.rsplit_once('.').unwrap();
    for token in [
        "",
        ".",
        signed,
        &format!("{overall_token}.{signature}"),
        &format!("{signed}.{signature}.{signature}"),
    ] {
        assert_eq!(check(&bundle(token, &device_token)), overall(Reason::NotToken), "{token}");
    }
    // Empty parts are base64 of nothing, which is not JSON.
    assert_eq!(check(&bundle("..", &device_token)), overall(Reason::NotJson));
}

#[test]
fn header_and_claims_are_objects() {
    let (overall_token, device_token) = tokens();
    for header in ["[]", "null", "\"ES384\""] {
        assert_eq!(check(&with_header(header)), overall(Reason::NotToken));
    }
    assert_eq!(check(&with_header("ES384")), overall(Reason::NotJson));
    for (claims, reason) in [("[]", Reason::NotToken), ("1", Reason::NotToken), ("", Reason::NotJson)] {
        let token = issuer().sign(&issuer().header().to_string(), claims);
        assert_eq!(check(&bundle(&token, &device_token)), overall(reason));
    }
    assert!(check(&bundle(&overall_token, &device_token)).is_ok());
}

#[test]
fn base64_has_one_form() {
    let (overall_token, device_token) = tokens();
    let parts: Vec<&str> = overall_token.split('.').collect();
    let refused = |index: usize, other: String| {
        let mut parts = parts.clone();
        parts[index] = &other;
        check(&bundle(&parts.join("."), &device_token))
    };
    for (index, part) in parts.iter().enumerate() {
        for other in [
            format!("{part}="),
            format!("{part}=="),
            format!("{part}+"),
            format!("{part}/"),
            format!("*{part}"),
        ] {
            assert!(refused(index, other.clone()).is_err(), "{other}");
        }
    }
    assert_eq!(refused(0, format!("{}==", parts[0])), overall(Reason::BadBase64));
    assert_eq!(refused(2, format!("{}=", parts[2])), overall(Reason::BadBase64));
    let newline = text(&bundle(&overall_token, &device_token)).replace('.', "\n.");
    assert_eq!(check(newline.as_bytes()), whole(Reason::BundleNotCompact));
}

#[test]
fn bits_that_no_byte_needs_are_zero() {
    let (overall_token, device_token) = tokens();
    // A header of 2 more bytes than a multiple of 3 ends in a letter with 2 spare bits, of 1 more byte with 4.
    for padding in 0..3 {
        let header = issuer().header().to_string() + &" ".repeat(padding);
        let claims = String::from_utf8(part(&overall_token, 1)).unwrap();
        let token = issuer().sign(&header, &claims);
        assert!(check(&bundle(&token, &device_token)).is_ok());
        let (encoded, rest) = token.split_once('.').unwrap();
        let spare_bits = [0, 4, 2][header.len() % 3];
        if spare_bits == 0 {
            continue;
        }
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = LETTERS.iter().position(|letter| *letter == *encoded.as_bytes().last().unwrap()).unwrap();
        let other = char::from(LETTERS[last + 1]);
        let spelt_otherwise = format!("{}{other}.{rest}", &encoded[..encoded.len() - 1]);
        assert_eq!(check(&bundle(&spelt_otherwise, &device_token)), overall(Reason::BadBase64));
    }
}

#[test]
fn a_bundle_without_a_device_attests_nothing() {
    let mut statement = statement();
    statement.devices.clear();
    assert_eq!(check_statement(&statement), whole(Reason::NoDevice));
}

#[test]
fn every_device_that_the_overall_token_names_must_be_there() {
    let statement = statement();
    let tokens = statement.device_tokens(&issuer());
    let overall_token = statement.overall_token(&issuer(), &tokens);
    assert_eq!(check(&bundle_of(&overall_token, &tokens[1..])), device(Reason::DeviceTokenMissing));
}

#[test]
fn no_device_may_be_there_that_the_overall_token_does_not_name() {
    let statement = statement();
    let tokens = statement.device_tokens(&issuer());
    let overall_token = statement.overall_token(&issuer(), &tokens[1..]);
    assert_eq!(check(&bundle_of(&overall_token, &tokens)), device(Reason::DeviceTokenExtra));
    let nothing = statement.overall_token(&issuer(), &[]);
    assert_eq!(check(&bundle_of(&nothing, &tokens)), device(Reason::DeviceTokenExtra));
}

#[test]
fn a_device_token_of_another_bundle_is_refused() {
    let (overall_token, _) = tokens();
    let earlier = Statement::new(&NONCE, NOW_MS - 1_000, 1).device_tokens(&issuer());
    assert_eq!(check(&bundle(&overall_token, &earlier[0].1)), device(Reason::OtherDigest));
}

#[test]
fn device_tokens_may_not_change_places() {
    let statement = statement();
    let tokens = statement.device_tokens(&issuer());
    let overall_token = statement.overall_token(&issuer(), &tokens);
    let swapped = [(tokens[0].0.clone(), tokens[1].1.clone()), (tokens[1].0.clone(), tokens[0].1.clone())];
    assert_eq!(check(&bundle_of(&overall_token, &swapped)), device(Reason::OtherDigest));
}

#[test]
fn the_order_of_devices_makes_no_difference() {
    let statement = statement();
    let tokens = statement.device_tokens(&issuer());
    let overall_token = statement.overall_token(&issuer(), &tokens);
    let [first, second] =
        [&tokens[0], &tokens[1]].map(|(name, token)| format!("{}:{}", json!(name), json!(token)));
    let one = format!("[[\"JWT\",\"{overall_token}\"],{{{first},{second}}}]");
    let other = format!("[[\"JWT\",\"{overall_token}\"],{{{second},{first}}}]");
    assert_eq!(check(one.as_bytes()).unwrap(), check(other.as_bytes()).unwrap());
}

#[test]
fn a_digest_has_one_form() {
    let device_token = tokens().1;
    let hex = digest(&device_token)[1][1].clone();
    let short: Value = hex.as_str().unwrap()[..62].into();
    let mut statement = statement();
    for other in [
        json!(hex),
        json!(["DIGEST", hex]),
        json!(["DIGEST", ["SHA256", hex]]),
        json!(["DIGEST", ["SHA-384", hex]]),
        json!(["digest", ["SHA-256", hex]]),
        json!(["DIGEST", ["SHA-256", short]]),
        json!(["DIGEST", ["SHA-256", hex, hex]]),
        json!(["DIGEST", ["SHA-256", null]]),
        json!(null),
    ] {
        statement.overall["submods"] = json!({ FIRST: other });
        let overall_token = issuer().token(&statement.overall);
        assert_eq!(
            check(&bundle(&overall_token, &device_token)),
            overall(Reason::BadClaim("submods")),
            "{other}"
        );
    }
    for submods in [json!(null), json!([]), json!("GPU-0"), json!({ "SWITCH-0": digest(&device_token) })] {
        statement.overall["submods"] = submods;
        let overall_token = issuer().token(&statement.overall);
        assert_eq!(check(&bundle(&overall_token, &device_token)), overall(Reason::BadClaim("submods")));
    }
}

#[test]
fn only_gpus_are_devices() {
    for name in ["SWITCH-0", "NVSWITCH-0", "GPU", "GPU-", "GPU-00", "GPU-1000", "gpu-0", "GPU-x", ""] {
        let mut statement = statement();
        let claims = statement.devices.remove(FIRST).unwrap();
        statement.devices.insert(name.into(), claims);
        assert_eq!(check_statement(&statement), whole(Reason::NotGpu), "{name}");
    }
    assert_eq!(with_device("x-nvidia-device-type", Some(json!("nvswitch"))), device(Reason::NotGpu));
}

#[test]
fn overall_and_device_tokens_are_not_interchangeable() {
    let (overall_token, device_token) = tokens();
    assert_eq!(check(&bundle(&device_token, &device_token)), overall(Reason::MissingClaim("sub")));
    let mut statement = statement();
    statement.overall["submods"] = json!({ FIRST: digest(&overall_token) });
    let outer = issuer().token(&statement.overall);
    assert_eq!(check(&bundle(&outer, &overall_token)), device(Reason::MissingClaim("measres")));
}

#[test]
fn the_signed_part_is_what_is_verified() {
    let (overall_token, device_token) = tokens();
    let claims = String::from_utf8(part(&overall_token, 1)).unwrap();
    // The same claims in another spelling: same meaning, other bytes.
    let other = signed_part(&issuer().header().to_string(), &claims.replace(':', ": "));
    let token = with_signature(&format!("{other}."), &part(&overall_token, 2));
    assert_eq!(check(&bundle(&token, &device_token)), overall(Reason::BadSignature));
}

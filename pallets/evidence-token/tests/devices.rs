//! What NVIDIA says of each device. In every test the overall result is a success.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use stipend_evidence_token::{issue::test_policy, Policy, Reason, Refusal};
use support::*;

#[test]
fn measurements_match_in_both_spellings_of_success() {
    for success in ["success", "Success"] {
        assert!(with_device("measres", Some(json!(success))).is_ok());
    }
    for failure in ["fail", "Failure", "failure", "comparison-fail", "SUCCESS", "success ", ""] {
        let refused = with_device("measres", Some(json!(failure)));
        assert_eq!(refused, device(Reason::MeasurementsDiffer), "{failure}");
    }
    for other in [json!(true), json!(null), json!(["success"])] {
        assert_eq!(with_device("measres", Some(other)), device(Reason::BadClaim("measres")));
    }
}

#[test]
fn a_list_of_mismatches_contradicts_a_success() {
    for name in ["x-nvidia-mismatch-measurement-records", "x-nvidia-mismatch-opaque-data-records"] {
        for nothing in [None, Some(json!(null)), Some(json!([]))] {
            assert!(with_device(name, nothing).is_ok());
        }
        for something in [json!([{ "index": 9 }]), json!("9"), json!(false)] {
            assert_eq!(with_device(name, Some(something)), device(Reason::MeasurementsDiffer));
        }
    }
}

#[test]
fn secure_boot_must_be_on() {
    for value in [json!(false), json!(null), json!("true"), json!(1)] {
        assert_eq!(with_device("secboot", Some(value)), device(Reason::SecureBootOff));
    }
}

#[test]
fn debugging_must_be_disabled() {
    for value in
        [json!("enabled"), json!("Disabled"), json!("disabled-since-boot"), json!(null), json!(false)]
    {
        assert_eq!(with_device("dbgstat", Some(value)), device(Reason::DebugEnabled));
    }
}

#[test]
fn every_check_that_nvidia_names_must_have_passed() {
    let names: Vec<String> = statement().devices[FIRST]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, value)| name.starts_with("x-nvidia-gpu-") && value.is_boolean())
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(names.len(), 16);
    for name in names.iter().map(String::as_str).chain(["x-nvidia-gpu-a-check-of-tomorrow"]) {
        assert_eq!(with_device(name, Some(json!(false))), device(Reason::CheckFailed(name.into())));
    }
}

#[test]
fn a_check_that_was_not_made_is_refused() {
    for name in [
        "x-nvidia-gpu-arch-check",
        "x-nvidia-gpu-attestation-report-parsed",
        "x-nvidia-gpu-attestation-report-nonce-match",
        "x-nvidia-gpu-attestation-report-signature-verified",
        "x-nvidia-gpu-driver-rim-fetched",
        "x-nvidia-gpu-driver-rim-signature-verified",
        "x-nvidia-gpu-driver-rim-measurements-available",
        "x-nvidia-gpu-vbios-rim-fetched",
        "x-nvidia-gpu-vbios-rim-signature-verified",
        "x-nvidia-gpu-vbios-rim-measurements-available",
        "x-nvidia-gpu-vbios-index-no-conflict",
    ] {
        assert_eq!(with_device(name, None), device(Reason::MissingClaim(name)));
        assert_eq!(with_device(name, Some(json!("true"))), device(Reason::BadClaim(name)));
        assert_eq!(with_device(name, Some(json!(null))), device(Reason::BadClaim(name)));
    }
}

/// The chains and the claims that stood for them before version 3.0.
const CHAINS: [(&str, &str); 3] = [
    ("x-nvidia-gpu-attestation-report-cert-chain", "x-nvidia-gpu-attestation-report-cert-chain-validated"),
    ("x-nvidia-gpu-driver-rim-cert-chain", "x-nvidia-gpu-driver-rim-cert-validated"),
    ("x-nvidia-gpu-vbios-rim-cert-chain", "x-nvidia-gpu-vbios-rim-cert-validated"),
];

#[test]
fn a_certificate_that_is_not_valid_and_good_is_refused() {
    for (chain, _) in CHAINS {
        for (name, value) in [
            ("x-nvidia-cert-status", json!("expired")),
            ("x-nvidia-cert-status", json!("revoked")),
            ("x-nvidia-cert-status", json!(null)),
            ("x-nvidia-cert-ocsp-status", json!("revoked")),
            ("x-nvidia-cert-ocsp-status", json!("unknown")),
            ("x-nvidia-cert-ocsp-nonce-matches", json!(false)),
        ] {
            let mut claim = statement().devices[FIRST][chain].clone();
            claim[name] = value;
            assert_eq!(with_device(chain, Some(claim)), device(Reason::CertificateNotGood(chain)));
        }
        assert_eq!(with_device(chain, Some(json!({}))), device(Reason::CertificateNotGood(chain)));
        assert_eq!(with_device(chain, Some(json!(true))), device(Reason::CertificateNotGood(chain)));
        assert_eq!(with_device(chain, None), device(Reason::MissingClaim(chain)));
    }
}

#[test]
fn certificates_of_version_2_are_a_yes_or_no() {
    for (chain, flag) in CHAINS {
        let check = |value| {
            let mut statement = statement();
            let claims = statement.devices.get_mut(FIRST).unwrap();
            set(claims, chain, None);
            set(claims, flag, Some(value));
            check_statement(&statement)
        };
        assert!(check(json!(true)).is_ok());
        assert_eq!(check(json!(null)), device(Reason::CertificateNotGood(chain)));
        assert_eq!(check(json!(false)), device(Reason::CheckFailed(flag.into())));
    }
}

#[test]
fn a_warning_is_refused_unless_the_policy_accepts_it() {
    let warning =
        json!("THE CERTIFICATE HCC RIM L4 Signer IS REVOKED WITH THE STATUS AS 'CERTIFICATE_HOLD'.");
    let mut statement = statement();
    statement.devices.get_mut(FIRST).unwrap()["x-nvidia-attestation-warning"] = warning;
    let bundle = statement.bundle(&issuer());
    assert_eq!(check(&bundle), device(Reason::Warning));
    assert!(check_at(&bundle, NOW_MS, &Policy { accept_warnings: true, ..test_policy() }).is_ok());
}

#[test]
fn one_device_is_not_counted_twice() {
    let mut statement = statement();
    let first = statement.devices[FIRST]["ueid"].clone();
    statement.devices.get_mut("GPU-1").unwrap()["ueid"] = first;
    assert_eq!(
        check_statement(&statement),
        Err(Refusal { place: at_device("GPU-1"), reason: Reason::SameDeviceTwice })
    );
}

#[test]
fn a_failure_of_any_device_is_a_failure() {
    let mut statement = statement();
    statement.devices.get_mut("GPU-1").unwrap()["secboot"] = json!(false);
    assert_eq!(
        check_statement(&statement),
        Err(Refusal { place: at_device("GPU-1"), reason: Reason::SecureBootOff })
    );
}

#[test]
fn what_is_passed_on_is_short_and_printable() {
    for name in ["ueid", "hwmodel", "x-nvidia-gpu-driver-version", "x-nvidia-gpu-vbios-version"] {
        assert!(with_device(name, Some(json!("x".repeat(64)))).is_ok());
        for value in ["", "a\nb", "\u{1b}[31m", "GH100\u{202e}", &"x".repeat(65)] {
            assert_eq!(with_device(name, Some(json!(value))), device(Reason::BadClaim(name)));
        }
    }
}

#[test]
fn versions_of_driver_and_firmware_are_passed_on_where_they_are() {
    let evidence = with_device("x-nvidia-gpu-driver-version", None).unwrap();
    let first = evidence.devices.iter().find(|device| device.name == FIRST).unwrap();
    assert_eq!(first.driver_version, None);
    assert_eq!(first.vbios_version.as_deref(), Some("96.00.CF.00.02"));
    assert_eq!(first.model, "TEST GPU (no hardware)");
}

//! What a gateway signs about a request.

use serde_json::{json, Value};
use stipend_primitives::{settlement::VerdictKind, ClassId, Credits};

use super::made_up::GENESIS;
use super::*;
use crate::{
    proof::{BatchPlace, Format, GatewayReceipt, Settlement, SignedReceipt},
    Signer,
};

/// The receipt with number `FIRST_SEQ + 1` of [`proven`], as its gateway should tell it.
fn told(signer: &Signer) -> GatewayReceipt {
    let ReceiptLeaf { leaf, wallet, provider, book, priority_fee } = receipt(FIRST_SEQ + 1);
    GatewayReceipt {
        format: Format::V1,
        id: leaf.digest,
        genesis: GENESIS,
        gateway: signer.account(),
        gateway_key: signer.public(),
        sequence: leaf.seq,
        wallet,
        provider,
        model: leaf.model,
        model_name: Some("a \"model\" of R\u{e9}nard\n".into()),
        time_ms: Some(1_700_000_000_123),
        request_sha256: Some(H256([3; 32])),
        response_sha256: Some(H256([4; 32])),
        input: leaf.usage.input,
        cached_input: leaf.usage.cached_input,
        output: leaf.usage.output,
        price_book: book,
        class: ClassId::REASONING,
        cost: Credits::MAX,
        priority_fee: priority_fee.into(),
        held: Some(0),
        batch: Some(BatchPlace {
            first_seq: FIRST_SEQ,
            last_seq: FIRST_SEQ + 2,
            block: 42,
            hash: H256([9; 32]),
        }),
        settlement: Some(Settlement { verdict: VerdictKind::Match, item_refunded: 7, block: 45 }),
    }
}

/// What is left where nothing is known that need not be.
fn least(signer: &Signer) -> GatewayReceipt {
    GatewayReceipt {
        model_name: None,
        time_ms: None,
        request_sha256: None,
        response_sha256: None,
        held: None,
        batch: None,
        settlement: None,
        ..told(signer)
    }
}

/// Signs whatever a document says.
fn sign_anyhow(document: &Value, signer: &Signer) -> Vec<u8> {
    let mut document = document.clone();
    let members = document.as_object_mut().unwrap();
    members.remove("signature");
    let message = crate::proof::canonical::bytes(&document).unwrap();
    let signature = format!("0x{}", hex::encode(signer.sign_bytes(&message)));
    document["signature"] = json!(signature);
    crate::proof::canonical::bytes(&document).unwrap()
}

#[test]
fn a_signed_receipt_is_read_as_it_was_written() {
    let signer = Signer::generate();
    for receipt in [told(&signer), least(&signer)] {
        let signed = receipt.sign(&signer).unwrap();
        assert_eq!(SignedReceipt::read(signed.bytes()).unwrap(), signed);
        assert_eq!(signed.receipt(), &receipt);
    }
    let text = String::from_utf8(least(&signer).sign(&signer).unwrap().bytes().to_vec()).unwrap();
    assert!(
        text.starts_with(r#"{"cachedInput":1,"class":3,"cost":"340282366920938463463374607431768211455","#)
    );
    for absent in ["held", "timeMs", "Sha256", "batch", "settlement", "modelName", "null"] {
        assert!(!text.contains(absent), "{absent} is in {text}");
    }
    assert!(text.len() > 512, "what is signed must be longer than all else that the key signs");
}

#[test]
fn every_changed_removed_or_added_byte_is_refused() {
    let signer = Signer::generate();
    let bytes = told(&signer).sign(&signer).unwrap().bytes().to_vec();
    for at in 0..bytes.len() {
        for other in [bytes[at] ^ 1, bytes[at] ^ 0x20, bytes[at] ^ 0x80, b'0', b' ', b'"'] {
            let mut changed = bytes.clone();
            changed[at] = other;
            assert!(other == bytes[at] || SignedReceipt::read(&changed).is_err(), "byte {at} as {other}");
        }
        let mut cut = bytes.clone();
        cut.remove(at);
        assert!(SignedReceipt::read(&cut).is_err(), "without byte {at}");
        for more in [b' ', b'\n', b'0', b',', bytes[at]] {
            let mut longer = bytes.clone();
            longer.insert(at, more);
            assert!(SignedReceipt::read(&longer).is_err(), "with {more} at {at}");
        }
    }
    for end in ["\n", " ", "{}"] {
        assert!(SignedReceipt::read(&[&bytes, end.as_bytes()].concat()).is_err());
    }
    assert!(SignedReceipt::read(&vec![b' '; 20_000]).is_err());
}

#[test]
fn only_the_gateway_itself_signs_for_it() {
    let (signer, other) = (Signer::generate(), Signer::generate());
    assert!(told(&signer).sign(&other).is_none());
    let honest = told(&signer).sign(&signer).unwrap();
    let document: Value = serde_json::from_slice(honest.bytes()).unwrap();
    assert_eq!(sign_anyhow(&document, &signer), honest.bytes());
    let forged = sign_anyhow(&document, &other);
    assert!(matches!(SignedReceipt::read(&forged), Err(ProofError::NotTheGateways(_))));
    // A key of its own beside the account of another.
    let mut claimed = document.clone();
    claimed["gatewayKey"] = json!(format!("0x{}", hex::encode(other.public())));
    assert!(SignedReceipt::read(&sign_anyhow(&claimed, &other)).is_err());
}

#[test]
fn what_does_not_belong_into_a_receipt_is_refused_even_if_it_is_signed() {
    let signer = Signer::generate();
    let document: Value = serde_json::from_slice(told(&signer).sign(&signer).unwrap().bytes()).unwrap();
    for (member, value) in [
        ("surprise", json!(1)),
        ("held", Value::Null),
        ("format", json!("stipend-gateway-receipt/2")),
        ("id", json!("AB".repeat(16))),
        ("id", json!("ab".repeat(15))),
        ("genesis", json!(format!("0x{}", "AB".repeat(32)))),
        ("cost", json!("01")),
        ("cost", json!("+1")),
        ("cost", json!(1)),
        ("batch", json!({ "firstSeq": 0, "lastSeq": 1, "block": 2 })),
    ] {
        let mut changed = document.clone();
        changed[member] = value;
        assert!(SignedReceipt::read(&sign_anyhow(&changed, &signer)).is_err(), "{member}");
    }
    let mut without = document;
    without.as_object_mut().unwrap().remove("signature");
    assert!(SignedReceipt::read(&crate::proof::canonical::bytes(&without).unwrap()).is_err());
}

#[test]
fn a_gateway_that_tells_the_wallet_another_thing_than_the_chain_is_found_out() {
    let signer = Signer::generate();
    let own = gateway();
    let proof = proven(3, 1);
    let chain = verify(&proof, proof.block_hash, &own, FIRST_SEQ + 1).unwrap();
    // Whom the chain calls the gateway is the only thing that the made-up batch has of another.
    let agrees = |receipt: GatewayReceipt| {
        let by = signer.account();
        receipt.sign(&signer).unwrap().agrees_with(&GENESIS, &by, &chain)
    };
    assert_eq!(agrees(told(&signer)), Ok(()));
    assert_eq!(agrees(least(&signer)), Ok(()));
    type Change = fn(&mut GatewayReceipt);
    let changes: [(&str, Change); 12] = [
        ("sequence", |told| told.sequence += 1),
        ("id", |told| told.id[0] ^= 1),
        ("wallet", |told| told.wallet = AccountId::new([99; 32])),
        ("provider", |told| told.provider = AccountId::new([99; 32])),
        ("model", |told| told.model = ModelId(99)),
        ("input", |told| told.input -= 1),
        ("cachedInput", |told| told.cached_input -= 1),
        ("output", |told| told.output -= 1),
        ("priceBook", |told| told.price_book += 1),
        ("priorityFee", |told| told.priority_fee += 1),
        ("batch", |told| told.batch.as_mut().unwrap().block += 1),
        ("batch", |told| told.batch.as_mut().unwrap().last_seq += 1),
    ];
    for (what, change) in changes {
        let mut receipt = told(&signer);
        change(&mut receipt);
        assert_eq!(agrees(receipt), Err(ProofError::GatewayContradicts(what)));
    }
    let elsewhere = GatewayReceipt { genesis: H256([1; 32]), ..told(&signer) };
    assert!(matches!(agrees(elsewhere), Err(ProofError::OtherChain { .. })));
    let signed = told(&signer).sign(&signer).unwrap();
    assert_eq!(signed.agrees_with(&GENESIS, &own, &chain), Err(ProofError::GatewayContradicts("gateway")));
}

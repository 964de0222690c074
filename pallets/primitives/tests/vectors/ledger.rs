//! Identifiers, signing, mint requests, prices and API keys.

use codec::Encode;
use serde_json::{json, Map, Value};
use stipend_primitives::{
    cost::{PriceBook, PriceEntry, Usage},
    evidence::{EvidenceLevel, EvidencePolicy},
    key::{self, ApiKey, KeyLimits},
    mint::{Cosignature, Grant, MintRequest},
    settlement::{UnattestedPolicy, VerdictKind},
    signing::{payload, Domain},
    ClassId, ModelId, Role,
};

use super::{account, both, hex, scale, signature, GENESIS};

pub fn ids() -> Value {
    let roles = [
        Role::Council,
        Role::Issuer,
        Role::Gateway,
        Role::Provider,
        Role::Validator,
        Role::Evaluator,
        Role::Auditor,
    ];
    let classes = [ClassId::INNOVATION, ClassId::PRIORITY, ClassId::RENDER, ClassId::REASONING];
    let verdicts = [VerdictKind::Match, VerdictKind::Adjust, VerdictKind::Unattested];
    let policies = [UnattestedPolicy::Refund, UnattestedPolicy::Accept];
    let levels = [EvidenceLevel::Software, EvidenceLevel::Hardware];
    let demands = [EvidencePolicy::None, EvidencePolicy::Preferred, EvidencePolicy::Required];
    json!({
        "roles": roles.map(|role| both(&role)),
        "classes": classes.map(|class| both(&class)),
        "unknown_model": both(&ModelId::UNKNOWN),
        "verdicts": verdicts.map(|verdict| both(&verdict)),
        "unattested_policies": policies.map(|policy| both(&policy)),
        "evidence_levels": levels.map(|level| both(&level)),
        "evidence_policies": demands.map(|policy| both(&policy)),
        "seed_1_account": account(1).to_string(),
        "seed_1_public_key": hex(account(1)),
    })
}

pub fn signing() -> Value {
    let domains = [
        Domain::Mint,
        Domain::Batch,
        Domain::Attestation,
        Domain::Claim,
        Domain::Vote,
        Domain::Forward,
        Domain::Finding,
    ];
    let rows = domains.map(|domain| {
        let payload = payload(domain, &GENESIS, b"body");
        json!({
            "domain": format!("{domain:?}"),
            "tag": hex(domain.tag()),
            "payload": hex(payload),
            "signature_by_seed_1": hex(signature(1, &payload)),
        })
    });
    json!({ "genesis": hex(GENESIS), "body": hex(b"body"), "domains": rows })
}

pub fn mint() -> Value {
    let grants = [
        Grant::One { program: 7, amount: 1_500_000_000, valid_from: None, valid_until: None },
        Grant::One {
            program: u32::MAX,
            amount: u128::MAX,
            valid_from: Some(1_750_000_000_000),
            valid_until: Some(u64::MAX),
        },
        Grant::Basket { basket: 3 },
    ];
    let requests = grants.map(|grant| MintRequest {
        issuer: account(1),
        idempotency_key: *b"0123456789abcdef",
        owner: account(2),
        grant,
    });
    let rows = requests.map(|request| {
        let payload = request.signing_payload(&GENESIS);
        let cosignature = Cosignature { issuer: account(3), signature: signature(3, &payload) };
        json!({
            "request": request,
            "scale": scale(&request),
            "payload": hex(payload),
            "signature_by_seed_1": hex(signature(1, &payload)),
            "cosignature_by_seed_3": both(&cosignature),
        })
    });
    json!({ "genesis": hex(GENESIS), "requests": rows })
}

fn entries() -> [PriceEntry; 2] {
    [
        PriceEntry {
            model: ModelId(0),
            name: b"small".to_vec().try_into().unwrap(),
            class: ClassId::INNOVATION,
            premium: false,
            c_input: 3,
            c_cached: 1,
            c_output: 12,
            c_model: 500,
            weight: 2,
            reference_input: 150_000,
            reference_output: 600_000,
        },
        PriceEntry {
            model: ModelId(65_534),
            name: "größer".as_bytes().to_vec().try_into().unwrap(),
            class: ClassId(900),
            premium: true,
            c_input: u64::MAX,
            c_cached: 1 << 30,
            c_output: (1 << 30) + 1,
            c_model: u64::MAX,
            weight: u32::MAX,
            reference_input: u64::MAX,
            reference_output: 0,
        },
    ]
}

pub fn price() -> Value {
    let entries = entries();
    let usages =
        [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1_200, 300, 250), (u32::MAX, u32::MAX, u32::MAX)]
            .map(|(input, cached_input, output)| Usage { input, cached_input, output });
    let costs: Vec<Value> = usages
        .iter()
        .map(|usage| {
            let costs: Vec<String> = entries.iter().map(|entry| entry.cost(usage).to_string()).collect();
            json!({ "usage": both(usage), "costs": costs })
        })
        .collect();
    let book = PriceBook {
        version: 4,
        effective_at: 1_000,
        chargeable_until: Some(1_600),
        entries: entries.to_vec().try_into().unwrap(),
    };
    json!({ "entries": entries.map(|entry| both(&entry)), "book": both(&book), "costs": costs })
}

pub fn key() -> Value {
    let text = key::text(&[0x5a; 32]);
    let limits = [
        KeyLimits::default(),
        KeyLimits {
            models: vec![ModelId(1), ModelId(7)].try_into().unwrap(),
            request_cost_max: Some(5_000_000),
            requests_per_minute_max: Some(60),
            expires_at: Some(1_800_000_000_000),
            credits_per_day_max: Some(50_000_000),
            credits_per_minute_max: Some(1_000_000),
            tokens_per_minute_max: Some(20_000),
            model_credits_per_day_max: vec![(ModelId(7), 9_000_000), (ModelId(1), 0)].try_into().unwrap(),
        },
    ];
    let mut vectors = Map::new();
    vectors.insert("hash".into(), hex(key::hash(&text)).into());
    vectors.insert("text".into(), text.into());
    let keys = limits.map(|limits| both(&ApiKey { owner: account(2), limits }));
    vectors.insert("keys".into(), json!(keys));
    vectors.insert("no_limits".into(), hex(KeyLimits::default().encode()).into());
    Value::Object(vectors)
}

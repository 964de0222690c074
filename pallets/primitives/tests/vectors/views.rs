//! What the runtime APIs answer, which is also what JSON-RPC shows.

use serde_json::{json, Value};
use sp_core::H256;
use stipend_primitives::{
    attestation::GpuUse,
    energy::EnergyBudget,
    evidence::{
        ClassEvidence, EvidenceInForce, EvidenceLevel, EvidencePolicy, EvidenceStatus, ProviderEvidence,
        TrustView,
    },
    policy::{Policy, Terms, WalletKind},
    settlement::{Item, UnattestedPolicy, VerdictKind},
    view::{
        Amounts, BatchView, Class, ClassAllowance, ClassBalance, ClassEnergy, EntitlementView,
        GatewayBalance, IssuerAllowance, Program, Provider, ProviderTotals, Quote, ReservationView, Settled,
        SettlementView, VoteView,
    },
    ClassId,
};

use super::{account, both};

const AMOUNTS: Amounts =
    Amounts { granted: 21, available: 1, reserved: 2, spent: 3, expired: 5, revoked: 10 };

fn wallet() -> Value {
    let entitlement = EntitlementView {
        id: 42,
        owner: account(10),
        class: ClassId::RENDER,
        issuer: account(1),
        program: 7,
        valid_from: 1_750_000_000_000,
        valid_until: None,
        amounts: AMOUNTS,
    };
    let reservation =
        ReservationView { gateway: account(3), amount: u128::MAX, expires_at: 1_750_000_060_000 };
    let balance = ClassBalance {
        class: ClassId::RENDER,
        name: b"Render".to_vec().try_into().unwrap(),
        amounts: AMOUNTS,
        reservations: vec![reservation],
        expires_next: Some(1_760_000_000_000),
        frozen: true,
    };
    let gateway = GatewayBalance {
        owner: account(10),
        class: ClassId::RENDER,
        reserved: 1 << 64,
        expires_at: 1_750_000_060_000,
        available: 9,
        frozen: false,
        energy_bound: true,
    };
    let class = Class { name: b"Render".to_vec().try_into().unwrap(), unattested: UnattestedPolicy::Accept };
    let program = Program {
        owner: account(1),
        name: b"R&D".to_vec().try_into().unwrap(),
        class: ClassId::RENDER,
        parent: Some(6),
        budget: 60,
        unminted: 10,
        granted: 20,
        delegated: 30,
    };
    let allowance = IssuerAllowance {
        period_ends_at: 1_750_032_000_000,
        large_mint: 1 << 33,
        classes: vec![ClassAllowance {
            class: ClassId::RENDER,
            name: b"Render".to_vec().try_into().unwrap(),
            allowance: 1 << 70,
            minted: 7,
            left: (1 << 70) - 7,
        }],
    };
    let energy = ClassEnergy {
        class: ClassId::RENDER,
        name: b"Render".to_vec().try_into().unwrap(),
        budget: EnergyBudget { period_ms: 86_400_000, millijoules_max: 1 << 70, mj_per_credit: 250_000 },
        used_mj: 7,
        held_mj: 1 << 65,
        left_mj: (1 << 70) - (1 << 65) - 7,
        period_ends_at: 1_750_032_000_000,
    };
    json!({
        "kinds": [both(&WalletKind::employee()), both(&contractor())],
        "energy": both(&energy),
        "allowance": both(&allowance),
        "entitlement": both(&entitlement),
        "class_balance": both(&balance),
        "gateway_balance": both(&gateway),
        "class": both(&class),
        "program": both(&program),
    })
}

fn contractor() -> WalletKind {
    let terms = |class, holding_max| Terms { class, holding_max };
    let classes = vec![terms(ClassId::INNOVATION, 500_000_000), terms(ClassId::RENDER, 1 << 70)];
    WalletKind {
        kind: 1,
        name: b"contractor".to_vec().try_into().unwrap(),
        policy: Some(Policy {
            classes: classes.try_into().unwrap(),
            validity_ms_max: Some(7_776_000_000),
            keys_max: 2,
        }),
    }
}

fn settlement() -> Value {
    let settled = Settled {
        verdict: VerdictKind::Adjust,
        refunded: 17,
        gpu: GpuUse { time_ms: Some(5), energy_mj: None },
        at: 1_234,
    };
    let totals = ProviderTotals {
        provider: account(20),
        count: 2,
        input: 3,
        cached_input: 4,
        output: 5,
        collected: 1 << 70,
        root: H256([0xcd; 32]),
        settled: Some(settled.clone()),
        evidence: EvidenceLevel::Hardware,
    };
    let batch = BatchView {
        gateway: account(3),
        first_seq: 1_000_000,
        last_seq: 1_000_001,
        submitted_at: 1_200,
        batch_hash: H256([0xef; 32]),
        receipts_root: H256([0x12; 32]),
        charged: (1 << 70) + 6,
        uncollected: 6,
        providers: vec![totals],
    };
    let status = SettlementView {
        item: Item { gateway: account(3), first_seq: 1_000_000, provider: account(20) },
        last_seq: 1_000_001,
        submitted_at: 1_200,
        count: 2,
        votes: vec![VoteView {
            validator: H256([0x34; 32]),
            verdict_hash: H256([0x56; 32]),
            kind: VerdictKind::Adjust,
        }],
        quorum: 3,
        settled: None,
        evidence: EvidenceLevel::Software,
    };
    let provider = Provider {
        key: [0x78; 32],
        endpoint: b"http://provider.example:8001".to_vec().try_into().unwrap(),
        suspended: false,
    };
    json!({
        "batch": both(&batch),
        "settled": both(&settled),
        "status": both(&status),
        "provider": both(&provider),
    })
}

fn evidence() -> Value {
    let in_force = EvidenceInForce { round: 1_200, until: 3_000, devices: 8, digest: H256([0x9a; 32]) };
    let status = EvidenceStatus {
        trust: Some(TrustView {
            issuer: "https://issuer.example".into(),
            source: Some("https://issuer.example/.well-known/jwks.json".into()),
            period: 600,
            keys: 32,
            keys_of_round: Some(1_200),
        }),
        classes: vec![ClassEvidence { class: ClassId::RENDER, policy: EvidencePolicy::Required }],
        providers: vec![
            ProviderEvidence {
                provider: account(20),
                level: EvidenceLevel::Hardware,
                evidence: Some(in_force),
            },
            ProviderEvidence { provider: account(21), level: EvidenceLevel::Software, evidence: None },
        ],
    };
    both(&status)
}

pub fn view() -> Value {
    let quote = Quote {
        book: 4,
        class: ClassId::INNOVATION,
        premium: false,
        input: 3_600,
        cached_input: 300,
        output: 3_000,
        model: 1_000,
        cost: 7_900,
        priority_fee: 77,
    };
    json!({ "wallet": wallet(), "settlement": settlement(), "evidence": evidence(), "quote": both(&quote) })
}

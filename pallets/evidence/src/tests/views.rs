use stipend_primitives::{
    evidence::{ClassEvidence, EvidenceInForce, EvidenceLevel, EvidencePolicy, EvidenceStatus, TrustView},
    ClassId,
};

use super::world::*;
use crate::{mock::*, types::ROUNDS_IN_FORCE, EvidenceOf};

#[test]
fn a_chain_that_trusts_nobody_shows_nothing() {
    new_test_ext().execute_with(|| {
        let nothing = EvidenceStatus { trust: None, classes: vec![], providers: vec![] };
        assert_eq!(Evidence::status(), nothing);
    });
}

#[test]
fn the_status_shows_trust_classes_and_every_provider() {
    let mut ext = chain(1);
    ext.execute_with(|| {
        Machine::registered(11, 1);
        let machine = Machine::registered(9, 4);
        reported_by(&machine.finding(), 1);
        for (class, policy) in
            [(ClassId::RENDER, EvidencePolicy::Required), (ClassId::PRIORITY, EvidencePolicy::None)]
        {
            Evidence::set_class_policy(RuntimeOrigin::root(), class, policy).unwrap();
        }
        let status = Evidence::status();
        let trust = TrustView {
            issuer: "https://evidence.invalid".into(),
            source: None,
            period: PERIOD,
            keys: 1,
            keys_of_round: None,
        };
        assert_eq!(status.trust, Some(trust));
        let asks = ClassEvidence { class: ClassId::RENDER, policy: EvidencePolicy::Required };
        assert_eq!(status.classes, [asks]);
        let digest = EvidenceOf::<Test>::get(account(9)).unwrap().digest;
        let until = PERIOD + ROUNDS_IN_FORCE * PERIOD;
        assert_eq!(
            status.providers.iter().map(|row| row.provider.clone()).collect::<Vec<_>>(),
            [account(9), account(11)]
        );
        assert_eq!(status.providers[0].level, EvidenceLevel::Hardware);
        let in_force = EvidenceInForce { round: PERIOD, until, devices: 4, digest };
        assert_eq!(status.providers[0].evidence, Some(in_force));
        assert_eq!(status.providers[1].level, EvidenceLevel::Software);
        assert_eq!(status.providers[1].evidence, None);
    });
    // What has run out is not shown.
    go_to(&mut ext, PERIOD + ROUNDS_IN_FORCE * PERIOD);
    ext.execute_with(|| {
        let status = Evidence::status();
        assert!(status
            .providers
            .iter()
            .all(|row| row.level == EvidenceLevel::Software && row.evidence.is_none()));
    });
}

use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use stipend_primitives::{
    attestation::GpuUse, energy::GRID_MG_PER_KWH_MAX, settlement::Verdict, view::Score, ClassId,
};

use super::world::*;
use crate::{mock::*, Error, Event};

fn adjust(amount: u128) -> Verdict {
    let refunds = vec![refund(1, ClassId::INNOVATION, amount)].try_into().unwrap();
    Verdict::Adjust { provider_root: [1; 32].into(), receipts: 1, refunds }
}

#[test]
fn what_becomes_of_an_item_counts_for_its_provider_and_its_gateway() {
    let (mut ext, attestor) = chain(1);
    ext.execute_with(|| {
        let measured = GpuUse { time_ms: Some(1_500), energy_mj: Some(900_000) };
        let fates = [
            (Verdict::Match, measured),
            (adjust(500), GpuUse { time_ms: Some(250), energy_mj: None }),
            (Verdict::Unattested { refunds: Default::default() }, GpuUse::default()),
        ];
        for (number, (verdict, gpu)) in fates.into_iter().enumerate() {
            let batch = small_batch(number as u64 * 3, &attestor);
            submit(&batch);
            let mut vote = vote(&batch, &attestor, verdict);
            vote.gpu = gpu;
            cast(&vote, 0).unwrap();
            assert_eq!(LastGpuUse::get(), gpu, "the batch remembers it");
        }
        let expected = Score {
            matched: 1,
            adjusted: 1,
            unattested: 1,
            receipts: 9,
            collected: 3 * 11_527,
            refunded: 500,
            gpu_time_ms: 1_750,
            receipts_with_energy: 3,
            energy_mj: 900_000,
        };
        let scores = Settlement::scores();
        assert_eq!((scores.providers.len(), scores.gateways.len()), (1, 1));
        assert_eq!(scores.providers[0].score, expected);
        assert_eq!(scores.gateways[0].score, expected);
        assert_eq!((scores.providers[0].grid_mg_per_kwh, scores.providers[0].emitted_mg), (None, None));
    });
}

#[test]
fn energy_emits_what_the_providers_grid_emits() {
    let (mut ext, attestor) = chain(1);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let mut vote = vote(&batch, &attestor, Verdict::Match);
        // A quarter of a kilowatt-hour.
        vote.gpu = GpuUse { time_ms: None, energy_mj: Some(900_000_000) };
        cast(&vote, 0).unwrap();

        let set = |origin, value| Settlement::set_grid_intensity(origin, attestor.account.clone(), value);
        let root = RuntimeOrigin::root;
        assert_noop!(set(RuntimeOrigin::signed(account(9)), None), DispatchError::BadOrigin);
        assert_noop!(set(root(), Some(GRID_MG_PER_KWH_MAX + 1)), Error::<Test>::BadGridIntensity);
        let elsewhere = Settlement::set_grid_intensity(root(), account(8), Some(1));
        assert_eq!(elsewhere, Err(Error::<Test>::UnknownProvider.into()));

        assert_ok!(set(root(), Some(400_000)));
        let set_event =
            |mg_per_kwh| Event::GridIntensitySet { provider: attestor.account.clone(), mg_per_kwh };
        System::assert_last_event(set_event(Some(400_000)).into());
        assert_eq!(Settlement::scores().providers[0].emitted_mg, Some(100_000));
        assert_ok!(set(root(), None));
        assert_eq!(Settlement::scores().providers[0].emitted_mg, None);
    });
}

#[test]
fn validators_that_were_shown_different_energy_do_not_agree() {
    let (mut ext, attestor) = chain(4);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        for number in 0..4 {
            let mut vote = vote(&batch, &attestor, Verdict::Match);
            vote.gpu.energy_mj = Some(number.into());
            cast(&vote, number).unwrap();
        }
        assert!(open(&batch, &attestor).is_some());
        // The provider said one thing to three of them.
        let mut vote = vote(&batch, &attestor, Verdict::Match);
        vote.gpu.energy_mj = Some(0);
        cast(&vote, 1).unwrap();
        assert!(open(&batch, &attestor).is_some());
        cast(&vote, 2).unwrap();
        assert!(open(&batch, &attestor).is_none());
    });
}

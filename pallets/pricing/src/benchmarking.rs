//! What publishing costs: as many waiting books as there can be are withdrawn, entry by entry.

use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::traits::EnsureOrigin;
use stipend_primitives::{
    cost::{PriceEntries, PriceEntry, BOOK_ENTRIES_MAX},
    ClassId, ModelId, Name,
};

use crate::*;

/// Entries whose numbers stand above those of any real book, so that no model is renamed.
fn entries(count: u32) -> PriceEntries {
    let entry = |number: u32| PriceEntry {
        model: ModelId(60_000 + number as u16),
        name: Name::truncate_from(alloc::format!("benchmark-{number:054}").into_bytes()),
        class: ClassId::INNOVATION,
        premium: false,
        c_input: 3,
        c_cached: 1,
        c_output: 12,
        c_model: 500,
        weight: 2,
        reference_input: 150_000,
        reference_output: 600_000,
    };
    PriceEntries::truncate_from((0..count).map(entry).collect::<Vec<_>>())
}

fn fill<T: Config>() -> Result<(), BenchmarkError> {
    let now = Pallet::<T>::now();
    for after in 0..PENDING_MAX {
        Pallet::<T>::do_publish(entries(BOOK_ENTRIES_MAX), now + 2 + after)?;
    }
    Ok(())
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn publish(n: Linear<1, BOOK_ENTRIES_MAX>) -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        fill::<T>()?;
        let version = LastVersion::<T>::get() + 1;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, entries(n));

        assert_eq!(Recent::<T>::get().last(), Some(&version));
        Ok(())
    }

    #[benchmark]
    fn schedule(n: Linear<1, BOOK_ENTRIES_MAX>) -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        fill::<T>()?;
        let version = LastVersion::<T>::get() + 1;
        let effective_at = Pallet::<T>::now() + 2;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, entries(n), effective_at);

        assert_eq!(Recent::<T>::get().last(), Some(&version));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(Default::default()), crate::mock::Test);
}

//! Any interleaving of calls and blocks keeps prices stable.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use stipend_primitives::{
    ledger::{PriceError, Prices},
    ModelId,
};

use crate::mock::*;

#[derive(Clone, Debug)]
enum Step {
    Publish { price: u64 },
    Schedule { price: u64, blocks_ahead: u32 },
    Wait { blocks: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..1000u64).prop_map(|price| Step::Publish { price }),
        (1..1000u64, 0..40u32).prop_map(|(price, blocks_ahead)| Step::Schedule { price, blocks_ahead }),
        (1..15u32).prop_map(|blocks| Step::Wait { blocks }),
    ]
}

proptest! {
    #[test]
    fn a_price_never_changes_and_a_retired_book_never_returns(steps in prop::collection::vec(step(), 1..60)) {
        run(|| {
            let mut prices = BTreeMap::new();
            let mut retired = BTreeSet::new();
            for step in steps {
                let version = crate::LastVersion::<Test>::get() + 1;
                let price = match step {
                    Step::Publish { price } => {
                        Pricing::publish(RuntimeOrigin::root(), book(price)).ok().map(|()| price)
                    }
                    Step::Schedule { price, blocks_ahead } => {
                        let at = System::block_number() + blocks_ahead;
                        Pricing::schedule(RuntimeOrigin::root(), book(price), at).ok().map(|()| price)
                    }
                    Step::Wait { blocks } => {
                        System::set_block_number(System::block_number() + blocks);
                        None
                    }
                };
                price.map(|price| prices.insert(version, price));
                Pricing::do_try_state().unwrap();

                for (version, price) in &prices {
                    match Pricing::chargeable(*version, ModelId(0)) {
                        Ok(entry) => {
                            prop_assert_eq!(entry.c_output, *price);
                            prop_assert!(!retired.contains(version));
                        }
                        Err(PriceError::RetiredBook) => {
                            retired.insert(*version);
                            prop_assert_eq!(Pricing::entry(*version, ModelId(0)).unwrap().c_output, *price);
                        }
                        Err(PriceError::UnknownBook) => prop_assert!(!retired.contains(version)),
                        Err(PriceError::UnknownModel) => prop_assert!(false, "a book lost its model"),
                    }
                }
                if let Some(current) = Pricing::current_book() {
                    prop_assert!(Pricing::chargeable(current.version, ModelId(0)).is_ok());
                }
            }
            Ok(())
        })?;
    }
}

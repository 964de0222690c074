//! Benchmarks of the calls and of what authorises a report.

use alloc::{boxed::Box, vec};

use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{traits::EnsureOrigin, BoundedVec};
use frame_system::pallet_prelude::{BlockNumberFor, HeaderFor};
use sp_consensus_aura::AURA_ENGINE_ID;
use sp_consensus_slots::Slot;
use sp_core::Get;
use sp_runtime::{
    traits::{Hash, Header, One, Zero},
    Digest, DigestItem, RuntimeAppPublic,
};
use stipend_primitives::{Name, NodeKey};

use crate::{Call, Config, LastReported, Nodes, Pallet, TwoBlocks};

type AuthorOf<T> = <T as pallet_aura::Config>::AuthorityId;

fn node(number: u32) -> NodeKey {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    NodeKey::from(bytes)
}

fn name() -> Name {
    Name::truncate_from(vec![b'n'; 64])
}

fn fill_nodes<T: Config>(room: u32) {
    for number in Nodes::<T>::count()..<T as Config>::NodesMax::get() - room {
        Nodes::<T>::insert(node(number), name());
    }
}

/// A header that `author`, whose key is in the keystore, sealed on the genesis block.
fn sealed<T: Config>(author: &AuthorOf<T>, slot: Slot, content: u8) -> HeaderFor<T> {
    let parent = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
    let root = T::Hashing::hash(&[content]);
    let logs = vec![DigestItem::PreRuntime(AURA_ENGINE_ID, slot.encode())];
    let mut header = HeaderFor::<T>::new(One::one(), root, root, parent, Digest { logs });
    let seal = author.sign(&header.hash()).expect("the key was just made");
    header.digest_mut().push(DigestItem::Seal(AURA_ENGINE_ID, seal.encode()));
    header
}

/// A report against the last of as many authorities as there can be.
fn report<T: Config>() -> TwoBlocks<T> {
    let genesis = T::Hashing::hash(b"genesis");
    frame_system::BlockHash::<T>::insert(BlockNumberFor::<T>::zero(), genesis);
    let slot = Slot::from(17);
    pallet_aura::CurrentSlot::<T>::put(slot);
    let offender = AuthorOf::<T>::generate_pair(None);
    let at = pallet_roles::Pallet::<T>::authorities().len() - 1;
    let mut authorities = pallet_aura::Authorities::<T>::get().into_inner();
    authorities.truncate(at);
    authorities.push(offender.clone());
    pallet_aura::Authorities::<T>::put(BoundedVec::truncate_from(authorities));
    let (first_header, second_header) = (sealed::<T>(&offender, slot, 1), sealed::<T>(&offender, slot, 2));
    TwoBlocks::<T> { offender, slot, first_header, second_header }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn authorize_upgrade() -> Result<(), BenchmarkError> {
        let council = T::UpgradeOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let hash = T::Hashing::hash(b"code");
        #[extrinsic_call]
        _(council as T::RuntimeOrigin, hash);
        assert!(frame_system::Pallet::<T>::authorized_upgrade().is_some());
        Ok(())
    }

    #[benchmark]
    fn note_stalled() -> Result<(), BenchmarkError> {
        let council = T::ValidatorsOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        frame_system::Pallet::<T>::set_block_number(100_u32.into());
        #[extrinsic_call]
        _(council as T::RuntimeOrigin, 20_u32.into(), 90_u32.into());
        assert!(pallet_grandpa::Stalled::<T>::exists());
        Ok(())
    }

    #[benchmark]
    fn add_node() -> Result<(), BenchmarkError> {
        let council = T::ValidatorsOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        fill_nodes::<T>(1);
        #[extrinsic_call]
        _(council as T::RuntimeOrigin, node(u32::MAX), name());
        assert!(Nodes::<T>::contains_key(node(u32::MAX)));
        Ok(())
    }

    #[benchmark]
    fn remove_node() -> Result<(), BenchmarkError> {
        let council = T::ValidatorsOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        fill_nodes::<T>(0);
        #[extrinsic_call]
        _(council as T::RuntimeOrigin, node(0));
        assert!(!Nodes::<T>::contains_key(node(0)));
        Ok(())
    }

    #[benchmark]
    fn report_equivocation() -> Result<(), BenchmarkError> {
        let proof = Box::new(report::<T>());
        let origin: T::RuntimeOrigin = frame_system::Origin::<T>::Authorized.into();
        #[block]
        {
            Pallet::<T>::report_equivocation(origin, proof)?;
        }
        assert!(LastReported::<T>::iter().next().is_some());
        Ok(())
    }

    #[benchmark]
    fn authorize_report() -> Result<(), BenchmarkError> {
        let proof = report::<T>();
        #[block]
        {
            assert!(Pallet::<T>::authorize_report(&proof).is_ok());
        }
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_chain(), crate::mock::Test);
}

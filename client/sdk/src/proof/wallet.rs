//! A wallet that anybody can check who knows the chain's validators.
//!
//! A block's header has the root of the state, and a storage proof leads from that root to single entries,
//! or shows that there are none. What is proven of a wallet becomes a small state of its own, and the
//! pallet's own view of a wallet is taken of it: the figures mean here what they mean on the chain.

use std::collections::BTreeMap;

use frame_support::{
    storage::{storage_prefix, unhashed},
    traits::{GetStorageVersion, StorageVersion},
};
use pallet_entitlements::{Classes, Wallets};
use serde::{Deserialize, Serialize};
use sp_core::{storage::Storage, Bytes, H256};
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{
    create_proof_check_backend, prove_read, read_proof_check, BasicExternalities, StorageProof,
};
use stipend_primitives::{
    view::{Class, ClassBalance},
    AccountId, BlockNumber, ClassId, Moment,
};
use stipend_runtime::{Entitlements, Header, Runtime, Timestamp};

use super::{error::ProofError, finality::Finality, read, validators::ValidatorSet};

/// A wallet with everything that shows it to be in a final block's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortableWallet {
    /// Hash of the chain's first block.
    pub genesis: H256,
    /// Whose it is.
    pub owner: AccountId,
    /// All classes of the chain: what the owner holds in each, or that it holds nothing, is proven.
    pub classes: Vec<ClassId>,
    /// SCALE-encoded header of the block as of which the wallet is shown.
    pub header: Bytes,
    /// That this block is final.
    pub finality: Finality,
    /// Nodes of the state's trie from the root to the entries [`storage_keys`] names, in any order.
    pub state: Vec<Bytes>,
}

/// What a final block says of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedWallet {
    /// Whose it is.
    pub owner: AccountId,
    /// One row per class that the owner was ever granted something in.
    pub balances: Vec<ClassBalance>,
    /// The other classes of the chain: nothing was granted in them.
    pub empty: Vec<(ClassId, Class)>,
    /// The block that says so.
    pub block_number: BlockNumber,
    /// That block's hash.
    pub block_hash: H256,
    /// That block's time (Unix time, ms).
    pub time: Moment,
}

/// The entries of the state that a wallet's proof is about: the wallet in each class, the classes and
/// how many there are, the time, and the layout that all of it is in.
pub fn storage_keys(owner: &AccountId, classes: &[ClassId]) -> Vec<Vec<u8>> {
    let mut keys = vec![
        storage_prefix(b"Timestamp", b"Now").to_vec(),
        Classes::<Runtime>::counter_storage_final_key().to_vec(),
        StorageVersion::storage_key::<Entitlements>().to_vec(),
    ];
    for class in classes {
        keys.push(Classes::<Runtime>::hashed_key_for(class));
        keys.push(Wallets::<Runtime>::hashed_key_for(owner, class));
    }
    keys
}

impl PortableWallet {
    /// Checks all of it: entries, state root, header, the headers above it, signatures.
    ///
    /// Pure: the one thing to be trusted is `set`.
    pub fn verify(&self, set: &ValidatorSet) -> Result<VerifiedWallet, ProofError> {
        if self.genesis != set.genesis {
            return Err(ProofError::OtherChain { expected: set.genesis, found: self.genesis });
        }
        let header: Header = read("header", &self.header)?;
        self.finality.verify(&header, set)?;
        let top = self.entries(header.state_root).map_err(ProofError::NotInState)?;
        BasicExternalities::new(Storage { top, ..Default::default() }).execute_with(|| self.look(&header))
    }

    /// The block as of which the wallet is shown, without believing it yet.
    pub fn block_number(&self) -> Result<BlockNumber, ProofError> {
        read::<Header>("header", &self.header).map(|header| header.number)
    }

    /// The entries that the proof shows to be in the state. It must show these and nothing else, so that
    /// no byte of it can be changed without being noticed.
    fn entries(&self, root: H256) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, String> {
        let nodes = self.state.iter().map(|node| node.to_vec());
        let proof = StorageProof::new_with_duplicate_nodes_check(nodes).map_err(|_| "a node stands twice")?;
        let keys = storage_keys(&self.owner, &self.classes);
        let cause = |error: Box<dyn sp_state_machine::Error>| error.to_string();
        let state = create_proof_check_backend::<BlakeTwo256>(root, proof.clone()).map_err(cause)?;
        if prove_read(state, &keys).map_err(cause)? != proof {
            return Err("some of it leads to none of them".into());
        }
        let entries = read_proof_check::<BlakeTwo256, _>(root, proof, &keys).map_err(cause)?;
        Ok(entries.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }

    /// Looks at the wallet, in a state that has nothing but what was proven.
    fn look(&self, header: &Header) -> Result<VerifiedWallet, ProofError> {
        if Entitlements::on_chain_storage_version() != Entitlements::in_code_storage_version() {
            return Err(ProofError::OtherLayout);
        }
        // The classes that could be read are different ones; as many as the chain has are all of them.
        let (classes, registered) = (Entitlements::classes(), Classes::<Runtime>::count());
        if self.classes.len() != registered as usize || classes.len() != self.classes.len() {
            let named = self.classes.len().try_into().unwrap_or(u32::MAX);
            return Err(ProofError::OtherClasses { named, registered });
        }
        let balances = Entitlements::wallet(self.owner.clone());
        // An entry that cannot be decoded looks as if it were not there.
        let held = classes
            .iter()
            .filter(|(class, _)| unhashed::exists(&Wallets::<Runtime>::hashed_key_for(&self.owner, class)));
        if held.count() != balances.len() {
            return Err(ProofError::OtherLayout);
        }
        let is_empty = |class: &ClassId| balances.iter().all(|row| row.class != *class);
        Ok(VerifiedWallet {
            owner: self.owner.clone(),
            empty: classes.into_iter().filter(|(class, _)| is_empty(class)).collect(),
            balances,
            block_number: header.number,
            block_hash: header.hash(),
            time: Timestamp::get(),
        })
    }
}

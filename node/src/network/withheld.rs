//! The client without its proofs of state.
//!
//! The SDK installs a protocol for light clients that proves any part of the state to whoever asks,
//! and offers no way to leave it out. Nothing here uses it: our clients speak JSON-RPC, and nodes
//! that join fetch state by another protocol, which has a [gate](super::gate). So the SDK's network
//! is given this client, and light clients get refusals.

use std::sync::Arc;

use sc_client_api::{
    BlockBackend, BlockchainEvents, CompactProof, FinalityNotifications, ImportNotifications, ProofProvider,
    StorageEventStream, StorageKey, StorageProof,
};
use sp_api::{ApiRef, ProvideRuntimeApi};
use sp_blockchain::{BlockStatus, CachedHeaderMetadata, Error, HeaderBackend, HeaderMetadata, Info, Result};
use sp_consensus::block_validation::Chain;
use sp_core::{storage::ChildInfo, H256};
use sp_runtime::{
    generic::{BlockId, SignedBlock},
    traits::{Block as BlockT, BlockIdTo},
    Justifications,
};
use sp_state_machine::{KeyValueStates, KeyValueStorageLevel};
use stipend_primitives::BlockNumber;
use stipend_runtime::opaque::{Block, Header};

use crate::service::FullClient;

type Extrinsic = <Block as BlockT>::Extrinsic;

/// The client; it proves nothing.
pub struct Withheld(pub Arc<FullClient>);

fn refused<T>() -> Result<T> {
    Err(Error::Application("this node proves no state to light clients".into()))
}

impl ProofProvider<Block> for Withheld {
    fn read_proof(&self, _: H256, _: &mut dyn Iterator<Item = &[u8]>) -> Result<StorageProof> {
        refused()
    }

    fn read_child_proof(
        &self,
        _: H256,
        _: &ChildInfo,
        _: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<StorageProof> {
        refused()
    }

    fn execution_proof(&self, _: H256, _: &str, _: &[u8]) -> Result<(Vec<u8>, StorageProof)> {
        refused()
    }

    fn read_proof_collection(&self, _: H256, _: &[Vec<u8>], _: usize) -> Result<(CompactProof, u32)> {
        refused()
    }

    fn storage_collection(
        &self,
        _: H256,
        _: &[Vec<u8>],
        _: usize,
    ) -> Result<Vec<(KeyValueStorageLevel, bool)>> {
        refused()
    }

    fn verify_range_proof(
        &self,
        root: H256,
        proof: CompactProof,
        start_keys: &[Vec<u8>],
    ) -> Result<(KeyValueStates, usize)> {
        self.0.verify_range_proof(root, proof, start_keys)
    }
}

impl ProvideRuntimeApi<Block> for Withheld {
    type Api = <FullClient as ProvideRuntimeApi<Block>>::Api;

    fn runtime_api(&self) -> ApiRef<'_, Self::Api> {
        self.0.runtime_api()
    }
}

impl HeaderBackend<Block> for Withheld {
    fn header(&self, hash: H256) -> Result<Option<Header>> {
        self.0.header(hash)
    }

    fn info(&self) -> Info<Block> {
        self.0.info()
    }

    fn status(&self, hash: H256) -> Result<BlockStatus> {
        self.0.status(hash)
    }

    fn number(&self, hash: H256) -> Result<Option<BlockNumber>> {
        self.0.number(hash)
    }

    fn hash(&self, number: BlockNumber) -> Result<Option<H256>> {
        HeaderBackend::hash(&*self.0, number)
    }
}

impl HeaderMetadata<Block> for Withheld {
    type Error = Error;

    fn header_metadata(&self, hash: H256) -> Result<CachedHeaderMetadata<Block>> {
        self.0.header_metadata(hash)
    }

    fn insert_header_metadata(&self, hash: H256, metadata: CachedHeaderMetadata<Block>) {
        self.0.insert_header_metadata(hash, metadata);
    }

    fn remove_header_metadata(&self, hash: H256) {
        self.0.remove_header_metadata(hash);
    }
}

impl BlockBackend<Block> for Withheld {
    fn block_body(&self, hash: H256) -> Result<Option<Vec<Extrinsic>>> {
        self.0.block_body(hash)
    }

    fn block_indexed_body(&self, hash: H256) -> Result<Option<Vec<Vec<u8>>>> {
        self.0.block_indexed_body(hash)
    }

    fn block_indexed_hashes(&self, hash: H256) -> Result<Option<Vec<H256>>> {
        self.0.block_indexed_hashes(hash)
    }

    fn block(&self, hash: H256) -> Result<Option<SignedBlock<Block>>> {
        self.0.block(hash)
    }

    fn block_status(&self, hash: H256) -> Result<sp_consensus::BlockStatus> {
        BlockBackend::block_status(&*self.0, hash)
    }

    fn justifications(&self, hash: H256) -> Result<Option<Justifications>> {
        BlockBackend::justifications(&*self.0, hash)
    }

    fn block_hash(&self, number: BlockNumber) -> Result<Option<H256>> {
        BlockBackend::block_hash(&*self.0, number)
    }

    fn indexed_transaction(&self, hash: H256) -> Result<Option<Vec<u8>>> {
        self.0.indexed_transaction(hash)
    }

    fn requires_full_sync(&self) -> bool {
        self.0.requires_full_sync()
    }
}

impl Chain<Block> for Withheld {
    fn block_status(
        &self,
        hash: H256,
    ) -> std::result::Result<sp_consensus::BlockStatus, Box<dyn std::error::Error + Send>> {
        Chain::block_status(&*self.0, hash)
    }
}

impl BlockIdTo<Block> for Withheld {
    type Error = Error;

    fn to_hash(&self, id: &BlockId<Block>) -> Result<Option<H256>> {
        self.0.to_hash(id)
    }

    fn to_number(&self, id: &BlockId<Block>) -> Result<Option<BlockNumber>> {
        self.0.to_number(id)
    }
}

impl BlockchainEvents<Block> for Withheld {
    fn import_notification_stream(&self) -> ImportNotifications<Block> {
        self.0.import_notification_stream()
    }

    fn every_import_notification_stream(&self) -> ImportNotifications<Block> {
        self.0.every_import_notification_stream()
    }

    fn finality_notification_stream(&self) -> FinalityNotifications<Block> {
        self.0.finality_notification_stream()
    }

    fn storage_changes_notification_stream(
        &self,
        keys: Option<&[StorageKey]>,
        child_keys: Option<&[(StorageKey, Option<Vec<StorageKey>>)]>,
    ) -> Result<StorageEventStream<H256>> {
        self.0.storage_changes_notification_stream(keys, child_keys)
    }
}

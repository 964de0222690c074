//! The runtime APIs: what the node asks in order to run the chain, and what JSON-RPC answers from.

use alloc::vec::Vec;

use codec::Encode;
use frame_support::{
    genesis_builder_helper::{build_state, get_preset},
    traits::KeyOwnerProofSystem,
};
use pallet_grandpa::AuthorityId as GrandpaId;
use sp_api::impl_runtime_apis;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_core::{crypto::KeyTypeId, OpaqueMetadata, H256};
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::{
    traits::{Block as BlockT, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
    ApplyExtrinsicResult, ExtrinsicInclusionMode,
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;
use stipend_primitives::{
    cost::{PriceBook, Usage},
    council::Motion,
    evidence::EvidenceStatus,
    key::ApiKey,
    merit::{EvaluatorUse, KindView, OutcomeId, OutcomeView, WalletMerit},
    mint::Grant,
    policy::{KindId, WalletKind},
    settlement::{Item, Turnout},
    view::{
        BasketRow, BatchView, Class, ClassBalance, ClassEnergy, EntitlementView, GatewayBalance,
        IssuerAllowance, Program, Provider, Quote, Scores, SettlementView,
    },
    BookVersion, ClassId, Credits, EntitlementId, KeyHash, ModelId, NodeKey, ProgramId, Role, Sequence,
};

use crate::{
    configs, genesis, AccountId, Aura, Block, Council, Entitlements, Evidence, Executive, Governance,
    Grandpa, Historical, InherentDataExt, Merit, Nonce, Pricing, Receipts, Roles, Runtime,
    RuntimeGenesisConfig, Session, SessionKeys, Settlement, System, VERSION,
};

impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            VERSION
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }

        fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(Runtime::metadata().into())
        }

        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            Runtime::metadata_at_version(version)
        }

        fn metadata_versions() -> Vec<u32> {
            Runtime::metadata_versions()
        }
    }

    impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
        fn execute_view_function(
            id: frame_support::view_functions::ViewFunctionId,
            input: Vec<u8>,
        ) -> Result<Vec<u8>, frame_support::view_functions::ViewFunctionDispatchError> {
            Runtime::execute_view_function(id, input)
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            Executive::finalize_block()
        }

        fn inherent_extrinsics(data: InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
            data.create_extrinsics()
        }

        fn check_inherents(
            block: <Block as BlockT>::LazyBlock,
            data: InherentData,
        ) -> CheckInherentsResult {
            data.check_extrinsics(&block)
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            tx: <Block as BlockT>::Extrinsic,
            block_hash: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, tx, block_hash)
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(header: &<Block as BlockT>::Header) {
            Executive::offchain_worker(header)
        }
    }

    impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
        fn slot_duration() -> sp_consensus_aura::SlotDuration {
            sp_consensus_aura::SlotDuration::from_millis(Aura::slot_duration())
        }

        fn authorities() -> Vec<AuraId> {
            pallet_aura::Authorities::<Runtime>::get().into_inner()
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
            Grandpa::grandpa_authorities()
        }

        fn current_set_id() -> sp_consensus_grandpa::SetId {
            pallet_grandpa::CurrentSetId::<Runtime>::get()
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            equivocation_proof: sp_consensus_grandpa::EquivocationProof<
                <Block as BlockT>::Hash,
                NumberFor<Block>,
            >,
            key_owner_proof: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            let key_owner_proof = key_owner_proof.decode()?;
            Grandpa::submit_unsigned_equivocation_report(equivocation_proof, key_owner_proof)
        }

        fn generate_key_ownership_proof(
            _set_id: sp_consensus_grandpa::SetId,
            authority_id: GrandpaId,
        ) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
            Historical::prove((sp_consensus_grandpa::KEY_TYPE, authority_id))
                .map(|proof| sp_consensus_grandpa::OpaqueKeyOwnershipProof::new(proof.encode()))
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(owner: Vec<u8>, seed: Option<Vec<u8>>) -> OpaqueGeneratedSessionKeys {
            SessionKeys::generate(&owner, seed).into()
        }

        fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            SessionKeys::decode_into_raw_public_keys(&encoded)
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
            build_state::<RuntimeGenesisConfig>(config)
        }

        fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            get_preset::<RuntimeGenesisConfig>(id, genesis::preset)
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            genesis::preset_names()
        }
    }

    impl stipend_runtime_api::RolesApi<Block> for Runtime {
        fn roles(who: AccountId) -> Vec<Role> {
            Roles::roles(&who)
        }

        fn members(role: Role) -> Vec<AccountId> {
            Roles::members(role)
        }

        fn suspended_validators() -> Vec<AccountId> {
            Roles::suspended()
        }
    }

    impl stipend_runtime_api::CouncilApi<Block> for Runtime {
        fn seats() -> Vec<AccountId> {
            <Council as pallet_roles::Seats>::members()
        }

        fn motions() -> Vec<Motion> {
            configs::council::motions()
        }
    }

    impl stipend_runtime_api::NodesApi<Block> for Runtime {
        fn nodes() -> Vec<(NodeKey, Vec<u8>)> {
            Governance::nodes()
        }
    }

    impl stipend_runtime_api::EntitlementsApi<Block> for Runtime {
        fn entitlement(id: EntitlementId) -> Option<EntitlementView> {
            Entitlements::entitlement(id)
        }

        fn entitlements(owner: AccountId) -> Vec<EntitlementView> {
            Entitlements::entitlements(owner)
        }

        fn wallet(owner: AccountId) -> Vec<ClassBalance> {
            Entitlements::wallet(owner)
        }

        fn minted(issuer: AccountId, idempotency_key: [u8; 16]) -> Option<Vec<EntitlementId>> {
            Entitlements::minted(issuer, idempotency_key)
        }

        fn mint_allowance(issuer: AccountId) -> Option<IssuerAllowance> {
            Entitlements::mint_allowance(issuer)
        }

        fn grant_totals(grant: Grant) -> Option<Vec<(ClassId, Credits)>> {
            Entitlements::grant_totals(grant)
        }

        fn classes() -> Vec<(ClassId, Class)> {
            Entitlements::classes()
        }

        fn programs() -> Vec<(ProgramId, Program)> {
            Entitlements::programs()
        }

        fn baskets() -> Vec<BasketRow> {
            Entitlements::baskets()
        }

        fn api_key(hash: KeyHash) -> Option<ApiKey> {
            Entitlements::api_key(hash)
        }

        fn api_keys(after: Option<KeyHash>, limit: u32) -> Vec<(KeyHash, ApiKey)> {
            Entitlements::api_keys(after, limit)
        }

        fn api_keys_of(owner: AccountId) -> Vec<KeyHash> {
            Entitlements::api_keys_of(owner)
        }

        fn gateway_balances(gateway: AccountId, owners: Vec<AccountId>) -> Vec<GatewayBalance> {
            Entitlements::gateway_balances(gateway, owners)
        }
    }

    impl stipend_runtime_api::EnergyApi<Block> for Runtime {
        fn energy_status() -> Vec<ClassEnergy> {
            Entitlements::energy()
        }
    }

    impl stipend_runtime_api::PoliciesApi<Block> for Runtime {
        fn kinds() -> Vec<WalletKind> {
            Entitlements::kinds()
        }

        fn kinds_of(owners: Vec<AccountId>) -> Vec<KindId> {
            Entitlements::kinds_of(owners)
        }
    }

    impl stipend_runtime_api::PricingApi<Block> for Runtime {
        fn current_book() -> Option<PriceBook> {
            Pricing::current_book()
        }

        fn books() -> Vec<PriceBook> {
            Pricing::books()
        }

        fn book(version: BookVersion) -> Option<PriceBook> {
            Pricing::book(version)
        }

        fn quote(model: ModelId, usage: Usage, priority_fee: u32) -> Option<Quote> {
            Pricing::quote(model, usage, priority_fee)
        }
    }

    impl stipend_runtime_api::ReceiptsApi<Block> for Runtime {
        fn next_seq(gateway: AccountId) -> Sequence {
            Receipts::next_seq(&gateway)
        }

        fn batch(gateway: AccountId, seq: Sequence) -> Option<BatchView> {
            Receipts::batch(&gateway, seq)
        }

        fn uncollected(gateway: AccountId) -> u128 {
            Receipts::uncollected(&gateway)
        }
    }

    impl stipend_runtime_api::SettlementApi<Block> for Runtime {
        fn status(gateway: AccountId, seq: Sequence) -> Vec<SettlementView> {
            Receipts::batch(&gateway, seq).map(|batch| Settlement::status(&batch)).unwrap_or_default()
        }

        fn pending(limit: u32) -> Vec<SettlementView> {
            Settlement::pending(limit)
        }

        fn providers() -> Vec<(AccountId, Provider)> {
            Settlement::providers()
        }

        fn vote_of(item: Item, validator: H256) -> Option<H256> {
            Settlement::vote_of(&item, &validator)
        }

        fn turnout() -> Turnout {
            Settlement::turnout()
        }

        fn scores() -> Scores {
            Settlement::scores()
        }
    }

    impl stipend_runtime_api::EvidenceApi<Block> for Runtime {
        fn status() -> EvidenceStatus {
            Evidence::status()
        }
    }

    impl stipend_runtime_api::MeritApi<Block> for Runtime {
        fn kinds() -> Vec<KindView> {
            Merit::kinds()
        }

        fn outcome(id: OutcomeId) -> Option<OutcomeView> {
            Merit::outcome(id)
        }

        fn outcomes_of_evidence(evidence: H256) -> Vec<OutcomeView> {
            Merit::outcomes_of_evidence(evidence)
        }

        fn wallet_merit(owner: AccountId) -> WalletMerit {
            Merit::wallet_merit(owner)
        }

        fn open_contests(limit: u32) -> Vec<OutcomeView> {
            Merit::open_contests(limit)
        }

        fn evaluator_uses(who: AccountId) -> Vec<EvaluatorUse> {
            Merit::evaluator_uses(who)
        }
    }

    impl stipend_runtime_api::MetricsApi<Block> for Runtime {
        fn unsettled() -> Vec<(AccountId, u32)> {
            Receipts::unsettled()
        }

        fn votes_missing(blocks: u32) -> Vec<(AccountId, u32)> {
            // Both lists are made from the same session's validators, in the same order.
            Session::validators().into_iter().zip(Settlement::votes_missing(blocks)).collect()
        }

        fn wallet_totals(
            after: Option<(AccountId, ClassId)>,
            limit: u32,
        ) -> stipend_runtime_api::WalletTotals {
            Entitlements::wallet_totals(after, limit)
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    impl frame_benchmarking::Benchmark<Block> for Runtime {
        fn benchmark_metadata(
            extra: bool,
        ) -> (Vec<frame_benchmarking::BenchmarkList>, Vec<frame_support::traits::StorageInfo>) {
            use frame_benchmarking::BenchmarkList;
            use frame_support::traits::StorageInfoTrait;

            use crate::AllPalletsWithSystem;

            let mut list = Vec::<BenchmarkList>::new();
            list_benchmarks!(list, extra);
            (list, AllPalletsWithSystem::storage_info())
        }

        fn dispatch_benchmark(
            config: frame_benchmarking::BenchmarkConfig,
        ) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
            use frame_benchmarking::BenchmarkBatch;
            use frame_support::traits::WhitelistedStorageKeys;
            use sp_storage::TrackedStorageKey;

            use crate::AllPalletsWithSystem;

            let whitelist: Vec<TrackedStorageKey> = AllPalletsWithSystem::whitelisted_storage_keys();
            let mut batches = Vec::<BenchmarkBatch>::new();
            let params = (&config, &whitelist);
            add_benchmarks!(params, batches);
            Ok(batches)
        }
    }

    #[cfg(feature = "try-runtime")]
    impl frame_try_runtime::TryRuntime<Block> for Runtime {
        fn on_runtime_upgrade(
            checks: frame_try_runtime::UpgradeCheckSelect,
        ) -> (frame_support::weights::Weight, frame_support::weights::Weight) {
            let weight = Executive::try_runtime_upgrade(checks).expect("the upgrade's checks hold");
            (weight, crate::configs::system::RuntimeBlockWeights::get().max_block)
        }

        fn execute_block(
            block: <Block as BlockT>::LazyBlock,
            state_root_check: bool,
            signature_check: bool,
            select: frame_try_runtime::TryStateSelect,
        ) -> frame_support::weights::Weight {
            Executive::try_execute_block(block, state_root_check, signature_check, select)
                .expect("the block's checks hold")
        }
    }
}

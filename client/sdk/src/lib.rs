//! Everything a Rust program needs to work with a Stipend chain: typed calls, signing,
//! subscriptions that survive reconnects, and proofs.
//!
//! ```no_run
#![doc = include_str!("../examples/mint.rs")]
//! ```
//!
//! | to | use |
//! |---|---|
//! | connect | [`Client::connect`], [`Client::connect_within`] |
//! | sign | [`Signer`] |
//! | read the ledger at one block | [`Client::finalised`], [`Client::at`] → [`Snapshot`] |
//! | find the block of a moment | [`Client::last_block_before`], [`Snapshot::time`] |
//! | follow the chain | [`Client::finalised_blocks`], [`Client::finalised_blocks_after`], [`Snapshot::events`] |
//! | call the runtime | [`Client::submit`], [`Client::submit_finalised`]; [`Client::prepare`] for what must not happen twice |
//! | have a key sign that is elsewhere | [`Unsigned`], [`Client::unsigned`], [`Client::follow_sent`] |
//! | act for the council | [`Client::council_act`], [`Client::council_vote`], [`Client::council_close`] |
//! | act while nothing becomes final | [`Client::without_finality`] |
//! | replace the runtime | [`upgrade::authorize`], [`Client::apply_upgrade`] |
//! | carry receipts | [`Client::submit_batch`], [`Client::submit_batch_finalised`] |
//! | grant with a detached signature | [`SignedMint`], [`SignedMint::cosign`], [`Client::mint`], [`Client::mint_finalised`] |
//! | check a list of grants and cut it into calls | [`grant_list`] |
//! | see what an issuer may still mint | [`Client::mint_allowance`] |
//! | see what binds the wallets of people who are not employees | [`Client::wallet_kinds`], [`Client::wallet_kind`] |
//! | record outcomes, take them back | [`merit::NewOutcome`], [`Client::record_outcome`], [`Client::withdraw_outcome`] |
//! | make recurring grants, vesting, milestones | [`plan::Plan`], [`calendar`] |
//! | know whether a node is of use | [`Client::health`] |
//! | prove a receipt or a wallet | [`Client::prove_receipt`], [`Client::prove_wallet`] |
//! | check a proof without a node | [`proof::Document`], [`proof::ValidatorSet`] |
//! | check a receipt against a block's hash | [`Client::receipt_proof`], [`proof::verify`] |
//! | make an API key | [`ApiKeySecret`] |
//! | sign in to a service with a key | [`SignIn`], [`Signer::sign_in`] |
//!
//! Amounts are `u128` micro-credits everywhere. Every error says what happened, why, and what to do;
//! there is one error type per concern: [`RpcError`], [`SubmitError`], [`MintError`], [`KeyError`],
//! [`ProveError`], [`ProofError`], [`merit::MeritError`].

pub mod amount;
mod api_key;
mod batches;
pub mod calendar;
mod client;
mod connection;
pub mod council;
mod dispatch;
mod extrinsic;
mod follow;
pub mod grant_list;
mod health;
mod history;
pub mod merit;
mod methods;
mod mint;
pub mod moment;
mod newest;
mod nonces;
pub mod plan;
mod pool;
mod printable;
pub mod proof;
mod prove;
mod rpc_error;
mod sign_in;
mod signer;
mod snapshot;
mod submit;
mod unsigned;
pub mod upgrade;

pub use api_key::ApiKeySecret;
pub use client::{BlockRef, Client, NewSessionKeys};
pub use council::CouncilAct;
pub use dispatch::DispatchFailure;
pub use health::NodeHealth;
pub use mint::{CosignError, MintError, SignedMint};
pub use pool::PoolRefusal;
pub use printable::printable;
pub use proof::{ProofError, VerifiedReceipt};
pub use prove::ProveError;
pub use rpc_error::RpcError;
pub use sign_in::SignIn;
pub use signer::{KeyError, Signer};
pub use snapshot::Snapshot;
pub use submit::{Finalised, Prepared, SubmitError};
pub use unsigned::Unsigned;

pub use pallet_entitlements;
pub use pallet_evidence;
pub use pallet_governance;
pub use pallet_merit;
pub use pallet_pricing;
pub use pallet_receipts;
pub use pallet_roles;
pub use pallet_session;
pub use pallet_settlement;
pub use stipend_evidence_token as evidence_token;
pub use stipend_primitives as primitives;
pub use stipend_rpc as rpc;
pub use stipend_runtime as runtime;
pub use stipend_runtime::{RuntimeCall, RuntimeEvent};

//! The harness: starts the real programs, plays a company on them, and checks what comes out.
//!
//! | module | does |
//! |---|---|
//! | [`process`] | child processes that never outlive their starter |
//! | [`process_usage`] | what processes use of the machine |
//! | [`operator`] | the command line and the hosts' own start scripts |
//! | [`page`] | runs the commands of a page |
//! | [`stranger`] | a program that asks a node for blocks |
//! | [`services`] | node, engine, attestor, gateway with configuration as an operator writes it |
//! | [`company`] | roles, prices, budgets, wallets, keys on a fresh chain |
//! | [`stage`] | all of them at once |
//! | [`progress`] | progress bars |
//! | [`council`] | a council that agrees |
//! | [`trace`] | the request trace |
//! | [`python`] | clients that other people wrote |
//! | [`replay`] | the trace as OpenAI calls |
//! | [`audit`] | every receipt is on the chain once, and the wallets paid for exactly that |
//! | [`consortium`] | four validators, what happens to them, and that they agree |
//! | [`next_runtime`] | the runtime with the next version, built for upgrades |
//! | [`try_state`] | whether the state of a running chain is sound |
//! | [`hostile`] | providers that cheat |
//! | [`hostile_gateway`] | gateways that cheat |
//! | [`undisturbed`] | an honest company beside those who cheat does not notice them |
//! | [`engines`] | real inference engines, and random requests for them |
//! | [`flood`] | uninvited transactions, and how long honest ones wait |
//! | [`model`] | random histories on the runtime, held against books |
//! | [`observer`] | what became final and settled, and when |
//! | [`wallet_service`] | the wallet service |
//! | [`demo`] | all of it together: the main job |
//! | [`bench`] | the chain benchmark |
//! | [`bench_gateway`] | the gateway benchmark |
//! | [`bench_wallet`] | the wallet service's benchmark |

pub mod audit;
pub mod bench;
pub mod bench_gateway;
pub mod bench_wallet;
pub mod company;
pub mod consortium;
pub mod council;
pub mod demo;
pub mod engines;
mod figures;
pub mod flood;
pub mod hostile;
pub mod hostile_gateway;
pub mod model;
pub mod next_runtime;
pub mod observer;
pub mod operator;
pub mod page;
pub mod process;
pub mod process_usage;
pub mod progress;
pub mod python;
pub mod replay;
pub mod services;
pub mod stage;
pub mod stranger;
pub mod trace;
pub mod try_state;
pub mod undisturbed;
pub mod wallet_service;

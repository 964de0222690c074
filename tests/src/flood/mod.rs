//! A flood: strangers and an employee out of bounds hand in transactions by the ten thousand, while
//! HR, another employee and a gateway go about their business.

pub mod attack;
pub mod honest;

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use anyhow::{ensure, Result};
use sp_core::{ed25519, Pair};
use stipend_primitives::BlockNumber;
use stipend_sdk::{Client, Signer};

use crate::{
    audit,
    company::Company,
    consortium::Consortium,
    observer::Observer,
    services::{self, Node},
};
use attack::{attack, Answers, Attacker};
use honest::{Arrival, Sender};

/// Blocks within which honest transactions must be in.
pub const BLOCKS_MAX: BlockNumber = 3;

/// How large a flood, over how many validators.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Transactions in all; a tenth of them is the employee's.
    pub transactions: usize,
    /// One validator of the development chain, or the four of the local one.
    pub consortium: bool,
    /// Folder under `target` for logs and data.
    pub dir: &'static str,
}

/// What was seen.
pub struct Report {
    /// What the strangers were told.
    pub strangers: Answers,
    /// What the employee was told.
    pub employee: Answers,
    /// Transactions of that employee in the block that held most of them.
    pub employee_most: usize,
    /// The honest transactions.
    pub arrivals: Vec<Arrival>,
    /// How long the flood took to be handed in.
    pub took: Duration,
    /// Final blocks meanwhile.
    pub blocks: BlockNumber,
}

impl Report {
    /// The longest that an honest transaction waited.
    pub fn slowest(&self) -> BlockNumber {
        self.arrivals.iter().map(|arrival| arrival.blocks).max().unwrap_or(0)
    }

    /// Prints it all.
    pub fn print(&self) {
        let count: usize = self.strangers.values().chain(self.employee.values()).sum();
        println!(
            "{count} transactions in {:.1} s, {:.0} a second; {} blocks meanwhile",
            self.took.as_secs_f64(),
            count as f64 / self.took.as_secs_f64(),
            self.blocks
        );
        for (who, answers) in [("strangers", &self.strangers), ("the employee", &self.employee)] {
            for (answer, count) in answers {
                println!("  {who}: {count:>7} × {answer}");
            }
        }
        println!("  at most {} of the employee's in one block", self.employee_most);
        for sender in ["HR", "employee", "gateway"] {
            let mut waits: Vec<_> =
                self.arrivals.iter().filter(|a| a.sender == sender).map(|a| a.blocks).collect();
            waits.sort_unstable();
            let (Some(median), Some(most)) = (waits.get(waits.len() / 2), waits.last()) else { continue };
            println!("  {sender}: {} transactions, median {median} blocks, at most {most}", waits.len());
        }
    }
}

/// The chain under attack; dropping it ends its processes.
enum Chain {
    Development(#[allow(dead_code)] Node),
    Local(#[allow(dead_code)] Box<Consortium>),
}

/// Floods a chain and reports; fails if somebody was wronged.
pub async fn run(options: &Options) -> Result<Report> {
    // The consortium's attackers and honest senders talk to different validators, so the flood has
    // to travel; on the development chain they share the only one.
    let (_chain, attacked, client) = if options.consortium {
        let consortium = Consortium::start(options.dir, None).await?;
        let (attacked, client) = (consortium.validators[0].url.clone(), consortium.client(3)?);
        (Chain::Local(Box::new(consortium)), attacked, client)
    } else {
        let node = Node::start(&services::work_dir(options.dir)?).await?;
        let (attacked, client) = (node.url.clone(), Client::connect(&node.url).await?);
        (Chain::Development(node), attacked, client)
    };
    let seed: [u8; 32] = rand::random();
    let mut company = Company::new(&["ada", "grace", "linus"])?;
    let flooder = Signer::from_seed(&seed);
    company.employees[1].signer = flooder.clone();
    company.found(&client).await?;
    company.mint_baskets(&client).await?;
    let senders = Sender::of_company(&client, &company).await?;

    let observer = Observer::start(client.clone());
    let stop = Arc::new(AtomicBool::new(false));
    let honest: Vec<_> =
        senders.into_iter().map(|sender| tokio::spawn(sender.run(client.clone(), stop.clone()))).collect();
    let before = client.finalised_head().await?.number;
    let started = Instant::now();
    let employees = options.transactions / 10;
    let key = Attacker::Employee(Box::new(ed25519::Pair::from_seed(&seed)), 0);
    let (strangers, employee) = tokio::try_join!(
        attack(&attacked, Attacker::Strangers, client.genesis(), options.transactions - employees),
        attack(&attacked, key, client.genesis(), employees),
    )?;
    let took = started.elapsed();
    stop.store(true, Ordering::Relaxed);
    let mut arrivals = Vec::new();
    for sender in honest {
        arrivals.extend(sender.await??);
    }
    let after = client.finalised_head().await?.number;
    let employee_most = most_in_a_block(&client, before, after, &flooder).await?;
    let audited = audit::check(&client, &company, &observer).await?;
    let metered = arrivals.iter().filter(|arrival| arrival.sender == "gateway").count() * honest::RECEIPTS;
    ensure!(audited.receipts == metered, "{} receipts on the chain, {metered} sent", audited.receipts);
    Ok(Report { strangers, employee, employee_most, arrivals, took, blocks: after - before })
}

/// Transactions of one account in the block that holds most of them.
async fn most_in_a_block(client: &Client, from: BlockNumber, to: BlockNumber, who: &Signer) -> Result<usize> {
    let (mut most, mut sent) = (0, client.at(client.block_hash(from).await?).nonce(&who.account()).await?);
    for number in from + 1..=to {
        let nonce = client.at(client.block_hash(number).await?).nonce(&who.account()).await?;
        most = most.max((nonce - sent) as usize);
        sent = nonce;
    }
    Ok(most)
}

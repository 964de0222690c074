//! `stipend statement`: what an owner was granted and used in a year.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use sp_core::H256;
use stipend_sdk::{
    primitives::{cost::PriceBook, AccountId, BlockNumber, ClassId, Moment},
    Client, Snapshot,
};

use crate::{
    context::Context,
    failure::Failure,
    files,
    output::Answer,
    parse,
    period::{of_the_past, Period},
    who::Who,
};

use self::figures::{Figures, Standing};

mod figures;
mod outside;
mod page;
mod text;

/// `stipend statement`. Needs a node that keeps old state; see the README.
#[derive(Args, Debug)]
pub(crate) struct Statement {
    /// Whose; your own if nobody is named.
    wallet: Option<Who>,
    /// The year, by the calendar in UTC.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1970..=9998))]
    year: u64,
    /// The page to make: one file that prints on A4.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Address of the wallet service, which knows what the tokens used are worth outside. Sign with the
    /// owner's key or an auditor's: nobody else is told.
    #[arg(long, value_name = "URL")]
    wallet_service: Option<String>,
}

/// Whose statement, of when, by which block.
pub(crate) struct About {
    year: u64,
    account: AccountId,
    /// Name, employee number and department, where the directory knows them.
    person: Option<[String; 3]>,
    genesis: H256,
    block: BlockNumber,
    /// Time of that block (Unix time, ms).
    time: Moment,
}

/// A month, or as much of it as is over.
struct Month {
    period: Period,
    /// At its end.
    standing: Standing,
    book: Option<PriceBook>,
}

impl Statement {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        let Statement { wallet, year, out, wallet_service } = self;
        let account = context.account_or_own(wallet)?;
        let client = context.client().await?;
        let head = client.finalised_head().await?;
        let now = client.at(head.hash).time().await?;
        let periods = Period::months_of(year).unwrap_or_default();
        let begun: Vec<Period> = periods.into_iter().filter(|month| month.start <= now).collect();
        let Some(first) = begun.first() else {
            return Err(Failure::usage(format!("{year} has not begun; choose a year that has")).into());
        };
        let spinner = context.spinner("reading the state of each month's end");
        let opening = standing(&right_before(client, first.start).await?, &account).await?;
        let mut months = Vec::new();
        for period in begun {
            // Not beyond the block that the statement names, though the chain goes on.
            let snapshot = right_before(client, period.end.min(now + 1)).await?;
            let book = of_the_past(snapshot.current_book().await)?;
            months.push(Month { period, standing: standing(&snapshot, &account).await?, book });
        }
        spinner.finish_and_clear();
        let classes = client.latest().await?.classes().await?;
        let name_of = |id: ClassId| {
            let class = classes.iter().find(|(known, _)| *known == id);
            class.map_or_else(|| id.0.to_string(), |(_, class)| parse::text(&class.name))
        };
        let worth = match wallet_service {
            Some(url) => Some(outside::ask(context, &url, &account, &months, head.number).await?),
            None => None,
        };
        let figures = Figures::new(opening, &months, worth.as_ref(), name_of);
        let person = context
            .person(&account)
            .map(|person| [person.name.clone(), person.number.clone(), person.department.clone()]);
        let genesis = client.genesis();
        let about = About { year, account, person, genesis, block: head.number, time: now };
        if let Some(out) = &out {
            let human = || {
                format!("the statement of {} for {year} would be written to {}", about.whose(), out.display())
            };
            context
                .would(serde_json::json!({ "year": year, "account": about.account, "out": out }), human)?;
            let page = page::page(&about, &figures, worth.as_ref()).into_string();
            files::write_new(out, page.as_bytes()).map_err(|error| {
                let out = out.display();
                Failure::bad_input(format!("cannot write {out}: {error}; a file is never overwritten"))
            })?;
        }
        text::answer(&about, &figures, worth.as_ref(), out.as_deref())
    }
}

/// The chain right before a moment.
async fn right_before(client: &Client, moment: Moment) -> Result<Snapshot> {
    Ok(client.at(of_the_past(client.last_block_before(moment).await)?.hash))
}

async fn standing(snapshot: &Snapshot, account: &AccountId) -> Result<Standing> {
    let time = of_the_past(snapshot.time().await)?;
    Ok(Standing::new(&of_the_past(snapshot.entitlements(account).await)?, time))
}

impl About {
    /// Who the statement is for, in words.
    fn whose(&self) -> String {
        match &self.person {
            Some([name, ..]) => name.clone(),
            None => parse::address(&self.account),
        }
    }
}

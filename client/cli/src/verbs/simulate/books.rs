//! Which price books were in force when.

use anyhow::Result;
use stipend_sdk::{
    primitives::{cost::PriceBook, Moment},
    BlockRef, Client, Snapshot,
};

use crate::{
    failure::Failure,
    period::{of_the_past, Period},
};

/// A book and when it was in force.
#[derive(Debug)]
pub(super) struct InForce {
    pub(super) book: PriceBook,
    pub(super) from: Option<Moment>,
    pub(super) until: Option<Moment>,
}

/// The books that were in force in a period, in order of time.
pub(super) async fn of_period(client: &Client, period: Period) -> Result<Vec<InForce>> {
    let head = client.finalised_head().await?;
    let now = client.at(head.hash).time().await?;
    if period.start > now {
        return Err(
            Failure::usage("that quarter has not begun; without --quarter the prices of now count").into()
        );
    }
    let begin = of_the_past(client.last_block_before(period.start).await)?;
    let BlockRef { mut number, hash } = of_the_past(client.last_block_before(period.end).await)?;
    if number == 0 {
        return Err(Failure::usage("the chain had not begun then; choose a later quarter").into());
    }
    let mut snapshot: Snapshot = client.at(hash);
    let (mut books, mut until) = (Vec::new(), period.end.min(now));
    while let Some(book) = of_the_past(snapshot.current_book().await)? {
        let first = book.effective_at.min(number);
        let begins_inside = first > begin.number + 1;
        let from = if begins_inside {
            of_the_past(client.at(client.block_hash(first).await?).time().await)?
        } else {
            period.start
        };
        books.push(InForce { book, from: Some(from), until: Some(until) });
        if !begins_inside {
            break;
        }
        (until, number) = (from, first - 1);
        snapshot = client.at(client.block_hash(number).await?);
    }
    books.reverse();
    Ok(books)
}

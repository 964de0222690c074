//! `stipend freeze`, `stipend offboard`, `stipend give-back`.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use stipend_sdk::{
    pallet_entitlements::Call,
    primitives::{Credits, EntitlementId},
};

use crate::{
    amount,
    context::Context,
    output::{in_credits, Answer},
    parse,
    who::Who,
};

/// `stipend freeze`.
#[derive(Args, Debug)]
pub(crate) struct Freeze {
    /// Whose wallets.
    owner: Who,
    /// Resume the use instead of stopping it.
    #[arg(long)]
    lift: bool,
}

impl Freeze {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        let (owner, frozen) = (context.account(&self.owner)?, !self.lift);
        let address = parse::address(&owner);
        let what = json!({ "owner": owner, "frozen": frozen });
        let done = context.carry_out(Call::freeze { owner, frozen }).await?;
        let human = if frozen {
            format!("{address} is frozen; only what gateways have reserved already can still be charged")
        } else {
            format!("{address} can use its wallets again")
        };
        Ok(Answer::done(&done, what, human))
    }
}

/// `stipend offboard`.
#[derive(Args, Debug)]
pub(crate) struct Offboard {
    /// Who leaves.
    owner: Who,
}

impl Offboard {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        let owner = context.account(&self.owner)?;
        let (address, what) = (parse::address(&owner), json!({ "owner": owner }));
        let done = context.carry_out(Call::offboard { owner }).await?;
        let human =
            format!("{address} holds nothing any more: all entitlements are withdrawn, all API keys revoked");
        Ok(Answer::done(&done, what, human))
    }
}

/// `stipend give-back`.
#[derive(Args, Debug)]
pub(crate) struct GiveBack {
    /// The entitlement's number.
    id: EntitlementId,
    /// Credits.
    #[arg(value_parser = amount::parse)]
    amount: Credits,
}

impl GiveBack {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        let GiveBack { id, amount } = self;
        let done = context.carry_out(Call::give_back { id, amount }).await?;
        let what = json!({ "id": id, "amount": amount.to_string() });
        Ok(Answer::done(
            &done,
            what,
            format!("{} of entitlement {id} are back in its program", in_credits(amount)),
        ))
    }
}

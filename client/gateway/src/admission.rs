//! Whether a request may be served, and what is set aside for it.

use std::{sync::Arc, time::Instant};

use stipend_openai::{ApiError, RequestView};
use stipend_primitives::{evidence::EvidencePolicy, AccountId, ClassId, Credits, KeyHash};
use tokio::time::timeout_at;

use crate::{
    bound::Bound,
    caps::{Amounts, CapHold},
    clock::now_ms,
    credits::{credits, micro, show, Micro},
    keys::Key,
    prices::Quote,
    state::State,
    terms::{too_late, Terms},
    upstream::{Asked, Servers},
    wallet::{Account, Hold},
};

/// For how long a look at the chain tells what a wallet has.
const FRESH_MS: u64 = 10_000;

/// Seconds after which requests in flight are settled, so that their energy may be free again.
const ENERGY_RETRY_S: u32 = 10;

/// Seconds after which a slow chain may have reserved what was asked for.
const CHAIN_RETRY_S: u32 = 5;

/// A request that will be paid for, whatever happens.
pub(crate) struct Admitted {
    pub(crate) quote: Quote,
    pub(crate) servers: Arc<Servers>,
    /// What the classes that pay ask of whoever serves it.
    pub(crate) evidence: EvidencePolicy,
    pub(crate) bound: Bound,
    /// What each generation may have; the engine is told.
    pub(crate) max_tokens: u32,
    pub(crate) terms: Terms,
    pub(crate) key: KeyHash,
    pub(crate) base: Hold,
    pub(crate) fee: Option<Hold>,
    /// Against the key's caps, if it has any.
    pub(crate) caps: Option<CapHold>,
}

impl Admitted {
    pub(crate) fn owner(&self) -> &AccountId {
        &self.base.account().owner
    }
}

/// Checks a request against its key, the prices and its wallet; waits for credits that the wallet has
/// but the gateway has not reserved yet.
pub(crate) async fn admit(
    state: &Arc<State>,
    key: &Key,
    view: &RequestView<'_>,
    terms: Terms,
) -> Result<Admitted, ApiError> {
    let priority_fee = terms.priority_fee;
    let prices = state.prices.load_full();
    let quote = prices.quote(&view.model).ok_or_else(|| ApiError::model_not_found(&view.model))?;
    let servers = state.upstreams.of(&view.model).ok_or_else(|| ApiError::model_not_found(&view.model))?;
    // Without a fee nothing is paid in Priority, and it has no say.
    let fee_class = if priority_fee > 0 { ClassId::PRIORITY } else { quote.entry.class };
    let evidence = evidence_asked(state, [quote.entry.class, fee_class]);
    if let Some(refusal) = servers.refusal(Asked { policy: evidence, block: state.status.block() }, now_ms())
    {
        return Err(refusal);
    }
    if !key.may_use(quote.entry.model) {
        return Err(ApiError::permission(
            "model_not_allowed",
            "This API key may not use that model. `GET /v1/models` lists those it may use.",
        )
        .with_param("model"));
    }
    if key.wallet.is_frozen() {
        return Err(ApiError::permission(
            "wallet_frozen",
            "The wallet of this API key is frozen. Ask those who granted its credits.",
        ));
    }
    let bound = Bound::of(view, &state.limits)?;
    let ask = Ask { state, key, quote: &quote, bound: &bound, terms };
    ask.check_premium()?;
    let max_tokens = ask.choose_tokens()?;
    let cost = bound.cost(&quote.entry, max_tokens);
    ask.check_cap(cost)?;
    let caps = ask.hold_caps(cost, max_tokens)?;
    let base = ask.hold(quote.entry.class, cost).await?;
    let fee = match priority_fee {
        0 => None,
        fee => Some(ask.hold(ClassId::PRIORITY, fee.into()).await?),
    };
    Ok(Admitted {
        servers: servers.clone(),
        evidence,
        bound,
        max_tokens,
        terms,
        key: key.hash,
        base,
        fee,
        caps,
        quote,
    })
}

/// What the classes that pay ask of whoever serves.
pub(crate) fn evidence_asked(state: &State, classes: [ClassId; 2]) -> EvidencePolicy {
    match state.upstreams.asked(classes) {
        EvidencePolicy::Required if state.limits.serve_unpaid => EvidencePolicy::Preferred,
        policy => policy,
    }
}

/// One request's questions to its key and wallet.
struct Ask<'a> {
    state: &'a Arc<State>,
    key: &'a Key,
    quote: &'a Quote,
    bound: &'a Bound,
    terms: Terms,
}

impl Ask<'_> {
    /// A premium model is for wallets that hold Priority credits, even if it is paid in another class.
    fn check_premium(&self) -> Result<(), ApiError> {
        if !self.quote.entry.premium {
            return Ok(());
        }
        let account = self.key.wallet.account(ClassId::PRIORITY);
        let holds = account.is_some_and(|account| {
            let figures = account.figures();
            figures.free.max(figures.held).max(figures.available) > 0
        });
        if holds {
            return Ok(());
        }
        let class = self.class_name(ClassId::PRIORITY);
        Err(ApiError::insufficient_credits(format!(
            "This is a premium model: it needs a wallet with {class} credits, and this one has none. Choose \
             another model, or ask for {class} credits."
        )))
    }

    /// `max_tokens`: as asked for, or as much of the default as wallet and key cover.
    fn choose_tokens(&self) -> Result<u32, ApiError> {
        let entry = &self.quote.entry;
        let wanted = self.bound.tokens_wanted(&self.state.limits);
        if !self.bound.tokens_are_open() {
            return Ok(wanted);
        }
        let account = self.key.wallet.account(entry.class);
        let within_reach = account.map_or(0, |account| account.within_reach());
        let cap = self.key.limits.request_cost_max.unwrap_or(Credits::MAX);
        let room = self.key.used.room(&self.key.caps, entry.model, now_ms());
        let budget = credits(within_reach).min(cap.min(room).saturating_sub(self.terms.priority_fee.into()));
        // If not even one token is covered, the hold for one says what is missing.
        Ok(self.bound.tokens_within(entry, wanted, budget).max(1))
    }

    fn check_cap(&self, cost: Credits) -> Result<(), ApiError> {
        let total = cost.saturating_add(self.terms.priority_fee.into());
        match self.key.limits.request_cost_max {
            Some(cap) if total > cap => Err(ApiError::permission(
                "request_cost_above_cap",
                format!(
                    "This request can cost up to {} credits, and its API key allows {} per request. Lower \
                     `max_tokens`, or have the key's owner raise the cap.",
                    show(total),
                    show(cap)
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Holds the most that the request can use against the caps of its key.
    fn hold_caps(&self, cost: Credits, max_tokens: u32) -> Result<Option<CapHold>, ApiError> {
        let credits = cost.saturating_add(self.terms.priority_fee.into());
        let most = Amounts { credits, tokens: self.bound.tokens(max_tokens) };
        self.key.hold(self.quote.entry.model, most, now_ms()).map_err(|reached| {
            if let Some(warning) = reached.warning {
                self.state.metrics.cap_reached(&self.key.hash, warning);
            }
            reached.answer()
        })
    }

    /// Sets credits aside.
    async fn hold(&self, class: ClassId, cost: Credits) -> Result<Hold, ApiError> {
        let Some(account) = self.key.wallet.account(class) else {
            return match cost {
                0 => Ok(self.key.wallet.account_or_new(class).hold_nothing()),
                _ => Err(self.too_little(class, cost, 0)),
            };
        };
        let amount = micro(cost);
        let now = now_ms();
        if let Some((hold, left)) = account.try_hold(amount, now) {
            if credits(left) < self.state.reservations.low_water {
                self.want_more(&account, now);
            }
            return Ok(hold);
        }
        self.wait_for(&account, amount).await
    }

    /// A top-up ahead of need. A wallet that had nothing more a moment ago is left alone.
    fn want_more(&self, account: &Arc<Account>, now: u64) {
        if account.has_available() || now.saturating_sub(account.looked_at_ms()) > FRESH_MS {
            self.state.want(account, 0);
        }
    }

    /// Waits until the chain has reserved more, or other requests have given back what they did not
    /// use.
    async fn wait_for(&self, account: &Arc<Account>, amount: Micro) -> Result<Hold, ApiError> {
        let deadline = self.terms.by(Instant::now() + self.state.reservations.wait_max);
        let waiter = account.waiter();
        loop {
            let changed = waiter.changed();
            let now = now_ms();
            if let Some((hold, _)) = account.try_hold(amount, now) {
                return Ok(hold);
            }
            let figures = account.figures();
            let covered = figures.free.saturating_add(figures.held).saturating_add(figures.available);
            let is_fresh = now.saturating_sub(figures.looked_at_ms) < FRESH_MS;
            // What other gateways do not need they let go within seconds.
            let reachable = figures.elsewhere.map(|elsewhere| covered.saturating_add(elsewhere));
            if is_fresh && reachable.is_some_and(|reachable| reachable < amount) {
                if account.is_energy_bound() {
                    return Err(self.no_energy(account.class));
                }
                return Err(self.too_little(account.class, credits(amount), credits(account.within_reach())));
            }
            if account.wanted() < amount {
                self.state.want(account, amount);
            }
            if timeout_at(deadline.into(), changed).await.is_err() {
                if self.terms.is_late() {
                    return Err(too_late());
                }
                return Err(self.not_in_time(account, amount));
            }
        }
    }

    fn not_in_time(&self, account: &Account, amount: Micro) -> ApiError {
        if let Some(refusal) = self.state.refusal(now_ms()) {
            return refusal.answer();
        }
        let within_reach = account.within_reach();
        if within_reach < amount && account.figures().held > 0 {
            return ApiError::rate_limit(
                "The wallet's credits are held by its requests in flight. Try again when some are done, or send \
                 smaller ones.",
            )
            .with_retry_after(1);
        }
        if account.figures().elsewhere.is_some_and(|elsewhere| elsewhere > 0) && within_reach < amount {
            return ApiError::rate_limit(
                "The wallet's credits are with another gateway, which needs them for requests of its own. Try again \
                 later, or there.",
            )
            .with_retry_after(CHAIN_RETRY_S);
        }
        ApiError::unavailable(
            "The gateway could not reserve the wallet's credits in time: the chain is slow or out of reach. Try \
             again later.",
        )
        .with_retry_after(CHAIN_RETRY_S)
    }

    fn no_energy(&self, class: ClassId) -> ApiError {
        let name = self.class_name(class);
        ApiError::new(
            503,
            "api_error",
            "energy_budget_exhausted",
            format!(
                "The energy budget of {name} covers no more requests now. Try again when requests in flight are \
                 settled or the next period has begun, use a model that is paid in another class, or ask the council \
                 for a larger budget."
            ),
        )
        .with_retry_after(ENERGY_RETRY_S)
    }

    fn too_little(&self, class: ClassId, needed: Credits, available: Credits) -> ApiError {
        let name = self.class_name(class);
        ApiError::insufficient_credits(format!(
            "Not enough {name} credits: this request needs up to {}, and {} are available. Lower `max_tokens`, \
             or ask for more {name} credits.",
            show(needed),
            show(available)
        ))
    }

    fn class_name(&self, class: ClassId) -> String {
        self.state.prices.load().class_name(class)
    }
}

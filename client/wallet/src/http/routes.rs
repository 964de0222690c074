//! Every route of the service, and what it shows.

use std::sync::Arc;

use axum::{
    extract::DefaultBodyLimit,
    routing::{get, post, MethodRouter},
};

use super::{acts, api, exports, files, health, lists, live, pages, people, sign_in, App};
use crate::{access::Subject, chain::Source};

/// A route.
pub struct Route<S> {
    /// `GET`, or `POST`.
    pub method: &'static str,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// What it shows: the table of [`crate::access`] says to whom.
    pub subject: Subject,
    pub(super) handler: MethodRouter<Arc<App<S>>>,
}

/// All of them. There is no other way to a handler.
pub fn routes<S: Source>() -> Vec<Route<S>> {
    use Subject::{Acts, Everything, Granting, Program, Programs, Public, Receipt, Viewer, Wallet};
    let get_route = |path, subject, handler| Route { method: "GET", path, subject, handler };
    let post_route = |path, subject, handler| Route { method: "POST", path, subject, handler };
    // What is longer is refused before it is read.
    let up_to = |bytes, handler: MethodRouter<Arc<App<S>>>| handler.layer(DefaultBodyLimit::max(bytes));
    vec![
        get_route("/healthz", Public, get(health::healthz)),
        get_route("/readyz", Public, get(health::readyz)),
        get_route("/metrics", Public, get(health::metrics)),
        get_route("/style.css", Public, get(files::style)),
        get_route("/app.js", Public, get(files::app)),
        get_route("/key.js", Public, get(files::key)),
        get_route("/acts.js", Public, get(files::acts)),
        get_route("/list.js", Public, get(files::list)),
        get_route("/names.js", Public, get(files::names)),
        get_route("/", Public, get(sign_in::home)),
        get_route("/sign-in", Public, get(sign_in::page)),
        // One path, two methods: showing a link's page, and using the link up.
        get_route("/sign-in/link/{token}", Public, get(sign_in::link).post(sign_in::follow)),
        post_route("/sign-out", Viewer, post(sign_in::sign_out)),
        post_route("/api/v1/sign-in/challenge", Public, post(sign_in::challenge)),
        post_route("/api/v1/sign-in", Public, post(sign_in::answer)),
        get_route("/api/v1/me", Viewer, get(api::me)),
        post_route("/api/v1/acts/prepare", Acts, up_to(acts::BODY_MAX, post(acts::prepare))),
        post_route("/api/v1/acts/submit", Acts, up_to(acts::BODY_MAX, post(acts::submit))),
        get_route("/api/v1/acts/{act}", Acts, get(acts::stage)),
        post_route("/api/v1/lists/check", Granting, up_to(lists::BODY_MAX, post(lists::check))),
        get_route("/api/v1/expiring", Programs, get(people::expiring)),
        get_route("/api/v1/utilisation", Programs, get(people::utilisation)),
        get_route("/api/v1/utilisation/people", Programs, get(people::of_people)),
        get_route("/api/v1/wallets", Everything, get(api::wallets)),
        get_route("/api/v1/wallets/{account}", Wallet, get(api::wallet)),
        get_route("/api/v1/wallets/{account}/receipts", Wallet, get(api::wallet_receipts)),
        get_route("/api/v1/wallets/{account}/days", Wallet, get(api::wallet_days)),
        get_route("/api/v1/wallets/{account}/grants", Wallet, get(api::wallet_grants)),
        get_route("/api/v1/wallets/{account}/keys", Wallet, get(api::wallet_keys)),
        get_route("/api/v1/wallets/{account}/export/{file}", Wallet, get(exports::of_wallet)),
        get_route("/api/v1/receipts", Everything, get(api::receipts)),
        get_route("/api/v1/receipts/{gateway}/{seq}", Receipt, get(api::receipt)),
        get_route("/api/v1/receipts/{gateway}/{seq}/proof", Receipt, get(api::proof)),
        get_route("/api/v1/programs", Programs, get(api::programs)),
        get_route("/api/v1/programs/{program}", Program, get(api::program)),
        get_route("/api/v1/totals", Everything, get(api::totals)),
        get_route("/api/v1/export/{file}", Everything, get(exports::of_everybody)),
        get_route("/wallets/{account}", Wallet, get(pages::wallet)),
        get_route("/wallets/{account}/live", Wallet, get(live::wallet)),
        get_route("/wallets/{account}/receipts", Wallet, get(pages::receipts)),
        get_route("/wallets/{account}/grants", Wallet, get(pages::grants)),
        get_route("/wallets/{account}/keys", Wallet, get(pages::keys)),
        get_route("/receipts/{gateway}/{seq}", Receipt, get(pages::receipt)),
        get_route("/programs", Programs, get(pages::programs)),
        get_route("/programs/{program}", Program, get(pages::program)),
        get_route("/expiring", Programs, get(people::expiring_page)),
        get_route("/utilisation", Programs, get(people::utilisation_page)),
        get_route("/grant", Granting, get(people::grant_page)),
        get_route("/grant/list", Granting, get(people::list_page)),
        get_route("/audit", Everything, get(pages::audit)),
        get_route("/audit/wallets", Everything, get(pages::audit_wallets)),
        get_route("/audit/receipts", Everything, get(pages::audit_receipts)),
    ]
}

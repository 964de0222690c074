//! CloudEvents 1.0 for OpenMeter: an event per receipt, and one per refund. The id of an event never
//! changes, so that sending a file twice counts once.

use serde_json::json;

use super::{line, Refund, Shared};
use crate::{export::meters, pages::words::timestamp, read::receipts::Receipt};

pub(super) fn receipt(shared: &Shared, receipt: &Receipt, out: &mut String) {
    let mut data = json!({
        "model": receipt.model_name,
        "provider": receipt.provider,
        "gateway": receipt.gateway,
        "class": receipt.class_name,
        "cost_microcredits": (receipt.cost - receipt.uncollected).to_string(),
        "priority_fee_microcredits": (receipt.fee - receipt.uncollected_fee).to_string(),
        "energy_millijoules": receipt.energy_mj,
    });
    for (meter, count) in meters(receipt) {
        data[meter] = json!(count);
    }
    let event = json!({
        "specversion": "1.0",
        "type": "stipend.receipt",
        "id": format!("{}/{}", receipt.gateway, receipt.sequence),
        "source": shared.origin,
        "subject": receipt.wallet,
        "time": timestamp(receipt.moment),
        "datacontenttype": "application/json",
        "data": data,
    });
    line(event, out);
}

pub(super) fn refund(shared: &Shared, refund: &Refund, out: &mut String) {
    let id = format!(
        "{}/{}/{}/{}/{}",
        refund.gateway, refund.first_seq, refund.provider, refund.owner, refund.class.0
    );
    let event = json!({
        "specversion": "1.0",
        "type": "stipend.refund",
        "id": id,
        "source": shared.origin,
        "subject": refund.owner,
        "time": timestamp(refund.moment),
        "datacontenttype": "application/json",
        "data": {
            "class": shared.names.class(refund.class),
            "provider": refund.provider,
            "gateway": refund.gateway,
            "refund_microcredits": refund.given.to_string(),
        },
    });
    line(event, out);
}

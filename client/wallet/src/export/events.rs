//! CloudEvents 1.0 for OpenMeter: an event per receipt, and one per refund. The id of an event never
//! changes, so that sending a file twice counts once.

use serde_json::json;

use super::{line, ExportError, Form, Refund, Shared};
use crate::{db::Connection, export::meters, pages::words::timestamp, read::receipts::Receipt};

/// The events that are not handed out yet.
#[derive(Default)]
pub(super) struct Lines(String);

impl Form for Lines {
    fn receipt(&mut self, _: &mut dyn Connection, shared: &Shared, one: &Receipt) -> Result<(), ExportError> {
        receipt(shared, one, &mut self.0);
        Ok(())
    }

    fn refund(&mut self, shared: &Shared, one: &Refund) -> Result<(), ExportError> {
        refund(shared, one, &mut self.0);
        Ok(())
    }

    fn take(&mut self) -> Result<Vec<u8>, ExportError> {
        Ok(std::mem::take(&mut self.0).into_bytes())
    }

    fn finish(&mut self) -> Result<Vec<u8>, ExportError> {
        self.take()
    }
}

fn receipt(shared: &Shared, receipt: &Receipt, out: &mut String) {
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

fn refund(shared: &Shared, refund: &Refund, out: &mut String) {
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

//! GPU time and energy: read from the devices, apportioned to requests by the time that they were in
//! flight.
//!
//! What cannot be known is absent, never zero: an interval in which a device was lost or its counter began
//! anew makes the figures of all requests in it unknown, and a range with such a request has none.

mod nvml;
mod shares;

#[cfg(test)]
mod tests;

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

use parking_lot::Mutex;
use stipend_primitives::Digest;
use tokio::time::Instant;

pub(crate) use shares::Share;

use self::{nvml::Nvml, shares::Shares};
use crate::{config::GpuConfig, store::Book};

/// What devices are asked. Tests put recorded devices behind it.
pub(crate) trait Source: Send {
    /// The devices' own names: "GPU-" and a UUID.
    fn uuids(&self) -> Vec<String>;

    /// All devices that serve, always in the same order.
    fn read(&mut self) -> Result<Vec<Device>, SourceError>;
}

/// One device at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// The device's own name: "GPU-" and a UUID.
    pub(crate) uuid: String,
    /// Millijoules since the driver was loaded; `None` where the device does not count them.
    pub(crate) energy_mj: Option<u64>,
    /// Per cent of the last sample period in which a kernel ran; `None` where the device does not say.
    pub(crate) busy_percent: Option<u32>,
}

/// Why the devices cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the GPUs cannot be read: {0}")]
pub(crate) struct SourceError(pub(crate) String);

/// Time between two readings. Utilisation is that of NVML's sample period, up to a second long.
const READ_EVERY: Duration = Duration::from_secs(1);

/// Measures requests. Without a source it does nothing.
#[derive(Clone)]
pub(crate) struct Gpu(Option<Arc<Meter>>);

struct Meter {
    uuids: Vec<String>,
    /// Locked while the devices are read, which can take milliseconds; requests do not wait for it.
    source: Mutex<Box<dyn Source>>,
    shares: Mutex<Shares>,
    is_up: AtomicBool,
}

/// A request that is being measured. Dropped, it takes its part all the same, so that nobody else is given it.
pub(crate) struct Flight(Option<(Arc<Meter>, u64)>);

/// What was counted since the attestor began to look, and how much of it was given to requests.
pub(crate) struct Totals {
    pub(crate) uuids: Vec<String>,
    pub(crate) is_up: bool,
    pub(crate) counted: Share,
    pub(crate) given: Share,
}

impl Gpu {
    pub(crate) fn new(source: Option<Box<dyn Source>>) -> Self {
        let meter = |source: Box<dyn Source>| {
            Arc::new(Meter {
                uuids: source.uuids(),
                source: Mutex::new(source),
                shares: Mutex::new(Shares::new(Instant::now())),
                is_up: AtomicBool::new(true),
            })
        };
        Gpu(source.map(meter))
    }

    /// The devices that the configuration names. Where they cannot be read, nothing is measured.
    pub(crate) fn of(config: Option<&GpuConfig>) -> Self {
        let source = config.and_then(|config| match Nvml::load(&config.devices) {
            Ok(nvml) => Some(Box::new(nvml) as Box<dyn Source>),
            Err(error) => {
                tracing::warn!(%error, "attestations carry no GPU time and energy; restart the attestor to try again");
                None
            }
        });
        Gpu::new(source)
    }

    /// Whether there is anything to read.
    pub(crate) fn is_measured(&self) -> bool {
        self.0.is_some()
    }

    /// A request goes to the engine.
    pub(crate) fn begin(&self) -> Flight {
        Flight(self.0.as_ref().map(|meter| (meter.clone(), meter.shares.lock().begin(Instant::now()))))
    }

    /// Reads the devices and gives every request that has ended since the last reading its share. Blocks.
    pub(crate) fn read(&self) {
        let Some(meter) = &self.0 else { return };
        let mut source = meter.source.lock();
        let devices = source.read();
        if meter.is_up.swap(devices.is_ok(), Ordering::Relaxed) != devices.is_ok() {
            match &devices {
                Ok(_) => tracing::info!("the GPUs can be read again"),
                Err(error) => tracing::warn!(%error, "GPU time and energy are absent until they can be read"),
            }
        }
        let ended = meter.shares.lock().read(Instant::now(), devices.ok());
        for ((book, digest), share) in ended {
            book.measured(&digest, share);
        }
    }

    /// Reads the devices, so that what has ended can be claimed with its share.
    pub(crate) async fn settle(&self) {
        if self.is_measured() {
            let gpu = self.clone();
            // A reader that panicked has given no shares; they are absent then.
            let _ = tokio::task::spawn_blocking(move || gpu.read()).await;
        }
    }

    /// `None` where nothing is measured.
    pub(crate) fn totals(&self) -> Option<Totals> {
        let meter = self.0.as_ref()?;
        let (counted, given) = meter.shares.lock().totals();
        Some(Totals {
            uuids: meter.uuids.clone(),
            is_up: meter.is_up.load(Ordering::Relaxed),
            counted,
            given,
        })
    }
}

impl Flight {
    /// The request's usage stands in `book` under `digest`; its share comes there with the next reading.
    pub(crate) fn end(mut self, book: Arc<Book>, digest: Digest) {
        if let Some((meter, number)) = self.0.take() {
            meter.shares.lock().end(number, Instant::now(), Some((book, digest)));
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some((meter, number)) = self.0.take() {
            meter.shares.lock().end(number, Instant::now(), None);
        }
    }
}

/// Reads the devices again and again.
pub(crate) async fn run(gpu: Gpu) {
    loop {
        gpu.settle().await;
        tokio::time::sleep(READ_EVERY).await;
    }
}

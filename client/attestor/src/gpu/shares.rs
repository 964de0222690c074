//! Apportioning what devices counted to requests.

use std::{collections::HashMap, ops::AddAssign, sync::Arc, time::Duration};

use stipend_primitives::Digest;
use tokio::time::Instant;

use super::Device;
use crate::store::Book;

/// A part of what devices counted. Microseconds and microjoules: what is cut off when a second is divided among
/// thousands of requests stays small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// Microseconds of GPU time; `None` if unknown.
    pub(crate) time_us: Option<u64>,
    /// Microjoules; `None` if unknown.
    pub(crate) energy_uj: Option<u64>,
}

impl Share {
    /// Nothing used, and known to be so.
    pub(crate) const ZERO: Share = Share { time_us: Some(0), energy_uj: Some(0) };

    /// What an unknown part makes of a sum.
    pub(crate) const UNKNOWN: Share = Share { time_us: None, energy_uj: None };
}

impl AddAssign for Share {
    fn add_assign(&mut self, other: Share) {
        let add = |sum: Option<u64>, part: Option<u64>| Some(sum?.saturating_add(part?));
        self.time_us = add(self.time_us, other.time_us);
        self.energy_uj = add(self.energy_uj, other.energy_uj);
    }
}

/// Where a request's usage stands.
pub(super) type Place = (Arc<Book>, Digest);

/// A request between its beginning and the first reading after its end.
struct InFlight {
    /// Beginning of the part that no reading has covered yet.
    since: Instant,
    /// Its end, and whose entry gets its share.
    ended: Option<(Instant, Option<Place>)>,
    share: Share,
}

/// Requests in flight, and the devices at the last reading.
pub(super) struct Shares {
    last_at: Instant,
    last: Option<Vec<Device>>,
    next: u64,
    flights: HashMap<u64, InFlight>,
    counted: Share,
    given: Share,
}

impl Shares {
    pub(super) fn new(now: Instant) -> Self {
        Shares {
            last_at: now,
            last: None,
            next: 0,
            flights: HashMap::new(),
            counted: Share::ZERO,
            given: Share::ZERO,
        }
    }

    pub(super) fn begin(&mut self, now: Instant) -> u64 {
        let number = self.next;
        self.next += 1;
        self.flights.insert(number, InFlight { since: now, ended: None, share: Share::ZERO });
        number
    }

    pub(super) fn end(&mut self, number: u64, now: Instant, entry: Option<Place>) {
        if let Some(flight) = self.flights.get_mut(&number) {
            flight.ended = Some((now, entry));
        }
    }

    /// Takes in a reading, `None` if the devices are lost; returns the shares of the requests that have ended.
    pub(super) fn read(&mut self, now: Instant, devices: Option<Vec<Device>>) -> Vec<(Place, Share)> {
        let elapsed = now.saturating_duration_since(self.last_at);
        let interval = match (&self.last, &devices) {
            (Some(before), Some(after)) => difference(before, after, elapsed),
            _ => Share::UNKNOWN,
        };
        self.distribute(interval, now, elapsed);
        // What is not known does not count; the sums stay those of what is.
        for (sum, part) in
            [(&mut self.counted.time_us, interval.time_us), (&mut self.counted.energy_uj, interval.energy_uj)]
        {
            *sum = sum.map(|sum| sum.saturating_add(part.unwrap_or(0)));
        }
        (self.last_at, self.last) = (now, devices);
        let ended = self.flights.extract_if(|_, flight| flight.ended.is_some());
        let entry = |(_, flight): (u64, InFlight)| Some((flight.ended?.1?, flight.share));
        ended.filter_map(entry).collect()
    }

    /// Gives every request its part: of the whole, the time that it was in flight over the time that all were. Of
    /// an interval that they do not fill together, the rest is nobody's.
    fn distribute(&mut self, interval: Share, now: Instant, elapsed: Duration) {
        let time_of = |flight: &InFlight| {
            let end = flight.ended.as_ref().map_or(now, |ended| ended.0);
            end.saturating_duration_since(flight.since).as_micros()
        };
        let in_flight: u128 = self.flights.values().map(time_of).sum();
        let whole = in_flight.max(elapsed.as_micros()).max(1);
        for flight in self.flights.values_mut() {
            let time = time_of(flight);
            // Rounded down, so that the parts never exceed the whole.
            let part = |counted: Option<u64>| Some((u128::from(counted?) * time / whole) as u64);
            let part = Share { time_us: part(interval.time_us), energy_uj: part(interval.energy_uj) };
            flight.share += part;
            flight.since = now;
            for (sum, part) in
                [(&mut self.given.time_us, part.time_us), (&mut self.given.energy_uj, part.energy_uj)]
            {
                *sum = sum.map(|sum| sum.saturating_add(part.unwrap_or(0)));
            }
        }
    }

    pub(super) fn totals(&self) -> (Share, Share) {
        (self.counted, self.given)
    }
}

/// What devices counted between two readings. Unknown if they are not the same devices, if one does not say, or if
/// a counter fell: its driver was loaded again.
fn difference(before: &[Device], after: &[Device], elapsed: Duration) -> Share {
    if !before.iter().map(|device| &device.uuid).eq(after.iter().map(|device| &device.uuid)) {
        return Share::UNKNOWN;
    }
    let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    let mut sum = Share::ZERO;
    for (before, after) in before.iter().zip(after) {
        let energy_mj = before.energy_mj.zip(after.energy_mj);
        let energy_mj = energy_mj.and_then(|(before, after)| after.checked_sub(before));
        let time = |percent: u32| (u128::from(elapsed_us) * u128::from(percent.min(100)) / 100) as u64;
        sum += Share {
            time_us: after.busy_percent.map(time),
            energy_uj: energy_mj.and_then(|energy_mj| energy_mj.checked_mul(1_000)),
        };
    }
    sum
}

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;

use proptest::prelude::*;
use stipend_primitives::{attestation::Claim, cost::Usage, AccountId, ModelId};

use super::*;
use crate::store::{Book, Metered};

/// Devices that count what they are told to.
fn device(uuid: &str, energy_mj: u64, busy_percent: u32) -> Device {
    Device { uuid: uuid.into(), energy_mj: Some(energy_mj), busy_percent: Some(busy_percent) }
}

fn digest(number: u64) -> Digest {
    let mut digest = Digest::default();
    digest[..8].copy_from_slice(&number.to_be_bytes());
    digest
}

/// A book and the shares of its requests, at times of the test's choice.
struct Bench {
    start: Instant,
    book: Arc<Book>,
    shares: Shares,
    flights: VecDeque<u64>,
    ended: Vec<u64>,
}

impl Bench {
    fn new() -> Self {
        let start = Instant::now();
        Bench {
            start,
            book: Arc::new(Book::new(AccountId::new([3; 32]))),
            shares: Shares::new(start),
            flights: VecDeque::new(),
            ended: Vec::new(),
        }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    fn begin(&mut self, ms: u64) -> u64 {
        let number = self.shares.begin(self.at(ms));
        self.flights.push_back(number);
        number
    }

    /// Ends a request that was metered, or one that failed.
    fn end(&mut self, ms: u64, number: u64, is_metered: bool) {
        self.flights.retain(|flight| *flight != number);
        let entry = is_metered.then(|| {
            let (model, usage) = (ModelId(1), Usage::default());
            let metered = Metered { model, usage, at_ms: 0, position: 0, gpu: Share::UNKNOWN };
            self.book.metered(digest(number), metered);
            self.ended.push(number);
            (self.book.clone(), digest(number))
        });
        self.shares.end(number, self.at(ms), entry);
    }

    fn read(&mut self, ms: u64, devices: Option<Vec<Device>>) {
        for ((book, digest), share) in self.shares.read(self.at(ms), devices) {
            book.measured(&digest, share);
        }
    }

    /// What a range of these requests is attested with.
    fn range(&self, numbers: &[u64]) -> Share {
        let requests = numbers.iter().map(|number| (*number, digest(*number))).collect();
        let account = AccountId::new([3; 32]);
        let claim =
            Claim { gateway: account.clone(), provider: account, first_seq: 0, last_seq: u64::MAX, requests };
        self.book.resolve(&claim).gpu
    }
}

fn share(time_us: u64, energy_uj: u64) -> Share {
    Share { time_us: Some(time_us), energy_uj: Some(energy_uj) }
}

#[test]
fn requests_share_by_their_time_in_flight() {
    let mut bench = Bench::new();
    bench.read(0, Some(vec![device("a", 1_000, 0)]));
    let (long, short) = (bench.begin(0), bench.begin(750));
    bench.end(1_000, long, true);
    bench.end(1_000, short, true);
    // A second at 80 per cent and 300 W.
    bench.read(1_000, Some(vec![device("a", 301_000, 80)]));
    assert_eq!(bench.range(&[long]), share(640_000, 240_000_000));
    assert_eq!(bench.range(&[short]), share(160_000, 60_000_000));
}

#[test]
fn what_the_devices_do_while_nobody_asks_is_nobodys() {
    let mut bench = Bench::new();
    bench.read(0, Some(vec![device("a", 0, 0)]));
    let only = bench.begin(250);
    bench.end(500, only, true);
    bench.read(1_000, Some(vec![device("a", 100_000, 100)]));
    assert_eq!(bench.range(&[only]), share(250_000, 25_000_000));
    let (counted, given) = bench.shares.totals();
    assert_eq!((counted, given), (share(1_000_000, 100_000_000), share(250_000, 25_000_000)));
}

#[test]
fn a_request_that_fails_takes_its_part_with_it() {
    let mut bench = Bench::new();
    bench.read(0, Some(vec![device("a", 0, 0)]));
    let (good, failed) = (bench.begin(0), bench.begin(0));
    bench.end(1_000, good, true);
    bench.end(1_000, failed, false);
    bench.read(1_000, Some(vec![device("a", 100_000, 100)]));
    assert_eq!(bench.range(&[good]), share(500_000, 50_000_000));
}

#[test]
fn all_devices_count_together() {
    let mut bench = Bench::new();
    bench.read(0, Some(vec![device("a", 5, 0), device("b", 900, 0)]));
    let only = bench.begin(0);
    bench.end(1_000, only, true);
    bench.read(1_000, Some(vec![device("a", 1_005, 50), device("b", 2_900, 100)]));
    assert_eq!(bench.range(&[only]), share(1_500_000, 3_000_000));
}

#[test]
fn what_is_not_known_is_absent_and_known_again_later() {
    // What a device says in the end, and what that leaves unknown.
    let lost = None;
    let began_anew = Some(vec![device("a", 10, 50)]);
    let another = Some(vec![device("b", 2_000, 50)]);
    let gone = Some(vec![]);
    for devices in [lost, began_anew, another, gone] {
        let mut bench = Bench::new();
        bench.read(0, Some(vec![device("a", 1_000, 0)]));
        let (before, through) = (bench.begin(0), bench.begin(0));
        bench.end(500, before, true);
        bench.read(1_000, Some(vec![device("a", 1_500, 50)]));
        bench.read(2_000, devices.clone());
        bench.end(2_500, through, true);
        bench.read(3_000, Some(vec![device("a", 5_000, 50)]));
        let after = bench.begin(3_000);
        bench.end(4_000, after, true);
        bench.read(4_000, Some(vec![device("a", 6_000, 50)]));
        assert!(bench.range(&[before]).energy_uj.is_some(), "{devices:?}");
        assert_eq!(bench.range(&[through]).energy_uj, None, "{devices:?}");
        assert_eq!(bench.range(&[before, through]).energy_uj, None, "a range is known as a whole or not");
        assert_eq!(bench.range(&[after]), share(500_000, 1_000_000), "{devices:?}");
    }
}

#[test]
fn what_a_device_does_not_count_is_absent_by_itself() {
    let mut bench = Bench::new();
    let device =
        |energy_mj| vec![Device { energy_mj: Some(energy_mj), busy_percent: None, uuid: "a".into() }];
    bench.read(0, Some(device(0)));
    let only = bench.begin(0);
    bench.end(1_000, only, true);
    bench.read(1_000, Some(device(7)));
    assert_eq!(bench.range(&[only]), Share { time_us: None, energy_uj: Some(7_000) });
}

#[test]
fn a_request_that_no_reading_has_followed_yet_is_unknown() {
    let mut bench = Bench::new();
    bench.read(0, Some(vec![device("a", 0, 0)]));
    let only = bench.begin(0);
    bench.end(500, only, true);
    assert_eq!(bench.range(&[only]), Share::UNKNOWN);
    assert_eq!(bench.range(&[99]), Share::UNKNOWN, "and so is one that was never served");
}

/// A source that is told what to answer.
struct Recorded(VecDeque<Result<Vec<Device>, SourceError>>);

impl Source for Recorded {
    fn uuids(&self) -> Vec<String> {
        vec!["a".into()]
    }

    fn read(&mut self) -> Result<Vec<Device>, SourceError> {
        self.0.pop_front().unwrap_or_else(|| Err(SourceError("the recording is over".into())))
    }
}

#[tokio::test]
async fn a_lost_device_is_told_in_the_totals() {
    let recorded = VecDeque::from([Ok(vec![device("a", 0, 0)]), Ok(vec![device("a", 9, 100)])]);
    let gpu = Gpu::new(Some(Box::new(Recorded(recorded))));
    gpu.settle().await;
    gpu.settle().await;
    let totals = gpu.totals().unwrap();
    assert_eq!((totals.is_up, totals.counted.energy_uj), (true, Some(9_000)));
    assert_eq!(totals.uuids, ["a"]);
    gpu.settle().await;
    let totals = gpu.totals().unwrap();
    assert_eq!((totals.is_up, totals.counted.energy_uj), (false, Some(9_000)));
}

#[tokio::test]
async fn without_a_gpu_nothing_is_measured() {
    for gpu in [Gpu::new(None), Gpu::of(None)] {
        let book = Arc::new(Book::new(AccountId::new([3; 32])));
        gpu.begin().end(book, digest(1));
        gpu.settle().await;
        assert!(gpu.totals().is_none() && !gpu.is_measured());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u16),
    Begin,
    End { index: prop::sample::Index, is_metered: bool },
    Read { energy_mj: [u32; 2], busy: [u32; 2] },
    Lost,
    Reset,
    Claim(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..1_500u16).prop_map(Step::Wait),
        4 => Just(Step::Begin),
        4 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(index, is_metered)| Step::End { index, is_metered }),
        4 => (any::<[u32; 2]>(), [0..=101u32, 0..=101u32]).prop_map(|(energy_mj, busy)| Step::Read { energy_mj, busy }),
        1 => Just(Step::Lost),
        1 => Just(Step::Reset),
        2 => (1..5usize).prop_map(Step::Claim),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// In no history do ranges together get more than the devices counted.
    #[test]
    fn ranges_never_sum_to_more_than_the_devices_counted(steps in prop::collection::vec(any_step(), 1..120)) {
        let mut bench = Bench::new();
        let (mut now, mut energy, mut last_read) = (0u64, [0u64; 2], None::<(u64, [u64; 2])>);
        // The devices' own truth, reading by reading: time in microseconds, energy in microjoules.
        let (mut time_counted, mut energy_counted) = (0u64, 0u64);
        let (mut time_attested, mut energy_attested) = (0u64, 0u64);
        for step in steps {
            match step {
                Step::Wait(ms) => now += u64::from(ms),
                Step::Begin => {
                    bench.begin(now);
                }
                Step::End { index, is_metered } => {
                    if !bench.flights.is_empty() {
                        let number = *index.get(bench.flights.make_contiguous());
                        bench.end(now, number, is_metered);
                    }
                }
                Step::Read { energy_mj, busy } => {
                    for (sum, more) in energy.iter_mut().zip(energy_mj) {
                        *sum += u64::from(more);
                    }
                    if let Some((at, before)) = last_read {
                        if before.iter().zip(&energy).all(|(before, now)| before <= now) {
                            energy_counted += energy.iter().zip(before).map(|(now, before)| now - before).sum::<u64>() * 1_000;
                        }
                        time_counted += busy.map(|busy| (now - at) * 10 * u64::from(busy.min(100))).iter().sum::<u64>();
                    }
                    last_read = Some((now, energy));
                    let devices = ["a", "b"].iter().zip(energy).zip(busy);
                    let devices = devices.map(|((uuid, energy), busy)| device(uuid, energy, busy)).collect();
                    bench.read(now, Some(devices));
                }
                Step::Lost => {
                    last_read = None;
                    bench.read(now, None);
                }
                Step::Reset => energy = [0; 2],
                Step::Claim(count) => {
                    let at = bench.ended.len().saturating_sub(count);
                    let range = bench.range(&bench.ended[at..]);
                    // A claimed request is in no other range.
                    bench.ended.truncate(at);
                    time_attested += range.time_us.unwrap_or(0) / 1_000 * 1_000;
                    energy_attested += range.energy_uj.unwrap_or(0) / 1_000 * 1_000;
                }
            }
        }
        prop_assert!(time_attested <= time_counted, "{time_attested} of {time_counted} us");
        prop_assert!(energy_attested <= energy_counted, "{energy_attested} of {energy_counted} uJ");
        let (counted, given) = bench.shares.totals();
        prop_assert!(given.time_us <= counted.time_us && given.energy_uj <= counted.energy_uj);
        prop_assert_eq!((counted.time_us, counted.energy_uj), (Some(time_counted), Some(energy_counted)));
    }
}

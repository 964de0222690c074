//! MinHash of three-word shingles with one permutation: how alike two texts are, in 64 bytes.

/// Parts that the shingles fall into. The share of those that agree estimates the share of common shingles, within about 0.05.
pub(super) const BUCKETS: usize = 64;

/// Buckets that form one band.
const BAND: usize = 8;

/// Bands of one sketch.
pub(crate) const BANDS: usize = BUCKETS / BAND;

/// Odd numbers without a pattern: the fractions of the golden ratio and of the square roots of 3 and 5.
const ODD: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b];

/// One byte for the least shingle of each bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MinHash([u8; BUCKETS]);

impl Default for MinHash {
    fn default() -> Self {
        MinHash([0; BUCKETS])
    }
}

impl MinHash {
    /// Buckets that are the same.
    pub(super) fn agreeing(&self, other: &MinHash) -> u32 {
        self.0.iter().zip(&other.0).map(|(one, another)| u32::from(one == another)).sum()
    }

    /// Eight numbers, each over eight buckets. Two texts of which nine tenths agree share one of them with a probability of 0.99.
    pub(super) fn bands(&self) -> [u64; BANDS] {
        std::array::from_fn(|at| {
            let band = &self.0[at * BAND..(at + 1) * BAND];
            let number = u64::from_le_bytes(band.try_into().expect("eight bytes; qed"));
            mixed(number ^ (at as u64 + 1).wrapping_mul(ODD[1]))
        })
    }
}

/// Takes words in one after the other.
pub(super) struct Builder {
    least: [u64; BUCKETS],
    /// Hashes of the last two words.
    before: [u64; 2],
    /// Words since the beginning or a cut, as far as they matter.
    seen: u8,
}

impl Default for Builder {
    fn default() -> Self {
        Builder { least: [u64::MAX; BUCKETS], before: [0; 2], seen: 0 }
    }
}

impl Builder {
    pub(super) fn add_all(&mut self, words: &[u64]) {
        for word in words {
            self.add(*word);
        }
    }

    /// What comes does not follow on what came.
    pub(super) fn cut(&mut self) {
        self.seen = 0;
    }

    fn add(&mut self, word: u64) {
        let [first, second] = self.before;
        self.before = [second, word];
        if self.seen < 2 {
            self.seen += 1;
            return;
        }
        let shingle = mixed(
            first.wrapping_mul(ODD[0])
                ^ second.rotate_left(23).wrapping_mul(ODD[1])
                ^ word.wrapping_mul(ODD[2]),
        );
        let least = &mut self.least[(shingle >> 58) as usize];
        *least = (*least).min(shingle << 6);
    }

    pub(super) fn finish(self) -> MinHash {
        if self.least.iter().all(|least| *least == u64::MAX) {
            return MinHash::default();
        }
        // An empty bucket takes what the next full one has, mixed with the distance: short texts stay comparable.
        let value = |at: usize| {
            let step = (0..BUCKETS).find(|step| self.least[(at + step) % BUCKETS] != u64::MAX);
            let step = step.expect("one bucket at least is full; qed");
            mixed(self.least[(at + step) % BUCKETS].wrapping_add((step as u64).wrapping_mul(ODD[0])))
        };
        MinHash(std::array::from_fn(|at| (value(at) >> 56) as u8))
    }
}

/// Spreads what differs in some bits over all of them.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 32)).wrapping_mul(ODD[0]);
    let number = (number ^ (number >> 29)).wrapping_mul(ODD[1]);
    number ^ (number >> 32)
}

//! What generated images count where an engine does not say it.
//!
//! Receipts carry token counts. An engine that reports `usage` for images is believed; for others an image
//! counts one output token for each 32 x 32 pixels of the size that was asked for. Gateway and attestor
//! both read size and images from the same bytes, and so count alike.

/// Side of the square of pixels that counts one token.
const PATCH_SIDE: u64 = 32;

/// Sides of an image whose size is left to the engine.
const SIDES_DEFAULT: (u64, u64) = (1_024, 1_024);

/// Sides of the largest image that an engine makes where the size is left to it.
const SIDES_DEFAULT_MAX: (u64, u64) = (1_024, 1_536);

/// Tokens that an engine's own count can have per patch, and beside them per image. OpenAI's models count
/// four per patch at their highest quality (4,160 for 1024 x 1024), and 100 for each of up to three
/// partial images.
const REPORTED_PER_PATCH_MAX: u64 = 4;
const REPORTED_MORE_MAX: u64 = 512;

/// The size of the images that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize {
    tokens: u64,
    tokens_max: u64,
}

impl ImageSize {
    /// Reads `"1024x1536"`. Anything else leaves the size to the engine, `auto` and nothing too.
    pub fn read(size: Option<&str>) -> Self {
        let sides = size.and_then(|size| {
            let (width, height) = size.split_once('x')?;
            Some((width.parse::<u32>().ok()?, height.parse::<u32>().ok()?))
        });
        match sides.map(|(width, height)| (u64::from(width), u64::from(height))) {
            Some(sides) => Self::of(sides, sides),
            None => Self::of(SIDES_DEFAULT, SIDES_DEFAULT_MAX),
        }
    }

    fn of(sides: (u64, u64), sides_max: (u64, u64)) -> Self {
        let patches = |(width, height): (u64, u64)| {
            width.div_ceil(PATCH_SIDE).saturating_mul(height.div_ceil(PATCH_SIDE)).max(1)
        };
        let tokens_max =
            patches(sides_max).saturating_mul(REPORTED_PER_PATCH_MAX).saturating_add(REPORTED_MORE_MAX);
        ImageSize { tokens: patches(sides), tokens_max }
    }

    /// Output tokens that an image counts where the engine does not say it.
    pub fn tokens(self) -> u64 {
        self.tokens
    }

    /// The most output tokens that an image counts, whoever counts.
    pub fn tokens_max(self) -> u64 {
        self.tokens_max
    }
}

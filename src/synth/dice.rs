//! Seeded chance: one independent stream per place, so that threads never share a generator.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// What a stream is for; two streams of one seed never repeat one another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Lattice = 1,
    Relief = 2,
    Cell = 3,
    Services = 4,
    Names = 5,
}

/// A generator with the few draws that an invented city needs.
pub(super) struct Dice(Xoshiro256PlusPlus);

impl Dice {
    /// The stream of `index` (a cell, a community) for one purpose.
    pub(super) fn new(seed: u64, stream: Stream, index: usize) -> Self {
        let place = (stream as u64) << 48 ^ index as u64;
        let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ place.wrapping_mul(0xD134_2543_DE82_EF95);
        Self(Xoshiro256PlusPlus::seed_from_u64(mixed))
    }

    /// Uniform in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number in low..=high.
    pub(super) fn whole(&mut self, low: u32, high: u32) -> u32 {
        low + (self.unit() * f64::from(high - low + 1)) as u32
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the items, all alike.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[(self.unit() * items.len() as f64) as usize]
    }

    /// One of the items by weight.
    pub(super) fn weighted<T: Copy>(&mut self, items: &[(T, f64)]) -> T {
        let total: f64 = items.iter().map(|item| item.1).sum();
        let mut rest = self.unit() * total;
        for &(item, weight) in items {
            rest -= weight;
            if rest < 0.0 {
                return item;
            }
        }
        items[items.len() - 1].0
    }
}

//! Seeded random numbers: a stream of its own for every purpose.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The random number generator for one purpose under one seed, such as `"linear.weight"`. Purposes have
/// independent streams of one `ChaCha` key, so that a new tensor or a new use shifts no other's
/// numbers.
pub fn rng(seed: u64, purpose: &str) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(fnv1a(purpose));
    rng
}

/// The seed of one fold of a cross-validation from this seed. Folds draw from streams of their own: with one
/// for all of them every fold would begin with the same network, so that what a draw happens to be good for
/// would count ten times, and folds that swap test and validation speaker would be one and the same run.
pub fn seed_of_fold(seed: u64, fold: &str) -> u64 {
    rng(seed, &format!("fold {fold}")).next_u64()
}

/// The 64-bit FNV-1a hash, whose value is fixed for all time, unlike that of `std`'s hashers.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_agrees_with_the_published_vectors() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn every_fold_of_every_seed_has_a_seed_of_its_own() {
        let seeds = [(0, "03"), (0, "08"), (1, "03"), (1, "08")].map(|(s, f)| seed_of_fold(s, f));
        assert_eq!(seeds.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        // For all time, as the digests of what was trained from it.
        assert_eq!(seeds[0], 11_955_020_249_650_055_479);
    }

    #[test]
    fn seed_and_purpose_select_the_stream() {
        let first = |seed, purpose| rng(seed, purpose).next_u64();
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
        assert_ne!(first(1, "a"), first(2, "a"));
    }
}

//! The one step that every hash of a run is made of: fingerprints, the numbers of draws, obligations.

/// The two halves of a 128-bit product, folded: every bit of either factor reaches the middle bits.
///
/// ```
/// use eventflow::kernel::hash::multiply_fold;
/// assert_eq!(multiply_fold(1 << 63, 6), 3);
/// assert_eq!(multiply_fold(5, 7), 35);
/// ```
#[inline(always)]
pub fn multiply_fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

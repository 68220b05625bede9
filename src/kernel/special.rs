//! The transcendental functions that samplers need. `ln` and `exp` are FreeBSD msun's
//! algorithms with the special cases taken out: no branch is left, so that a loop over a block of
//! variates becomes vector code. The normal quantile stands on these.
//!
//! Law: every operation is exact by IEEE 754 (`+ − × ÷ sqrt`, bit moves) or comes from the pinned
//! `libm`, so the same argument gives the same bits on every platform.

/// Natural logarithm of a positive, normal, finite number; error below 1 ulp, and bit for bit what
/// `libm::log` gives.
///
/// Source: FreeBSD msun `e_log.c`: x = 2^k (1 + f) with 1 + f in [√½, √2), and a polynomial in
/// s = f / (2 + f).
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const L: [f64; 7] = [
        6.666_666_666_666_735e-1,
        3.999_999_999_940_942e-1,
        2.857_142_874_366_239e-1,
        2.222_219_843_214_978_4e-1,
        1.818_357_216_161_805e-1,
        1.531_383_769_920_937_3e-1,
        1.479_819_860_511_658_6e-1,
    ];
    const SQRT_HALF_BITS: u64 = 0x3FE6_A09E_0000_0000;
    const ONE_BITS: u64 = 0x3FF0_0000_0000_0000;
    const TWO_52_BITS: u64 = 0x4330_0000_0000_0000;
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    let shifted = x.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
    // The exponent as a float, by way of the mantissa of 2^52: SSE2 has no conversion of 64-bit integers.
    let k = f64::from_bits((shifted >> 52) | TWO_52_BITS) - (TWO_52 + 1023.0);
    let f = f64::from_bits((shifted & 0x000F_FFFF_FFFF_FFFF) + SQRT_HALF_BITS) - 1.0;
    let half_square = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * (L[1] + w * (L[3] + w * L[5]));
    let odd = z * (L[0] + w * (L[2] + w * (L[4] + w * L[6])));
    s * (half_square + (odd + even)) + k * LN_2_LOW - half_square + f + k * LN_2_HIGH
}

/// e^x, held within [e^-708, e^709] so that it is always finite and positive; error below 1 ulp.
///
/// Source: FreeBSD msun `e_exp.c`: x = k ln 2 + r with |r| ≤ ½ ln 2, and a rational function of r.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const P: [f64; 5] = [
        1.666_666_666_666_660_2e-1,
        -2.777_777_777_701_559e-3,
        6.613_756_321_437_934e-5,
        -1.653_390_220_546_525_2e-6,
        4.138_136_797_057_238_4e-8,
    ];
    // Added to a small number, it rounds to the nearest integer and leaves that in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let x = if x > 709.0 { 709.0 } else { x };
    let x = if x < -708.0 { -708.0 } else { x };
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let high = x - k * LN_2_HIGH;
    let low = k * LN_2_LOW;
    let r = high - low;
    let z = r * r;
    let c = r - z * (P[0] + z * (P[1] + z * (P[2] + z * (P[3] + z * P[4]))));
    let y = 1.0 + (r * c / (2.0 - c) - low + high);
    f64::from_bits(y.to_bits().wrapping_add(rounded.to_bits() << 52))
}

/// Distance from the middle within which the normal quantile is the central rational function.
const CENTRAL: f64 = 0.425;

/// Quantile of the standard normal at `lower`, where `upper` is 1 − `lower`; both in (0, 1).
///
/// Source: Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988) 477–484; about 16 digits.
#[inline(always)]
pub fn normal_quantile(lower: f64, upper: f64) -> f64 {
    let q = lower - 0.5;
    if normal_is_central(q) { normal_central(q) } else { normal_tail(lower, upper) }
}

/// Whether `lower − ½` is served by [`normal_central`].
#[inline(always)]
pub fn normal_is_central(q: f64) -> bool {
    q.abs() <= CENTRAL
}

/// The central part of AS 241, at q = `lower` − ½; right only where [`normal_is_central`].
#[inline(always)]
pub fn normal_central(q: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_855e3,
    ];
    let r = CENTRAL * CENTRAL - q * q;
    q * polynomial(&A, r) / polynomial(&B, r)
}

/// The tails of AS 241.
pub fn normal_tail(lower: f64, upper: f64) -> f64 {
    const C: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ];
    let tail = if lower < upper { lower } else { upper };
    let r = (-ln(tail)).sqrt();
    let z = if r <= 5.0 {
        polynomial(&C, r - 1.6) / polynomial(&D, r - 1.6)
    } else {
        polynomial(&E, r - 5.0) / polynomial(&F, r - 5.0)
    };
    if lower < upper { -z } else { z }
}

/// Probability that a standard normal is at most `z`; accurate in the lower tail.
pub fn normal_cumulative(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Horner's rule, lowest coefficient first.
#[inline(always)]
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    let mut sum = coefficients[7];
    for i in (0..7).rev() {
        sum = sum * x + coefficients[i];
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2,000 numbers spread over (0, 1), the ends among them.
    fn unit_numbers() -> impl Iterator<Item = f64> {
        (0..2_000)
            .map(|i| (f64::from(i) + 0.5) / 2_000.0)
            .chain([f64::EPSILON / 2.0, 1.0 - f64::EPSILON / 2.0])
    }

    fn assert_close(got: f64, wanted: f64, relative: f64) {
        assert!((got - wanted).abs() <= relative * wanted.abs(), "{got} is not {wanted}");
    }

    #[test]
    fn ln_gives_the_bits_of_libm() {
        for u in unit_numbers().flat_map(|u| [u, 1.0 / u, u * 1e-290, 1e300 * u]) {
            assert_eq!(ln(u).to_bits(), libm::log(u).to_bits(), "{u}");
        }
    }

    #[test]
    fn exp_is_within_an_ulp_and_never_leaves_the_finite_numbers() {
        for x in unit_numbers().map(|u| 1_400.0 * u - 700.0) {
            assert_close(exp(x), libm::exp(x), 2.0 * f64::EPSILON);
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f64::INFINITY) < f64::INFINITY && exp(f64::NEG_INFINITY) > 0.0);
    }

    /// Values computed with mpmath at 60 digits.
    #[test]
    fn normal_quantiles_agree_with_arbitrary_precision() {
        for (p, z) in [
            (1e-300, -37.047_096_299_361_2),
            (1e-16, -8.222_082_216_130_436),
            (1e-6, -4.753_424_308_822_899),
            (0.01, -2.326_347_874_040_841),
            (0.07, -1.475_791_028_179_170_7),
            (0.3, -0.524_400_512_708_040_8),
            (0.9, 1.281_551_565_544_600_5),
        ] {
            assert_close(normal_quantile(p, 1.0 - p), z, 2e-15);
            assert_close(normal_quantile(1.0 - p, p), -z, 2e-15);
        }
        assert_eq!(normal_quantile(0.5, 0.5), 0.0);
        for u in unit_numbers() {
            assert_close(normal_cumulative(normal_quantile(u, 1.0 - u)), u, 1e-13);
        }
    }
}

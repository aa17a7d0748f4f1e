//! Numbers that any language rebuilds bit for bit.

/// The uniform number `index` of a stream: SplitMix64, in [0, 1) with 24 bits.
pub(crate) fn unit(stream: u64, index: usize) -> f64 {
    let mut z = (index as u64 + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(stream.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z ^= z >> 30;
    z = z.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^= z >> 27;
    z = z.wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f64 / f64::from(1 << 24)
}

//! Files of weights that cannot be read.

/// What is wrong with a file of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// It ends too early, or its numbers are not as many as it says.
    Short,
    /// It is another kind of file, or of another version.
    Kind,
    /// It was made for other inputs or levels.
    Inputs,
    /// Its digest is not that of its content.
    Digest,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Damage::Short => "too short, or with numbers that are not finite",
            Damage::Kind => "not a file of weights of this version",
            Damage::Inputs => "made for other inputs or levels",
            Damage::Digest => "damaged: the digest does not fit",
        })
    }
}

//! The bundled data: Dominick's orange juice, part of the program.

/// How documents name the file.
pub(crate) const NAME: &str = "orange_juice.csv.gz (bundled)";

/// The file: CSV, gzip.
pub(crate) static FILE: &[u8] = include_bytes!("../data/orange_juice.csv.gz");

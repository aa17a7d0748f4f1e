//! The form in which models are saved: text that begins with its kind and version and ends with a digest of all before.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::error::Error;

const DIGEST: &str = "sha256 ";

/// Text with the line that ends a saved model: the digest of all before it.
///
/// ```
/// use hindsight_gpu::Error;
/// use hindsight_gpu::nn::saved;
/// let text = saved::seal("a level 1\n2.5e0\n".to_owned());
/// assert_eq!(saved::open("a level", 1, &text)?, ["a level 1", "2.5e0"]);
/// assert_eq!(saved::open("a level", 1, &text.replace("2.5", "3.5")), Err(Error::Corrupt));
/// assert_eq!(saved::open("a level", 2, &text), Err(Error::Version { found: "1".to_owned() }));
/// assert_eq!(saved::open("a slope", 1, &text), Err(Error::NotAModel { line: 1 }));
/// # Ok::<(), Error>(())
/// ```
#[must_use]
pub fn seal(text: String) -> String {
    let digest = digest(&text);
    text + DIGEST + &digest + "\n"
}

/// The lines of a text made by [`seal`], but for the last; the first must be the kind of model and the version of its form.
///
/// # Errors
/// Text of another kind or version, without a digest, or not as it was written.
pub fn open<'t>(kind: &str, version: u32, text: &'t str) -> Result<Vec<&'t str>, Error> {
    let title = text.lines().next().unwrap_or_default();
    let found = title
        .strip_prefix(kind)
        .and_then(|rest| rest.strip_prefix(' '))
        .ok_or(Error::NotAModel { line: 1 })?;
    if found != version.to_string() {
        return Err(Error::Version {
            found: found.to_owned(),
        });
    }
    let end = text.rfind(DIGEST).ok_or_else(|| Error::NotAModel {
        line: text.lines().count(),
    })?;
    let (body, last) = text.split_at(end);
    if last[DIGEST.len()..].trim() != digest(body) {
        return Err(Error::Corrupt);
    }
    Ok(body.lines().collect())
}

fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

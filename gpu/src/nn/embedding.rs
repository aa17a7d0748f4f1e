//! Tables of vectors, one for each class.

use crate::scalar::Scalar;

/// A vector of parameters for each of a number of classes: what a network reads of a token, a warehouse, a product's category.
///
/// ```
/// use hindsight_gpu::nn::Layout;
/// let mut layout = Layout::new();
/// let embedding = layout.embedding(3, 2);
/// let theta = [0.0_f64, 0.1, 1.0, 1.1, 2.0, 2.1]; // class by class
/// let mut vector = Vec::new();
/// embedding.apply(&theta, 1.0, &mut vector);
/// assert_eq!(vector, [1.0, 1.1]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Embedding {
    first: usize,
    classes: usize,
    width: usize,
}

impl Embedding {
    pub(super) fn at(first: usize, classes: usize, width: usize) -> Self {
        Embedding {
            first,
            classes,
            width,
        }
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The numbers of a vector.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The vectors among the parameters, class by class.
    pub fn table_mut<'p, T>(&self, params: &'p mut [T]) -> &'p mut [T] {
        &mut params[self.first..self.first + self.classes * self.width]
    }

    /// Appends the vector of class `index`, which is read as in [`Scalar::pick`]: an index that names no class gives NaN.
    pub fn apply<S: Scalar>(&self, params: &[S], index: S, out: &mut Vec<S>) {
        let table = &params[self.first..][..self.classes * self.width];
        if self.width > 0 {
            S::lookup(table, self.width, index, out);
        }
    }
}

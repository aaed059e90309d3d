//! One layer of a transformer's encoder: attention and two fully connected layers, each added to its
//! input, with a normalisation before or after.

use crate::EncoderError;
use crate::activation::Gelu;
use crate::attention::Attention;
use crate::linear::Linear;
use crate::norm::LayerNorm;
use crate::rows::add;
use crate::scope::Scope;

/// Sizes of a layer, and what its modules are called in a file.
pub(crate) struct Form {
    pub(crate) width: usize,
    pub(crate) heads: usize,
    /// Outputs of the first fully connected layer.
    pub(crate) inner: usize,
    /// Added by the normalisations to the variance.
    pub(crate) eps: f64,
    /// Whether the normalisations are before what they belong to.
    pub(crate) is_norm_first: bool,
    pub(crate) attention: &'static str,
    /// The normalisation of the attention, then that of the fully connected layers.
    pub(crate) norms: [&'static str; 2],
    pub(crate) dense: [&'static str; 2],
}

/// A layer, whose norms are before or after what they belong to.
#[derive(Debug)]
pub(crate) struct Layer {
    attention: Attention,
    norms: [LayerNorm; 2],
    inner: Linear,
    outer: Linear,
    is_norm_first: bool,
}

impl Layer {
    /// The layer of the modules that `form` names.
    pub(crate) fn read(scope: &Scope, form: &Form) -> Result<Self, EncoderError> {
        let (width, inner) = (form.width, form.inner);
        let norm = |name: &str| LayerNorm::read(&scope.at(name), width, form.eps);
        Ok(Self {
            attention: Attention::read(&scope.at(form.attention), width, form.heads)?,
            norms: [norm(form.norms[0])?, norm(form.norms[1])?],
            inner: Linear::read(&scope.at(form.dense[0]), width, inner)?,
            outer: Linear::read(&scope.at(form.dense[1]), inner, width)?,
            is_norm_first: form.is_norm_first,
        })
    }

    /// The layer's frames × width. `bias` may add to the scores of a query, by its head and number, for
    /// every key; it is handed the frames that attention sees.
    pub(crate) fn apply(
        &self,
        frames: &[f32],
        bias: impl Fn(&mut [f32], [usize; 2], &[f32]) + Sync,
    ) -> Vec<f32> {
        let attend = |x: &[f32]| {
            self.attention.apply(x, |head, query, scores| bias(scores, [head, query], x))
        };
        let attended = self.part(frames, 0, attend);
        self.part(&attended, 1, |x| self.dense(x))
    }

    /// `x + f(norm(x))`, or `norm(x + f(x))`.
    fn part(&self, x: &[f32], norm: usize, f: impl Fn(&[f32]) -> Vec<f32>) -> Vec<f32> {
        let norm = &self.norms[norm];
        if self.is_norm_first {
            let mut out = f(&norm.of(x));
            add(&mut out, x);
            return out;
        }
        let mut out = f(x);
        add(&mut out, x);
        norm.apply(&mut out);
        out
    }

    fn dense(&self, x: &[f32]) -> Vec<f32> {
        self.outer.apply(&self.inner.apply(x, Gelu), ())
    }
}

//! What losses are made of, in the same bits on every machine: exponentials and logarithms are
//! candle's own by the C library of the system, and its sums in an order of the processor's.

use candle_core::{CpuStorage, CustomOp1, D, DType, Layout, Result, Shape, Tensor, bail};

/// `log(eᶻᵢ / Σ_j eᶻⱼ)` along the last dimension of `logits`, which is short.
pub fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let top = logits.detach().max_keepdim(D::Minus1)?;
    let logits = logits.broadcast_sub(&top)?;
    let total = logits.apply_op1(Function::Exp)?.sum_keepdim(D::Minus1)?;
    logits.broadcast_sub(&total.apply_op1(Function::Log)?)
}

/// `eˣ` of every value.
pub fn exp(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Function::Exp)
}

/// The natural logarithm of every value.
pub fn log(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Function::Log)
}

/// `ln(1 + eᶻ)` of every value: max(z, 0) + ln(1 + e^−|z|), which no z overflows.
pub fn softplus(z: &Tensor) -> Result<Tensor> {
    let tail = z.abs()?.neg()?.apply_op1(Function::Exp)?.affine(1.0, 1.0)?;
    z.relu()? + tail.apply_op1(Function::Log)?
}

/// The mean over all values, a scalar of `f64`: they are added one after the other.
pub fn mean(values: &Tensor) -> Result<Tensor> {
    let count = values.elem_count();
    let column = values.to_dtype(DType::F64)?.reshape((count, 1))?;
    column.sum(0)?.squeeze(0)? / count as f64
}

/// A function of each value by itself.
#[derive(Clone, Copy)]
enum Function {
    Exp,
    Log,
}

impl Function {
    fn single(self, x: &[f32]) -> Vec<f32> {
        let function = match self {
            Self::Exp => libm::expf,
            Self::Log => libm::logf,
        };
        x.iter().copied().map(function).collect()
    }

    fn double(self, x: &[f64]) -> Vec<f64> {
        let function = match self {
            Self::Exp => libm::exp,
            Self::Log => libm::log,
        };
        x.iter().copied().map(function).collect()
    }
}

impl CustomOp1 for Function {
    fn name(&self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Log => "log",
        }
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Some((from, to)) = layout.contiguous_offsets() else {
            bail!("{} is of contiguous values", self.name())
        };
        let values = match x {
            CpuStorage::F32(x) => CpuStorage::F32(self.single(&x[from..to])),
            CpuStorage::F64(x) => CpuStorage::F64(self.double(&x[from..to])),
            _ => bail!("{} is of f32 and f64", self.name()),
        };
        Ok((values, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        match self {
            Self::Exp => gradient.mul(y),
            Self::Log => gradient.div(x),
        }
        .map(Some)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn gradient(of: impl Fn(&Tensor) -> Result<Tensor>, at: &[f32]) -> Vec<f32> {
        let x = Var::from_slice(at, (at.len() / 2, 2), &Device::Cpu).unwrap();
        let store = of(&x).unwrap().sum_all().unwrap().backward().unwrap();
        store.get(&x).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn log_softmax_and_its_gradient_are_those_of_the_definition() {
        let first = |x: &Tensor| log_softmax(x)?.narrow(1, 0, 1);
        let x = Tensor::new(&[[0.5_f32, -1.0], [1000.0, -1000.0]], &Device::Cpu).unwrap();
        let values = first(&x).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!((values[0] + 1.5_f32.exp().recip().ln_1p()).abs() < 1e-6, "{values:?}");
        assert_eq!(values[1], 0.0);
        let of_second = 1.0 / (1.0 + 1.5_f32.exp());
        let found = gradient(first, &[0.5, -1.0]);
        for (found, expected) in found.iter().zip([of_second, -of_second]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn the_gradient_of_softplus_is_the_logistic_function() {
        let points = [-200.0, -1.5, 0.25, 80.0];
        for (&z, found) in points.iter().zip(gradient(softplus, &points)) {
            let expected = 1.0 / (1.0 + (-f64::from(z)).exp());
            assert!((f64::from(found) - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn a_mean_has_equal_gradients_and_no_rounding_of_its_own() {
        let values = [1e8_f32, 1.0, -1e8, 2.0];
        let x = Tensor::new(&values, &Device::Cpu).unwrap();
        assert_eq!(mean(&x).unwrap().to_scalar::<f64>().unwrap(), 0.75);
        assert_eq!(gradient(mean, &values), [0.25; 4]);
    }
}

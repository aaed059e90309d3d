//! The values of a network's parameters, apart from the network.

use candle_core::{Device, Result, Tensor, Var};
use serde::{Deserialize, Serialize};

/// The values of some variables, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameters(Vec<Vec<f32>>);

impl Parameters {
    /// Those that variables have now.
    pub fn of(variables: &[Var]) -> Result<Self> {
        let values = |variable: &Var| variable.flatten_all()?.to_vec1::<f32>();
        variables.iter().map(values).collect::<Result<_>>().map(Self)
    }

    /// The means of several, value by value, summed in 64 bit. `None` where there are none, or of unlike sizes.
    pub fn mean(all: &[Self]) -> Option<Self> {
        let sizes = |one: &Self| one.0.iter().map(Vec::len).collect::<Vec<_>>();
        let first = all.first().map(sizes)?;
        let of = |variable: usize, at: usize| {
            let sum: f64 = all.iter().map(|one| f64::from(one.0[variable][at])).sum();
            (sum / all.len() as f64) as f32
        };
        let values =
            |(variable, &size): (usize, &usize)| (0..size).map(|at| of(variable, at)).collect();
        let alike = all.iter().all(|one| sizes(one) == first);
        alike.then(|| Self(first.iter().enumerate().map(values).collect()))
    }

    /// Gives them to variables; whether they fit.
    pub fn put_into(self, variables: &[Var]) -> Result<bool> {
        let fits = variables.iter().map(|v| v.elem_count()).eq(self.0.iter().map(Vec::len));
        if fits {
            for (variable, values) in variables.iter().zip(self.0) {
                variable.set(&Tensor::from_vec(values, variable.shape(), &Device::Cpu)?)?;
            }
        }
        Ok(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_of_values_and_of_like_sizes_alone() {
        let of = |values: [f32; 2]| Parameters(vec![vec![values[0]], vec![values[1]]]);
        let mean = Parameters::mean(&[of([1.0, -2.0]), of([4.0, 4.0]), of([1.0, 1.0])]);
        assert_eq!(mean, Some(of([2.0, 1.0])));
        assert_eq!(Parameters::mean(&[of([1.0, 2.0]), Parameters(vec![vec![1.0]])]), None);
        assert_eq!(Parameters::mean(&[]), None);
    }
}

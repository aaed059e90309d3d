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

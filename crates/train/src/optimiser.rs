//! Adam with gradients limited in length.

use ambivox_settings::TrainingSettings;
use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

/// Adam (Kingma and Ba 2015) with its published constants, on a fixed list of variables.
#[derive(Debug)]
pub(crate) struct Optimiser {
    adam: AdamW,
    variables: Vec<Var>,
    longest_gradient: f64,
}

impl Optimiser {
    pub(crate) fn new(variables: Vec<Var>, settings: &TrainingSettings) -> Result<Self> {
        let params = ParamsAdamW {
            lr: settings.learning_rate,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
        };
        let adam = AdamW::new(variables.clone(), params)?;
        Ok(Self { adam, variables, longest_gradient: settings.gradient_clip })
    }

    /// One step down the gradient of a scalar loss.
    pub(crate) fn step(&mut self, loss: &Tensor) -> Result<()> {
        let mut gradients = loss.backward()?;
        if self.longest_gradient > 0.0 {
            shorten(&mut gradients, &self.variables, self.longest_gradient)?;
        }
        self.adam.step(&gradients)
    }
}

/// Scales all gradients alike so that their common Euclidean norm is at most `longest`.
fn shorten(gradients: &mut GradStore, variables: &[Var], longest: f64) -> Result<()> {
    let norm = norm(gradients, variables)?;
    if norm <= longest {
        return Ok(());
    }
    for variable in variables {
        if let Some(gradient) = gradients.remove(variable) {
            gradients.insert(variable, (gradient * (longest / norm))?);
        }
    }
    Ok(())
}

fn norm(gradients: &GradStore, variables: &[Var]) -> Result<f64> {
    let mut squares = 0.0;
    for gradient in variables.iter().filter_map(|variable| gradients.get(variable)) {
        let values = gradient.flatten_all()?.to_vec1::<f32>()?;
        squares += values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
    }
    Ok(squares.sqrt())
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn settings(gradient_clip: f64) -> TrainingSettings {
        TrainingSettings {
            seeds: vec![],
            batch_size: 1,
            learning_rate: 0.1,
            gradient_clip,
            max_epochs: 1,
            patience: 1,
        }
    }

    fn variables() -> Vec<Var> {
        let var = |values: &[f32]| Var::new(values, &Device::Cpu).unwrap();
        vec![var(&[3.0, 0.0]), var(&[4.0])]
    }

    /// Half the sum of squares, whose gradient is the variable itself.
    fn loss(variables: &[Var]) -> Tensor {
        let square = |v: &Var| v.sqr().unwrap().sum_all().unwrap();
        ((square(&variables[0]) + square(&variables[1])).unwrap() * 0.5).unwrap()
    }

    #[test]
    fn long_gradients_are_scaled_together() {
        let variables = variables();
        let mut gradients = loss(&variables).backward().unwrap();
        assert_eq!(norm(&gradients, &variables).unwrap(), 5.0);
        shorten(&mut gradients, &variables, 1.0).unwrap();
        assert!((norm(&gradients, &variables).unwrap() - 1.0).abs() < 1e-6);
        let second = gradients.get(&variables[1]).unwrap().to_vec1::<f32>().unwrap();
        assert!((second[0] - 0.8).abs() < 1e-6);
    }

    #[test]
    fn short_gradients_are_left_alone() {
        let variables = variables();
        let mut gradients = loss(&variables).backward().unwrap();
        shorten(&mut gradients, &variables, 6.0).unwrap();
        assert_eq!(norm(&gradients, &variables).unwrap(), 5.0);
    }

    /// Adam's first step is the learning rate times the gradient's sign, wherever it is not tiny.
    #[test]
    fn first_step_of_adam_is_known() {
        let variables = variables();
        let mut optimiser = Optimiser::new(variables.clone(), &settings(0.0)).unwrap();
        optimiser.step(&loss(&variables)).unwrap();
        let first = variables[0].to_vec1::<f32>().unwrap();
        assert!((first[0] - 2.9).abs() < 1e-6 && first[1] == 0.0, "{first:?}");
        assert!((variables[1].to_vec1::<f32>().unwrap()[0] - 3.9).abs() < 1e-6);
    }
}

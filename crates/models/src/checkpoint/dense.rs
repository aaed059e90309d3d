//! Fully connected layers in a checkpoint.

use ambivox_nn::{Dense, Layer};

use super::{Fault, LARGEST, NamedTensor, Tensors, values};

/// Their tensors, `0.weight`, `0.bias` and so on.
pub(crate) fn tensors(dense: &Dense) -> candle_core::Result<Vec<NamedTensor>> {
    let mut named = Vec::new();
    for (number, Layer { weight, bias }) in dense.layers.iter().enumerate() {
        let [weight_name, bias_name] = names(number);
        named.push((weight_name, weight.dims().to_vec(), values(weight)?));
        named.push((bias_name, bias.dims().to_vec(), values(bias)?));
    }
    Ok(named)
}

/// Layers of these widths, inputs first.
pub(crate) fn read(tensors: &Tensors<'_>, widths: &[usize], leak: f64) -> Result<Dense, Fault> {
    if !(0.0..1.0).contains(&leak) {
        return Err(format!("leak: {leak}; expected from 0 to below 1"));
    }
    if let Some(width) = widths.iter().find(|width| !(1..=LARGEST).contains(*width)) {
        return Err(format!("a layer has {width} values; expected from 1 to {LARGEST}"));
    }
    let layer = |(number, pair): (usize, &[usize])| {
        let [weight, bias] = names(number);
        Ok(Layer {
            weight: tensors.var(&weight, &[pair[1], pair[0]])?,
            bias: tensors.var(&bias, &pair[1..])?,
        })
    };
    let layers = widths.windows(2).enumerate().map(layer).collect::<Result<_, Fault>>()?;
    Ok(Dense { layers, leak })
}

/// Units of the layers between the first inputs and the last outputs.
pub(crate) fn hidden(dense: &Dense) -> Vec<usize> {
    let units = dense.layers.iter().map(|layer| layer.bias.elem_count());
    units.take(dense.layers.len() - 1).collect()
}

fn names(layer: usize) -> [String; 2] {
    ["weight", "bias"].map(|name| format!("{layer}.{name}"))
}

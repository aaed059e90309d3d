//! The encoder's passes forward and back as products and launches.

use candle_core::{Error, Result};

use super::{Argument, Factor, Gpu, Part, PartMut, Shape};
use crate::dropout::{Layer, Mask};
use crate::op::Call;
use crate::{NnError, Packing};

/// Lanes of a warp; blocks are multiples of it.
const WARP: usize = 32;
/// Most threads of a block of the recurrence, as the kernels' launch bounds.
const MOST_THREADS: usize = 512;
/// Utterances that a block of the recurrence owns: `UTTERANCES` in `kernels/recurrence.cuh`.
const UTTERANCES: usize = 2;
/// Rows that a block adds: `SUM_ROWS` in `kernels/dense.cuh`.
const SUM_ROWS: usize = 256;
/// Rows it reads at a time: `SUM_LANES`.
const SUM_LANES: usize = 8;
/// Shared memory that every GPU gives a block unasked.
const SHARED_BYTES: usize = 48 << 10;
/// Values of shared memory per unit in the recurrence, forward and back.
const AHEAD_VALUES: usize = 6 * UTTERANCES;
const BACK_VALUES: usize = 9 * UTTERANCES;

/// The operator's tensors, contiguous.
pub(crate) struct Inputs<'a, F> {
    /// `[frames, inputs]`.
    pub(crate) frames: Part<'a, F>,
    /// Parameters, as [`crate::Dims::tensors`].
    pub(crate) theta: Part<'a, F>,
    /// `[2·lstm]`.
    pub(crate) attention: Part<'a, F>,
}

/// What the pass forward computed and the gradient needs.
pub(crate) struct Forward<G: Gpu> {
    call: Call,
    batch: Batch<G>,
    activations: G::Floats,
    gates: G::Floats,
    cells: G::Floats,
    hidden: G::Floats,
    /// Attention weights of every row.
    weights: G::Floats,
}

/// Gradients of the parameters.
pub(crate) struct Gradients<G: Gpu> {
    /// Of the flat tensor.
    pub(crate) theta: G::Floats,
    /// Of the attention vector, `[2·lstm]`.
    pub(crate) attention: G::Floats,
}

/// A packing on the device.
struct Batch<G: Gpu> {
    offsets: G::Indices,
    lengths: G::Indices,
    order: G::Indices,
}

impl<G: Gpu> Batch<G> {
    fn new(gpu: &G, packing: &Packing) -> Result<Self> {
        let narrow = |values: &[usize]| values.iter().map(|&x| x as u32).collect::<Vec<_>>();
        Ok(Self {
            offsets: gpu.indices(&narrow(packing.offsets()))?,
            lengths: gpu.indices(&narrow(packing.lengths()))?,
            order: gpu.indices(&narrow(packing.order()))?,
        })
    }
}

type Arguments<'a, G> = Vec<Argument<'a, <G as Gpu>::Floats, <G as Gpu>::Indices>>;

fn read<F, I>(memory: &F, length: usize) -> Argument<'_, F, I> {
    Argument::Read(Part { memory, range: 0..length })
}

fn write<F, I>(memory: &mut F, length: usize) -> Argument<'_, F, I> {
    Argument::Write(PartMut { memory, range: 0..length })
}

fn count<F, I>(value: usize) -> Argument<'static, F, I> {
    Argument::Count(value as u32)
}

/// Threads for work on this many values at a time.
fn threads(values: usize) -> [usize; 2] {
    [values.next_multiple_of(WARP).min(MOST_THREADS), 1]
}

/// One block per row.
fn by_row(rows: usize, width: usize) -> Shape {
    Shape { blocks: [rows, 1], threads: threads(width), shared: 0 }
}

/// Sizes that recur.
#[derive(Clone, Copy)]
struct Sizes {
    frames: usize,
    utterances: usize,
    units: usize,
}

impl Sizes {
    fn new(call: &Call) -> Self {
        let Call { dims, packing, .. } = call;
        Self { frames: packing.frames(), utterances: packing.utterances(), units: dims.lstm }
    }

    /// Values of a state in one direction.
    fn plane(self) -> usize {
        self.frames * self.units
    }

    /// Values of both directions' outputs for every utterance.
    fn pooled(self) -> usize {
        self.utterances * 2 * self.units
    }

    /// The recurrence: a block per direction and group of utterances.
    fn recurrence(self, values_per_unit: usize) -> Shape {
        Shape {
            blocks: [self.utterances.div_ceil(UTTERANCES), 2],
            threads: threads(4 * self.units),
            shared: values_per_unit * self.units * size_of::<f32>(),
        }
    }

    /// Attention: a block per utterance.
    fn attention(self) -> Shape {
        Shape {
            blocks: [self.utterances, 1],
            threads: threads(2 * self.units),
            shared: 2 * WARP * size_of::<f64>(),
        }
    }
}

/// What both kernels of attention take at their end.
fn attention_arguments<'a, G: Gpu>(call: &Call, batch: &'a Batch<G>) -> Arguments<'a, G> {
    let sizes = Sizes::new(call);
    let masks = [Layer::Forward, Layer::Backward].map(|layer| Mask::new(call.dropout, layer));
    vec![
        Argument::Indices(&batch.offsets),
        Argument::Indices(&batch.lengths),
        Argument::Indices(&batch.order),
        count(sizes.utterances),
        count(sizes.frames),
        count(sizes.units),
        Argument::Key(masks[0].key()),
        Argument::Key(masks[1].key()),
        Argument::Count(masks[0].threshold()),
        Argument::Real(masks[0].scale() as f32),
    ]
}

/// What both kernels of the recurrence take at their end.
fn recurrence_arguments<'a, G: Gpu>(call: &Call, batch: &'a Batch<G>) -> Arguments<'a, G> {
    let sizes = Sizes::new(call);
    vec![
        count(call.dims.direction_parameters()),
        Argument::Indices(&batch.offsets),
        Argument::Indices(&batch.lengths),
        count(sizes.utterances),
        count(sizes.frames),
        count(sizes.units),
    ]
}

impl<G: Gpu> Forward<G> {
    /// Runs the encoder; returns what the gradient needs, and the pooled vectors
    /// `[utterances, 2·lstm]` in the caller's order.
    pub(crate) fn run(
        gpu: &G,
        call: Call,
        inputs: &Inputs<'_, G::Floats>,
    ) -> Result<(Self, G::Floats)> {
        check(&call)?;
        let sizes = Sizes::new(&call);
        let batch = Batch::new(gpu, &call.packing)?;
        let activations = linear(gpu, &call, inputs)?;
        let mut forward = Self {
            gates: project(gpu, &call, &activations, inputs)?,
            cells: gpu.floats(2 * sizes.plane())?,
            hidden: gpu.floats(2 * sizes.plane())?,
            weights: gpu.floats(sizes.frames)?,
            activations,
            batch,
            call,
        };
        forward.recur(gpu, inputs)?;
        let pooled = forward.pool(gpu, inputs)?;
        Ok((forward, pooled))
    }

    fn recur(&mut self, gpu: &G, inputs: &Inputs<'_, G::Floats>) -> Result<()> {
        let sizes = Sizes::new(&self.call);
        let recurrent = transposed_recurrent(gpu, &self.call, inputs)?;
        let slots = [0, 1].map(|direction| self.call.dims.direction_slots(direction).bias);
        let bias = inputs.theta.slice(slots[0].start..slots[1].end);
        let mut arguments = vec![
            write(&mut self.gates, 8 * sizes.plane()),
            write(&mut self.cells, 2 * sizes.plane()),
            write(&mut self.hidden, 2 * sizes.plane()),
            read(&recurrent, 8 * sizes.units * sizes.units),
            Argument::Read(bias),
        ];
        arguments.extend(recurrence_arguments(&self.call, &self.batch));
        gpu.launch("lstm_ahead", sizes.recurrence(AHEAD_VALUES), arguments)
    }

    fn pool(&mut self, gpu: &G, inputs: &Inputs<'_, G::Floats>) -> Result<G::Floats> {
        let sizes = Sizes::new(&self.call);
        let mut pooled = gpu.floats(sizes.pooled())?;
        let mut arguments = vec![
            write(&mut self.weights, sizes.frames),
            write(&mut pooled, sizes.pooled()),
            read(&self.hidden, 2 * sizes.plane()),
            Argument::Read(inputs.attention.clone()),
        ];
        arguments.extend(attention_arguments(&self.call, &self.batch));
        gpu.launch("attend", sizes.attention(), arguments)?;
        Ok(pooled)
    }

    /// Attention weights of every row.
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "inference on a GPU asks for it"))]
    pub(crate) fn weights(&self, gpu: &G) -> Result<Vec<f32>> {
        gpu.read(&self.weights)
    }

    /// Gradients of all parameters; `pooled` is the gradient of the result, `[utterances, 2·lstm]`
    /// in the caller's order.
    pub(crate) fn back(
        mut self,
        gpu: &G,
        inputs: &Inputs<'_, G::Floats>,
        pooled: Part<'_, G::Floats>,
    ) -> Result<Gradients<G>> {
        let (outputs, attention) = self.attention_back(gpu, inputs, pooled)?;
        let before = self.recurrence_back(gpu, inputs, &outputs)?;
        let theta = self.parameters_back(gpu, inputs, &before)?;
        Ok(Gradients { theta, attention })
    }

    /// Gradients of the outputs, `[2, frames, lstm]`, and of the attention vector.
    fn attention_back(
        &self,
        gpu: &G,
        inputs: &Inputs<'_, G::Floats>,
        pooled: Part<'_, G::Floats>,
    ) -> Result<(G::Floats, G::Floats)> {
        let sizes = Sizes::new(&self.call);
        let mut outputs = gpu.floats(2 * sizes.plane())?;
        let mut shares = gpu.floats(sizes.pooled())?;
        let mut scores = gpu.floats(sizes.frames)?;
        let mut arguments = vec![
            write(&mut outputs, 2 * sizes.plane()),
            write(&mut shares, sizes.pooled()),
            write(&mut scores, sizes.frames),
            read(&self.weights, sizes.frames),
            Argument::Read(pooled),
            read(&self.hidden, 2 * sizes.plane()),
            Argument::Read(inputs.attention.clone()),
        ];
        arguments.extend(attention_arguments(&self.call, &self.batch));
        gpu.launch("attend_back", sizes.attention(), arguments)?;
        let width = 2 * sizes.units;
        let mut attention = gpu.floats(width)?;
        let shares = Part { memory: &shares, range: 0..sizes.pooled() };
        sum_rows(gpu, PartMut { memory: &mut attention, range: 0..width }, shares, width)?;
        Ok((outputs, attention))
    }

    /// Turns the activated gates into gradients of their sums; returns the output that every row
    /// started from, `[2, frames, lstm]`.
    fn recurrence_back(
        &mut self,
        gpu: &G,
        inputs: &Inputs<'_, G::Floats>,
        outputs: &G::Floats,
    ) -> Result<G::Floats> {
        let sizes = Sizes::new(&self.call);
        let slots = [0, 1].map(|direction| self.call.dims.direction_slots(direction).recurrent);
        let recurrent = inputs.theta.slice(slots[0].start..slots[1].end);
        let mut before = gpu.floats(2 * sizes.plane())?;
        let mut arguments = vec![
            write(&mut self.gates, 8 * sizes.plane()),
            write(&mut before, 2 * sizes.plane()),
            read(&self.cells, 2 * sizes.plane()),
            read(&self.hidden, 2 * sizes.plane()),
            read(outputs, 2 * sizes.plane()),
            Argument::Read(recurrent),
        ];
        arguments.extend(recurrence_arguments(&self.call, &self.batch));
        gpu.launch("lstm_back", sizes.recurrence(BACK_VALUES), arguments)?;
        Ok(before)
    }

    /// The flat gradient, from those of the gates.
    fn parameters_back(
        &self,
        gpu: &G,
        inputs: &Inputs<'_, G::Floats>,
        before: &G::Floats,
    ) -> Result<G::Floats> {
        let (dims, sizes) = (self.call.dims, Sizes::new(&self.call));
        let mut theta = gpu.floats(dims.parameters())?;
        let mut linear = gpu.floats(sizes.frames * dims.linear)?;
        for direction in 0..2 {
            let plane = direction * sizes.plane()..(direction + 1) * sizes.plane();
            let gates = Part { memory: &self.gates, range: 4 * plane.start..4 * plane.end };
            let before = Part { memory: before, range: plane };
            self.direction_back(gpu, direction, &gates, before, &mut theta)?;
            let out = PartMut { memory: &mut linear, range: 0..sizes.frames * dims.linear };
            let weights = inputs.theta.slice(dims.direction_slots(direction).input);
            let weights = Factor::new(weights, dims.linear);
            gpu.multiply(out, Factor::new(gates, 4 * sizes.units), weights, direction == 1)?;
        }
        self.linear_back(gpu, inputs, linear, &mut theta)?;
        Ok(theta)
    }

    /// One direction's gradients into `theta`, from those of its gates.
    fn direction_back(
        &self,
        gpu: &G,
        direction: usize,
        gates: &Part<'_, G::Floats>,
        before: Part<'_, G::Floats>,
        theta: &mut G::Floats,
    ) -> Result<()> {
        let (dims, frames) = (self.call.dims, self.call.packing.frames());
        let slots = dims.direction_slots(direction);
        let activations = Part { memory: &self.activations, range: 0..frames * dims.linear };
        let width = 4 * dims.lstm;
        for (range, right) in [
            (slots.input, Factor::new(activations, dims.linear)),
            (slots.recurrent, Factor::new(before, dims.lstm)),
        ] {
            let left = Factor::new(gates.clone(), width).transposed();
            gpu.multiply(PartMut { memory: &mut *theta, range }, left, right, false)?;
        }
        sum_rows(gpu, PartMut { memory: theta, range: slots.bias }, gates.clone(), width)
    }

    /// The fully connected layer's gradients into `theta`, from that of its dropped activations.
    fn linear_back(
        &self,
        gpu: &G,
        inputs: &Inputs<'_, G::Floats>,
        mut gradient: G::Floats,
        theta: &mut G::Floats,
    ) -> Result<()> {
        let (dims, frames) = (self.call.dims, self.call.packing.frames());
        let size = frames * dims.linear;
        let arguments = vec![
            write(&mut gradient, size),
            read(&self.activations, size),
            count(dims.linear),
            Argument::Real(Mask::new(self.call.dropout, Layer::Linear).scale() as f32),
        ];
        gpu.launch("activate_back", by_row(frames, dims.linear), arguments)?;
        let gradient = Part { memory: &gradient, range: 0..size };
        let (weight, bias) = dims.linear_slots();
        let left = Factor::new(gradient.clone(), dims.linear).transposed();
        let right = Factor::new(inputs.frames.clone(), dims.inputs);
        gpu.multiply(PartMut { memory: theta, range: weight }, left, right, false)?;
        sum_rows(gpu, PartMut { memory: theta, range: bias }, gradient, dims.linear)
    }
}

/// Whether the kernels have such masks, and the states of a block of the recurrence fit its shared memory.
fn check(call: &Call) -> Result<()> {
    if call.dropout.is_some_and(|dropout| dropout.by_utterance) {
        return Err(Error::wrap(NnError::MaskByUtteranceOnGpu));
    }
    let units = call.dims.lstm;
    let limit = SHARED_BYTES / (BACK_VALUES * size_of::<f32>());
    if units > limit {
        return Err(Error::wrap(NnError::TooWideForGpu { units, limit }));
    }
    Ok(())
}

/// The fully connected layer with ReLU and dropout: `[frames, linear]`.
fn linear<G: Gpu>(gpu: &G, call: &Call, inputs: &Inputs<'_, G::Floats>) -> Result<G::Floats> {
    let (dims, frames) = (call.dims, call.packing.frames());
    let (weight, bias) = dims.linear_slots();
    let size = frames * dims.linear;
    let mut activations = gpu.floats(size)?;
    let left = Factor::new(inputs.frames.clone(), dims.inputs);
    let right = Factor::new(inputs.theta.slice(weight), dims.inputs).transposed();
    gpu.multiply(PartMut { memory: &mut activations, range: 0..size }, left, right, false)?;
    let mask = Mask::new(call.dropout, Layer::Linear);
    let arguments = vec![
        write(&mut activations, size),
        Argument::Read(inputs.theta.slice(bias)),
        count(dims.linear),
        Argument::Key(mask.key()),
        Argument::Count(mask.threshold()),
        Argument::Real(mask.scale() as f32),
    ];
    gpu.launch("activate", by_row(frames, dims.linear), arguments)?;
    Ok(activations)
}

/// Input projections of both directions, without bias: `[2, frames, 4·lstm]`.
fn project<G: Gpu>(
    gpu: &G,
    call: &Call,
    activations: &G::Floats,
    inputs: &Inputs<'_, G::Floats>,
) -> Result<G::Floats> {
    let (dims, frames) = (call.dims, call.packing.frames());
    let size = frames * 4 * dims.lstm;
    let mut gates = gpu.floats(2 * size)?;
    for direction in 0..2 {
        let out = PartMut { memory: &mut gates, range: direction * size..(direction + 1) * size };
        let left = Part { memory: activations, range: 0..frames * dims.linear };
        let weight = inputs.theta.slice(dims.direction_slots(direction).input);
        let right = Factor::new(weight, dims.linear).transposed();
        gpu.multiply(out, Factor::new(left, dims.linear), right, false)?;
    }
    Ok(gates)
}

/// Recurrent weights as the step forward reads them: `[2, lstm, 4·lstm]`.
fn transposed_recurrent<G: Gpu>(
    gpu: &G,
    call: &Call,
    inputs: &Inputs<'_, G::Floats>,
) -> Result<G::Floats> {
    let units = call.dims.lstm;
    let size = 4 * units * units;
    let mut recurrent = gpu.floats(2 * size)?;
    for direction in 0..2 {
        let range = direction * size..(direction + 1) * size;
        let arguments = vec![
            Argument::Write(PartMut { memory: &mut recurrent, range }),
            Argument::Read(inputs.theta.slice(call.dims.direction_slots(direction).recurrent)),
            count(units),
        ];
        gpu.launch("transpose", by_row(4 * units, units), arguments)?;
    }
    Ok(recurrent)
}

/// Sum of the rows of a `[rows, width]` matrix, in a fixed order.
fn sum_rows<G: Gpu>(
    gpu: &G,
    out: PartMut<'_, G::Floats>,
    matrix: Part<'_, G::Floats>,
    width: usize,
) -> Result<()> {
    let rows = matrix.range.len() / width;
    let pieces = rows.div_ceil(SUM_ROWS);
    let shape = Shape {
        blocks: [width.div_ceil(WARP), pieces],
        threads: [WARP, SUM_LANES],
        shared: WARP * SUM_LANES * size_of::<f64>(),
    };
    let arguments =
        |out, matrix| vec![Argument::Write(out), Argument::Read(matrix), count(rows), count(width)];
    if pieces == 1 {
        return gpu.launch("sum_rows", shape, arguments(out, matrix));
    }
    let mut sums = gpu.floats(pieces * width)?;
    let range = 0..pieces * width;
    let part = PartMut { memory: &mut sums, range: range.clone() };
    gpu.launch("sum_rows", shape, arguments(part, matrix))?;
    sum_rows(gpu, out, Part { memory: &sums, range }, width)
}

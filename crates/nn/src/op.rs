//! The encoder as a candle operator.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{
    CpuStorage, CustomOp3, DType, Device, Layout, Result, Shape, Storage, Tensor, WithDType,
};

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;

use crate::arena::Arena;
use crate::forward::Forward;
use crate::real::Real;
use crate::{Dims, Dropout, NnError, Packing};

/// What one call of the operator depends on besides its tensors.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) dims: Dims,
    pub(crate) packing: Arc<Packing>,
    pub(crate) dropout: Option<Dropout>,
}

/// Buffers of both number types; most encoders only ever use one.
#[derive(Debug, Default, Clone)]
struct Arenas {
    single: Arc<Arena<f32>>,
    double: Arc<Arena<f64>>,
}

/// The GPU of this number where there is one and this is built with the feature `cuda`, else the CPU.
/// `Device::new_cuda` says why there is none.
pub fn gpu_or_cpu(gpu: usize) -> Device {
    Device::new_cuda(gpu).unwrap_or(Device::Cpu)
}

/// The encoder: sizes, and buffers that are kept from call to call.
///
/// Cloning shares the buffers. An encoder may be used from several threads.
#[derive(Debug, Clone)]
pub struct Encoder {
    dims: Dims,
    arenas: Arenas,
}

/// Result of [`Encoder::encode_with_attention`].
#[derive(Debug, Clone)]
pub struct Encoded {
    /// `[utterances, 2·lstm]`, in the caller's order.
    pub pooled: Tensor,
    /// Attention weights α of every utterance over its frames; each sums to 1.
    pub attention: Vec<Vec<f32>>,
}

impl Encoder {
    /// An encoder of the given sizes.
    pub fn new(dims: Dims) -> Self {
        Self { dims, arenas: Arenas::default() }
    }

    /// The sizes.
    pub fn dims(&self) -> Dims {
        self.dims
    }

    /// Pooled vectors of a batch, with gradients for `theta` and `attention`.
    ///
    /// # Shapes
    ///
    /// - `frames`: `[packing.frames(), inputs]`, rows as [`Packing::pack`] orders them; no gradient
    /// - `theta`: `[dims.parameters()]`, parts as [`Dims::tensors`] lists them
    /// - `attention`: `[2·lstm]`, the vector u of eq. 1
    /// - result: `[packing.utterances(), 2·lstm]`, in the order in which lengths were given
    ///
    /// # Errors
    ///
    /// Where a shape does not fit, or a tensor is not contiguous f32 or f64 on the CPU, or f32 on a
    /// GPU.
    pub fn encode(
        &self,
        frames: &Tensor,
        theta: &Tensor,
        attention: &Tensor,
        packing: &Arc<Packing>,
        dropout: Option<Dropout>,
    ) -> Result<Tensor> {
        let call = Call { dims: self.dims, packing: Arc::clone(packing), dropout };
        call.check(frames, theta, attention)?;
        let op = EncodeOp { call, arenas: self.arenas.clone(), saved: Mutex::new(Saved::Nothing) };
        frames.apply_op3(theta, attention, op)
    }

    /// Inference: as [`Encoder::encode`] without dropout and without gradients, and with the
    /// attention weights of every utterance.
    pub fn encode_with_attention(
        &self,
        frames: &Tensor,
        theta: &Tensor,
        attention: &Tensor,
        packing: &Arc<Packing>,
    ) -> Result<Encoded> {
        let call = Call { dims: self.dims, packing: Arc::clone(packing), dropout: None };
        call.check(frames, theta, attention)?;
        #[cfg(feature = "cuda")]
        if frames.device().is_cuda() {
            return crate::cuda::device::infer(&call, [frames, theta, attention]);
        }
        match frames.dtype() {
            DType::F32 => infer::<f32>(&self.arenas.single, &call, [frames, theta, attention]),
            _ => infer::<f64>(&self.arenas.double, &call, [frames, theta, attention]),
        }
    }
}

fn infer<T: Real + WithDType>(
    arena: &Arc<Arena<T>>,
    call: &Call,
    inputs: [&Tensor; 3],
) -> Result<Encoded> {
    let guards = inputs.map(Tensor::storage_and_layout);
    let [frames, theta, attention] =
        [values::<T>(&guards[0])?, values(&guards[1])?, values(&guards[2])?];
    let (forward, pooled) = Forward::run(arena, call, frames, theta, attention);
    let narrow = |weights: Vec<T>| weights.into_iter().map(|x| x.wide() as f32).collect();
    Ok(Encoded {
        pooled: Tensor::from_vec(pooled, call.output_shape(), &Device::Cpu)?,
        attention: forward.attention_weights().into_iter().map(narrow).collect(),
    })
}

impl Call {
    pub(crate) fn output_shape(&self) -> (usize, usize) {
        (self.packing.utterances(), self.dims.outputs())
    }

    fn check(&self, frames: &Tensor, theta: &Tensor, attention: &Tensor) -> Result<()> {
        let expected = [
            ("frames", frames, vec![self.packing.frames(), self.dims.inputs]),
            ("theta", theta, vec![self.dims.parameters()]),
            ("attention", attention, vec![self.dims.outputs()]),
        ];
        for (tensor, value, expected) in expected {
            let got = value.dims().to_vec();
            if got != expected {
                let error = NnError::WrongShape { tensor, expected, got };
                return Err(candle_core::Error::wrap(error));
            }
            let device = value.device();
            let fits = match value.dtype() {
                DType::F32 => device.is_cpu() || (device.is_cuda() && cfg!(feature = "cuda")),
                DType::F64 => device.is_cpu(),
                _ => false,
            };
            let same = value.dtype() == frames.dtype() && device.same_device(frames.device());
            if !(fits && same && value.is_contiguous()) {
                return Err(candle_core::Error::wrap(NnError::WrongStorage { tensor }));
            }
        }
        Ok(())
    }
}

/// Values of a contiguous CPU tensor.
fn values<'a, T: WithDType>(
    (storage, layout): &'a (impl std::ops::Deref<Target = Storage>, &Layout),
) -> Result<&'a [T]> {
    match &**storage {
        Storage::Cpu(storage) => slice(storage, layout),
        _ => Err(candle_core::Error::wrap(NnError::WrongStorage { tensor: "input" })),
    }
}

fn slice<'a, T: WithDType>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    let error = || candle_core::Error::wrap(NnError::WrongStorage { tensor: "input" });
    let (start, end) = layout.contiguous_offsets().ok_or_else(error)?;
    Ok(&storage.as_slice::<T>()?[start..end])
}

/// What the pass forward leaves for the gradient.
enum Saved {
    Nothing,
    Single(Box<Forward<f32>>),
    Double(Box<Forward<f64>>),
    #[cfg(feature = "cuda")]
    Gpu(Box<crate::cuda::device::OnGpu>),
}

/// One call of the operator.
struct EncodeOp {
    call: Call,
    arenas: Arenas,
    saved: Mutex<Saved>,
}

impl EncodeOp {
    fn save(&self, saved: Saved) -> Saved {
        let mut place = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, saved)
    }

    fn forward<T: Real + WithDType>(
        &self,
        arena: &Arc<Arena<T>>,
        inputs: [(&CpuStorage, &Layout); 3],
    ) -> Result<(Forward<T>, CpuStorage)> {
        let [frames, theta, attention] = inputs.map(|(storage, layout)| slice(storage, layout));
        let (forward, pooled) = Forward::run(arena, &self.call, frames?, theta?, attention?);
        Ok((forward, T::to_cpu_storage_owned(pooled)))
    }

    fn gradients<T: Real + WithDType>(
        &self,
        forward: Forward<T>,
        frames: &Tensor,
        pooled: &Tensor,
    ) -> Result<[Tensor; 2]> {
        let pooled = pooled.contiguous()?;
        let guards = [frames.storage_and_layout(), pooled.storage_and_layout()];
        let gradients = forward.back(values(&guards[0])?, values(&guards[1])?);
        let (theta, attention) = (self.call.dims.parameters(), self.call.dims.outputs());
        Ok([
            Tensor::from_vec(gradients.theta, theta, &Device::Cpu)?,
            Tensor::from_vec(gradients.attention, attention, &Device::Cpu)?,
        ])
    }
}

impl CustomOp3 for EncodeOp {
    fn name(&self) -> &'static str {
        "blstm-encode"
    }

    fn cpu_fwd(
        &self,
        frames: &CpuStorage,
        frames_layout: &Layout,
        theta: &CpuStorage,
        theta_layout: &Layout,
        attention: &CpuStorage,
        attention_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let inputs =
            [(frames, frames_layout), (theta, theta_layout), (attention, attention_layout)];
        let pooled = if let CpuStorage::F32(_) = frames {
            let (forward, pooled) = self.forward(&self.arenas.single, inputs)?;
            self.save(Saved::Single(Box::new(forward)));
            pooled
        } else {
            let (forward, pooled) = self.forward(&self.arenas.double, inputs)?;
            self.save(Saved::Double(Box::new(forward)));
            pooled
        };
        Ok((pooled, Shape::from(self.call.output_shape())))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        frames: &CudaStorage,
        frames_layout: &Layout,
        theta: &CudaStorage,
        theta_layout: &Layout,
        attention: &CudaStorage,
        attention_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let inputs =
            [(frames, frames_layout), (theta, theta_layout), (attention, attention_layout)];
        let (forward, pooled) = crate::cuda::device::forward(&self.call, inputs)?;
        self.save(Saved::Gpu(Box::new(forward)));
        Ok((pooled, Shape::from(self.call.output_shape())))
    }

    #[cfg_attr(
        not(feature = "cuda"),
        expect(unused_variables, reason = "only a GPU's pass back reads the parameters again")
    )]
    fn bwd(
        &self,
        frames: &Tensor,
        theta: &Tensor,
        attention: &Tensor,
        _pooled: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [theta_gradient, attention_gradient] = match self.save(Saved::Nothing) {
            Saved::Single(forward) => self.gradients(*forward, frames, gradient)?,
            Saved::Double(forward) => self.gradients(*forward, frames, gradient)?,
            #[cfg(feature = "cuda")]
            Saved::Gpu(forward) => {
                let tensors = [frames, theta, attention];
                crate::cuda::device::gradients(&self.call, *forward, tensors, gradient)?
            }
            Saved::Nothing => return Err(candle_core::Error::wrap(NnError::Spent)),
        };
        Ok((None, Some(theta_gradient), Some(attention_gradient)))
    }
}

//! The encoder's [`Gpu`] on candle's CUDA device, and its way in from candle's storages.

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::cublas::sys::cublasOperation_t;
use candle_core::cuda_backend::cudarc::cublas::{Gemm, GemmConfig};
use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, CudaView, CudaViewMut, LaunchConfig, PushKernelArg,
};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, Error, Layout, Result, Storage, Tensor};

use super::encoder::{Forward, Inputs};
use super::{Argument, Factor, Gpu, Part, PartMut, Shape};
use crate::NnError;
use crate::op::{Call, Encoded};

/// The kernels, compiled by `build.rs`; the driver compiles them further for the GPU at hand.
const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/encoder.ptx"));
/// Their name among the device's modules.
const MODULE: &str = "ambivox-nn";

/// A pass forward on a GPU.
pub(crate) type OnGpu = Forward<CudaDevice>;

/// Runs the encoder on the device that the tensors are on.
pub(crate) fn forward(
    call: &Call,
    tensors: [(&CudaStorage, &Layout); 3],
) -> Result<(OnGpu, CudaStorage)> {
    let device = tensors[0].0.device();
    let (forward, pooled) = Forward::run(device, call.clone(), &inputs(tensors)?)?;
    Ok((forward, CudaStorage::wrap_cuda_slice(pooled, device.clone())))
}

/// Inference, with the attention weights of every row.
pub(crate) fn infer(call: &Call, tensors: [&Tensor; 3]) -> Result<Encoded> {
    let guards = tensors.map(Tensor::storage_and_layout);
    let [frames, theta, attention] = &guards;
    let storages = [cuda(frames)?, cuda(theta)?, cuda(attention)?];
    let (forward, pooled) = forward(call, storages)?;
    let weights = forward.weights(storages[0].0.device())?;
    Ok(Encoded {
        pooled: tensor(Storage::Cuda(pooled), call.output_shape()),
        attention: call.packing.by_utterance(&weights),
    })
}

/// Gradients of `theta` and `attention` from that of the pooled vectors.
pub(crate) fn gradients(
    call: &Call,
    forward: OnGpu,
    tensors: [&Tensor; 3],
    pooled: &Tensor,
) -> Result<[Tensor; 2]> {
    let pooled = pooled.contiguous()?;
    let guards = tensors.map(Tensor::storage_and_layout);
    let [frames, theta, attention] = &guards;
    let inputs = inputs([cuda(frames)?, cuda(theta)?, cuda(attention)?])?;
    let guard = pooled.storage_and_layout();
    let (storage, layout) = cuda(&guard)?;
    let device = storage.device();
    let gradients = forward.back(device, &inputs, part(storage, layout)?)?;
    let wrap = |values| Storage::Cuda(CudaStorage::wrap_cuda_slice(values, device.clone()));
    Ok([
        tensor(wrap(gradients.theta), call.dims.parameters()),
        tensor(wrap(gradients.attention), call.dims.outputs()),
    ])
}

fn tensor(storage: Storage, shape: impl Into<candle_core::Shape>) -> Tensor {
    Tensor::from_storage(storage, shape, BackpropOp::none(), false)
}

fn cuda<'a>(
    (storage, layout): &'a (impl std::ops::Deref<Target = Storage>, &'a Layout),
) -> Result<(&'a CudaStorage, &'a Layout)> {
    match &**storage {
        Storage::Cuda(storage) => Ok((storage, *layout)),
        _ => Err(wrong_storage()),
    }
}

fn inputs<'a>(tensors: [(&'a CudaStorage, &Layout); 3]) -> Result<Inputs<'a, CudaSlice<f32>>> {
    let [frames, theta, attention] = tensors.map(|(storage, layout)| part(storage, layout));
    Ok(Inputs { frames: frames?, theta: theta?, attention: attention? })
}

fn part<'a>(storage: &'a CudaStorage, layout: &Layout) -> Result<Part<'a, CudaSlice<f32>>> {
    let (start, end) = layout.contiguous_offsets().ok_or_else(wrong_storage)?;
    Ok(Part { memory: storage.as_cuda_slice()?, range: start..end })
}

fn wrong_storage() -> Error {
    Error::wrap(NnError::WrongStorage { tensor: "input" })
}

impl Gpu for CudaDevice {
    type Floats = CudaSlice<f32>;
    type Indices = CudaSlice<u32>;

    fn floats(&self, length: usize) -> Result<CudaSlice<f32>> {
        // SAFETY: any bits are an `f32`; the encoder reads no value that no kernel or product wrote,
        // which its tests check on the emulator.
        #[expect(unsafe_code, reason = "zeroing every buffer would cost a pass over memory")]
        unsafe {
            self.alloc(length)
        }
    }

    fn indices(&self, values: &[u32]) -> Result<CudaSlice<u32>> {
        self.clone_htod(values)
    }

    fn read(&self, values: &CudaSlice<f32>) -> Result<Vec<f32>> {
        self.clone_dtoh(values)
    }

    fn multiply(
        &self,
        out: PartMut<'_, CudaSlice<f32>>,
        left: Factor<'_, CudaSlice<f32>>,
        right: Factor<'_, CudaSlice<f32>>,
        accumulate: bool,
    ) -> Result<()> {
        let config = product(&left, &right, accumulate);
        assert_eq!(out.range.len(), left.size().0 * right.size().1, "the product has its place");
        let mut out = out.memory.slice_mut(out.range);
        let (left, right) = (view(&left.values), view(&right.values));
        // SAFETY: all three are views of the sizes in `config`, and `out` is borrowed mutably, so it
        // overlaps neither factor.
        #[expect(unsafe_code, reason = "cuBLAS takes pointers; sizes are asserted above")]
        let done = unsafe { self.cublas_handle().gemm(config, &right, &left, &mut out) };
        done.map_err(Error::wrap)
    }

    fn launch(
        &self,
        kernel: &'static str,
        shape: Shape,
        arguments: Vec<Argument<'_, CudaSlice<f32>, CudaSlice<u32>>>,
    ) -> Result<()> {
        let function = self.get_or_load_custom_func(kernel, MODULE, PTX)?;
        let mut held: Vec<Held<'_>> = arguments.into_iter().map(Held::from).collect();
        let mut launch = function.builder();
        for argument in &mut held {
            match argument {
                Held::Read(view) => launch.arg(&*view),
                Held::Write(view) => launch.arg(view),
                Held::Indices(values) => launch.arg(*values),
                Held::Count(value) => launch.arg(&*value),
                Held::Key(value) => launch.arg(&*value),
                Held::Real(value) => launch.arg(&*value),
            };
        }
        // SAFETY: number, order and types of the arguments, and the sizes behind every pointer, are
        // what the kernel takes; the tests run all launches on the emulator, with every access checked.
        #[expect(unsafe_code, reason = "a launch is only as safe as its kernel")]
        let done = unsafe { launch.launch(config(shape)) };
        done.map(|_| ()).map_err(Error::wrap)
    }
}

/// Arguments as the launch takes them: by reference, until it has been made.
enum Held<'a> {
    Read(CudaView<'a, f32>),
    Write(CudaViewMut<'a, f32>),
    Indices(&'a CudaSlice<u32>),
    Count(u32),
    Key(u64),
    Real(f32),
}

impl<'a> From<Argument<'a, CudaSlice<f32>, CudaSlice<u32>>> for Held<'a> {
    fn from(argument: Argument<'a, CudaSlice<f32>, CudaSlice<u32>>) -> Self {
        match argument {
            Argument::Read(part) => Self::Read(view(&part)),
            Argument::Write(part) => Self::Write(part.memory.slice_mut(part.range)),
            Argument::Indices(values) => Self::Indices(values),
            Argument::Count(value) => Self::Count(value),
            Argument::Key(value) => Self::Key(value),
            Argument::Real(value) => Self::Real(value),
        }
    }
}

fn view<'a>(part: &Part<'a, CudaSlice<f32>>) -> CudaView<'a, f32> {
    part.memory.slice(part.range.clone())
}

fn config(shape: Shape) -> LaunchConfig {
    let two = |[x, y]: [usize; 2]| (x as u32, y as u32, 1);
    LaunchConfig {
        grid_dim: two(shape.blocks),
        block_dim: two(shape.threads),
        shared_mem_bytes: shape.shared as u32,
    }
}

/// `left · right` for cuBLAS, whose matrices are column-major: it computes the transposed product
/// from the factors in reverse.
fn product<F>(left: &Factor<'_, F>, right: &Factor<'_, F>, accumulate: bool) -> GemmConfig<f32> {
    let ((rows, depth), (inner, columns)) = (left.size(), right.size());
    assert_eq!(depth, inner, "inner dimensions agree");
    let operation = |factor: &Factor<'_, F>| {
        if factor.is_transposed {
            cublasOperation_t::CUBLAS_OP_T
        } else {
            cublasOperation_t::CUBLAS_OP_N
        }
    };
    GemmConfig {
        transa: operation(right),
        transb: operation(left),
        m: columns as i32,
        n: rows as i32,
        k: depth as i32,
        alpha: 1.0,
        lda: right.stride as i32,
        ldb: left.stride as i32,
        beta: if accumulate { 1.0 } else { 0.0 },
        ldc: columns as i32,
    }
}

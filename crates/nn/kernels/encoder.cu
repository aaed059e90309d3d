// The encoder's kernels for NVIDIA GPUs, in f32; `src/cuda/encoder.rs` launches them in turn.
//
// The same sources are compiled for the CPU by the tests, through `tests/emulator`: what they use of
// CUDA is what stands there.
#include "attention.cuh"
#include "dense.cuh"
#include "recurrence.cuh"

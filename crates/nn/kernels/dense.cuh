// Passes over whole matrices, around the products that cuBLAS does.
#pragma once

#include "common.cuh"

// x ← dropout(max(x + bias, 0)), in place over [frames, width]. One block per row.
//
// Roofline: 8 bytes and about 12 operations per value, so bound by memory. 14,400 frames × 512:
// 59 MB, 38 µs on an A100 (1.55 TB/s), 18 µs on an H100 (3.35 TB/s).
extern "C" __global__ void activate(float *matrix, const float *bias, u32 width, u64 key,
                                    u32 threshold, float scale) {
    const Mask mask{key, threshold, scale};
    const u32 key_of_row = row_key(mask, blockIdx.x);
    float *row = matrix + static_cast<size_t>(blockIdx.x) * width;
    for (u32 unit = threadIdx.x; unit < width; unit += blockDim.x) {
        row[unit] = fmaxf(row[unit] + bias[unit], 0.0f) * kept(mask, key_of_row, unit);
    }
}

// The gradient of `activate`, in place: what was dropped or negative passes nothing back. One block
// per row.
//
// Roofline: 12 bytes per value. 14,400 × 512: 88 MB, 57 µs on an A100, 26 µs on an H100.
extern "C" __global__ void activate_back(float *gradient, const float *activations, u32 width,
                                         float scale) {
    const size_t start = static_cast<size_t>(blockIdx.x) * width;
    for (u32 unit = threadIdx.x; unit < width; unit += blockDim.x) {
        const size_t place = start + unit;
        gradient[place] = activations[place] > 0.0f ? gradient[place] * scale : 0.0f;
    }
}

constexpr u32 SUM_ROWS = 256;   // rows per block of `sum_rows`
constexpr u32 SUM_LANES = 8;    // rows that a block reads at a time

// Sums of columns over pieces of SUM_ROWS rows: [rows, width] to [pieces, width]. Run over its own
// result until one row is left. Blocks of 32 × SUM_LANES threads, one per 32 columns and piece.
//
// Roofline: 4 bytes per value, so bound by memory. 14,400 × 1,024 gate gradients: 59 MB, 38 µs on an
// A100, 18 µs on an H100.
extern "C" __global__ void sum_rows(float *sums, const float *matrix, u32 rows, u32 width) {
    const u32 column = blockIdx.x * WARP + threadIdx.x;
    const u32 first = blockIdx.y * SUM_ROWS;
    const u32 end = min(first + SUM_ROWS, rows);
    double sum = 0.0;
    if (column < width) {
        for (u32 row = first + threadIdx.y; row < end; row += SUM_LANES) {
            sum += matrix[static_cast<size_t>(row) * width + column];
        }
    }
    shared_memory[threadIdx.y * WARP + threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && column < width) {
        for (u32 lane = 1; lane < SUM_LANES; ++lane) {
            sum += shared_memory[lane * WARP + threadIdx.x];
        }
        sums[static_cast<size_t>(blockIdx.y) * width + column] = static_cast<float>(sum);
    }
}

// [rows, columns] to [columns, rows]. One block per row; for the recurrent weights alone, a quarter
// of a megabyte that stays in the second-level cache, so that the plain way is good enough (a few
// microseconds).
extern "C" __global__ void transpose(float *out, const float *matrix, u32 columns) {
    for (u32 column = threadIdx.x; column < columns; column += blockDim.x) {
        out[static_cast<size_t>(column) * gridDim.x + blockIdx.x] =
            matrix[static_cast<size_t>(blockIdx.x) * columns + column];
    }
}

// Attention pooling over each utterance's own frames, forward and back; one block per utterance, by
// rank. There is no padding to mask: frames of other utterances are not read.
//
// Roofline: per frame of 2 × 128 units 2 KB read in two passes forward, and 2 KB read and 1 KB written
// back; 14,400 frames: 29 MB and 44 MB, 19 and 28 µs of memory time on an A100, 9 and 13 µs on an
// H100. With 32 utterances only as many SMs work, and the second pass goes frame by frame: its
// latency, four loads in flight and 450 frames, is about 50 µs on either, under 1 % of a training
// step.
#pragma once

#include "recurrence.cuh"

// The outputs of both directions that attention pools, [2, frames, units], under dropout.
struct Outputs {
    const float *hidden;
    size_t plane;   // values per direction
    u32 units;
    u64 keys[2];    // of the directions' masks
    u32 threshold;
    float scale;

    // Dropped or scaled output of one unit; `unit` counts through both directions.
    __device__ float value(size_t row, u32 unit) const {
        return hidden[place(row, unit)] * factor(row, unit);
    }

    __device__ size_t place(size_t row, u32 unit) const {
        return unit < units ? row * units + unit : plane + row * units + unit - units;
    }

    __device__ float factor(size_t row, u32 unit) const {
        const bool reverse = unit >= units;
        const Mask mask{reverse ? keys[1] : keys[0], threshold, scale};
        return kept(mask, row_key(mask, row), reverse ? unit - units : unit);
    }

    // h · v for one row by one warp; the result is in every lane.
    __device__ float project(size_t row, const float *vector) const {
        float sum = 0.0f;
        for (u32 unit = threadIdx.x % WARP; unit < 2 * units; unit += WARP) {
            sum += value(row, unit) * vector[unit];
        }
        return warp_sum(sum);
    }
};

// scores[row] = h · v for all frames of a rank, a warp per frame.
__device__ inline void project_frames(float *scores, const float *vector, const Outputs &outputs,
                                      const Batch &batch, u32 rank) {
    for (u32 time = threadIdx.x / WARP; time < batch.length(rank); time += blockDim.x / WARP) {
        const float score = outputs.project(batch.row(time, rank), vector);
        if (threadIdx.x % WARP == 0) {
            scores[batch.row(time, rank)] = score;
        }
    }
}

// Attention weights α [frames], and Σ α h as `pooled` [utterances, 2·units] in the caller's order.
// Shared: 2·WARP doubles.
extern "C" __global__ void attend(float *weights, float *pooled, const float *hidden,
                                  const float *attention, const u32 *offsets,
                                  const u32 *lengths, const u32 *order, u32 utterances,
                                  u32 frames, u32 units, u64 key_ahead, u64 key_back,
                                  u32 threshold, float scale) {
    const Batch batch{offsets, lengths, utterances, frames};
    const Outputs outputs{hidden, static_cast<size_t>(frames) * units, units,
                          {key_ahead, key_back}, threshold, scale};
    const u32 rank = blockIdx.x, length = batch.length(rank);
    project_frames(weights, attention, outputs, batch, rank);
    __syncthreads();

    float top = -INFINITY;
    for (u32 time = threadIdx.x; time < length; time += blockDim.x) {
        top = fmaxf(top, weights[batch.row(time, rank)]);
    }
    top = block_max(top, shared_memory);
    double sum = 0.0;
    for (u32 time = threadIdx.x; time < length; time += blockDim.x) {
        float &weight = weights[batch.row(time, rank)];
        weight = expf(weight - top);
        sum += weight;
    }
    sum = block_sum(sum, shared_memory + WARP);
    for (u32 time = threadIdx.x; time < length; time += blockDim.x) {
        float &weight = weights[batch.row(time, rank)];
        weight = static_cast<float>(weight / sum);
    }
    __syncthreads();

    for (u32 unit = threadIdx.x; unit < 2 * units; unit += blockDim.x) {
        float total = 0.0f;
#pragma unroll 4
        for (u32 time = 0; time < length; ++time) {
            const size_t row = batch.row(time, rank);
            total += outputs.value(row, unit) * weights[row];
        }
        pooled[static_cast<size_t>(order[rank]) * 2 * units + unit] = total;
    }
}

// The gradient of `attend`. From that of the pooled vectors (`pooled`, caller's order), those of the
// outputs (`gradient`, [2, frames, units]) and each utterance's share of that of the attention
// vector (`shares`, [utterances, 2·units]). `scores` [frames] is scratch. Shared: as `attend`.
extern "C" __global__ void attend_back(float *gradient, float *shares, float *scores,
                                       const float *weights, const float *pooled,
                                       const float *hidden, const float *attention,
                                       const u32 *offsets, const u32 *lengths, const u32 *order,
                                       u32 utterances, u32 frames, u32 units, u64 key_ahead,
                                       u64 key_back, u32 threshold, float scale) {
    const Batch batch{offsets, lengths, utterances, frames};
    const Outputs outputs{hidden, static_cast<size_t>(frames) * units, units,
                          {key_ahead, key_back}, threshold, scale};
    const u32 rank = blockIdx.x, length = batch.length(rank);
    pooled += static_cast<size_t>(order[rank]) * 2 * units;
    project_frames(scores, pooled, outputs, batch, rank);
    __syncthreads();

    double mean = 0.0;
    for (u32 time = threadIdx.x; time < length; time += blockDim.x) {
        const size_t row = batch.row(time, rank);
        mean += static_cast<double>(weights[row]) * scores[row];
    }
    mean = block_sum(mean, shared_memory);

    for (u32 unit = threadIdx.x; unit < 2 * units; unit += blockDim.x) {
        float share = 0.0f;
#pragma unroll 4
        for (u32 time = 0; time < length; ++time) {
            const size_t row = batch.row(time, rank), place = outputs.place(row, unit);
            const float factor = outputs.factor(row, unit), weight = weights[row];
            const float score = weight * static_cast<float>(scores[row] - mean);
            gradient[place] = (weight * pooled[unit] + score * attention[unit]) * factor;
            share += score * hidden[place] * factor;
        }
        shares[static_cast<size_t>(rank) * 2 * units + unit] = share;
    }
}

// The recurrence of the bidirectional LSTM over a packed batch, forward and back.
//
// One launch walks all time steps of both directions. A block owns UTTERANCES neighbouring ranks in
// one direction from their first step to their last: utterances do not see each other, so no block
// waits for another, and between two steps there is only `__syncthreads`. The alternative, a product
// by cuBLAS and a gate kernel per step and direction, would be four launches a step: at 3 µs each,
// and no less for these small products, 5.4 ms a pass over 450 steps, all of it latency.
//
// State and gate sums stay in shared memory. The recurrent weights (256 KiB for 128 units) are more
// than an SM's shared memory and are read from the second-level cache in every step; rows of
// neighbouring ranks share each value read.
//
// Roofline for 32 × 450 frames of 128 units: 0.26 MFLOP per frame forward and as many back, 3.8 GFLOP
// a pass. In a step a block of two utterances reads 256 KiB from the second-level cache, at 64 bytes a
// clock: 4,096 clocks. Its 131,072 multiply-adds take 2,048 on an A100 and 1,024 on an H100, its loads
// from L1 and shared memory 4,096 beside them, its 18 KB from and to memory less than 400. With two
// barriers about 4,500 clocks: 3.2 µs on an A100 (1.41 GHz), 2.6 µs on an H100 (1.76 GHz). 450 steps,
// in 32 blocks side by side: 1.4 and 1.2 ms a pass. More utterances fill idle SMs and cost no time
// until a batch has about 100.
#pragma once

#include "common.cuh"

constexpr u32 UTTERANCES = 2;   // per block
constexpr u32 GATES = 4;        // i, f, g, o

// A value for each of a block's utterances, side by side, so that one load brings them all.
struct alignas(UTTERANCES * sizeof(float)) Values {
    float of[UTTERANCES];
};

// A batch's layout, as `Packing`: frame t of the utterance of rank r is row offsets[t] + r.
struct Batch {
    const u32 *offsets;
    const u32 *lengths;
    u32 utterances;
    u32 frames;

    // Frames of a rank; none for one past the last.
    __device__ u32 length(u32 rank) const { return rank < utterances ? lengths[rank] : 0; }

    __device__ size_t row(u32 time, u32 rank) const { return offsets[time] + rank; }
};

// The step's time in this direction, of a block whose longest utterance has `steps` frames.
__device__ inline u32 time_of(u32 step, u32 steps, bool reverse) {
    return reverse ? steps - 1 - step : step;
}

__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// The recurrence forward. `gates` holds the input projections [2, frames, 4·units] and receives the
// activated gates; `cells` and `hidden` [2, frames, units] receive the states. `recurrent` is
// [2, units, 4·units], that is, transposed, so that neighbouring threads read neighbouring weights;
// `bias` of the directions lie `stride` apart. Shared: 6·units Values.
extern "C" __global__ void __launch_bounds__(512)
    lstm_ahead(float *gates, float *cells, float *hidden, const float *recurrent,
               const float *bias, u32 stride, const u32 *offsets, const u32 *lengths,
               u32 utterances, u32 frames, u32 units) {
    const Batch batch{offsets, lengths, utterances, frames};
    const bool reverse = blockIdx.y == 1;
    const u32 first = blockIdx.x * UTTERANCES, width = GATES * units;
    gates += static_cast<size_t>(blockIdx.y) * frames * width;
    cells += static_cast<size_t>(blockIdx.y) * frames * units;
    hidden += static_cast<size_t>(blockIdx.y) * frames * units;
    recurrent += static_cast<size_t>(blockIdx.y) * units * width;
    bias += static_cast<size_t>(blockIdx.y) * stride;

    Values *sums = reinterpret_cast<Values *>(shared_memory);   // [4·units]
    Values *output = sums + width;                              // [units]
    Values *state = output + units;                             // [units]
    for (u32 unit = threadIdx.x; unit < units; unit += blockDim.x) {
        output[unit] = state[unit] = Values{};
    }
    __syncthreads();

    const u32 steps = batch.length(first);
    for (u32 step = 0; step < steps; ++step) {
        const u32 time = time_of(step, steps, reverse);
        for (u32 column = threadIdx.x; column < width; column += blockDim.x) {
            Values inputs, sum;
            for (u32 u = 0; u < UTTERANCES; ++u) {
                const bool runs = time < batch.length(first + u);
                inputs.of[u] = runs ? gates[batch.row(time, first + u) * width + column] : 0.0f;
                sum.of[u] = bias[column];
            }
#pragma unroll 8
            for (u32 k = 0; k < units; ++k) {
                const float weight = recurrent[static_cast<size_t>(k) * width + column];
                const Values outputs = output[k];
                for (u32 u = 0; u < UTTERANCES; ++u) {
                    sum.of[u] += outputs.of[u] * weight;
                }
            }
            for (u32 u = 0; u < UTTERANCES; ++u) {
                sum.of[u] += inputs.of[u];
            }
            sums[column] = sum;
        }
        __syncthreads();
        for (u32 i = threadIdx.x; i < UTTERANCES * units; i += blockDim.x) {
            const u32 u = i / units, unit = i % units;
            if (time < batch.length(first + u)) {
                const Values *sum = sums + unit;
                const float in = sigmoid(sum[0].of[u]), forget = sigmoid(sum[units].of[u]);
                const float fresh = tanhf(sum[2 * units].of[u]);
                const float out = sigmoid(sum[3 * units].of[u]);
                const float cell = forget * state[unit].of[u] + in * fresh;
                state[unit].of[u] = cell;
                output[unit].of[u] = out * tanhf(cell);

                const size_t row = batch.row(time, first + u);
                float *gate = gates + row * width + unit;
                gate[0] = in;
                gate[units] = forget;
                gate[2 * units] = fresh;
                gate[3 * units] = out;
                cells[row * units + unit] = cell;
                hidden[row * units + unit] = output[unit].of[u];
            }
        }
        __syncthreads();
    }
}

// The recurrence back. `gates` holds the activated gates and receives the gradients of their sums;
// `before` [2, frames, units] receives the output that each row started from, which the gradient of
// the recurrent weights needs. `outputs` is the gradient of the outputs, [2, frames, units].
// `recurrent` [4·units, units] of the directions lie `stride` apart. Shared: 9·units Values.
extern "C" __global__ void __launch_bounds__(512)
    lstm_back(float *gates, float *before, const float *cells, const float *hidden,
              const float *outputs, const float *recurrent, u32 stride, const u32 *offsets,
              const u32 *lengths, u32 utterances, u32 frames, u32 units) {
    const Batch batch{offsets, lengths, utterances, frames};
    const bool reverse = blockIdx.y == 1;
    const u32 first = blockIdx.x * UTTERANCES, width = GATES * units;
    const size_t direction = static_cast<size_t>(blockIdx.y) * frames * units;
    gates += GATES * direction;
    before += direction;
    cells += direction;
    hidden += direction;
    outputs += direction;
    recurrent += static_cast<size_t>(blockIdx.y) * stride;

    Values *sums = reinterpret_cast<Values *>(shared_memory);   // gradients, [4·units]
    Values *flow = sums + width;                                // to outputs, [4, units]
    Values *state_flow = flow + width;                          // to states, [units]
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        sums[i] = flow[i] = Values{};
    }
    for (u32 unit = threadIdx.x; unit < units; unit += blockDim.x) {
        state_flow[unit] = Values{};
    }
    __syncthreads();

    const u32 steps = batch.length(first);
    for (u32 step = steps; step-- > 0;) {
        const u32 time = time_of(step, steps, reverse);
        for (u32 i = threadIdx.x; i < UTTERANCES * units; i += blockDim.x) {
            const u32 u = i / units, unit = i % units, rank = first + u;
            if (time < batch.length(rank)) {
                const size_t row = batch.row(time, rank), place = row * units + unit;
                const bool starts = reverse ? time + 1 == batch.length(rank) : time == 0;
                const size_t previous =
                    starts ? 0 : batch.row(reverse ? time + 1 : time - 1, rank) * units + unit;

                float *gate = gates + row * width + unit;
                const float in = gate[0], forget = gate[units];
                const float fresh = gate[2 * units], out = gate[3 * units];
                const float tanh_state = tanhf(cells[place]);
                float d_output = outputs[place];
                for (u32 part = 0; part < GATES; ++part) {
                    d_output += flow[part * units + unit].of[u];
                }
                const float d_state =
                    state_flow[unit].of[u] + d_output * out * (1.0f - tanh_state * tanh_state);
                const float state_before = starts ? 0.0f : cells[previous];

                const float d_sums[GATES] = {
                    d_state * fresh * in * (1.0f - in),
                    d_state * state_before * forget * (1.0f - forget),
                    d_state * in * (1.0f - fresh * fresh),
                    d_output * tanh_state * out * (1.0f - out),
                };
                for (u32 part = 0; part < GATES; ++part) {
                    gate[part * units] = sums[part * units + unit].of[u] = d_sums[part];
                }
                state_flow[unit].of[u] = d_state * forget;
                before[place] = starts ? 0.0f : hidden[previous];
            }
        }
        __syncthreads();
        // A quarter of each sum per thread: that of one gate.
        for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
            const u32 part = i / units, unit = i % units;
            Values sum{};
#pragma unroll 8
            for (u32 k = part * units; k < (part + 1) * units; ++k) {
                const float weight = recurrent[static_cast<size_t>(k) * units + unit];
                const Values gradients = sums[k];
                for (u32 u = 0; u < UTTERANCES; ++u) {
                    sum.of[u] += gradients.of[u] * weight;
                }
            }
            flow[i] = sum;
        }
        __syncthreads();
    }
}

// What all kernels use: dropout masks, and sums over warps and blocks.
//
// Every sum is taken in an order that depends on sizes alone, so that results are the same bits in
// every run on one kind of GPU: there is no atomic addition.
#pragma once

using u32 = unsigned int;
using u64 = unsigned long long;

// The block's shared memory; its size is given at launch.
extern __shared__ double shared_memory[];

constexpr u32 WARP = 32;
constexpr u32 ALL_LANES = 0xFFFFFFFFu;

// Dropout of one layer: a unit is dropped by a hash of its row and place. The same hash as in
// `src/dropout.rs`, so that CPU and GPU drop the same units.
struct Mask {
    u64 key;
    u32 threshold;
    float scale;
};

// Finaliser of SplitMix64 (Steele, Lea and Flood 2014).
__device__ inline u64 mix64(u64 x) {
    x += 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}

// Finaliser of MurmurHash3 (32 bit).
__device__ inline u32 mix32(u32 x) {
    x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
    x = (x ^ (x >> 13)) * 0xC2B2AE35u;
    return x ^ (x >> 16);
}

// The row's part of the hash.
__device__ inline u32 row_key(Mask mask, u64 row) {
    return static_cast<u32>(mix64(mask.key + row));
}

// 1/(1 − rate) for a unit that is kept, 0 for one that is dropped.
__device__ inline float kept(Mask mask, u32 key, u32 unit) {
    return mix32(key ^ (unit * 0x9E3779B9u)) >= mask.threshold ? mask.scale : 0.0f;
}

// Sum over the lanes of a warp, in every lane.
template <class T>
__device__ inline T warp_sum(T value) {
    for (u32 lanes = WARP / 2; lanes > 0; lanes /= 2) {
        value += __shfl_xor_sync(ALL_LANES, value, lanes);
    }
    return value;
}

// Sum over the threads of a block, in every thread. `scratch` is shared memory for this call alone,
// one value per warp.
__device__ inline double block_sum(double value, double *scratch) {
    value = warp_sum(value);
    if (threadIdx.x % WARP == 0) {
        scratch[threadIdx.x / WARP] = value;
    }
    __syncthreads();
    double sum = 0.0;
    for (u32 warp = 0; warp < blockDim.x / WARP; ++warp) {
        sum += scratch[warp];
    }
    return sum;
}

// Largest value of a block's threads, in every thread; `scratch` as of `block_sum`.
__device__ inline float block_max(float value, double *scratch) {
    for (u32 lanes = WARP / 2; lanes > 0; lanes /= 2) {
        value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, lanes));
    }
    if (threadIdx.x % WARP == 0) {
        scratch[threadIdx.x / WARP] = value;
    }
    __syncthreads();
    for (u32 warp = 0; warp < blockDim.x / WARP; ++warp) {
        value = fmaxf(value, static_cast<float>(scratch[warp]));
    }
    return value;
}

// What the kernels use of CUDA, for a C++ compiler: each thread of a block is a fiber (`emulator.cpp`).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define __global__
#define __device__
#define __shared__
#define __launch_bounds__(threads)
#define threadIdx (emulator::thread())
#define blockIdx (emulator::block())
#define blockDim (emulator::threads_per_block())
#define gridDim (emulator::blocks())
#define __syncthreads() emulator::barrier(__FILE__, __LINE__)

namespace emulator {

struct Index {
    unsigned x, y;
};

// All of these live outside of the file that includes the kernels, so that only the kernels' own
// accesses to memory are instrumented there.
Index thread();
Index block();
Index threads_per_block();
Index blocks();

// Waits until every thread of the block is here.
void barrier(const char *file, int line);
// Waits until every lane of the warp is here; returns what lane `mine ^ lanes` gave.
uint64_t exchange(uint64_t bits, unsigned lanes);

// Arguments of the running launch, one per slot.
constexpr size_t MOST_ARGUMENTS = 32;
extern uint64_t arguments[MOST_ARGUMENTS];

struct Kernel {
    const char *name;
    void (*run)();
};
// Ends with one that has no name.
extern const Kernel kernels[];

}   // namespace emulator

template <class T>
T __shfl_xor_sync(unsigned, T value, unsigned lanes) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = emulator::exchange(bits, lanes);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }

// Kernels with one fault each, to show that the emulator finds it. Run with one buffer of 64 values
// that have been written, in two blocks of 32 threads with 256 bytes of shared memory.

extern __shared__ double shared_memory[];

// A neighbour's value is read without waiting for it.
extern "C" __global__ void missing_barrier(float *values) {
    shared_memory[threadIdx.x] = 1.0;
    __syncthreads();
    shared_memory[threadIdx.x] += 1.0;
    values[blockIdx.x * 32 + threadIdx.x] = shared_memory[(threadIdx.x + 1) % 32];
}

// One value past the end of the buffer is written.
extern "C" __global__ void past_the_end(float *values) {
    values[blockIdx.x * 32 + threadIdx.x + 1] = 1.0f;
}

// One value past the shared memory asked for is written.
extern "C" __global__ void past_shared(float *values) {
    shared_memory[threadIdx.x + 1] = values[threadIdx.x];
}

// A value of another block is read while that block may write it.
extern "C" __global__ void between_blocks(float *values) {
    const unsigned mine = blockIdx.x * 32 + threadIdx.x;
    const float other = values[(mine + 32) % 64];
    __syncthreads();
    values[mine] = other;
}

// Shared memory that nobody has written is read.
extern "C" __global__ void uninitialised(float *values) {
    values[blockIdx.x * 32 + threadIdx.x] = static_cast<float>(shared_memory[threadIdx.x]);
}

// Half of the threads wait for the others, which never come.
extern "C" __global__ void divergent_barrier(float *values) {
    if (threadIdx.x < 16) {
        __syncthreads();
    }
    values[blockIdx.x * 32 + threadIdx.x] = 1.0f;
}

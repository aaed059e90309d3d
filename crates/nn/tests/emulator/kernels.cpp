// The kernels, for the CPU, by name.
#include <utility>

#include "cuda.h"

#ifdef FAULTS
#include "faults.cu"
#else
#include "encoder.cu"
#endif

namespace emulator {

template <class T>
T argument(size_t index) {
    T value;
    std::memcpy(&value, &arguments[index], sizeof value);
    return value;
}

template <class... T, size_t... I>
void call(void (*kernel)(T...), std::index_sequence<I...>) {
    kernel(argument<T>(I)...);
}

template <class... T>
void call(void (*kernel)(T...)) {
    static_assert(sizeof...(T) <= MOST_ARGUMENTS);
    call(kernel, std::index_sequence_for<T...>());
}

#define KERNEL(name) {#name, [] { call(name); }}

const Kernel kernels[] = {
#ifdef FAULTS
    KERNEL(missing_barrier), KERNEL(past_the_end),  KERNEL(past_shared),
    KERNEL(between_blocks),  KERNEL(uninitialised), KERNEL(divergent_barrier),
#else
    KERNEL(activate),   KERNEL(activate_back), KERNEL(sum_rows), KERNEL(transpose),
    KERNEL(lstm_ahead), KERNEL(lstm_back),     KERNEL(attend),   KERNEL(attend_back),
#endif
    {nullptr, nullptr},
};

}   // namespace emulator

// Runs CUDA kernels on the CPU, one thread of a block after the other, each as a fiber that gives way
// where it has to wait. A program that obeys commands on its standard input: see `main` at the end
// and `src/cuda/emulator.rs`, which writes them.
#include "cuda.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <ucontext.h>

#include "memory.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

constexpr size_t SHARED_BYTES = 48 << 10;
alignas(64) double shared_memory[SHARED_BYTES / sizeof(double)];

namespace emulator {

constexpr unsigned WARP = 32;
constexpr size_t STACK_BYTES = 64 << 10;

enum class State { NotStarted, Ready, AtBarrier, AtExchange, Done };

struct Thread {
    State state = State::NotStarted;
    unsigned fiber = 0;
    uint64_t given = 0, received = 0;
    size_t site = 0;   // of the barrier it waits at
};

struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack{new char[STACK_BYTES]};
};

uint64_t arguments[MOST_ARGUMENTS];
std::vector<Region> regions;

static const Kernel *kernel;
static Index grid, block_size, block_now;
static uint32_t launch_number, epoch;
static std::vector<Thread> threads;
static unsigned running;
static std::vector<std::unique_ptr<Fiber>> fibers;
static std::vector<unsigned> idle_fibers;
static ucontext_t scheduler;

// Barriers in the order in which they were first met, and the one that is left out to see whether
// that is noticed.
static std::vector<std::string> sites;
static size_t omitted_site = SIZE_MAX;

void fault(const char *what) {
    std::fprintf(stderr, "%s (kernel %s, block %u,%u, thread %u)\n", what, kernel->name,
                 block_now.x, block_now.y, running);
    std::_Exit(1);
}

Index thread() { return {running % block_size.x, running / block_size.x}; }
Index block() { return block_now; }
Index threads_per_block() { return block_size; }
Index blocks() { return grid; }

Moment now() { return {launch_number, block_now.y * grid.x + block_now.x, epoch, running}; }

bool on_own_stack(uintptr_t address) {
    const auto start = reinterpret_cast<uintptr_t>(fibers[threads[running].fiber]->stack.get());
    return address >= start && address < start + STACK_BYTES;
}

// Gives way; returns when the scheduler runs this thread again.
static void wait_as(State state) {
    threads[running].state = state;
    swapcontext(&fibers[threads[running].fiber]->context, &scheduler);
}

static size_t site_number(const char *file, int line) {
    const std::string site = std::string(file) + ":" + std::to_string(line);
    size_t number = 0;
    while (number < sites.size() && sites[number] != site) ++number;
    if (number == sites.size()) sites.push_back(site);
    return number;
}

void barrier(const char *file, int line) {
    const size_t site = site_number(file, line);
    if (site == omitted_site) return;
    threads[running].site = site;
    wait_as(State::AtBarrier);
}

uint64_t exchange(uint64_t bits, unsigned lanes) {
    const unsigned mine = running;
    threads[mine].given = bits;
    threads[mine].site = lanes;
    wait_as(State::AtExchange);
    return threads[mine].received;
}

// A fiber runs thread after thread; one that has to wait keeps the fiber until it is done.
static void fiber_main() {
    for (;;) {
        kernel->run();
        idle_fibers.push_back(threads[running].fiber);
        wait_as(State::Done);
    }
}

static unsigned idle_fiber() {
    if (idle_fibers.empty()) {
        fibers.push_back(std::make_unique<Fiber>());
        Fiber &fiber = *fibers.back();
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.get();
        fiber.context.uc_stack.ss_size = STACK_BYTES;
        makecontext(&fiber.context, fiber_main, 0);
        return fibers.size() - 1;
    }
    const unsigned fiber = idle_fibers.back();
    idle_fibers.pop_back();
    return fiber;
}

static bool run_if_ready(unsigned index) {
    Thread &thread = threads[index];
    if (thread.state == State::NotStarted) {
        thread.fiber = idle_fiber();
    } else if (thread.state != State::Ready) {
        return false;
    }
    running = index;
    swapcontext(&scheduler, &fibers[thread.fiber]->context);
    return true;
}

// Whether threads `first..end` all wait in this way, at the same place.
static bool all_wait(unsigned first, unsigned end, State state) {
    for (unsigned i = first; i < end; ++i) {
        if (threads[i].state != state || threads[i].site != threads[first].site) return false;
    }
    return true;
}

static void exchange_in_warp(unsigned first, unsigned end) {
    for (unsigned i = first; i < end; ++i) {
        threads[i].received = threads[first + ((i - first) ^ threads[i].site)].given;
        threads[i].state = State::Ready;
    }
}

static void run_block() {
    const unsigned count = block_size.x * block_size.y;
    threads.assign(count, Thread());
    epoch = 0;
    while (!all_wait(0, count, State::Done)) {
        bool progress = false;
        for (unsigned first = 0; first < count; first += WARP) {
            for (unsigned i = first; i < first + WARP; ++i) progress |= run_if_ready(i);
            if (all_wait(first, first + WARP, State::AtExchange)) {
                exchange_in_warp(first, first + WARP);
                progress = true;
            }
        }
        if (all_wait(0, count, State::AtBarrier)) {
            for (Thread &thread : threads) thread.state = State::Ready;
            ++epoch;
            progress = true;
        }
        if (!progress) fault("divergence: some threads wait where others never come");
        // Threads that are done all have the same site, whatever barrier they passed last.
        for (Thread &thread : threads) {
            if (thread.state == State::Done) thread.site = 0;
        }
    }
}

// Shared memory of the given size, of which nothing is written yet; more than that is out of bounds.
static void renew_shared(size_t bytes) {
    Region &shared = regions.front();
#ifdef __SANITIZE_ADDRESS__
    ASAN_POISON_MEMORY_REGION(shared_memory, SHARED_BYTES);
    ASAN_UNPOISON_MEMORY_REGION(shared_memory, bytes);
#endif
    shared.bytes = bytes;
    std::memset(shared.start, 0xFF, bytes);   // not a number
#ifdef CHECKED
    shared.cells.assign(bytes / 4, Cell());
#endif
}

static void launch(size_t shared_bytes) {
    ++launch_number;
    for (block_now.y = 0; block_now.y < grid.y; ++block_now.y) {
        for (block_now.x = 0; block_now.x < grid.x; ++block_now.x) {
            renew_shared(shared_bytes);
            run_block();
        }
    }
}

// Commands. Numbers are in the machine's own byte order.

[[noreturn]] static void refuse(const char *what) {
    std::fprintf(stderr, "%s\n", what);
    std::_Exit(2);
}

static void receive(void *to, size_t bytes) {
    if (std::fread(to, 1, bytes, stdin) != bytes) refuse("a command is cut short");
}

template <class T = uint32_t>
static T receive() {
    T value;
    receive(&value, sizeof value);
    return value;
}

static float *place(uint32_t buffer, uint32_t offset) {
    return reinterpret_cast<float *>(regions.at(buffer).start) + offset;
}

static float *receive_place() {
    const uint32_t buffer = receive();
    return place(buffer, receive());
}

static void allocate() {
    const size_t bytes = 4 * size_t(receive());
    char *start = static_cast<char *>(std::malloc(bytes));
    std::memset(start, 0xFF, bytes);   // not a number
    regions.push_back({start, bytes, {}});
#ifdef CHECKED
    regions.back().cells.resize(bytes / 4);
#endif
}

static void note_written(uint32_t buffer, size_t offset, size_t count) {
#ifdef CHECKED
    for (size_t i = 0; i < count; ++i) regions.at(buffer).cells[offset + i].written = true;
#else
    (void)buffer, (void)offset, (void)count;
#endif
}

static void write_buffer() {
    const uint32_t buffer = receive(), count = receive();
    receive(place(buffer, 0), 4 * size_t(count));
    note_written(buffer, 0, count);
}

static void read_buffer() {
    const float *values = receive_place();
    const size_t count = receive();
    std::fwrite(values, 4, count, stdout);
    std::fflush(stdout);
}

static void launch_kernel() {
    char name[64] = {};
    receive(name, receive() % sizeof name);
    for (kernel = kernels; kernel->name && std::strcmp(kernel->name, name) != 0;) ++kernel;
    if (!kernel->name) refuse("no such kernel");
    for (Index *index : {&grid, &block_size}) *index = {receive(), receive()};
    const uint32_t shared_bytes = receive(), count = receive();
    if (shared_bytes > SHARED_BYTES || block_size.x * block_size.y % WARP || count > MOST_ARGUMENTS)
        refuse("a launch beyond the limits");
    for (uint32_t i = 0; i < count; ++i) {
        arguments[i] = receive<char>() == 'P' ? reinterpret_cast<uint64_t>(receive_place())
                                              : receive<uint64_t>();
    }
    launch(shared_bytes);
}

// A factor of a product: row-major, `columns` to a row; transposed, its rows are the columns.
struct Factor {
    const float *values;
    uint32_t columns;
    bool transposed;

    float at(size_t row, size_t column) const {
        return transposed ? values[column * columns + row] : values[row * columns + column];
    }
};

static Factor receive_factor() {
    const float *values = receive_place();
    const uint32_t columns = receive();
    return {values, columns, receive() != 0};
}

// The matrix products of cuBLAS, as plain loops.
static void multiply() {
    const uint32_t buffer = receive(), offset = receive();
    const Factor left = receive_factor(), right = receive_factor();
    const size_t rows = receive(), columns = receive(), depth = receive();
    const bool accumulate = receive() != 0;
    float *out = place(buffer, offset);
    for (size_t i = 0; i < rows; ++i) {
        for (size_t j = 0; j < columns; ++j) {
            float sum = 0.0f;
            for (size_t k = 0; k < depth; ++k) sum += left.at(i, k) * right.at(k, j);
            out[i * columns + j] = accumulate ? out[i * columns + j] + sum : sum;
        }
    }
    note_written(buffer, offset, rows * columns);
}

static void tell_sites() {
    const uint32_t count = sites.size();
    std::fwrite(&count, 4, 1, stdout);
    std::fflush(stdout);
}

}   // namespace emulator

int main() {
    using namespace emulator;
    regions.push_back({reinterpret_cast<char *>(shared_memory), 0, {}});
    for (int command = std::getchar(); command != EOF; command = std::getchar()) {
        switch (command) {
        case 'A': allocate(); break;
        case 'W': write_buffer(); break;
        case 'R': read_buffer(); break;
        case 'L': launch_kernel(); break;
        case 'M': multiply(); break;
        case 'O': omitted_site = receive(); break;
        case 'S': tell_sites(); break;
        default: refuse("no such command");
        }
    }
}

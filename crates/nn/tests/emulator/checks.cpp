// Finds races, accesses out of bounds and reads of memory that nobody wrote.
//
// The kernels are compiled with `-fsanitize=thread`, which calls the functions at the end of this
// file before every access to memory. The sanitizer's own runtime knows only threads and locks of the
// host; this one knows CUDA's rule: two accesses to the same memory by two threads, of which one is a
// write, need a barrier between them, and nothing orders two blocks of a launch. The answer does not
// depend on the order in which the emulator happens to run the threads.
#include "cuda.h"
#include "memory.h"

namespace emulator {

static constexpr uint32_t SEVERAL = ~0u;

static bool unordered(const Moment &a, const Moment &b) {
    return a.launch == b.launch &&
           (a.block != b.block || (a.epoch == b.epoch && a.thread != b.thread));
}

static void note_read(Moment &last, const Moment &mine) {
    if (last.launch != mine.launch || (last.block == mine.block && last.epoch != mine.epoch)) {
        last = mine;
    } else if (last.block != mine.block) {
        last.block = SEVERAL;
    } else if (last.thread != mine.thread) {
        last.thread = SEVERAL;
    }
}

static void check_cell(Cell &cell, bool write) {
    const Moment mine = now();
    if (unordered(cell.write, mine) || (write && unordered(cell.read, mine))) {
        fault("race: two threads access the same memory with no barrier between them");
    }
    if (write) {
        cell.write = mine;
        cell.written = true;
    } else {
        if (!cell.written) fault("uninitialised: memory is read that nobody wrote");
        note_read(cell.read, mine);
    }
}

static bool is_argument(uintptr_t address) {
    const uintptr_t start = reinterpret_cast<uintptr_t>(arguments);
    return address >= start && address < start + sizeof arguments;
}

static void check(void *pointer, size_t bytes, bool write) {
    const uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
    if (on_own_stack(address) || (!write && is_argument(address))) return;
    for (Region &region : regions) {
        const uintptr_t start = reinterpret_cast<uintptr_t>(region.start);
        if (address < start || address + bytes > start + region.bytes) continue;
        for (size_t cell = (address - start) / 4; cell * 4 < address - start + bytes; ++cell) {
            check_cell(region.cells[cell], write);
        }
        return;
    }
    fault("out of bounds: an access to memory that is not the device's");
}

}   // namespace emulator

#define ACCESS(bytes)                                                                        \
    void __tsan_read##bytes(void *p) { emulator::check(p, bytes, false); }                   \
    void __tsan_write##bytes(void *p) { emulator::check(p, bytes, true); }                   \
    void __tsan_unaligned_read##bytes(void *p) { emulator::check(p, bytes, false); }         \
    void __tsan_unaligned_write##bytes(void *p) { emulator::check(p, bytes, true); }

extern "C" {
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
void __tsan_read_range(void *p, size_t bytes) { emulator::check(p, bytes, false); }
void __tsan_write_range(void *p, size_t bytes) { emulator::check(p, bytes, true); }
void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
}

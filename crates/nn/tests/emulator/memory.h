// Memory of the emulated device, and what the checks want to know of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace emulator {

// Ends the program with a message about the running kernel.
[[noreturn]] void fault(const char *what);

// Whether an address is on the running fiber's stack.
bool on_own_stack(uintptr_t address);

// A thread of a launch at a moment between two barriers. No launch has number 0.
struct Moment {
    uint32_t launch, block, epoch, thread;
};
Moment now();

// The accesses to four bytes that matter for those to come.
struct Cell {
    Moment write{}, read{};
    bool written = false;
};

struct Region {
    char *start;
    size_t bytes;
    std::vector<Cell> cells;   // empty where accesses are not checked
};

// All of the device's buffers; the first is the block's shared memory.
extern std::vector<Region> regions;

}   // namespace emulator

//! Which instructions compute: the best of this processor, or such as every processor has.

use std::any::TypeId;
use std::sync::atomic::{AtomicBool, Ordering};

use pulp::{Arch, Scalar128b, Simd, WithSimd};

/// Registers of four values of `f32` by plain additions and multiplications, which compilers make of
/// what every processor has.
type Plain = Scalar128b;

static PORTABLE: AtomicBool = AtomicBool::new(false);

/// From now on this whole process computes networks in a way that gives the same bits whatever the
/// processor's instruction set and caches: it takes several times as long. To be called before
/// anything is computed.
pub fn compute_portably() {
    PORTABLE.store(true, Ordering::Relaxed);
}

/// Whether [`compute_portably`] was called.
pub(crate) fn is_portable() -> bool {
    PORTABLE.load(Ordering::Relaxed)
}

/// Runs an operation by the instructions that are to be used.
pub(crate) fn dispatch<Op: WithSimd>(operation: Op) -> Op::Output {
    if is_portable() {
        Plain::vectorize(Scalar128b, operation)
    } else {
        Arch::new().dispatch(operation)
    }
}

/// Whether `S` rounds the product of `a · b + c` too. Not every processor can do without, and to
/// emulate that is a function call for each value.
#[inline(always)]
pub(crate) fn rounds_twice<S: Simd>() -> bool {
    TypeId::of::<S>() == TypeId::of::<Plain>()
}

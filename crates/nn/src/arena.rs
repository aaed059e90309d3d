//! Buffers kept from step to step: fresh memory of a hundred megabytes costs a page fault every
//! 4 KiB, which is a tenth of a training step.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// A pool of buffers.
#[derive(Debug, Default)]
pub(crate) struct Arena<T> {
    free: Mutex<Vec<Vec<T>>>,
}

impl<T: Copy + Default> Arena<T> {
    /// A buffer of `length` values, of whatever content. It returns to the pool when dropped.
    pub(crate) fn take(self: &Arc<Self>, length: usize) -> Buffer<T> {
        // A little more than asked for, so that the next, slightly longer batch fits too.
        let fresh = || vec![T::default(); length + length / 8];
        let values = self.reuse(length).unwrap_or_else(fresh);
        Buffer { values, length, arena: Arc::clone(self) }
    }

    /// A buffer of zeros.
    pub(crate) fn zeros(self: &Arc<Self>, length: usize) -> Buffer<T> {
        let mut buffer = self.take(length);
        buffer.fill(T::default());
        buffer
    }

    /// The shortest free vector that holds `length` values and not many more. Where there is none,
    /// the one that misses by least is given back to the system: a longer one is about to replace
    /// it.
    fn reuse(&self, length: usize) -> Option<Vec<T>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let lengths = || free.iter().map(Vec::len).enumerate();
        let fits = lengths().filter(|(_, l)| (length..=2 * length).contains(l));
        if let Some((index, _)) = fits.min_by_key(|(_, l)| *l) {
            return Some(free.swap_remove(index));
        }
        let misses = lengths().filter(|(_, l)| (length / 2..length).contains(l));
        if let Some((index, _)) = misses.max_by_key(|(_, l)| *l) {
            free.swap_remove(index);
        }
        None
    }
}

/// A buffer on loan from an [`Arena`].
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    values: Vec<T>,
    length: usize,
    arena: Arc<Arena<T>>,
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values[..self.length]
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[..self.length]
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        self.arena.free.lock().unwrap_or_else(PoisonError::into_inner).push(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back() {
        let arena = Arc::new(Arena::<f32>::default());
        let first = arena.take(100);
        let place = first.as_ptr();
        drop(first);
        let again = arena.zeros(100);
        assert_eq!((again.len(), again.as_ptr()), (100, place));
        assert!(again.iter().all(|&x| x == 0.0));
    }

    #[test]
    fn a_slightly_longer_batch_fits_and_a_small_buffer_takes_no_large_one() {
        let arena = Arc::new(Arena::<f32>::default());
        let place = arena.take(1000).as_ptr();
        assert_eq!(arena.take(1100).as_ptr(), place);
        drop(arena.take(10));
        assert_eq!(arena.free.lock().unwrap().len(), 2);
    }

    #[test]
    fn buffers_that_are_outgrown_are_given_back() {
        let arena = Arc::new(Arena::<f32>::default());
        for length in [1000, 1500, 2200, 3000] {
            drop(arena.take(length));
        }
        assert_eq!(arena.free.lock().unwrap().len(), 1);
    }
}

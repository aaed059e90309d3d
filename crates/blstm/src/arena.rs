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
        let mut values = self.smallest_fit(length).unwrap_or_default();
        values.resize(length, T::default());
        Buffer { values, arena: Arc::clone(self) }
    }

    /// A buffer of zeros.
    pub(crate) fn zeros(self: &Arc<Self>, length: usize) -> Buffer<T> {
        let mut buffer = self.take(length);
        buffer.fill(T::default());
        buffer
    }

    fn smallest_fit(&self, length: usize) -> Option<Vec<T>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |(_, v): &(usize, &Vec<T>)| v.capacity() >= length;
        let best = free.iter().enumerate().filter(fits).min_by_key(|(_, v)| v.capacity());
        let index = best.map(|(index, _)| index).or_else(|| free.len().checked_sub(1))?;
        Some(free.swap_remove(index))
    }
}

/// A buffer on loan from an [`Arena`].
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    values: Vec<T>,
    arena: Arc<Arena<T>>,
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
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
        let again = arena.zeros(50);
        assert_eq!((again.len(), again.as_ptr()), (50, place));
        assert!(again.iter().all(|&x| x == 0.0));
    }
}

//! Locks whose content no panic leaves half changed.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock's content. Nothing that holds one of these leaves its content half changed.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Parts of points and lists. A part that is not there is a broken shape, and is refused like one.

use crate::field::check::{Check, Rejection};

fn missing() -> Rejection {
    Rejection { check: Check::Length }
}

/// The element at `index`.
///
/// # Errors
/// There is none.
pub(super) fn at<E>(list: &[E], index: usize) -> Result<&E, Rejection> {
    list.get(index).ok_or_else(missing)
}

/// The first `count` elements.
///
/// # Errors
/// There are fewer.
pub(super) fn head<E>(list: &[E], count: usize) -> Result<&[E], Rejection> {
    list.get(..count).ok_or_else(missing)
}

/// The last `count` elements.
///
/// # Errors
/// There are fewer.
pub(super) fn tail<E>(list: &[E], count: usize) -> Result<&[E], Rejection> {
    list.len().checked_sub(count).and_then(|begin| list.get(begin..)).ok_or_else(missing)
}

/// The first `count` elements and the others.
///
/// # Errors
/// There are fewer.
pub(super) fn split<E>(list: &[E], count: usize) -> Result<(&[E], &[E]), Rejection> {
    list.split_at_checked(count).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_refused() {
        let list = [1, 2, 3];
        assert_eq!((at(&list, 2), at(&list, 3)), (Ok(&3), Err(missing())));
        assert_eq!((head(&list, 3), head(&list, 4)), (Ok(&list[..]), Err(missing())));
        assert_eq!((tail(&list, 1), tail(&list, 4)), (Ok(&list[2..]), Err(missing())));
        assert_eq!((split(&list, 1), split(&list, 4)), (Ok((&list[..1], &list[1..])), Err(missing())));
    }
}

//! Where a test may stop the store: after each change of the folder.

/// A change of the folder has just been made.
#[cfg(not(test))]
pub(crate) fn step(_: &'static str) {}

#[cfg(test)]
pub(crate) use watched::{step, watch};

#[cfg(test)]
mod watched {
    use std::cell::RefCell;

    type Watcher = Box<dyn FnMut(&'static str)>;

    thread_local! {
        static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
    }

    /// Tells the watcher of this thread.
    pub(crate) fn step(name: &'static str) {
        // Taken out, so that what the watcher does with stores of its own is not watched.
        let watcher = WATCHER.with_borrow_mut(Option::take);
        if let Some(mut watcher) = watcher {
            watcher(name);
            WATCHER.set(Some(watcher));
        }
    }

    /// Calls `watcher` after each change that `act` makes.
    pub(crate) fn watch<T>(watcher: impl FnMut(&'static str) + 'static, act: impl FnOnce() -> T) -> T {
        WATCHER.set(Some(Box::new(watcher)));
        let done = act();
        WATCHER.set(None);
        done
    }
}

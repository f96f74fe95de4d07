//! The user's folder for what can be made again: keys of circuits, compiled contracts.

use std::path::PathBuf;

/// `gradproof` in the user's cache folder, if there is one.
pub fn folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    caches.map(|folder| folder.join("gradproof"))
}

//! The networks that a running program knows: those of this folder, and those that were added.

use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use super::spec::ModelSpec;
use crate::error::{Code, Error, Result};

static MODELS: LazyLock<RwLock<Vec<Arc<ModelSpec>>>> =
    LazyLock::new(|| RwLock::new(super::known().into_iter().map(Arc::new).collect()));

/// Every known network. Where two fit a file equally well, the first is taken.
pub fn registry() -> Vec<Arc<ModelSpec>> {
    MODELS.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The network of this id.
pub fn by_id(id: &str) -> Option<Arc<ModelSpec>> {
    registry().into_iter().find(|model| model.id == id)
}

/// Adds a network for as long as the program runs; `usage` if its id is taken.
pub fn register(model: ModelSpec) -> Result<Arc<ModelSpec>> {
    let mut models = MODELS.write().unwrap_or_else(PoisonError::into_inner);
    if models.iter().any(|known| known.id == model.id) {
        let text = format!("There is a network {} already. Give the new one another id.", model.id);
        return Err(Error::new(Code::Usage, text));
    }
    let model = Arc::new(model);
    models.push(Arc::clone(&model));
    Ok(model)
}

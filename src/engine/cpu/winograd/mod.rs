//! Convolutions by minimal filtering: `decomposition` knows which ones are made of small filters and what that costs,
//! `weights` holds their weights as the tiles multiply them, `conv` runs a layer, and `accuracy` compares transformed weights
//! with plain sums.

mod accuracy;
mod conv;
mod decomposition;
mod weights;

pub use accuracy::{MAX_ERROR, error};
pub use conv::WinogradConv;
pub use decomposition::{Choice, Tile, cost};
pub use weights::WinogradWeights;

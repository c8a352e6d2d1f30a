//! The reference engine: candle-nn layers, one node after another, as plain as PyTorch's `forward`.

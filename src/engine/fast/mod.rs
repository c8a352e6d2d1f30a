//! The fast plan: compiled from the description and the weights.

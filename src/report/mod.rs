//! What a file is, what fits and what does not, in words and as data.

"""From refined sources to a training set: weights, caps, epochs, splits without leaks, shuffled shards, a manifest."""

"""Search: pictures and sentences under a saved model, kept up to date, in exact or approximate engines."""

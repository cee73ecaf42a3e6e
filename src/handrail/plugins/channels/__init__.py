"""Where messages go: one folder for each channel, one contract for all."""

"""Short durable workflows, timers, deliveries and the reaper; the only importer of the engine library."""

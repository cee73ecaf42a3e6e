"""Evidence, cause ranking and proposals, by rules over topology, changes and timing; claims are checked here."""

"""One transaction per operation: load, decide, append, project, commit, then wake listeners."""

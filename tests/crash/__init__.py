"""Real servers that are killed with SIGKILL at named points, and what stands afterwards."""

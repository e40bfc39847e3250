"""What people see of a run, as pure functions of its definition and state."""

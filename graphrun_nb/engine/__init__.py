"""The async shell around the core: it does what the log says, and reports what came of it."""

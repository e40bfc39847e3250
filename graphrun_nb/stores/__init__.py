"""Where logs are kept. All stores pass one conformance suite."""

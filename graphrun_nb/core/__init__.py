"""The pure core: graphs, events and what follows from them. No I/O, clock, randomness, threads or event loop."""

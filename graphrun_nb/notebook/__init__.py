"""Everything that knows IPython: the magic, the live view, and the kernel's loop."""

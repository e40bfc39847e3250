"""How people write graphs: everything here ends in a `GraphSpec` and the functions of its nodes."""

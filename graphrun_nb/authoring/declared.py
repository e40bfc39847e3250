def declared_types(graph):
    return {}

"""Tables as tests compare them."""


def columns(table):
    """Type and values of each column, as texts; None where one is missing."""
    found = table.select({f"v{j}": f"c{j}::VARCHAR" for j in range(len(table.names))})
    values = [[None if text is None else str(text) for text in array.tolist()] for array in found.values()]
    return dict(zip(table.names, zip(table.types, values, strict=True), strict=True))

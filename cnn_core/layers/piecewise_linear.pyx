"""Piecewise-linear encoding: one output for each bin of a column, next to columns that pass unchanged.

For a column x with edges e_0 < ... < e_b, and the factor f of its block:

    t_k         := clamp((x - e_k) / (e_k+1 - e_k), 0, 1)      k = 0 .. b - 1
    y_k         := f (t_k - 1/2)
    delta_below := f delta_k / (e_k+1 - e_k) for the one k with e_k < x <= e_k+1, else 0; plus delta if x passes too

The layer's constants are a list of doubles: the number of columns that pass, and these; then for each block its column,
b, f, the edges (b + 1), and 1 / (e_k+1 - e_k) (b). Outputs are in the same order. A block is computed in pieces of up
to 64 bins, whose edges are converted to the network's type once for all rows of a tile.

Source: Gorishniy, Rubachev and Babenko, NeurIPS 2022.
"""
from libc.string cimport memset

from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.types cimport LayerSpec, Net, Tile, buffer, real

cdef enum:
    PIECE = 64      # bins that are processed together

# Bins of one column that are processed together, and where they are.
cdef struct Piece:
    Py_ssize_t column
    Py_ssize_t output        # of the first bin
    Py_ssize_t n_bins
    Py_ssize_t rest          # bins of the block after these
    double factor
    const double* edges      # (n_bins + 1,)
    const double* rates      # (n_bins,)


cdef inline const double* begin(const Net* net, const LayerSpec* layer, Piece* piece) noexcept nogil:
    """The columns that pass, `piece.output` of them; `next_piece` then gives the first piece."""
    cdef const double* constants = net.constants + layer.constants
    piece.output = <Py_ssize_t> constants[0]
    piece.n_bins = piece.rest = 0
    piece.edges = piece.rates = constants + 1 + piece.output
    return constants + 1


cdef inline bint next_piece(const LayerSpec* layer, Piece* piece) noexcept nogil:
    """Go on to the next piece; false after the last."""
    cdef const double* block
    piece.output += piece.n_bins
    piece.edges += piece.n_bins
    piece.rates += piece.n_bins
    if piece.output == layer.n_out:
        return False
    if piece.rest == 0:
        block = piece.rates         # the end of the last one
        piece.column = <Py_ssize_t> block[0]
        piece.rest = <Py_ssize_t> block[1]
        piece.factor = block[2]
        piece.edges = block + 3
        piece.rates = piece.edges + piece.rest + 1
    piece.n_bins = min(piece.rest, <Py_ssize_t> PIECE)
    piece.rest -= piece.n_bins
    return True


cdef CLONES_VOID pass_column(const real* x, Py_ssize_t x_step, real* y, Py_ssize_t y_step,
                             Py_ssize_t n_rows) noexcept nogil:
    """y := x, for one column of each."""
    cdef Py_ssize_t i
    for i in range(n_rows):
        y[i * y_step] = x[i * x_step]


cdef CLONES_VOID encode(const real* x, Py_ssize_t n_in, Py_ssize_t n_rows, const Piece* piece, real* y,
                        Py_ssize_t n_out) noexcept nogil:
    """y (n_rows, n_out)[:, :n_bins] := f (t - 1/2), from the column x of rows of n_in numbers."""
    cdef real[PIECE] low, rate
    cdef real value, t, half = <real> 0.5, factor = <real> piece.factor
    cdef Py_ssize_t i, k, n_bins = piece.n_bins
    for k in range(n_bins):
        low[k] = <real> piece.edges[k]
        rate[k] = <real> piece.rates[k]
    for i in range(n_rows):
        value = x[i * n_in]
        for k in range(n_bins):
            t = (value - low[k]) * rate[k]
            t = 0 if t < 0 else t       # in this order NaN stays NaN
            t = 1 if t > 1 else t
            y[i * n_out + k] = factor * (t - half)


cdef CLONES_VOID add_slopes(const real* x, Py_ssize_t n_in, Py_ssize_t n_rows, const Piece* piece, const real* delta,
                            Py_ssize_t n_out, real* below) noexcept nogil:
    """below (n_rows, n_in)[:, 0] += f delta_k rate_k for the bin that x is in, if it is one of these."""
    cdef real[PIECE + 1] edges
    cdef real[PIECE] slope
    cdef real value
    cdef Py_ssize_t i, k, n_bins = piece.n_bins
    cdef int n_lower
    for k in range(n_bins):
        edges[k] = <real> piece.edges[k]
        slope[k] = <real> (piece.factor * piece.rates[k])
    edges[n_bins] = <real> piece.edges[n_bins]
    for i in range(n_rows):
        value = x[i * n_in]
        n_lower = 0
        for k in range(n_bins + 1):
            n_lower += value > edges[k]
        if 0 < n_lower <= n_bins:
            below[i * n_in] += slope[n_lower - 1] * delta[i * n_out + n_lower - 1]


cdef void piecewise_linear_forward(const Net* net, Py_ssize_t i, const Tile* tile, real* work) noexcept nogil:
    """y from x."""
    cdef const LayerSpec* layer = net.layers + i
    cdef const real* x = buffer(net, tile, work, layer.input, layer.n_in)
    cdef real* y = buffer(net, tile, work, layer.output, layer.n_out)
    cdef Piece piece
    cdef Py_ssize_t j
    cdef const double* passed = begin(net, layer, &piece)
    for j in range(piece.output):
        pass_column(x + <Py_ssize_t> passed[j], layer.n_in, y + j, layer.n_out, tile.n_rows)
    while next_piece(layer, &piece):
        encode(x + piece.column, layer.n_in, tile.n_rows, &piece, y + piece.output, layer.n_out)


cdef void piecewise_linear_backward(const Net* net, Py_ssize_t i, const Tile* tile, real* work) noexcept nogil:
    """delta_below from delta."""
    cdef const LayerSpec* layer = net.layers + i
    cdef const real* x = buffer(net, tile, work, layer.input, layer.n_in)
    cdef const real* delta = buffer(net, tile, work, layer.delta, layer.n_out)
    cdef real* below = buffer(net, tile, work, layer.delta_below, layer.n_in)
    cdef Piece piece
    cdef Py_ssize_t j
    cdef const double* passed = begin(net, layer, &piece)
    memset(below, 0, tile.n_rows * layer.n_in * sizeof(real))
    for j in range(piece.output):
        pass_column(delta + j, layer.n_out, below + <Py_ssize_t> passed[j], layer.n_in, tile.n_rows)
    while next_piece(layer, &piece):
        add_slopes(x + piece.column, layer.n_in, tile.n_rows, &piece, delta + piece.output, layer.n_out,
                   below + piece.column)

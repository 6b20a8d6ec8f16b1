"""What Python can't say to the compiler: sixteen numbers at once, and what to fetch before it is needed.

In: arrays of other compiled code. Out: what a plain loop would give, to the last bit. Every processor runs
them; one with registers of 512 bits takes one step where others take two or four.
"""

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.np.arrayobj import make_array

LANES: Final = 16
"""Numbers of 32 bits that are taken at once: a line of the cache."""

_INT32: Final = ir.IntType(32)
_INT64: Final = ir.IntType(64)
_INTS: Final = ir.VectorType(_INT32, LANES)
_FLOATS: Final = ir.VectorType(ir.FloatType(), LANES)
_UNALIGNED: Final = 4

_intrinsic: Callable[[Any], Any] = extending.intrinsic
_array: Callable[[Any], Any] = make_array
_variable: Callable[[Any, Any], Any] = cgutils.alloca_once_value


def _data(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    """Return the pointer to the first number of an array."""
    return _array(array_type)(context, builder, array).data


def _lanes(builder: Any, data: Any, lanes: Any, line: Any) -> Any:
    """Return the pointer to the sixteen numbers from 16 * line on."""
    return builder.gep(builder.bitcast(data, lanes.as_pointer()), [line])


@_intrinsic
def prefetch_line(_: Any, table: Any, line: Any) -> Any:
    """Ask for the sixteen numbers from 16 * line on: they come while other work is done."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
        place = builder.bitcast(_lanes(builder, data, _FLOATS, arguments[1]), cgutils.voidptr_t)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, _INT32, _INT32, _INT32])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], kind)
        # To read it, and keep it near; it is data.
        builder.call(prefetch, [place, _INT32(0), _INT32(3), _INT32(1)])
        return context.get_dummy_value()

    return types.void(table, types.int64), generate


@_intrinsic
def sum_lines(_: Any, table: Any, lines: Any, begin: Any, stop: Any, further: Any, sums: Any, to: Any) -> Any:
    """Add up the lines of a table that lie `further` behind lines[begin:stop], in their order.

    Their sum becomes line `to` of `sums`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = signature.args
        rows = _data(context, builder, given[0], arguments[0])
        places = _data(context, builder, given[1], arguments[1])
        total = _variable(builder, ir.Constant(_FLOATS, [0.0] * LANES))
        with cgutils.for_range_slice(builder, arguments[2], arguments[3], _INT64(1)) as (place, _):
            line = builder.sext(builder.load(builder.gep(places, [place])), _INT64)
            line = builder.add(line, arguments[4])
            row = builder.load(_lanes(builder, rows, _FLOATS, line), align=_UNALIGNED)
            builder.store(builder.fadd(builder.load(total), row), total)
        out = _lanes(builder, _data(context, builder, given[5], arguments[5]), _FLOATS, arguments[6])
        builder.store(builder.load(total), out, align=_UNALIGNED)
        return context.get_dummy_value()

    place = types.int64
    return types.void(table, lines, place, place, place, sums, place), generate


@_intrinsic
def rank_line(_: Any, values: Any, count: Any, line: Any, ranks: Any) -> Any:
    """Write, of the sixteen values from 16 * line on, how many of the first `count` are less than each."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
        own = builder.load(_lanes(builder, data, _INTS, arguments[2]), align=_UNALIGNED)
        less = _variable(builder, ir.Constant(_INTS, [0] * LANES))
        with cgutils.for_range(builder, arguments[1]) as loop:
            other = builder.load(builder.gep(data, [loop.index]))
            first = builder.insert_element(ir.Constant(_INTS, ir.Undefined), other, _INT32(0))
            others = builder.shuffle_vector(first, first, ir.Constant(_INTS, [0] * LANES))
            # True is -1 in as many bits as a number.
            found = builder.sext(builder.icmp_signed("<", others, own), _INTS)
            builder.store(builder.sub(builder.load(less), found), less)
        out = _lanes(builder, _data(context, builder, signature.args[3], arguments[3]), _INTS, arguments[2])
        builder.store(builder.load(less), out, align=_UNALIGNED)
        return context.get_dummy_value()

    return types.void(values, types.int64, types.int64, ranks), generate

"""What Python can't say to the compiler: sixteen numbers at once, and what to fetch before it is needed.

In: arrays of other compiled code. Out: what a plain loop would give, to the last bit. Every processor runs
them; one with registers of 512 bits takes one step where others take two or four.
"""

import platform
from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import config, extending, types
from numba.core import cgutils
from numba.np.arrayobj import make_array

LANES: Final = 16
"""Numbers of 32 bits that are taken at once: a line of the cache."""

_INT32: Final = ir.IntType(32)
_INT64: Final = ir.IntType(64)
_INTS: Final = ir.VectorType(_INT32, LANES)
_FLOATS: Final = ir.VectorType(ir.FloatType(), LANES)
_HALVES: Final = ir.VectorType(ir.HalfType(), LANES)
_UNALIGNED: Final = 4


def _reads_halves() -> bool:
    """Whether the code that numba makes can widen numbers of 16 bits; where it can't, it would crash.

    Every processor since 2013 can, unless numba was told to make code for another one.
    """
    if platform.machine().lower() in ("aarch64", "arm64"):
        return True
    told: Any = config
    for_this_one = told.CPU_NAME is None and told.CPU_FEATURES is None and told.ENABLE_AVX
    return bool(for_this_one and get_host_cpu_features().get("f16c", False))


READS_HALVES: Final = _reads_halves()

_intrinsic: Callable[[Any], Any] = extending.intrinsic
_array: Callable[[Any], Any] = make_array
_variable: Callable[[Any, Any], Any] = cgutils.alloca_once_value


def _data(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    """Return the pointer to the first number of an array."""
    return _array(array_type)(context, builder, array).data


def _lanes(builder: Any, data: Any, lanes: Any, line: Any) -> Any:
    """Return the pointer to the sixteen numbers from 16 * line on."""
    return builder.gep(builder.bitcast(data, lanes.as_pointer()), [line])


def _row(array_type: Any) -> Any:
    """Return what a line of a table is made of; halves come as np.uint16, as numba knows none."""
    return _HALVES if array_type.dtype == types.uint16 else _FLOATS


@_intrinsic
def prefetch_line(_: Any, table: Any, line: Any) -> Any:
    """Ask for the sixteen numbers from 16 * line on: they come while other work is done."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
        row = _lanes(builder, data, _row(signature.args[0]), arguments[1])
        place = builder.bitcast(row, cgutils.voidptr_t)
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
            row = builder.load(_lanes(builder, rows, _row(given[0]), line), align=_UNALIGNED)
            wide = row if row.type == _FLOATS else builder.fpext(row, _FLOATS)
            builder.store(builder.fadd(builder.load(total), wide), total)
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

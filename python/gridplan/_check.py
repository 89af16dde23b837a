"""What a caller gives, as the engine takes it: converted when no value changes, refused by name when one would.

`name` is the parameter as the caller wrote it, down to the entry: ``groups[0][1]``.
"""

from __future__ import annotations

import operator
import reprlib

import numpy as np

#: Largest values of the engine's whole numbers.
U32, U64 = 2**32 - 1, 2**64 - 1


def shown(value):
    """`value` for a message: as Python writes it, cut where it is long."""
    return reprlib.repr(value.item() if isinstance(value, np.generic) else value)


def _as_int(value):
    """The integer that `value` is, 3.0 included; None if it is none."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, (float, np.floating)):
        return int(value) if float(value).is_integer() else None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _within(number, name, error, least, most):
    if number < least:
        raise error(f"`{name}` must be {least} or more; got {shown(number)}")
    if most is not None and most < number:
        raise error(f"`{name}` must be at most {most}; got {shown(number)}")
    return number


def whole(value, name, error, least=0, most=U32):
    """A whole number from `least` to `most`."""
    number = _as_int(value)
    if number is None:
        raise error(f"`{name}` must be a whole number; got {shown(value)}")
    return _within(number, name, error, least, most)


def real(value, name, error, least=-np.inf, most=None):
    """A finite number from `least` to `most`."""
    try:
        number = None if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or not np.isfinite(number):
        raise error(f"`{name}` must be a finite number; got {shown(value)}")
    return _within(number, name, error, least, most)


def entries(values, name, error):
    """`values` as a list of whatever they are."""
    if isinstance(values, (str, bytes, dict)):
        raise error(f"`{name}` must be a list; got {shown(values)}")
    try:
        return list(values)
    except TypeError:
        raise error(f"`{name}` must be a list; got {shown(values)}") from None


def row(values, length, name, form, error):
    """A tuple of `length` entries, of which `form` tells the meaning."""
    try:
        found = tuple(values)
    except TypeError:
        found = ()
    if len(found) != length or isinstance(values, str):
        raise error(f"`{name}` must be {form}; got {shown(values)}")
    return found


def pairs(mapping, name, form, error):
    """Keys and values of a dictionary, or of what can become one."""
    try:
        return list(dict(mapping).items())
    except (TypeError, ValueError):
        raise error(f"`{name}` must be {form}; got {shown(mapping)}") from None


def array(values, dtype, name, error):
    """`values` as a contiguous, aligned array of `dtype`."""
    try:
        found = np.asarray(values)
    except ValueError:
        raise error(f"`{name}` must be an array of numbers; got rows that do not fit together") from None
    if found.dtype == dtype:
        # A column read from the middle of a file may start at any byte.
        return np.require(found, requirements="CA")
    if found.size and found.dtype.kind not in "biuf":
        # Beside a word NumPy makes words of the numbers, too.
        found = np.asarray(values, dtype=object) if found.dtype.kind in "SU" else found
        _check_objects(found, dtype, name, error)
    with np.errstate(invalid="ignore"):
        converted = found.astype(dtype, order="C")
    if found.size:
        changed = converted.astype(np.float64) != found.astype(np.float64)
        if changed.any():
            place = np.unravel_index(int(np.argmax(changed)), found.shape)
            _refuse(found[place], place, dtype, name, error)
    return converted


def column(values, dtype, name, error, length=None, per=""):
    """`array` of one dimension, of `length` values if that is given, one per `per`."""
    found = array(values, dtype, name, error)
    if found.ndim != 1:
        raise error(f"`{name}` must have one dimension; got {found.ndim}")
    if length is not None and len(found) != length:
        raise error(f"`{name}` must have {length} values, one per {per}; got {len(found)}")
    return found


def matrix(values, name, error):
    """`values` as an array of two dimensions, of whatever type they are."""
    found = np.asarray(values)
    if found.ndim != 2:
        raise error(f"`{name}` has {found.ndim} dimensions; give demand × site, or (indptr, indices, cost)")
    return found


def amounts(values, name, error, length=None, per="", may_be_infinite=False):
    """`column` of numbers that are not negative."""
    found = column(values, np.float64, name, error, length, per)
    good = (0 <= found) & (may_be_infinite | np.isfinite(found))
    if not good.all():
        index = int(np.argmin(good))
        kind = "a number" if may_be_infinite else "a finite number"
        raise error(f"`{name}[{index}]` must be {kind}, 0 or more; got {shown(found[index])}")
    return found


def _allowed(dtype):
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        return f"a whole number from {np.iinfo(dtype).min} to {np.iinfo(dtype).max}"
    return "true or false" if dtype.kind == "b" else "a number"


def _refuse(value, place, dtype, name, error):
    where = f"[{', '.join(str(index) for index in place)}]" if place else ""
    raise error(f"`{name}{where}` must be {_allowed(dtype)}; got {shown(value)}")


def _check_objects(found, dtype, name, error):
    """Refuses words, missing values and numbers out of range among objects, which NumPy would fail to convert."""
    kind = np.dtype(dtype).kind
    limits = np.iinfo(dtype) if kind in "iu" else np.finfo(np.float64)
    # Python's own numbers: NumPy's cannot be compared with whole numbers of any length.
    least, most = limits.min, limits.max
    if kind not in "iu":
        least, most = float(least), float(most)
    for place, value in np.ndenumerate(found):
        is_float = isinstance(value, (float, np.floating))
        number = float(value) if is_float else _as_int(value)
        if number is None or not (least <= number <= most or (is_float and kind == "f")):
            _refuse(value, place, dtype, name, error)

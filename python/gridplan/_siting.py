"""Tables and side conditions of the siting models, checked and as the engine takes them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import _check
from ._native import SitingError

_CSR = "(indptr, indices, cost)"


class Table(NamedTuple):
    """Costs from demand points (rows) to sites (columns)."""

    #: uint32[demand, site], or (indptr uint64, indices uint32[, cost uint32]).
    arrays: Any
    n_demand: int
    #: None where only the indices tell.
    n_sites: int | None
    has_costs: bool


def csr(table, name, error):
    """A `Table` of a CSR tuple or of a SciPy sparse matrix, whose stored entries, zeros too, are what is reached."""
    n_sites = None
    if hasattr(table, "tocsr"):
        matrix = table.tocsr()
        table, n_sites = (matrix.indptr, matrix.indices, matrix.data), int(matrix.shape[1])
        if matrix.data.dtype == bool:
            if not matrix.data.all():
                raise error(f"`{name}` stores false entries; drop them with eliminate_zeros()")
            table = table[:2]
    if not isinstance(table, (tuple, list)) or len(table) not in (2, 3):
        raise error(f"`{name}` must be {_CSR} or a SciPy sparse matrix; got {_check.shown(table)}")
    arrays = [_check.column(table[0], np.uint64, f"{name}.indptr", error)]
    arrays.append(_check.column(table[1], np.uint32, f"{name}.indices", error))
    has_costs = len(table) == 3 and table[2] is not None
    if has_costs:
        arrays.append(_check.column(table[2], np.uint32, f"{name}.cost", error))
    return Table(tuple(arrays), max(len(arrays[0]) - 1, 0), n_sites, has_costs)


def _is_csr(table, name):
    """Whether a table is sparse. Two or three plain lists of one length are rows, unless they read as sparse as well."""
    if hasattr(table, "tocsr"):
        return True
    if not (isinstance(table, (tuple, list)) and len(table) in (2, 3) and np.ndim(table[0]) == 1):
        return False
    if isinstance(table, list) and all(isinstance(row, list) and len(row) == len(table[0]) for row in table):
        offsets = table[0]
        if offsets and offsets[0] == 0 and offsets[-1] == len(table[1]) and offsets == sorted(offsets):
            raise SitingError(f"`{name}` may be rows of costs or {_CSR}; give a NumPy array or a tuple")
        return False
    return True


def _holds_true_and_false(values):
    try:
        return np.asarray(values).dtype == bool
    except ValueError:
        return False


def table(values, name, n_sites=None):
    """A `Table` of whatever form, its number of sites known."""
    is_csr = _is_csr(values, name)
    if not is_csr and _holds_true_and_false(values):
        # True where the site reaches the point, without costs.
        reached = _check.matrix(values, name, SitingError)
        indptr = np.concatenate(([0], np.cumsum(reached.sum(axis=1))))
        arrays = (indptr.astype(np.uint64), np.nonzero(reached)[1].astype(np.uint32))
        found = Table(arrays, *reached.shape, False)
    elif is_csr:
        found = csr(values, name, SitingError)
        if found.n_sites is None:
            indices = found.arrays[1]
            implied = int(indices.max()) + 1 if len(indices) else 0
            found = found._replace(n_sites=implied if n_sites is None else n_sites)
    else:
        dense = _check.matrix(_check.array(values, np.uint32, name, SitingError), name, SitingError)
        found = Table(dense, *dense.shape, True)
    if n_sites is not None and n_sites != found.n_sites:
        raise SitingError(f"`n_sites` must be {found.n_sites}, the columns of `{name}`; got {n_sites}")
    return found


def whole(value, name, most=_check.U32):
    """A whole number, or None where none is given."""
    return None if value is None else _check.whole(value, name, SitingError, most=most)


def _site(value, name, n_sites):
    site = _check.whole(value, name, SitingError)
    if n_sites <= site:
        allowed = f"a site from 0 to {n_sites - 1}" if n_sites else "a site, of which the table has none"
        raise SitingError(f"`{name}` must be {allowed}; got {site}")
    return site


def _sites(values, name, n_sites):
    """Site indices, each once."""
    found = _check.column(values, np.uint32, name, SitingError).tolist()
    seen = set()
    for index, site in enumerate(found):
        if n_sites <= site:
            _site(site, f"{name}[{index}]", n_sites)
        if site in seen:
            raise SitingError(f"`{name}` names site {site} twice")
        seen.add(site)
    return found


def _moves(movable, n_sites):
    moves = []
    for site, places in _check.pairs(movable, "movable", "{site: [other places]}", SitingError):
        site = _site(site, "key of movable", n_sites)
        places = _sites(places, f"movable[{site}]", n_sites)
        if site in places:
            raise SitingError(f"`movable[{site}]` names site {site} twice; it may stay anyway")
        moves.append((site, places))
    return sorted(moves)


def _spacing(too_close, n_sites):
    pairs = []
    for index, pair in enumerate(_check.entries(too_close, "too_close", SitingError)):
        name = f"too_close[{index}]"
        ends = _check.row(pair, 2, name, "a pair of sites", SitingError)
        one, other = (_site(end, f"{name}[{place}]", n_sites) for place, end in enumerate(ends))
        if one == other:
            raise SitingError(f"`{name}` names site {one} twice")
        pairs.append((one, other))
    return pairs


def _groups(groups, n_sites):
    rules = []
    for index, group in enumerate(_check.entries(groups, "groups", SitingError)):
        name = f"groups[{index}]"
        sites, least, most = _check.row(group, 3, name, "(sites, at least, at most)", SitingError)
        counts = [_check.whole(n, f"{name}[{place}]", SitingError) for place, n in ((1, least), (2, most))]
        rules.append((_sites(sites, f"{name}[0]", n_sites), *counts))
    return rules


def _apart(**sites):
    """Refuses a site that has two roles."""
    role = {}
    for name, found in sites.items():
        for site in found or ():
            if site in role:
                raise SitingError(f"site {site} is in `{role[site]}` and in `{name}`; give it one role")
            role[site] = name


def conditions(
    table,
    name,
    *,
    weights=None,
    limit=None,
    fixed=None,
    closable=None,
    max_closed=None,
    movable=None,
    site_cost=None,
    budget=None,
    capacity=None,
    backup=False,
    too_close=None,
    groups=None,
    then_nearest=False,
    then_cheapest=None,
    effort="proof",
    time_limit=None,
    seed=1,
):
    """Side conditions on `table`, the parameter `name`. See `gridplan.p_median`."""
    n_sites = table.n_sites

    def numbers(values, dtype, name, length, per):
        return None if values is None else _check.column(values, dtype, name, SitingError, length, per).tolist()

    for needs_costs, given in (("limit", limit is not None), ("then_nearest", then_nearest and then_cheapest is None)):
        if given and not table.has_costs:
            raise SitingError(f"`{needs_costs}` needs costs; give `{name}` as {_CSR}")
    if then_cheapest is not None and site_cost is None:
        raise SitingError("`then_cheapest` needs `site_cost`; give the cost of each site")
    found = {
        "weights": numbers(weights, np.uint32, "weights", table.n_demand, "demand point"),
        "limit": whole(limit, "limit"),
        "fixed": None if fixed is None else _sites(fixed, "fixed", n_sites),
        "closable": None if closable is None else _sites(closable, "closable", n_sites),
        "max_closed": whole(max_closed, "max_closed"),
        "movable": None if movable is None else _moves(movable, n_sites),
        "site_cost": numbers(site_cost, np.uint32, "site_cost", n_sites, "site"),
        "budget": whole(budget, "budget", _check.U64),
        "capacity": numbers(capacity, np.uint64, "capacity", n_sites, "site"),
        "backup": bool(backup),
        "too_close": None if too_close is None else _spacing(too_close, n_sites),
        "groups": None if groups is None else _groups(groups, n_sites),
        "then_nearest": bool(then_nearest),
        "then_cheapest": whole(then_cheapest, "then_cheapest", _check.U64),
        "effort": str(effort),
        "time_limit": None if time_limit is None else _check.real(time_limit, "time_limit", SitingError, least=0),
        "n_sites": n_sites,
        "seed": _check.whole(seed, "seed", SitingError, most=_check.U64),
    }
    movable_sites = [site for site, _ in found["movable"] or ()]
    _apart(fixed=found["fixed"], closable=found["closable"], movable=movable_sites)
    return found

"""Community grids, service stations and walking circles: arrays in, arrays out.

    >>> import numpy as np, gridplan
    >>> net = gridplan.WalkNetwork(np.array([0.0, 100.0]), np.zeros(2), np.array([0], "u4"),
    ...                            np.array([1], "u4"), np.array([100_000], "u4"))
    >>> net.nearest([1])[0].tolist()
    [100000, 0]

Arrays of other number types are converted when no value is lost; anything else is an error.
Functions that return maps need GeoPandas: ``pip install gridplan[geo]``.
"""

from __future__ import annotations

import getpass
import json
import os
import tempfile
from datetime import datetime, timezone

import numpy as np

from . import _native
from ._native import (
    GridplanError,
    InfeasibleError,
    NetworkError,
    Partition,
    PartitionError,
    PlanError,
    Siting,
    SitingError,
    __version__,
)

__all__ = [
    "GridplanError",
    "InfeasibleError",
    "NetworkError",
    "Partition",
    "PartitionError",
    "PlanError",
    "Siting",
    "SitingError",
    "WalkNetwork",
    "WhatIf",
    "__version__",
    "assign_by_walk",
    "budget_frontier",
    "edit",
    "frontier",
    "gini",
    "max_cover",
    "p_center",
    "p_median",
    "partition",
    "plan",
    "read_plan",
    "set_cover",
    "suggest",
    "synth",
    "two_step_floating",
    "worst_decile",
]

#: The cost of what cannot be reached or served.
UNREACHED = 4294967295


def _array(values, dtype, name, error=GridplanError):
    """`values` as a contiguous, aligned array of `dtype`; refuses values that would change."""
    found = np.asarray(values)
    if found.dtype == dtype:
        # A column read from the middle of a file may start at any byte.
        return np.require(found, requirements="CA")
    if found.size and found.dtype.kind not in "biuf":
        raise error(f"`{name}` holds {found.dtype}; give numbers")
    with np.errstate(invalid="ignore"):
        converted = found.astype(dtype)
    if found.size and not np.array_equal(converted.astype(np.float64), found.astype(np.float64)):
        raise error(f"`{name}` holds values that are no {np.dtype(dtype).name}; give whole numbers in range")
    return np.ascontiguousarray(converted)


def _column(values, dtype, name):
    """`_array` of one dimension, for walk networks."""
    found = _array(values, dtype, name, NetworkError)
    if found.ndim != 1:
        raise NetworkError(f"`{name}` has {found.ndim} dimensions; give one")
    return found


def _limit(limit):
    """A limit as a whole cost."""
    try:
        whole = int(limit)
    except (TypeError, ValueError, OverflowError):
        raise NetworkError(f"limit is {limit!r}; give a whole number of millimetres or milliseconds") from None
    if whole != limit or not 0 <= whole <= 4294967295:
        raise NetworkError(f"limit is {limit!r}; give a whole number from 0 to 4294967295")
    return whole


def _maybe(values, dtype, name, error):
    return None if values is None else _array(values, dtype, name, error)


def _geopandas():
    try:
        import geopandas
    except ImportError as missing:
        raise ImportError("maps need GeoPandas; install it with `pip install gridplan[geo]`") from missing
    return geopandas


class WalkNetwork:
    """A walk network with whole-number costs (millimetres or milliseconds).

    x, y: metres on a plane, float64[n]. edge_from, edge_to: node ids, uint32[m]. edge_mm: cost from
    `edge_from` to `edge_to`, uint32[m]; edge_back_mm the way back, the same if left out. Every answer is the
    walk from the node to the station; limits include equality; 4294967295 means unreached.
    """

    def __init__(self, x, y, edge_from, edge_to, edge_mm, edge_back_mm=None):
        self._net = _native.WalkNetwork(
            _column(x, np.float64, "x"),
            _column(y, np.float64, "y"),
            _column(edge_from, np.uint32, "edge_from"),
            _column(edge_to, np.uint32, "edge_to"),
            _column(edge_mm, np.uint32, "edge_mm"),
            None if edge_back_mm is None else _column(edge_back_mm, np.uint32, "edge_back_mm"),
        )

    @property
    def n_nodes(self):
        """Number of nodes."""
        return self._net.n_nodes

    def nearest(self, stations, limit=None):
        """Cost uint32[n] to the nearest station and its index int32[n] (-1 = none)."""
        limit = None if limit is None else _limit(limit)
        return self._net.nearest(_column(stations, np.uint32, "stations"), limit)

    def within(self, stations, limit):
        """Per station the nodes with cost <= limit, as CSR (offsets uint64, node uint32, cost uint32)."""
        return self._net.within(_column(stations, np.uint32, "stations"), _limit(limit))

    def count_within(self, stations, limits):
        """Number of stations within each limit per node, uint32[len(limits), n]."""
        limits = [_limit(limit) for limit in np.atleast_1d(limits)]
        return self._net.count_within(_column(stations, np.uint32, "stations"), limits)

    def service_circles(self, stations, limits, share="per_station", crs=None):
        """Polygons from which the stations are reached, a GeoDataFrame with `station`, `limit`, geometry.

        share: "per_station", "merged" (station is None) or "nearest" (split by nearest station).
        """
        geopandas = _geopandas()
        limits = [_limit(limit) for limit in np.atleast_1d(limits)]
        import shapely  # comes with GeoPandas

        station, limit, (corners, starts) = self._net.service_circles_ragged(
            _column(stations, np.uint32, "stations"), limits, share
        )
        kind = shapely.GeometryType.MULTIPOLYGON
        areas = shapely.from_ragged_array(kind, corners.reshape(-1, 2), tuple(starts))
        return geopandas.GeoDataFrame({"station": station, "limit": limit}, geometry=areas, crs=crs)


def _walks(table):
    """A CSR tuple (indptr, indices, cost), or a SciPy sparse matrix, with one row per demand point."""
    if not isinstance(table, (tuple, list)):
        csr = table.tocsr()
        table = (csr.indptr, csr.indices, csr.data)
    offsets, site, cost = table
    return (
        _array(offsets, np.uint64, "indptr", NetworkError),
        _array(site, np.uint32, "indices", NetworkError),
        _array(cost, np.uint32, "cost", NetworkError),
    )


def two_step_floating(table, demand, supply, zones):
    """Supply per person of each demand point by two-step floating catchments (2SFCA, E2SFCA).

    table: walks as CSR (indptr, indices, cost), one row per demand point, columns are sites; `within` turned
    round. demand: people per row; supply per site. zones: a limit (2SFCA), or {limit: weight} (E2SFCA); limits
    include equality, walks beyond all count nothing. Equals PySAL's `access`.
    """
    zones = {zones: 1.0} if np.isscalar(zones) else dict(zones)
    people = _array(demand, np.float64, "demand", NetworkError)
    offer = _array(supply, np.float64, "supply", NetworkError)
    pairs = [(int(limit), float(weight)) for limit, weight in zones.items()]
    return _native.two_step_floating(*_walks(table), people, offer, pairs)


def assign_by_walk(table, households, capacity, limit):
    """Households to stations within `limit`, the shortest walks first, until stations are full.

    table: as in `two_step_floating`. capacity per site, None or -1 for no limit. Returns load uint32[sites],
    left_out uint32[rows] and the parts: (row, site, households, cost), each uint32.
    """
    room = [None if limit is None or limit < 0 else int(limit) for limit in capacity]
    counts = _array(households, np.uint32, "households", NetworkError)
    load, left_out, parts = _native.assign_by_walk(*_walks(table), counts, room, int(limit))
    return load, left_out, tuple(parts)


def _people(population, values):
    return np.ones(len(values)) if population is None else _array(population, np.float64, "population", NetworkError)


def gini(values, population=None):
    """Gini coefficient of values over a population: 0 if everybody has the same, towards 1 if one has all."""
    values = _array(values, np.float64, "values", NetworkError)
    return _native.gini(values, _people(population, values))


def worst_decile(values, population=None, *, worst="high"):
    """Mean of values over the worst-served tenth of the people; worst: "high" (long walks) or "low" (access)."""
    if worst not in ("high", "low"):
        raise NetworkError(f"worst is `{worst}`; use high or low")
    values = _array(values, np.float64, "values", NetworkError)
    return _native.worst_decile(values, _people(population, values), worst == "high")


class WhatIf:
    """Asks a plan file who wins and who loses if stations open, move or close. Nothing is written.

    tier: only stations of this tier count. params: as in `plan`; left out, those the plan was made with.

        >>> ask = gridplan.WhatIf("out/plan.gpkg")
        >>> ask(close=["370602001001-C01"])["bands"]
    """

    def __init__(self, path, *, tier=None, **params):
        for name, table in _SHORT.items():
            if name in params:
                params.setdefault(table, {})[name] = params.pop(name)
        self._question = _native.WhatIf(os.fspath(path), tier, _toml(params) if params else None)

    def __call__(self, *, open=(), move=None, close=()):
        """open: places (x, y) in metres on the plan's plane; move: {code: (x, y)}; close: codes.

        Returns bands (a list of dicts with households and residents won and lost), the buildings whose walk
        changes with station and seconds before and after (NaN: no way), mean_walk_s, households_shorter,
        households_longer, unreachable, with_terrain.
        """
        moved = [(code, (float(x), float(y))) for code, (x, y) in (move or {}).items()]
        return self._question.ask([(float(x), float(y)) for x, y in open], moved, list(close))


def partition(
    households,
    edge_from,
    edge_to,
    edge_length,
    *,
    edge_cost=None,
    community=None,
    compound=None,
    target=300,
    tolerance=0.10,
    current=None,
    locked=None,
    seed=1,
    threads=None,
    effort="full",
    exact_k=None,
    exclusive=None,
    size_class=None,
    sizes=None,
    max_moved=None,
):
    """Divides communities into connected grids of about `target` households.

    households: uint32 per atom. edge_from, edge_to, edge_length (m), edge_cost (m): per undirected edge.
    community, compound (-1 = none), current grid (-1 = none), locked, exclusive: per atom. exact_k: {community: k}.
    sizes: a list of (low, target, high) per size class instead of `target` and `tolerance`; size_class: per atom an
    index into it, 0 where left out. Low and high are hard where units allow, the target is what k follows from.
    Atoms of different classes never share a grid. What else counts as work (shops, small venues) is added to
    `households` with its weight by the caller; it is one load to the engine.
    max_moved: with `current`, the largest share (0 to 1) of the households that have a present grid which may change
    it, in all communities together; the limit is spent where it brings most grids into range. Only what can never be
    given up (whole compounds, connected grids, `exact_k`) may move more. None: balance comes first, then few moves.
    Returns a Partition: grid int32[n], findings, cut_cost, lower_bound, least_moved (a redraw: no division as balanced
    moves fewer), communities.
    """
    error = PartitionError
    return _native.partition(
        _array(households, np.uint32, "households", error),
        _array(edge_from, np.uint32, "edge_from", error),
        _array(edge_to, np.uint32, "edge_to", error),
        _array(edge_length, np.float64, "edge_length", error),
        edge_cost=_maybe(edge_cost, np.float64, "edge_cost", error),
        community=_maybe(community, np.uint32, "community", error),
        compound=_maybe(compound, np.int32, "compound", error),
        target=int(target),
        tolerance=float(tolerance),
        current=_maybe(current, np.int32, "current", error),
        locked=_maybe(locked, np.bool_, "locked", error),
        seed=int(seed),
        threads=threads,
        effort=effort,
        exact_k=None if exact_k is None else sorted((int(c), int(k)) for c, k in dict(exact_k).items()),
        exclusive=_maybe(exclusive, np.bool_, "exclusive", error),
        size_class=_maybe(size_class, np.uint8, "size_class", error),
        sizes=None if sizes is None else [tuple(_array(size, np.uint32, "sizes", error).tolist()) for size in sizes],
        max_moved=None if max_moved is None else float(max_moved),
    )


def _table(table, name):
    """A dense uint32[demand, site] array or a CSR tuple, or a SciPy sparse matrix, as the engine takes it."""
    if isinstance(table, (tuple, list)) and len(table) in (2, 3) and np.ndim(table[0]) == 1:
        parts = [_array(table[0], np.uint64, f"{name}.indptr", SitingError)]
        parts.append(_array(table[1], np.uint32, f"{name}.indices", SitingError))
        if len(table) == 3 and table[2] is not None:
            parts.append(_array(table[2], np.uint32, f"{name}.cost", SitingError))
        return tuple(parts)
    dense = _array(table, np.uint32, name, SitingError)
    if dense.ndim != 2:
        raise SitingError(f"`{name}` has {dense.ndim} dimensions; give demand × site, or (indptr, indices, cost)")
    return dense


def _conditions(
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
    n_sites=None,
    seed=1,
):
    """Side conditions of the siting models, checked and as the engine takes them. See `p_median`."""

    def numbers(values, dtype, name):
        return None if values is None else _array(values, dtype, name, SitingError).tolist()

    moves = None if movable is None else sorted(dict(movable).items())
    return {
        "weights": numbers(weights, np.uint32, "weights"),
        "limit": None if limit is None else int(limit),
        "fixed": numbers(fixed, np.uint32, "fixed"),
        "closable": numbers(closable, np.uint32, "closable"),
        "max_closed": None if max_closed is None else int(max_closed),
        "movable": moves and [(int(site), numbers(places, np.uint32, "movable")) for site, places in moves],
        "site_cost": numbers(site_cost, np.uint32, "site_cost"),
        "budget": None if budget is None else int(budget),
        "capacity": numbers(capacity, np.uint64, "capacity"),
        "backup": bool(backup),
        "too_close": too_close and [(int(one), int(other)) for one, other in too_close],
        "groups": groups
        and [(numbers(sites, np.uint32, "groups"), int(least), int(most)) for sites, least, most in groups],
        "then_nearest": bool(then_nearest),
        "then_cheapest": None if then_cheapest is None else int(then_cheapest),
        "effort": str(effort),
        "time_limit": None if time_limit is None else float(time_limit),
        "n_sites": None if n_sites is None else int(n_sites),
        "seed": int(seed),
    }


def _site(model, table, name, p, conditions):
    p = None if p is None else int(p)
    if p is not None and p < 0:
        raise SitingError(f"`p` is {p}; give the number of sites, 0 or more")
    return _native.site(model, _table(table, name), p, _conditions(**conditions))


def p_median(cost, p, *, weights=None, **conditions):
    """`p` sites with the least weighted sum of costs from each demand point to its nearest one.

    cost: dense uint32[demand, site], 4294967295 = cannot serve, or CSR (indptr, indices, cost) with a row per
    demand point. p counts the fixed sites. Side conditions, the same for all four models:

    - weights: uint32 per demand point (1 each); weight 0 needs no service. limit: costs above it cannot serve.
    - fixed: site indices in every answer. closable, max_closed: existing sites that may close, at most so many.
      movable: {site: [other places]}, of which exactly one is chosen.
    - site_cost: uint32 per site; budget: most they may cost together. capacity: uint64 per site, against the sum
      of weights, each point served by one site. backup: two sites serve each point.
    - too_close: pairs of which at most one is chosen. groups: (sites, at least, at most).
    - then_nearest: among answers of equal cover, shorter walks (cover models with costs). then_cheapest: among those
      whose walks in sum are at most so much longer, the cheapest by site_cost; 0 for equal walks.
    - effort: "quick", "full" or "proof"; time_limit: seconds; seed; n_sites: columns of a CSR table.

    Returns a Siting: sites, assignment, second, objective, bound, gap, proven, certified, stopped, reasons.
    InfeasibleError says why there is no answer; where points are out of reach it has them in `demand`, and how far
    their nearest site is in `nearest`.
    """
    return _site("p_median", cost, "cost", p, {"weights": weights, **conditions})


def p_center(cost, p, *, weights=None, **conditions):
    """`p` sites with the least largest cost from any demand point to its nearest one. Conditions: see `p_median`."""
    return _site("p_center", cost, "cost", p, {"weights": weights, **conditions})


def max_cover(cover, p=None, weights=None, **conditions):
    """At most `p` sites, or what `budget` pays for, that cover the most weight. Conditions: see `p_median`.

    cover: CSR (indptr, indices), with a third array of costs if `limit` or `then_nearest` is to use them, or dense costs.
    """
    return _site("max_cover", cover, "cover", p, {"weights": weights, **conditions})


def set_cover(cover, *, weights=None, **conditions):
    """The fewest (or, with `site_cost`, cheapest) sites that cover every demand point. Conditions: see `p_median`."""
    return _site("set_cover", cover, "cover", None, {"weights": weights, **conditions})


def frontier(cover, first, last, *, weights=None, **conditions):
    """Max cover for every number of sites from `first` to `last` in one call: a list of dictionaries with
    p, sites, objective, bound and cost (with `site_cost`). Ends early where one more site adds nothing."""
    conditions.setdefault("effort", "full")
    table = _table(cover, "cover")
    return _native.frontier(table, int(first), int(last), _conditions(weights=weights, **conditions))


def budget_frontier(cover, budgets, site_cost, *, weights=None, **conditions):
    """Max cover for every budget in one call: a list of dictionaries with p (sites opened), sites, objective, bound
    and cost. site_cost: whole money units per site."""
    conditions.setdefault("effort", "full")
    table = _table(cover, "cover")
    budgets = [int(budget) for budget in budgets]
    return _native.budget_frontier(table, budgets, _conditions(weights=weights, site_cost=site_cost, **conditions))


def suggest(places, assignment, *, most=5, weights=None, limit=None, n_sites=None):
    """Where new candidates would help most: (place, weight newly covered) in the order to add them.

    places: table of costs or cover, demand points by possible places (any building or corner); assignment: of a
    Siting, -1 where a point is unserved.
    """
    served = _array(assignment, np.int32, "assignment", SitingError).tolist()
    conditions = _conditions(weights=weights, limit=limit, n_sites=n_sites)
    return _native.suggest(_table(places, "places"), served, int(most), conditions)


class Plan(dict):
    """Layers and tables of a plan file by name: GeoDataFrames where there is geometry, DataFrames elsewhere."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def read_plan(path):
    """All layers and tables of a plan file."""
    geopandas = _geopandas()
    import pyogrio

    path = os.fspath(path)
    if not os.path.isfile(path):
        raise PlanError(f"there is no plan file {path}; make one with `gridplan import` or gridplan.synth")
    layers = Plan()
    for name, kind in pyogrio.list_layers(path):
        if name != "layer_styles":
            layers[name] = geopandas.read_file(path, layer=name) if kind else pyogrio.read_dataframe(path, layer=name)
    return layers


def _toml(params, prefix=""):
    """Nested keyword parameters as the text of a gridplan.toml."""
    plain, tables = [], []
    for key, value in params.items():
        if isinstance(value, dict):
            tables.append(f"[{prefix}{key}]\n{_toml(value, f'{prefix}{key}.')}")
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
            tables.extend(f"[[{prefix}{key}]]\n{_toml(item, f'{prefix}{key}.')}" for item in value)
        elif isinstance(value, bool):
            plain.append(f"{key} = {str(value).lower()}")
        elif isinstance(value, str):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            plain.append(f'{key} = "{escaped}"')
        else:
            plain.append(f"{key} = {value!r}")
    return "\n".join(plain + tables) + "\n"


#: Flags of the command line and where they stand in a gridplan.toml.
_SHORT = {"target": "grid", "tolerance": "grid", "effort": "grid", "profile": "walk"}


def plan(path, *, output=None, threads=None, **params):
    """Plans the city of a plan file and returns the answer as `read_plan` does.

    params: as in `gridplan.toml`, e.g. ``seed=1, grid={"target": 300}``; target, tolerance, effort and profile
    may be given directly. output: plan file to write; left out, nothing stays on disk.
    """
    for name, table in _SHORT.items():
        if name in params:
            params.setdefault(table, {})[name] = params.pop(name)
    with tempfile.TemporaryDirectory() as folder:
        target = os.fspath(output) if output is not None else os.path.join(folder, "plan.gpkg")
        _native.plan_file(os.fspath(path), target, _toml(params), threads)
        return read_plan(target)


def edit(path, edits=(), *, undo=0, output=None, who=None, when=None, why="", basis="", threads=None):
    """Changes the plan of a plan file and returns it as `read_plan` does.

    edits: dicts as the lines of an ``edits.jsonl`` (docs/formats.md), e.g. ``{"op": "lock", "grid": code}``; all are
    applied or none. undo: takes the last N edits back first. who, when, why, basis: for the ledger, where an edit does
    not say them. output: plan file to write; left out, the file itself.
    """
    lines = "\n".join(json.dumps(dict(item), ensure_ascii=False) for item in edits)
    if who is None:
        try:
            who = getpass.getuser()
        except (KeyError, OSError):
            who = "gridplan"
    if when is None:
        when = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    target = os.fspath(output) if output is not None else os.fspath(path)
    _native.edit_file(os.fspath(path), target, lines, int(undo), (who, when, why, basis), threads)
    return read_plan(target)


def synth(path, *, households=12_000, seed=1):
    """Invents a Chinese city of so many households and writes it as a plan file."""
    _native.synth_file(os.fspath(path), int(households), int(seed))

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

from . import _check, _native, _siting
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


def _column(values, dtype, name):
    """A column of a walk network."""
    return _check.column(values, dtype, name, NetworkError)


def _limit(limit, name="limit"):
    """A limit as a whole cost."""
    return _check.whole(limit, name, NetworkError)


def _limits(limits):
    return [_limit(limit, f"limits[{index}]") for index, limit in enumerate(np.atleast_1d(limits))]


def _threads(threads, error):
    return None if threads is None else _check.whole(threads, "threads", error, least=1)


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
        limits = _limits(limits)
        return self._net.count_within(_column(stations, np.uint32, "stations"), limits)

    def service_circles(self, stations, limits, share="per_station", crs=None):
        """Polygons from which the stations are reached, a GeoDataFrame with `station`, `limit`, geometry.

        share: "per_station", "merged" (station is None) or "nearest" (split by nearest station).
        """
        geopandas = _geopandas()
        limits = _limits(limits)
        import shapely  # comes with GeoPandas

        station, limit, (corners, starts) = self._net.service_circles_ragged(
            _column(stations, np.uint32, "stations"), limits, share
        )
        kind = shapely.GeometryType.MULTIPOLYGON
        areas = shapely.from_ragged_array(kind, corners.reshape(-1, 2), tuple(starts))
        return geopandas.GeoDataFrame({"station": station, "limit": limit}, geometry=areas, crs=crs)


def _walks(table):
    found = _siting.csr(table, "table", NetworkError)
    if not found.has_costs:
        raise NetworkError("`table` holds no costs; give (indptr, indices, cost)")
    return found


def _zones(zones):
    """(limit, weight) of each zone."""
    if not (hasattr(zones, "keys") or isinstance(zones, (list, tuple))):
        return [(_limit(zones, "zones"), 1.0)]
    form = "a limit or {limit: weight}"
    pairs = _check.pairs(zones, "zones", form, NetworkError)
    if not pairs:
        raise NetworkError(f"`zones` must be {form}; got {zones!r}")
    limits = [_limit(limit, "key of zones") for limit, _ in pairs]
    weights = [_check.real(weight, f"zones[{limit}]", NetworkError, least=0) for limit, weight in pairs]
    return list(zip(limits, weights))


def two_step_floating(table, demand, supply, zones):
    """Supply per person of each demand point by two-step floating catchments (2SFCA, E2SFCA).

    table: walks as CSR (indptr, indices, cost) or a SciPy sparse matrix, one row per demand point, columns are sites;
    `within` turned round. demand: people per row; supply per site; both finite, 0 or more. zones: a limit (2SFCA), or
    {limit: weight} (E2SFCA); limits include equality, walks beyond all count nothing. Equals PySAL's `access`.
    """
    walks = _walks(table)
    people = _check.amounts(demand, "demand", NetworkError, walks.n_demand, "row of `table`")
    offer = _check.amounts(supply, "supply", NetworkError, walks.n_sites, "site")
    return _native.two_step_floating(*walks.arrays, people, offer, _zones(zones))


def assign_by_walk(table, households, capacity, limit):
    """Households to stations within `limit`, the shortest walks first, until stations are full.

    table: as in `two_step_floating`. capacity per site, None or -1 for no limit. Returns load uint32[sites],
    left_out uint32[rows] and the parts: (row, site, households, cost), each uint32.
    """
    walks = _walks(table)
    counts = _check.column(households, np.uint32, "households", NetworkError, walks.n_demand, "row of `table`")
    room = []
    for site, most in enumerate(_check.entries(capacity, "capacity", NetworkError)):
        most = -1 if most is None else _check.whole(most, f"capacity[{site}]", NetworkError, least=-1)
        room.append(None if most < 0 else most)
    load, left_out, parts = _native.assign_by_walk(*walks.arrays, counts, room, _limit(limit))
    return load, left_out, tuple(parts)


def _people(population, values):
    if population is None:
        return np.ones(len(values))
    return _check.amounts(population, "population", NetworkError, len(values), "value")


def gini(values, population=None):
    """Gini coefficient of values over a population: 0 if everybody has the same, towards 1 if one has all.

    Values and population are finite, 0 or more. Without population or anything to share it is 0.
    """
    values = _check.amounts(values, "values", NetworkError)
    return _native.gini(values, _people(population, values))


def worst_decile(values, population=None, *, worst="high"):
    """Mean of values over the worst-served tenth of the people; worst: "high" (long walks) or "low" (access).

    Values are 0 or more, infinite where nobody gets there; population is finite. None without population.
    """
    if worst not in ("high", "low"):
        raise NetworkError(f"worst is `{worst}`; use high or low")
    values = _check.amounts(values, "values", NetworkError, may_be_infinite=True)
    return _native.worst_decile(values, _people(population, values), worst == "high")


def _place(place, name):
    """A place (x, y) in metres."""
    x, y = _check.row(place, 2, name, "(x, y) in metres", PlanError)
    return _check.real(x, f"{name}[0]", PlanError), _check.real(y, f"{name}[1]", PlanError)


def _code(code, name):
    if not isinstance(code, str):
        raise PlanError(f"`{name}` must be a station's code; got {code!r}")
    return code


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
        moves = _check.pairs({} if move is None else move, "move", "{code: (x, y)}", PlanError)
        moved = [(_code(code, "key of move"), _place(to, f"move[{code!r}]")) for code, to in moves]
        opened = [_place(to, f"open[{index}]") for index, to in enumerate(_check.entries(open, "open", PlanError))]
        closed = enumerate(_check.entries(close, "close", PlanError))
        return self._question.ask(opened, moved, [_code(code, f"close[{index}]") for index, code in closed])


def _size(size, name):
    size = _check.row(size, 3, name, "(low, target, high)", PartitionError)
    return tuple(_check.column(size, np.uint32, name, PartitionError).tolist())


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

    def maybe(values, dtype, name):
        return None if values is None else _check.column(values, dtype, name, error)

    if exact_k is not None:
        pairs = _check.pairs(exact_k, "exact_k", "{community: k}", error)
        of = [_check.whole(community, "key of exact_k", error) for community, _ in pairs]
        exact_k = sorted(zip(of, (_check.whole(k, f"exact_k[{c}]", error) for c, (_, k) in zip(of, pairs))))
    if sizes is not None:
        sizes = [_size(size, f"sizes[{index}]") for index, size in enumerate(_check.entries(sizes, "sizes", error))]
    return _native.partition(
        _check.column(households, np.uint32, "households", error),
        _check.column(edge_from, np.uint32, "edge_from", error),
        _check.column(edge_to, np.uint32, "edge_to", error),
        _check.column(edge_length, np.float64, "edge_length", error),
        edge_cost=maybe(edge_cost, np.float64, "edge_cost"),
        community=maybe(community, np.uint32, "community"),
        compound=maybe(compound, np.int32, "compound"),
        target=_check.whole(target, "target", error, least=1),
        tolerance=_check.real(tolerance, "tolerance", error),
        current=maybe(current, np.int32, "current"),
        locked=maybe(locked, np.bool_, "locked"),
        seed=_check.whole(seed, "seed", error, most=_check.U64),
        threads=_threads(threads, error),
        effort=effort,
        exact_k=exact_k,
        exclusive=maybe(exclusive, np.bool_, "exclusive"),
        size_class=maybe(size_class, np.uint8, "size_class"),
        sizes=sizes,
        max_moved=None if max_moved is None else _check.real(max_moved, "max_moved", error),
    )


def _decoded(function, table, name, given):
    """The table, the parameter `name` of `function`, and the conditions on it, as the engine takes them."""
    unknown = set(given) - set(_siting.conditions.__kwdefaults__) - {"n_sites"}
    if unknown:
        raise TypeError(f"{function}() got an unexpected keyword argument {min(unknown)!r}")
    n_sites = _siting.whole(given.pop("n_sites", None), "n_sites")
    found = _siting.table(table, name, n_sites)
    return found, _siting.conditions(found, name, **given)


def _no_second_goal(function, given):
    for goal in ("then_nearest", "then_cheapest"):
        if given.get(goal) not in (None, False):
            raise SitingError(f"`{goal}` is for max_cover and set_cover; {function} has no second goal")


def _by_costs(model, cost, p, given):
    """p-median and p-center: they weigh costs and have no second goal."""
    _no_second_goal(model, given)
    p = _siting.whole(p, "p")
    table, conditions = _decoded(model, cost, "cost", given)
    if not table.has_costs:
        raise SitingError(f"`cost` holds no costs, {model} weighs them; give (indptr, indices, cost)")
    return _native.site(model, table.arrays, p, conditions)


def p_median(cost, p, *, weights=None, **conditions):
    """At most `p` sites with the least weighted sum of costs from each demand point to its nearest one.

    cost: dense uint32[demand, site], 4294967295 = cannot serve, or CSR (indptr, indices, cost) with a row per demand
    point, or a SciPy sparse matrix: its stored entries are what can be served, a stored zero at cost 0. p counts the
    fixed sites. Whole numbers may be given as 3.0; what would have to be rounded is refused. Side conditions, the same
    for all four models unless a model is named:

    - weights: uint32 per demand point (1 each); weight 0 needs no service. limit: costs above it cannot serve.
    - fixed: site indices in every answer. closable, max_closed: existing sites that may close, at most so many.
      movable: {site: [other places]}, of which exactly one is chosen.
    - site_cost: uint32 per site; budget: most they may cost together. capacity: uint64 per site, against the sum
      of weights, each point served by one site. backup: two sites serve each point.
    - too_close: pairs of which at most one is chosen. groups: (sites, at least, at most).
    - then_nearest (max_cover, set_cover): with an equal objective and as many sites at most, shorter walks.
      then_cheapest (max_cover): after that lower site_cost, where walks in sum, weight × cost, pass the shortest found
      by at most so much; 0 for equal walks. Small tables are searched to the end, at effort "proof" up to 30,000 entries
      by a tree; beyond, exchanges of sites look for both (`then_proven` says which it was). In set_cover then_cheapest
      is then_nearest, and with site_cost more sites may open as long as they cost no more. With capacities only the
      objective counts.
    - effort: "quick", "full" or "proof"; time_limit: seconds; seed; n_sites: columns of a CSR table.

    Costs and weights keep the objective below 2^56, about 7.2e16: over all demand points, weight × dearest cost within
    the limit, twice with backup, must sum to less. Coarser units (seconds instead of milliseconds) keep it there.

    Returns a Siting: sites, assignment, second, objective, bound, gap, proven, certified, stopped, then_proven,
    reasons; objective,
    bound and the rest are those of the first goal. InfeasibleError says why there is no answer; where points are out of
    reach it has them in `demand`, and how far their nearest site is in `nearest`.
    """
    return _by_costs("p_median", cost, p, {"weights": weights, **conditions})


def p_center(cost, p, *, weights=None, **conditions):
    """At most `p` sites with the least largest cost from any demand point to its nearest one.

    Conditions: see `p_median`. The sum of weights, twice with backup, must stay below 2^56; costs have no limit.
    """
    return _by_costs("p_center", cost, p, {"weights": weights, **conditions})


def max_cover(cover, p=None, weights=None, **conditions):
    """At most `p` sites, or what `budget` pays for, that cover the most weight. Conditions: see `p_median`.

    cover: CSR (indptr, indices), with a third array of costs if `limit` or `then_nearest` is to use them, or dense
    costs, or a SciPy sparse matrix of costs or of true entries. The sum of weights, twice with backup, must stay below
    2^56; with `then_nearest` or `then_cheapest` that of weight × cost, as in `p_median`.
    """
    p = _siting.whole(p, "p")
    table, conditions = _decoded("max_cover", cover, "cover", {"weights": weights, **conditions})
    return _native.site("max_cover", table.arrays, p, conditions)


def set_cover(cover, *, weights=None, **conditions):
    """The fewest (or, with `site_cost`, cheapest) sites that cover every demand point. Conditions: see `p_median`.

    cover, and what must stay below 2^56: as in `max_cover`.
    """
    table, conditions = _decoded("set_cover", cover, "cover", {"weights": weights, **conditions})
    return _native.site("set_cover", table.arrays, None, conditions)


def frontier(cover, first, last, *, weights=None, **conditions):
    """Max cover for every number of sites from `first` to `last` in one call: a list of dictionaries with
    p, sites, objective, bound and cost (with `site_cost`). Ends early where one more site adds nothing. Conditions, but
    for second goals, and what must stay below 2^56: see `p_median` and `max_cover`."""
    conditions.setdefault("effort", "full")
    _no_second_goal("frontier", conditions)
    first, last = _siting.whole(first, "first"), _siting.whole(last, "last")
    table, conditions = _decoded("frontier", cover, "cover", {"weights": weights, **conditions})
    return _native.frontier(table.arrays, first, last, conditions)


def budget_frontier(cover, budgets, site_cost, *, weights=None, **conditions):
    """Max cover for every budget in one call: a list of dictionaries with p (sites opened), sites, objective, bound
    and cost. site_cost: whole money units per site."""
    conditions.setdefault("effort", "full")
    budgets = _check.column(budgets, np.uint64, "budgets", SitingError).tolist()
    given = {"weights": weights, "site_cost": site_cost, **conditions}
    table, conditions = _decoded("budget_frontier", cover, "cover", given)
    return _native.budget_frontier(table.arrays, budgets, conditions)


def suggest(places, assignment, *, most=5, weights=None, limit=None, n_sites=None):
    """Where new candidates would help most: (place, weight newly covered) in the order to add them.

    places: table of costs or cover, demand points by possible places (any building or corner); assignment: of a
    Siting, -1 where a point is unserved.
    """
    given = {"weights": weights, "limit": limit, "n_sites": n_sites}
    table, conditions = _decoded("suggest", places, "places", given)
    served = _check.column(assignment, np.int32, "assignment", SitingError, table.n_demand, "demand point")
    return _native.suggest(table.arrays, served.tolist(), _check.whole(most, "most", SitingError), conditions)


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
        value = value.item() if isinstance(value, np.generic) else value
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
        _native.plan_file(os.fspath(path), target, _toml(params), _threads(threads, PlanError))
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
    undo, threads = _check.whole(undo, "undo", PlanError), _threads(threads, PlanError)
    _native.edit_file(os.fspath(path), target, lines, undo, (who, when, why, basis), threads)
    return read_plan(target)


def synth(path, *, households=12_000, seed=1):
    """Invents a Chinese city of so many households and writes it as a plan file."""
    households = _check.whole(households, "households", PlanError)
    _native.synth_file(os.fspath(path), households, _check.whole(seed, "seed", PlanError, most=_check.U64))

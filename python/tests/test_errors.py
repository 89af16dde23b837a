"""What is refused: messages name the parameter as the caller wrote it, what was found and what is allowed."""

import numpy as np
import pytest

import gridplan
from gridplan import GridplanError, InfeasibleError, NetworkError, PartitionError, PlanError, SitingError

NAN, INF = float("nan"), float("inf")
COST = np.array([[1, 5], [4, 2]], dtype=np.uint32)
COVER = (np.array([0, 1, 2]), np.array([0, 1]))
WALKS = ([0, 1], [0], [5])
STREET = ([150, 150], [0], [1], [20.0])


def refuses(error, message, call, *args, **kwargs):
    """`call` raises exactly `error` and says `message`."""
    with pytest.raises(GridplanError) as caught:
        call(*args, **kwargs)
    assert type(caught.value) is error and message in str(caught.value), caught.value


@pytest.mark.parametrize("model", [gridplan.p_median, gridplan.p_center, gridplan.max_cover])
def test_p_is_a_whole_number(model):
    for bad, found in [(1.7, "1.7"), (np.float64(1.7), "1.7"), (NAN, "nan"), (INF, "inf"), ("a", "'a'"), ([1], "[1]")]:
        refuses(SitingError, f"`p` must be a whole number; got {found}", model, COST, bad)
    refuses(SitingError, "`p` must be 0 or more; got -1", model, COST, -1)
    refuses(SitingError, "`p` must be at most 4294967295; got 1000000000000", model, COST, 10**12)
    for good in (1.0, np.float32(1), np.uint8(1), np.array(1)):
        assert model(COST, good).sites.tolist() == model(COST, 1).sites.tolist()


@pytest.mark.parametrize("bad, found", [(1.9, "1.9"), (NAN, "nan"), ("x", "'x'"), ([2], "[2]")])
@pytest.mark.parametrize("name", ["limit", "budget", "max_closed", "seed", "then_cheapest", "n_sites"])
def test_single_conditions_are_whole_numbers(name, bad, found):
    def cover(value):
        gridplan.max_cover(COST, 1, site_cost=[1, 2], **{name: value})

    refuses(SitingError, f"`{name}` must be a whole number; got {found}", cover, bad)
    refuses(SitingError, f"`{name}` must be 0 or more; got -3", cover, -3)


@pytest.mark.parametrize(
    "conditions, message",
    [
        ({"time_limit": -1}, "`time_limit` must be 0 or more; got -1"),
        ({"time_limit": NAN}, "`time_limit` must be a finite number; got nan"),
        ({"time_limit": "1s"}, "`time_limit` must be a finite number; got '1s'"),
        ({"weights": [1, NAN]}, "`weights[1]` must be a whole number from 0 to 4294967295; got nan"),
        ({"weights": [-1, 2]}, "`weights[0]` must be a whole number from 0 to 4294967295; got -1"),
        ({"weights": [1, 10**30]}, "`weights[1]` must be a whole number"),
        ({"weights": [1, None]}, "`weights[1]` must be a whole number from 0 to 4294967295; got None"),
        ({"weights": 3}, "`weights` must have one dimension; got 0"),
        ({"weights": [1]}, "`weights` must have 2 values, one per demand point; got 1"),
        ({"weights": []}, "`weights` must have 2 values, one per demand point; got 0"),
        ({"capacity": []}, "`capacity` must have 2 values, one per site; got 0"),
        ({"site_cost": [1, 2, 3]}, "`site_cost` must have 2 values, one per site; got 3"),
        ({"fixed": [0, 9]}, "`fixed[1]` must be a site from 0 to 1; got 9"),
        ({"fixed": [0, 0]}, "`fixed` names site 0 twice"),
        ({"closable": [0, 9]}, "`closable[1]` must be a site from 0 to 1; got 9"),
        ({"closable": [-1]}, "`closable[0]` must be a whole number"),
        ({"fixed": [1], "closable": [1]}, "site 1 is in `fixed` and in `closable`"),
        ({"closable": [0], "movable": {0: [1]}}, "site 0 is in `closable` and in `movable`"),
        ({"movable": {0: [9]}}, "`movable[0][0]` must be a site from 0 to 1; got 9"),
        ({"movable": {0: [0]}}, "`movable[0]` names site 0 twice"),
        ({"movable": {0: 1}}, "`movable[0]` must have one dimension; got 0"),
        ({"movable": {9: [0]}}, "`key of movable` must be a site from 0 to 1; got 9"),
        ({"movable": {0.5: [1]}}, "`key of movable` must be a whole number; got 0.5"),
        ({"movable": [1]}, "`movable` must be {site: [other places]}; got [1]"),
        ({"too_close": [(0, 1.5)]}, "`too_close[0][1]` must be a whole number"),
        ({"too_close": [(0, 7)]}, "`too_close[0][1]` must be a site from 0 to 1; got 7"),
        ({"too_close": [(0,)]}, "`too_close[0]` must be a pair of sites; got (0,)"),
        ({"too_close": 1}, "`too_close` must be a list; got 1"),
        ({"groups": [([0], -1, 1)]}, "`groups[0][1]` must be 0 or more; got -1"),
        ({"groups": [([0], 0, 1), ([1], 0, NAN)]}, "`groups[1][2]` must be a whole number; got nan"),
        ({"groups": [([0, 8], 0, 1)]}, "`groups[0][0][1]` must be a site from 0 to 1; got 8"),
        ({"groups": [([0], 1)]}, "`groups[0]` must be (sites, at least, at most); got ([0], 1)"),
        ({"budget": 3}, "`budget`"),
        ({"then_cheapest": 0}, "`then_cheapest` needs `site_cost`"),
        ({"n_sites": 3}, "`n_sites` must be 2, the columns of `cover`; got 3"),
    ],
)
def test_conditions_are_named_as_the_caller_wrote_them(conditions, message):
    refuses(SitingError, message, gridplan.max_cover, COST, 1, **conditions)


def test_arrays_of_pairs_are_conditions_too():
    answer = gridplan.p_median(COST, 1, too_close=np.array([[0, 1]]), groups=[(np.array([0, 1]), np.int64(1), 1.0)])
    assert answer.sites.tolist() == [0]


def test_an_unknown_condition_is_named_with_the_function():
    with pytest.raises(TypeError, match=r"p_median\(\) got an unexpected keyword argument 'fixd'"):
        gridplan.p_median(COST, 1, fixd=[0])


def test_costs_are_there_where_they_are_needed():
    for model in (gridplan.p_median, gridplan.p_center):
        refuses(SitingError, "`cost` holds no costs", model, COVER, 1)
        refuses(SitingError, "`then_nearest` is for max_cover and set_cover", model, COST, 1, then_nearest=True)
    refuses(SitingError, "`then_nearest` is for", gridplan.frontier, COST, 0, 1, then_nearest=True)
    refuses(SitingError, "`limit` needs costs", gridplan.max_cover, COVER, 1, limit=5)
    refuses(SitingError, "`limit` needs costs", gridplan.set_cover, COVER, limit=5)
    refuses(SitingError, "`limit` needs costs", gridplan.frontier, COVER, 0, 1, limit=5)
    refuses(SitingError, "`limit` needs costs", gridplan.suggest, COVER, [-1, -1], limit=5)
    refuses(SitingError, "`then_nearest` needs costs", gridplan.max_cover, COVER, 1, then_nearest=True)
    # Without costs all walks are equal, and money may still decide.
    assert gridplan.max_cover(COVER, 1, then_cheapest=0, site_cost=[5, 3]).sites.tolist() == [1]


def test_tables_that_are_none():
    refuses(SitingError, "`cost[0, 1]` must be a whole number", gridplan.p_median, [[1, INF]], 1)
    refuses(SitingError, "`cost` must be an array of numbers", gridplan.p_median, [[1, 2], [3], [4], [5]], 1)
    refuses(SitingError, "`cost` may be rows of costs or (indptr, indices", gridplan.p_median, [[0, 2], [4, 2]], 1)
    # Plain lists that do not read as sparse are rows, and true means reached.
    assert gridplan.p_median([[3, 1], [4, 2]], 1).objective == 3
    assert gridplan.max_cover([[True, False], [True, True]], 1).objective == 2
    refuses(SitingError, "costs", gridplan.p_median, [[True, False]], 1)
    refuses(SitingError, "`cost.cost[0]` must be a whole number", gridplan.p_median, ([0, 1], [0], [1.5]), 1)
    refuses(NetworkError, "`table` holds no costs", gridplan.two_step_floating, ([0, 1], [0]), [1], [1], 5)
    refuses(NetworkError, "`table` must be (indptr, indices, cost)", gridplan.two_step_floating, 3, [1], [1], 5)


class Sparse:
    """Rows of a SciPy matrix, as far as they are looked at."""

    def __init__(self, indptr, indices, data, shape):
        self.indptr, self.indices, self.data, self.shape = (np.array(a) for a in (indptr, indices, data, shape))

    def tocsr(self):
        return self


def test_sparse_matrices_are_tables():
    # Two sites serve the first point, at 0 and 7; none of three the second; the last column is empty.
    matrix = Sparse([0, 2, 2, 3], [0, 1, 1], [0.0, 7.0, 4.0], (3, 3))
    assert gridplan.max_cover(matrix, 3).objective == 2
    assert gridplan.max_cover(matrix, 1, limit=3).sites.tolist() == [0]
    answer = gridplan.p_median(matrix, 2, weights=[1, 0, 1])
    assert answer.objective == 0 + 4 and answer.assignment.tolist() == [0, -1, 1]
    assert gridplan.frontier(matrix, 1, 1)[0]["objective"] == 2
    assert gridplan.suggest(matrix, [-1, -1, -1]) == [(1, 2)]
    with pytest.raises(InfeasibleError) as caught:
        gridplan.set_cover(matrix)
    assert caught.value.demand == [1]
    assert gridplan.two_step_floating(matrix, [10, 1, 30], [10, 4, 9], 5).tolist() == [1, 0, 4 / 30]
    refuses(SitingError, "`n_sites` must be 3", gridplan.max_cover, matrix, 1, n_sites=2)
    message = "`supply` must have 3 values, one per site; got 2"
    refuses(NetworkError, message, gridplan.two_step_floating, matrix, [1, 1, 1], [1, 1], 5)


def test_sparse_truth_is_a_cover_without_costs():
    reached = Sparse([0, 1, 2], [0, 1], [True, True], (2, 2))
    assert gridplan.set_cover(reached).objective == 2
    refuses(SitingError, "`cost` holds no costs", gridplan.p_median, reached, 1)
    refuses(SitingError, "`cover` stores false entries", gridplan.set_cover, Sparse([0, 1], [0], [False], (1, 1)))


def test_frontiers_and_suggestions_take_whole_numbers():
    refuses(SitingError, "`first` must be 0 or more; got -1", gridplan.frontier, COST, -1, 1)
    refuses(SitingError, "`last` must be a whole number; got 1.5", gridplan.frontier, COST, 0, 1.5)
    refuses(SitingError, "`budgets[1]` must be a whole number", gridplan.budget_frontier, COST, [1, 2.5], [1, 2])
    refuses(SitingError, "`most` must be 0 or more; got -1", gridplan.suggest, COST, [-1, -1], most=-1)
    refuses(SitingError, "`assignment` must have 2 values, one per demand point; got 1", gridplan.suggest, COST, [-1])


@pytest.mark.parametrize("measure", [gridplan.gini, gridplan.worst_decile])
def test_inequality_of_what_is_no_amount_is_refused(measure):
    number = "a finite number" if measure is gridplan.gini else "a number"
    refuses(NetworkError, f"`values[1]` must be {number}, 0 or more; got nan", measure, [1, NAN])
    refuses(NetworkError, f"`values[0]` must be {number}, 0 or more; got -1.0", measure, [-1, 1])
    refuses(NetworkError, "`population[1]` must be a finite number, 0 or more; got inf", measure, [1, 2], [1, INF])
    refuses(NetworkError, "`population[0]` must be a finite number, 0 or more; got -2.0", measure, [1, 2], [-2, 1])
    refuses(NetworkError, "`population` must have 2 values, one per value; got 1", measure, [1, 2], [1])
    refuses(NetworkError, "`values` must have one dimension; got 2", measure, [[1, 2]])


def test_unreached_walks_are_the_worst_and_have_no_gini():
    assert gridplan.worst_decile([INF, 1]) == INF
    refuses(NetworkError, "`values[0]` must be a finite number, 0 or more; got inf", gridplan.gini, [INF, 1])
    assert gridplan.gini([]) == 0 and gridplan.gini([0, 0]) == 0 and gridplan.worst_decile([]) is None


def test_catchments_take_amounts_and_whole_limits():
    def floating(demand=(10,), supply=(1,), zones=5):
        return gridplan.two_step_floating(WALKS, demand, supply, zones)

    assert floating(zones=5.0).tolist() == floating(zones=np.uint32(5)).tolist() == [0.1]
    refuses(NetworkError, "`demand[0]` must be a finite number, 0 or more; got nan", floating, demand=[NAN])
    refuses(NetworkError, "`demand[0]` must be a finite number, 0 or more; got -10.0", floating, demand=[-10])
    refuses(NetworkError, "`supply[0]` must be a finite number, 0 or more; got inf", floating, supply=[INF])
    refuses(NetworkError, "`demand` must have 1 values, one per row of `table`; got 2", floating, demand=[1, 2])
    refuses(NetworkError, "`zones` must be a whole number; got 5.9", floating, zones=5.9)
    refuses(NetworkError, "`zones` must be 0 or more; got -5", floating, zones=-5)
    refuses(NetworkError, "`key of zones` must be a whole number; got 5.9", floating, zones={5.9: 1.0})
    refuses(NetworkError, "`zones[5]` must be a finite number; got nan", floating, zones={5: NAN})
    refuses(NetworkError, "`zones[5]` must be 0 or more; got -1", floating, zones={5: -1})
    refuses(NetworkError, "`zones` must be a limit or {limit: weight}; got {}", floating, zones={})


def test_full_stations_take_whole_rooms():
    def assign(households=(10,), capacity=(5,), limit=5):
        return gridplan.assign_by_walk(WALKS, households, capacity, limit)[0].tolist()

    assert assign() == [5] and assign(capacity=[-1]) == [10] and assign(capacity=[None]) == [10]
    refuses(NetworkError, "`capacity[0]` must be a whole number; got 4.5", assign, capacity=[4.5])
    refuses(NetworkError, "`capacity[0]` must be a whole number; got nan", assign, capacity=[NAN])
    refuses(NetworkError, "`capacity[0]` must be -1 or more; got -2", assign, capacity=[-2])
    refuses(NetworkError, "`capacity` must be a list; got 5", assign, capacity=5)
    refuses(NetworkError, "`limit` must be a whole number; got 5.5", assign, limit=5.5)
    refuses(NetworkError, "`households` must have 1 values, one per row of `table`; got 2", assign, households=[1, 2])


def test_networks_name_pythons_arrays():
    refuses(NetworkError, "`edge_mm` has 2 values", gridplan.WalkNetwork, [0.0, 1.0], [0.0, 0.0], [0], [1], [5, 6])
    refuses(NetworkError, "`edge_back_mm` has 0 values", gridplan.WalkNetwork, [0, 1], [0, 0], [0], [1], [5], [])
    refuses(NetworkError, "`x[1]` must be a number; got 'a'", gridplan.WalkNetwork, [0, "a"], [0, 0], [0], [1], [5])
    net = gridplan.WalkNetwork([0.0, 1.0], [0.0, 0.0], [0], [1], [5])
    refuses(NetworkError, "`limit` must be a whole number; got 1.9", net.within, [0], 1.9)
    refuses(NetworkError, "`limits[1]` must be 0 or more; got -1", net.count_within, [0], [5, -1])
    refuses(NetworkError, "`stations[0]` must be a whole number from 0 to 4294967295; got 0.5", net.nearest, [0.5])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"target": 300.5}, "`target` must be a whole number; got 300.5"),
        ({"target": 0}, "`target` must be 1 or more; got 0"),
        ({"tolerance": "a"}, "`tolerance` must be a finite number; got 'a'"),
        ({"tolerance": 1.5}, "tolerance 1.5"),
        ({"seed": -1}, "`seed` must be 0 or more; got -1"),
        ({"threads": 1.5}, "`threads` must be a whole number; got 1.5"),
        ({"max_moved": NAN, "current": [0, 1]}, "`max_moved` must be a finite number; got nan"),
        ({"exact_k": {0: 1.5}}, "`exact_k[0]` must be a whole number; got 1.5"),
        ({"exact_k": {-1: 1}}, "`key of exact_k` must be 0 or more; got -1"),
        ({"exact_k": 2}, "`exact_k` must be {community: k}; got 2"),
        ({"sizes": [(1, 2)]}, "`sizes[0]` must be (low, target, high); got (1, 2)"),
        ({"sizes": [(1, 2, -3)]}, "`sizes[0][2]` must be a whole number"),
        ({"size_class": [0]}, "`size_class` has 1 rows"),
        ({"locked": [0, 2], "current": [0, 1]}, "`locked[1]` must be true or false; got 2"),
    ],
)
def test_partition_options_are_named(options, message):
    refuses(PartitionError, message, gridplan.partition, *STREET, **options)


def test_plan_files_take_whole_numbers(tmp_path):
    path = tmp_path / "city.gpkg"
    refuses(PlanError, "`households` must be a whole number; got 12.5", gridplan.synth, path, households=12.5)
    refuses(PlanError, "`seed` must be a whole number; got nan", gridplan.synth, path, seed=NAN)
    refuses(PlanError, "`threads` must be a whole number; got 1.5", gridplan.plan, path, threads=1.5)
    refuses(PlanError, "`undo` must be 0 or more; got -1", gridplan.edit, path, undo=-1)
    assert not path.exists()


def test_what_if_names_stations_and_places(tmp_path):
    pytest.importorskip("geopandas")
    city, out = tmp_path / "city.gpkg", tmp_path / "plan.gpkg"
    gridplan.synth(city, households=2_000, seed=3)
    plan = gridplan.plan(city, output=out, effort="draft", seed=np.int64(1))
    ask, codes = gridplan.WhatIf(out), list(plan.stations.code)
    refuses(PlanError, f"station `{codes[0]}` is changed twice", ask, close=[codes[0], codes[0]])
    refuses(PlanError, "`close` must be a list; got 'A'", ask, close="A")
    refuses(PlanError, "`close[0]` must be a station's code; got 3", ask, close=[3])
    refuses(PlanError, "`open[0]` must be (x, y) in metres; got (1,)", ask, open=[(1,)])
    refuses(PlanError, "`open[0][1]` must be a finite number; got nan", ask, open=[(1, NAN)])
    refuses(PlanError, "`move` must be {code: (x, y)}; got 'A'", ask, move="A")
    tiers = set(plan.stations.tier)
    other = next(tier for tier in ("city", "regional", "community", "compound", "corner") if tier not in tiers)
    message = f"station `{codes[0]}` is not asked about"
    refuses(PlanError, message, gridplan.WhatIf(out, tier=other), close=[codes[0]])

"""Every side condition of the siting models through Python, against brute force over all choices of sites."""

import itertools

import numpy as np
import pytest

import gridplan

UNREACHED = gridplan.UNREACHED
MODELS = ("p_median", "p_center", "max_cover", "set_cover")


def value(model, cost, weights, sites, backup=False, site_cost=None):
    """Objective of `sites`, or None where a point that must be served is not."""
    times = 2 if backup else 1
    total = 0
    if model == "set_cover":
        total = sum(1 if site_cost is None else int(site_cost[site]) for site in sites)
    for row, weight in zip(cost, weights):
        served = sorted(int(row[site]) for site in sites if row[site] != UNREACHED)[:times]
        if weight == 0:
            continue
        if len(served) < times:
            if model != "max_cover":
                return None
        elif model == "p_median":
            total += int(weight) * sum(served)
        elif model == "p_center":
            total = max(total, served[-1])
        elif model == "max_cover":
            total += int(weight)
    return total


def brute_force(model, cost, weights, p, allowed, **options):
    """Best objective over all choices of at most p sites that `allowed` accepts."""
    values = []
    for count in range(cost.shape[1] + 1 if p is None else p + 1):
        for sites in itertools.combinations(range(cost.shape[1]), count):
            if allowed(set(sites)):
                values.append(value(model, cost, weights, sites, **options))
    values = [found for found in values if found is not None]
    if not values:
        return None
    return max(values) if model == "max_cover" else min(values)


def solve(model, cost, p, weights, **conditions):
    if model == "set_cover":
        return gridplan.set_cover(cost, weights=weights, **conditions)
    return getattr(gridplan, model)(cost, p, weights=weights, **conditions)


COST = np.array([3, 1, 4, 2, 6, 5, 2, 7], dtype=np.uint32)
#: name, keyword conditions, test of a set of sites, options of the objective
CONDITIONS = [
    ("plain", {}, lambda s: True, {}),
    ("fixed", {"fixed": [2]}, lambda s: 2 in s, {}),
    ("closable", {"closable": [0, 1, 3], "max_closed": 1}, lambda s: len({0, 1, 3} - s) <= 1, {}),
    ("movable", {"movable": {4: [5, 6]}}, lambda s: len({4, 5, 6} & s) == 1, {}),
    (
        "budget",
        {"site_cost": COST, "budget": 11},
        lambda s: sum(int(COST[site]) for site in s) <= 11,
        {"site_cost": COST},
    ),
    ("backup", {"backup": True}, lambda s: True, {"backup": True}),
    ("spacing", {"too_close": [(0, 1), (2, 3), (1, 5)]}, lambda s: not ({0, 1} <= s or {2, 3} <= s or {1, 5} <= s), {}),
    (
        "groups",
        {"groups": [([0, 1, 2, 3], 1, 2), ([4, 5, 6, 7], 1, 3)]},
        lambda s: 1 <= len({0, 1, 2, 3} & s) <= 2 and 1 <= len({4, 5, 6, 7} & s) <= 3,
        {},
    ),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name, conditions, allowed, options", CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_every_condition_equals_brute_force(model, name, conditions, allowed, options):
    for seed in range(3):
        random = np.random.default_rng(seed)
        cost = random.integers(0, 30, (9, 8)).astype(np.uint32)
        cost[random.random((9, 8)) < 0.35] = UNREACHED
        weights = random.integers(0, 9, 9).astype(np.uint32)
        if model == "set_cover":
            options = {**options, "site_cost": conditions.get("site_cost")}
        expected = brute_force(model, cost, weights, None if model == "set_cover" else 4, allowed, **{
            key: found for key, found in options.items() if key == "backup" or model == "set_cover"
        })
        if expected is None:
            with pytest.raises(gridplan.InfeasibleError):
                solve(model, cost, 4, weights, **conditions)
            continue
        answer = solve(model, cost, 4, weights, **conditions)
        assert (answer.objective, answer.proven, answer.bound) == (expected, True, expected), (name, seed)
        assert allowed(set(answer.sites.tolist()))
        assert len(answer.reasons) == len(answer.sites)


@pytest.mark.parametrize("model", MODELS)
def test_capacities_hold(model):
    cost = np.array([[1, 5], [1, 5], [1, 5], [9, 2]], dtype=np.uint32)
    answer = solve(model, cost, 2, [2, 2, 2, 2], capacity=[4, 8])
    load = np.bincount(answer.assignment[answer.assignment >= 0], minlength=2) * 2
    assert (load <= [4, 8]).all()
    # Both sites are needed for the nearest ones; one alone serves everybody.
    assert answer.objective == {"p_median": 2 * (1 + 1 + 5 + 2), "p_center": 5, "max_cover": 8, "set_cover": 1}[model]


def test_an_unreached_point_is_named_with_its_nearest_site():
    cost = np.array([[10, 20], [70, 90], [UNREACHED, UNREACHED]], dtype=np.uint32)
    with pytest.raises(gridplan.InfeasibleError, match="nearest site at 70") as caught:
        gridplan.set_cover(cost, limit=60)
    assert caught.value.demand == [1, 2] and caught.value.nearest == [70, None]


def test_the_frontier_rises_with_falling_returns_and_its_points_are_true():
    random = np.random.default_rng(4)
    cover = np.where(random.random((40, 12)) < 0.2, 0, UNREACHED).astype(np.uint32)
    weights = random.integers(1, 9, 40)
    points = gridplan.frontier(cover, 0, 6, weights=weights)
    for point in points:
        single = gridplan.max_cover(cover, point["p"], weights=weights)
        assert point["objective"] <= single.objective <= point["bound"]
    assert [point["p"] for point in points] == list(range(7))
    covered = [point["objective"] for point in points]
    assert covered == sorted(covered)


def test_the_money_frontier_rises_and_keeps_its_budgets():
    random = np.random.default_rng(5)
    cover = np.where(random.random((40, 12)) < 0.2, 0, UNREACHED).astype(np.uint32)
    site_cost = random.integers(1, 9, 12)
    budgets = [0, 3, 6, 12, 24]
    points = gridplan.budget_frontier(cover, budgets, site_cost)
    for budget, point in zip(budgets, points):
        assert point["cost"] == site_cost[point["sites"]].sum() <= budget
        single = gridplan.max_cover(cover, None, site_cost=site_cost, budget=budget)
        assert point["objective"] <= single.objective <= point["bound"]
    covered = [point["objective"] for point in points]
    assert covered == sorted(covered) and covered[0] == 0 < covered[-1]


def test_new_places_are_suggested_where_they_help_most():
    places = np.array([[0, UNREACHED], [0, 5], [UNREACHED, 5]], dtype=np.uint32)
    assert gridplan.suggest(places, [-1, -1, 0], weights=[3, 4, 100]) == [(0, 7)]
    assert gridplan.suggest(places, [0, -1, -1], weights=[3, 4, 100], limit=4) == [(0, 4)]


def test_second_goal_and_reasons():
    # Both sites cover everybody; the second is nearer.
    answer = gridplan.max_cover(np.array([[9, 1], [9, 1]], dtype=np.uint32), 1, limit=10, then_nearest=True)
    assert answer.sites.tolist() == [1]
    assert answer.reasons[0]["runner_up"] == 0 and answer.reasons[0]["loss"] == 2


def test_money_decides_between_equal_walks_or_within_a_slack():
    # Everybody walks 1 to either of the first two sites; the third is cheapest, and a walk of 2 from the second point.
    cost = np.array([[1, 1, 1], [1, 1, 2]], dtype=np.uint32)

    def sites(slack):
        answer = gridplan.max_cover(cost, 1, then_cheapest=slack, site_cost=[5, 3, 1], limit=10)
        return answer.sites.tolist()

    assert sites(0) == [1]
    assert sites(1) == [2]


@pytest.mark.parametrize("bad", [{"effort": "lazy"}, {"capacity": [1]}, {"fixed": [9]}, {"p": -1}, {"time_limit": -1.0}])
def test_bad_arguments_are_typed_errors(bad):
    p = bad.pop("p", 1)
    with pytest.raises(gridplan.SitingError):
        gridplan.max_cover(np.zeros((2, 2), dtype=np.uint32), p, **bad)

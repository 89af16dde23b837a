"""Floating catchments, full stations, inequality and what-if, against hand-worked cases and PySAL's `access`."""

import numpy as np
import pytest

import gridplan


def test_two_step_floating_by_hand():
    # Two blocks of 100 and 300 people; one site of 40 places that both reach, one of 10 for the second only.
    table = ([0, 1, 3], [0, 0, 1], [200, 300, 100])
    found = gridplan.two_step_floating(table, [100, 300], [40, 10], 300)
    assert found.tolist() == [40 / 400, 40 / 400 + 10 / 300]
    # Walks of 300 weigh half: the first site sees 100 + 150 people.
    enhanced = gridplan.two_step_floating(table, [100, 300], [40, 10], {200: 1.0, 300: 0.5})
    assert enhanced.tolist() == [40 / 250, 0.5 * 40 / 250 + 10 / 300]


def random_case(seed, n=120, m=9):
    random = np.random.default_rng(seed)
    cost = random.integers(0, 1200, (n, m))
    known = random.random((n, m)) < 0.6
    demand, supply = random.integers(1, 500, n), random.integers(1, 80, m)
    rows = [np.flatnonzero(row) for row in known]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return (offsets, np.concatenate(rows), cost[known]), demand, supply


@pytest.mark.parametrize("seed", range(5))
def test_floating_catchments_equal_pysal(seed):
    pytest.importorskip("access")
    import pandas
    from access import fca, weights

    (offsets, site, cost), demand, supply = random_case(seed)
    origin = np.repeat(np.arange(len(demand)), np.diff(offsets.astype(int)))
    costs = pandas.DataFrame({"origin": origin, "dest": site, "cost": cost})
    people = pandas.DataFrame({"geoid": np.arange(len(demand)), "demand": demand.astype(float)})
    offer = pandas.DataFrame({"supply": supply.astype(float)}, index=np.arange(len(supply)))
    for zones in (900, {300: 1.0, 600: 0.68, 900: 0.22}):
        steps = {900: 1.0} if zones == 900 else zones
        weight = None if zones == 900 else weights.step_fn(steps)
        expected = fca.two_stage_fca(people, offer, costs.copy(), max_cost=900, weight_fn=weight)
        expected = expected.reindex(np.arange(len(demand)), fill_value=0.0)
        found = gridplan.two_step_floating((offsets, site, cost), demand, supply, zones)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_full_stations_turn_people_away_and_nobody_would_rather_swap():
    table, households, capacity = random_case(7)
    load, left_out, (row, site, served, cost) = gridplan.assign_by_walk(table, households, capacity * 20, 900)
    assert np.all(load <= capacity * 20) and served.sum() + left_out.sum() == households.sum()
    assert np.array_equal(np.bincount(site, served, len(capacity)), load)
    assert np.array_equal(np.bincount(row, served, len(households)) + left_out, households)
    # Whoever is left out finds every station within reach full of people who walk no farther.
    offsets, sites, costs = table
    longest = np.zeros(len(capacity))
    np.maximum.at(longest, site, cost)
    for index in np.flatnonzero(left_out):
        for entry in range(offsets[index], offsets[index + 1]):
            if costs[entry] <= 900:
                assert load[sites[entry]] == capacity[sites[entry]] * 20
                assert longest[sites[entry]] <= costs[entry]
    assert gridplan.assign_by_walk(([0, 1], [0], [5]), [60], [None], 5)[0].tolist() == [60]


def test_inequality_by_hand():
    assert gridplan.gini([0, 0, 0, 8]) == pytest.approx(0.75, abs=1e-12)
    assert gridplan.gini([1, 3], [1, 1]) == pytest.approx(0.25, abs=1e-12)
    assert gridplan.worst_decile([300, 900], [19, 1]) == 600
    assert gridplan.worst_decile([300, 900], [19, 1], worst="low") == 300


def test_bad_tables_are_refused():
    for table in (([0, 1], [0], [5, 6]), ([0, 2], [0], [5]), ([0, 1], [3], [5])):
        with pytest.raises(gridplan.NetworkError):
            gridplan.two_step_floating(table, [1], [1], 10)


def test_what_if_answers_on_a_plan(tmp_path):
    pytest.importorskip("geopandas")
    city = tmp_path / "city.gpkg"
    gridplan.synth(city, households=2_000, seed=3)
    out = tmp_path / "plan.gpkg"
    plan = gridplan.plan(city, output=out, effort="draft")
    ask = gridplan.WhatIf(out)
    nothing = ask()
    assert nothing["building"] == [] and nothing["households_longer"] == 0
    code = plan.stations.code[plan.stations.status != "closed"].iloc[0]
    closed = ask(close=[code])
    assert closed["households_shorter"] == 0
    assert all(band["households_won"] == 0 for band in closed["bands"])
    where = plan.stations.set_index("code").geometry[code]
    both = ask(close=[code], open=[(where.x, where.y)])
    assert both["households_longer"] == 0 and both["households_shorter"] == 0
    with pytest.raises(gridplan.PlanError, match="no station"):
        ask(close=["nowhere"])
    assert set(plan.coverage.scope) >= {"all", "community", "grid"}
    assert plan.coverage_profiles.profile.unique().tolist() == ["age 80", "wheelchair"]

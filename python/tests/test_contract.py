"""Every name of the Python contract, on worlds small enough to check by hand."""

import itertools

import numpy as np
import pytest

import gridplan


def line(n, mm=100_000):
    """`n` nodes in a row, `mm` apart."""
    return gridplan.WalkNetwork(np.arange(n) * 100.0, np.zeros(n), np.arange(n - 1), np.arange(1, n), np.full(n - 1, mm))


def square(n):
    """Ends of the edges of an n × n lattice."""
    ids = np.arange(n * n).reshape(n, n)
    return np.concatenate([ids[:, :-1].ravel(), ids[:-1].ravel()]), np.concatenate([ids[:, 1:].ravel(), ids[1:].ravel()])


def test_nearest_is_the_walk_to_the_station():
    cost, station = line(4).nearest([0, 3])
    assert cost.tolist() == [0, 100_000, 100_000, 0]
    assert station.tolist() == [0, 0, 1, 1]
    assert cost.dtype == np.uint32 and station.dtype == np.int32


def test_limits_include_equality():
    cost, station = line(3).nearest([0], limit=100_000)
    assert cost.tolist() == [0, 100_000, gridplan.UNREACHED]
    assert station.tolist() == [0, 0, -1]


def test_within_and_count_within_agree():
    net = line(5)
    offsets, node, cost = net.within([0, 2], 200_000)
    assert offsets.tolist() == [0, 3, 8]
    assert node.tolist() == [0, 1, 2, 0, 1, 2, 3, 4]
    assert cost.tolist() == [0, 100_000, 200_000, 200_000, 100_000, 0, 100_000, 200_000]
    assert net.count_within([0, 2], [0, 200_000]).tolist() == [[1, 0, 1, 0, 0], [2, 2, 2, 1, 1]]


def test_directed_costs_count_towards_the_station():
    net = gridplan.WalkNetwork([0.0, 100.0], [0.0, 0.0], [0], [1], [70], [90])
    assert net.nearest([1])[0].tolist() == [70, 0]
    assert net.nearest([0])[0].tolist() == [0, 90]


def test_service_circles_are_nested_polygons():
    geopandas = pytest.importorskip("geopandas")
    n = 5
    edge_from, edge_to = square(n)
    xs, ys = (a.ravel() * 100.0 for a in np.meshgrid(np.arange(n), np.arange(n)))
    net = gridplan.WalkNetwork(xs, ys, edge_from, edge_to, np.full(len(edge_from), 100_000))
    circles = net.service_circles([12], [150_000, 250_000])
    assert isinstance(circles, geopandas.GeoDataFrame)
    assert circles["station"].tolist() == [0, 0] and circles["limit"].tolist() == [150_000, 250_000]
    small, large = circles.geometry
    assert small.is_valid and large.is_valid and 0 < small.area < large.area
    assert small.difference(large).area < 1e-6


def test_partition_divides_a_row_evenly():
    answer = gridplan.partition([150] * 6, [0, 1, 2, 3, 4], [1, 2, 3, 4, 5], [20.0] * 5)
    assert np.bincount(answer.grid, [150] * 6).tolist() == [300, 300, 300]
    assert answer.lower_bound is not None and answer.lower_bound <= answer.cut_cost == pytest.approx(40.0)


def test_partition_keeps_communities_and_compounds():
    n = 12
    edge_from, edge_to = square(n)
    households = np.random.default_rng(3).integers(10, 60, n * n)
    community = (np.arange(n * n) % n >= n // 2).astype(int)
    compound = np.where(np.arange(n * n) % n < 2, np.arange(n * n) // n // 2, -1)
    arguments = (households, edge_from, edge_to, np.full(len(edge_from), 10.0))
    answer = gridplan.partition(*arguments, community=community, compound=compound)
    for grid in np.unique(answer.grid):
        assert len(set(community[answer.grid == grid])) == 1
    for number in np.unique(compound[compound >= 0]):
        inside = compound == number
        if households[inside].sum() <= 330:
            assert len(set(answer.grid[inside])) == 1
    for c in (0, 1):
        k = max(1, round(households[community == c].sum() / 300))
        assert len(set(answer.grid[community == c])) == k
    again = gridplan.partition(*arguments, community=community, compound=compound, threads=2)
    assert (again.grid == answer.grid).all()


def test_partition_size_classes_have_ranges_of_their_own():
    n = 24
    edges = (np.arange(n - 1), np.arange(1, n), np.full(n - 1, 20.0))
    size_class = (np.arange(n) >= 12).astype(int)
    answer = gridplan.partition([50] * n, *edges, size_class=size_class, sizes=[(270, 300, 330), (90, 100, 110)])
    assert np.bincount(answer.grid, [50] * n).tolist() == [300] * 2 + [100] * 6
    with pytest.raises(gridplan.PartitionError, match="class"):
        gridplan.partition([50] * n, *edges, size_class=size_class, sizes=[(270, 300, 330)])
    with pytest.raises(gridplan.PartitionError, match="low"):
        gridplan.partition([50] * n, *edges, sizes=[(400, 300, 330)])


def test_partition_redraw_keeps_locked_grids_and_numbers():
    n = 20
    edge_from, edge_to = square(n)
    households = np.random.default_rng(3).integers(10, 40, n * n)
    edges = (edge_from, edge_to, np.full(len(edge_from), 10.0))
    before = gridplan.partition(households, *edges)
    changed = households.copy()
    changed[::50] += 15
    locked = before.grid == 3
    after = gridplan.partition(changed, *edges, current=before.grid, locked=locked)
    assert ((after.grid == 3) == locked).all()
    assert len(set(after.grid)) == len(set(before.grid)), "the present number holds them in range"
    assert changed[after.grid != before.grid].sum() <= 0.05 * changed.sum()


def test_partition_moves_at_most_the_asked_share():
    # 340 and 240 households; bringing the first grid into range moves the building of 40, a share of 40 / 580.
    street = ([300, 40, 240], [0, 1], [1, 2], [20.0, 20.0])
    present = [0, 0, 1]
    assert gridplan.partition(*street, current=present, max_moved=0.06).grid.tolist() == [0, 0, 1]
    assert gridplan.partition(*street, current=present, max_moved=0.07).grid.tolist() == [0, 1, 1]
    with pytest.raises(gridplan.PartitionError, match="give the present grid"):
        gridplan.partition(*street, max_moved=0.03)
    with pytest.raises(gridplan.PartitionError, match="from 0 to 1"):
        gridplan.partition(*street, current=present, max_moved=3.0)


def brute_force(cost, p, value):
    sites = itertools.combinations(range(cost.shape[1]), p)
    return min(value(cost[:, list(choice)].min(axis=1)) for choice in sites)


def test_p_median_and_p_center_equal_brute_force():
    cost = np.random.default_rng(5).integers(1, 100, (9, 7)).astype(np.uint32)
    median = gridplan.p_median(cost, 3)
    assert median.objective == brute_force(cost, 3, np.sum) and median.proven and median.gap == 0
    centre = gridplan.p_center(cost, 2)
    assert centre.objective == brute_force(cost, 2, np.max) and centre.proven
    assert cost[np.arange(9), median.assignment].sum() == median.objective


def test_cover_models_take_csr_rows_of_demand():
    indptr, indices = np.array([0, 1, 3, 4]), np.array([0, 0, 1, 2])
    cover = gridplan.max_cover((indptr, indices), 1, weights=[5, 1, 7])
    assert cover.objective == 7 and cover.sites.tolist() == [2]
    fewest = gridplan.set_cover((indptr, indices))
    assert fewest.objective == 2 and fewest.sites.tolist() == [0, 2]


def test_an_impossible_problem_is_a_typed_error_that_says_why():
    with pytest.raises(gridplan.SitingError, match="demand"):
        gridplan.set_cover((np.array([0, 0]), np.array([], dtype=np.uint32)), n_sites=1)
    with pytest.raises(gridplan.SitingError):
        gridplan.p_median(np.full((2, 1), gridplan.UNREACHED, dtype=np.uint32), 1)


@pytest.mark.parametrize("bad", [[-1, 2], [1.5, 2.0], ["a", "b"], [float("nan"), 1.0]])
def test_numbers_that_would_change_are_refused(bad):
    with pytest.raises(gridplan.GridplanError, match="households"):
        gridplan.partition(bad, [0], [1], [1.0])


def test_the_whole_pipeline_on_an_invented_city(tmp_path):
    pytest.importorskip("geopandas")
    city = tmp_path / "city.gpkg"
    gridplan.synth(city, households=2_000, seed=4)
    one = gridplan.plan(city, seed=1, effort="draft", threads=1)
    two = gridplan.plan(city, seed=1, effort="draft", threads=2, output=tmp_path / "plan.gpkg")
    hashes = [dict(zip(plan.provenance["key"], plan.provenance["value"]))["plan_hash"] for plan in (one, two)]
    assert hashes[0] == hashes[1]
    assert one.buildings["households"].sum() == 2_000
    assert set(one.buildings["grid"].dropna()) <= set(one.grids["code"])
    assert one.grids["households"].sum() == one.buildings.dropna(subset="grid")["households"].sum()
    assert one.coverage["share"].between(0, 1).all()
    assert (tmp_path / "plan.gpkg").is_file()


def test_edits_are_applied_recorded_and_taken_back(tmp_path):
    pytest.importorskip("geopandas")
    city, path = tmp_path / "city.gpkg", tmp_path / "plan.gpkg"
    gridplan.synth(city, households=2_000, seed=4)
    before = gridplan.plan(city, effort="draft", output=path)
    code = before.grids["code"][0]
    after = gridplan.edit(path, [{"op": "rename", "grid": code, "name": "东片"}, {"op": "note", "grid": code, "note": "待复核"}], who="王芳")
    assert after.grids.set_index("code").loc[code, "name"] == "东片"
    assert list(after.ledger["who"].tail(2)) == ["王芳", "王芳"]
    back = gridplan.edit(path, undo=2)
    assert back.grids.equals(before.grids)
    with pytest.raises(gridplan.PlanError, match="line 1: there is no grid `77`"):
        gridplan.edit(path, [{"op": "lock", "grid": "77"}])


def test_a_missing_plan_file_says_what_to_do(tmp_path):
    with pytest.raises(gridplan.PlanError, match="gridplan import"):
        gridplan.plan(tmp_path / "none.gpkg")

"""The compiled part. Use the functions of `gridplan`, which convert arrays first."""

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str

class GridplanError(ValueError): ...
class PartitionError(GridplanError): ...
class NetworkError(GridplanError): ...
class SitingError(GridplanError): ...
class InfeasibleError(SitingError):
    demand: list[int]
    nearest: list[int | None]

class PlanError(GridplanError): ...

class Partition:
    grid: NDArray[np.int32]
    findings: list[dict[str, Any]]
    cut_cost: float
    lower_bound: float | None
    least_moved: int | None
    communities: list[dict[str, Any]]

class Siting:
    sites: NDArray[np.uint32]
    assignment: NDArray[np.int32]
    second: NDArray[np.int32]
    objective: int
    bound: int
    gap: float
    proven: bool
    certified: bool
    stopped: bool
    then_proven: bool | None
    reasons: list[dict[str, Any]]

class WalkNetwork:
    n_nodes: int
    def __init__(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        edge_from: NDArray[np.uint32],
        edge_to: NDArray[np.uint32],
        edge_mm: NDArray[np.uint32],
        edge_back_mm: NDArray[np.uint32] | None = None,
    ) -> None: ...
    def nearest(
        self, stations: NDArray[np.uint32], limit: int | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.int32]]: ...
    def within(
        self, stations: NDArray[np.uint32], limit: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint32]]: ...
    def count_within(self, stations: NDArray[np.uint32], limits: list[int]) -> NDArray[np.uint32]: ...
    def service_circles_ragged(
        self, stations: NDArray[np.uint32], limits: list[int], share: str = "per_station"
    ) -> tuple[list[int | None], list[int], tuple[NDArray[np.float64], list[NDArray[np.int64]]]]: ...

def site(model: str, table: Any, p: int | None, conditions: dict[str, Any]) -> Siting: ...
def frontier(table: Any, first: int, last: int, conditions: dict[str, Any]) -> list[dict[str, Any]]: ...
def budget_frontier(table: Any, budgets: list[int], conditions: dict[str, Any]) -> list[dict[str, Any]]: ...
def suggest(
    places: Any, assignment: list[int], most: int, conditions: dict[str, Any]
) -> list[tuple[int, int]]: ...
class WhatIf:
    def __init__(self, path: str | PathLike[str], tier: str | None = None, params_toml: str | None = None) -> None: ...
    def ask(
        self, open: list[tuple[float, float]], moved: list[tuple[str, tuple[float, float]]], close: list[str]
    ) -> dict[str, Any]: ...

def two_step_floating(
    offsets: NDArray[np.uint64],
    site: NDArray[np.uint32],
    cost: NDArray[np.uint32],
    demand: NDArray[np.float64],
    supply: NDArray[np.float64],
    zones: list[tuple[int, float]],
) -> NDArray[np.float64]: ...
def assign_by_walk(
    offsets: NDArray[np.uint64],
    site: NDArray[np.uint32],
    cost: NDArray[np.uint32],
    households: NDArray[np.uint32],
    capacity: list[int | None],
    limit: int,
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], list[NDArray[np.uint32]]]: ...
def gini(values: NDArray[np.float64], population: NDArray[np.float64]) -> float: ...
def worst_decile(values: NDArray[np.float64], population: NDArray[np.float64], high_is_bad: bool) -> float | None: ...
def plan_file(
    path: str | PathLike[str], output: str | PathLike[str], params_toml: str = "", threads: int | None = None
) -> None: ...
def edit_file(
    path: str | PathLike[str],
    output: str | PathLike[str],
    lines: str,
    undo: int,
    stamp: tuple[str, str, str, str],
    threads: int | None = None,
) -> None: ...
def synth_file(path: str | PathLike[str], households: int = 12_000, seed: int = 1) -> None: ...

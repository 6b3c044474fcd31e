"""The bars that the project must clear, each a line that says by how much it does."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.cases import Door
from bench.figures import Report, duration

WITHOUT_CHECKPOINTER = {
    "chain_10": 100.0, "chain_100": 100.0, "loop_1000": 100.0, "fan_out_1000": 50.0,
    "subgraph_100": 100.0, "pipeline_100": 50.0, "gather_100": 50.0, "tokens_10k": 20.0,
}  # fmt: skip
"""How many times as fast as LangGraph a case must be, both without a checkpointer."""
WITH_CHECKPOINTER = {
    "chain_10": 60.0, "chain_100": 60.0, "loop_1000": 60.0, "fan_out_1000": 60.0,
    "subgraph_100": 40.0, "pipeline_100": 40.0, "gather_100": 40.0, "interrupt": 40.0, "history_1000": 20.0,
}  # fmt: skip
"""... and both with the in-memory one."""
SUPERSTEP_S = {"graphrt": 4e-6, "graphrt+memory": 8e-6}
FURTHER_TASK_S = 6e-6
FIXED_COST_S = 15e-6
IMPORT_S = 80e-3
NAPS_S = 60e-3
GROWTH = 1.25
"""The most that a superstep may cost at the large size, relative to the small one: the noise of two medians."""

CASES = (
    *("chain_1", "chain_10", "chain_100", "loop_1000", "fan_out_100", "fan_out_1000", "nap_100", "import"),
    *("subgraph_100", "nested_5", "interrupt", "pipeline_100", "gather_100", "history_1000", "tokens_10k"),
)
CONTESTANTS = ("floor", "graphrt", "graphrt+memory", "langgraph", "langgraph+memory", "neograph", "agentcore")


@dataclass(frozen=True, slots=True)
class Bar:
    """One requirement and whether the figures meet it; a figure that is missing does not."""

    name: str
    holds: bool
    evidence: str

    def __str__(self) -> str:
        return f"{'PASS' if self.holds else 'FAIL'}  {self.name}: {self.evidence}"


def judge(report: Report) -> list[Bar]:
    """Return every bar of the project, judged by one report."""
    return [*ratios(report), *sync_door(report), *budgets(report), *nesting(report), *growth(report)]


def ratios(report: Report) -> Iterator[Bar]:
    for suffix, label, bars in (
        ("", "no checkpointer", WITHOUT_CHECKPOINTER),
        ("+memory", "in-memory checkpointer", WITH_CHECKPOINTER),
    ):
        for case, wanted in bars.items():
            name = f"{case}, async, {label}: {wanted:.0f}x langgraph"
            yield times_faster(
                report, name, (case, "async"), "graphrt" + suffix, "langgraph" + suffix, wanted
            )


def sync_door(report: Report) -> Iterator[Bar]:
    for rival in ("neograph", "agentcore"):
        yield times_faster(
            report, f"chain_10, sync: faster than {rival}", ("chain_10", "sync"), "graphrt", rival, 1.0
        )


def times_faster(
    report: Report, name: str, row: tuple[str, Door], ours: str, theirs: str, wanted: float
) -> Bar:
    mine, other = report.find(*row, ours), report.find(*row, theirs)
    if mine is None or other is None:
        return missing(name, ours if mine is None else theirs)
    ratio = other.median / mine.median
    evidence = f"{ratio:.2f}x ({theirs} {duration(other.median)}, {ours} {duration(mine.median)})"
    return Bar(name, ratio >= wanted if wanted > 1 else ratio > 1, evidence)


def budgets(report: Report) -> Iterator[Bar]:
    """Judge the budgets of a superstep, a task and a run, which are differences between cases."""
    for contestant, budget in SUPERSTEP_S.items():
        step = slope(report, contestant, ("chain_10", 10), ("chain_100", 100))
        yield within(f"a superstep, {contestant}", step, budget)
    yield within(
        "a further task",
        slope(report, "graphrt", ("fan_out_100", 100), ("fan_out_1000", 1_000)),
        FURTHER_TASK_S,
    )
    step, one = (
        slope(report, "graphrt", ("chain_10", 10), ("chain_100", 100)),
        median(report, "chain_1", "async"),
    )
    fixed = None if step is None or one is None else one - step
    yield within("the fixed cost of ainvoke", fixed, FIXED_COST_S)
    yield within("import", median(report, "import", "direct"), IMPORT_S)
    yield within("100 concurrent runs of a 50 ms node", median(report, "nap_100", "async"), NAPS_S)


def nesting(report: Report) -> Iterator[Bar]:
    """Judge what a graph costs as a node: no more than a run of its own, which is an ainvoke and a superstep."""
    for contestant in SUPERSTEP_S:
        name = f"a nested graph of one node, {contestant}: at most an ainvoke and a superstep"
        alone = median(report, "chain_1", "async", contestant)
        inside = slope(report, contestant, ("chain_1", 1), ("nested_5", 5))
        if alone is None or inside is None:
            yield missing(name, contestant)
        else:
            yield Bar(name, inside <= alone, f"{duration(max(inside, 0.0))}, alone {duration(alone)}")


def median(report: Report, case: str, door: Door, contestant: str = "graphrt") -> float | None:
    figure = report.find(case, door, contestant)
    return None if figure is None else figure.median


def slope(report: Report, contestant: str, small: tuple[str, int], large: tuple[str, int]) -> float | None:
    """Return the seconds that one more unit costs between two sizes of an async case."""
    fewer, more = report.find(small[0], "async", contestant), report.find(large[0], "async", contestant)
    if fewer is None or more is None:
        return None
    return (more.median - fewer.median) / (large[1] - small[1])


def within(name: str, seconds: float | None, budget: float) -> Bar:
    name = f"{name}: at most {duration(budget)}"
    if seconds is None:
        return missing(name, "graphrt")
    return Bar(name, seconds <= budget, duration(max(seconds, 0.0)))


def growth(report: Report) -> Iterator[Bar]:
    ours = [row for row in report.growth if row["contestant"] in SUPERSTEP_S]
    if not ours:
        yield missing("the cost of a superstep does not grow", "graphrt")
    for row in ours:
        name = f"{row['kind']}, {row['contestant']}: a superstep costs at most {GROWTH}x as much"
        if "reason" in row:
            yield Bar(name, holds=False, evidence=row["reason"])
            continue
        small, large = row["small_s"], row["large_s"]
        evidence = (
            f"{large / small:.2f}x ({row['small']:,}: {duration(small)}, {row['large']:,}: {duration(large)})"
        )
        yield Bar(name, large / small <= GROWTH, evidence)


def missing(name: str, contestant: str) -> Bar:
    return Bar(name, holds=False, evidence=f"{contestant} was not measured")

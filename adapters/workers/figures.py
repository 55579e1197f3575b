"""Figures for Prometheus when several processes serve: whichever answers tells of all of them."""

import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence

from prometheus_client import (
    GC_COLLECTOR,
    PROCESS_COLLECTOR,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector


class _SumsOfAllWorkers(Collector):
    """Counters and histograms from the files in which all workers, dead ones too, keep theirs.

    Of gauges only those that each worker counts for itself, as the sum over living workers: the others are asked of
    the database by who answers, and are the same whoever does.
    """

    def __init__(self, gauges: Collection[str]) -> None:
        self._files = MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        found: Iterable[Metric] = self._files.collect()  # type: ignore[no-untyped-call]
        return (metric for metric in found if metric.type != "gauge" or metric.name in self._gauges)


def forget_living(folder: str, process: int) -> None:
    """Take what a worker that has ended counted for itself alone out of the sums over living workers."""
    mark_process_dead(process, folder)  # type: ignore[no-untyped-call]


def report_all_workers(of_this_process: Sequence[Counter | Histogram | Gauge]) -> None:
    """Let the default registry tell of all workers, in place of these figures of this process.

    The environment must have named the folder of figures, PROMETHEUS_MULTIPROC_DIR, before they were made.
    """
    for collector in (*of_this_process, PROCESS_COLLECTOR, GC_COLLECTOR):
        REGISTRY.unregister(collector)
    gauges = {metric.name for one in of_this_process if isinstance(one, Gauge) for metric in one.collect()}
    REGISTRY.register(_SumsOfAllWorkers(gauges))
    # Gauges of ours are cleared before each answer; that other processes' files are not is as it should be.
    warnings.filterwarnings("ignore", "Clearing labels has not been implemented", UserWarning)

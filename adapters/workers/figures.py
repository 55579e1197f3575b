"""Figures for Prometheus when several processes serve: whichever answers tells of all of them."""

import warnings
from collections.abc import Iterable, Iterator

from prometheus_client import GC_COLLECTOR, PROCESS_COLLECTOR, REGISTRY, CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector


class _SumsOfAllWorkers(Collector):
    """Counters and histograms from the files in which all workers, dead ones too, keep theirs.

    Gauges are left out: they are asked of the database by who answers, and are the same whoever does.
    """

    def __init__(self) -> None:
        self._files = MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[Metric]:
        found: Iterable[Metric] = self._files.collect()  # type: ignore[no-untyped-call]
        return (metric for metric in found if metric.type != "gauge")


def report_all_workers(of_this_process: Iterable[Counter | Histogram]) -> None:
    """Let the default registry tell of all workers, in place of these figures of this process.

    The environment must have named the folder of figures, PROMETHEUS_MULTIPROC_DIR, before they were made.
    """
    for collector in (*of_this_process, PROCESS_COLLECTOR, GC_COLLECTOR):
        REGISTRY.unregister(collector)
    REGISTRY.register(_SumsOfAllWorkers())
    # Gauges of ours are cleared before each answer; that other processes' files are not is as it should be.
    warnings.filterwarnings("ignore", "Clearing labels has not been implemented", UserWarning)

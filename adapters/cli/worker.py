"""One of the workers of `certinext-audit serve --workers`; run by their parent."""

import sys
import time

import structlog
from prometheus_client import Counter, Histogram

from adapters import bootstrap
from adapters.cli.output import complain, say
from adapters.cli.running import run, settings
from adapters.embedded import EmbeddedPostgresError
from adapters.http import metrics
from adapters.observability.logs import ERRORS, configure_logs
from adapters.workers import end_with_parent, report_all_workers
from domain.errors import AuditError, StoreUnavailable

_RETRY_SECONDS = 0.5

log = structlog.get_logger()


def main() -> int:
    """Serve until told to stop, or until the parent is gone; print the address once it is open."""
    end_with_parent()
    configured = settings()
    configure_logs(configured.log_level)
    summed = [figure for figure in vars(metrics).values() if isinstance(figure, Counter | Histogram)]
    report_all_workers([ERRORS, *summed, *metrics.OF_EACH_PROCESS])
    while True:
        try:
            # Joined by each, so that it stays up until the last has drained, whatever becomes of the parent.
            with bootstrap.database(configured) as url:
                run(bootstrap.serve(url, configured, say, shared_port=True))
        except StoreUnavailable as error:
            # It was there when the parent was started, and the others are waiting for it, too.
            log.warning("waiting_for_database", error=str(error))
            time.sleep(_RETRY_SECONDS)
        except (AuditError, EmbeddedPostgresError) as error:
            complain(str(error))
            return 2
        else:
            return 0


if __name__ == "__main__":
    sys.exit(main())

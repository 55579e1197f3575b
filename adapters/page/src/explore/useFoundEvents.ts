/** The events of a query: pages from the service, and on top what has arrived since. */

import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { getJson } from "../api/client";
import type { AuditEvent, EventsPage } from "../api/types";
import { Feed } from "../live/feed";
import { useSession } from "../shell/session";
import { withValues } from "./filters";

const PAGE = "100";
/** Who follows for hours keeps so many; older ones are a search away. */
const MOST_NEW = 5000;

export interface FoundEvents {
  events: readonly AuditEvent[];
  missing: number;
  isPending: boolean;
  error: Error | null;
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore: () => void;
  refresh: () => void;
  /** Null where nothing new can match. */
  feed: Feed | null;
  show: (events: readonly AuditEvent[]) => void;
}

export function useFoundEvents(parameters: URLSearchParams): FoundEvents {
  const { source } = useSession();
  const text = parameters.toString();
  const found = useInfiniteQuery({
    queryKey: ["events", text],
    queryFn: ({ pageParam, signal }) =>
      getJson<EventsPage>("/v1/events", withValues(new URLSearchParams(text), { limit: PAGE, cursor: pageParam }), signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const { fetchNextPage, refetch } = found;
  const first = found.data?.pages[0];
  const feed = useMemo(() => {
    if (first === undefined || new URLSearchParams(text).has("to")) return null;
    return new Feed(new URLSearchParams(text), first.position, (event) => !isOwnReading(event, source));
  }, [first, text, source]);
  const [fresh, setFresh] = useState<{ of: Feed | null; events: readonly AuditEvent[] }>({ of: null, events: [] });
  const show = useCallback(
    (arrived: readonly AuditEvent[]) =>
      setFresh((before) => ({
        of: feed,
        events: [...[...arrived].sort(newestFirst), ...(before.of === feed ? before.events : [])].slice(0, MOST_NEW),
      })),
    [feed],
  );
  const events = useMemo(
    () => [...(fresh.of === feed ? fresh.events : []), ...(found.data?.pages.flatMap((page) => page.events) ?? [])],
    [fresh, feed, found.data],
  );
  return {
    events,
    missing: first?.set_aside ?? 0,
    isPending: found.isPending,
    error: found.error,
    hasMore: found.hasNextPage,
    isLoadingMore: found.isFetchingNextPage,
    loadMore: useCallback(() => void fetchNextPage(), [fetchNextPage]),
    refresh: useCallback(() => void refetch(), [refetch]),
    feed,
    show,
  };
}

/** Each look at the trail is an event, too: to tell the reader of their own would never end. */
function isOwnReading(event: AuditEvent, source: string): boolean {
  return event.source === source && event.activity.startsWith("audit_");
}

function newestFirst(one: AuditEvent, other: AuditEvent): number {
  return one.occurred_at < other.occurred_at ? 1 : one.occurred_at > other.occurred_at ? -1 : other.position - one.position;
}

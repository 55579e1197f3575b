import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { addressOf, go } from "../address";
import type { AuditEvent } from "../api/types";
import { usePreferences } from "../preferences";
import { zone } from "../times";
import type { Column } from "./columns";

const ROW_HEIGHT = 36;
const COMPACT_ROW_HEIGHT = 58;
const AHEAD = 30;

interface Props {
  events: readonly AuditEvent[];
  columns: readonly Column[];
  /** Two lines for each event, in few columns. */
  isCompact: boolean;
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore: () => void;
}

/** Only the rows in sight exist; the next page is asked for before the reader comes to the end. */
export function EventTable({ events, columns, isCompact, hasMore, isLoadingMore, loadMore }: Props) {
  const { clock } = usePreferences();
  const scroller = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState(0);
  const rowHeight = isCompact ? COMPACT_ROW_HEIGHT : ROW_HEIGHT;
  const rows = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => events[index]?.event_id ?? index,
    overscan: 12,
  });
  useEffect(() => rows.measure(), [rows, rowHeight]);
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !isLoadingMore && last >= events.length - AHEAD) loadMore();
  }, [hasMore, isLoadingMore, last, events.length, loadMore]);

  function focus(index: number): void {
    const target = Math.max(0, Math.min(index, events.length - 1));
    setFocused(target);
    rows.scrollToIndex(target);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${target}"]`)?.focus());
  }

  function onKeyDown(pressed: KeyboardEvent): void {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 1);
    const steps: Record<string, number> = {
      ArrowDown: focused + 1,
      j: focused + 1,
      ArrowUp: focused - 1,
      k: focused - 1,
      PageDown: focused + page,
      PageUp: focused - page,
      Home: 0,
      End: events.length - 1,
    };
    const target = steps[pressed.key];
    const event = events[focused];
    if (target !== undefined) focus(target);
    else if (pressed.key === "Enter" && event !== undefined) go(addressOf("event", [event.event_id]));
    else return;
    pressed.preventDefault();
  }

  const template = { gridTemplateColumns: isCompact ? "6.6rem 1fr" : columns.map((column) => column.width).join(" ") };
  return (
    <div className={isCompact ? "table table-compact" : "table"} role="grid" aria-label="Events" aria-rowcount={hasMore ? -1 : events.length + 1} aria-colcount={columns.length}>
      <div className="table-scroller" ref={scroller} onKeyDown={onKeyDown}>
        <div className="table-row table-head" role="row" aria-rowindex={1} style={template}>
          {columns.map((column) => (
            <div key={column.name} role="columnheader" className="cell">
              {column.title}
              {column.name === "time" && <span className="zone">{zone(clock)}</span>}
            </div>
          ))}
        </div>
        <div className="table-body" role="rowgroup" style={{ height: rows.getTotalSize() }}>
          {items.map((item) => {
            const event = events[item.index];
            return event === undefined ? null : (
              <div
                key={item.key}
                data-index={item.index}
                className={`table-row row-${event.status}`}
                role="row"
                aria-rowindex={item.index + 2}
                tabIndex={item.index === focused ? 0 : -1}
                style={{ ...template, transform: `translateY(${item.start}px)` }}
                onFocus={() => setFocused(item.index)}
                onDoubleClick={() => go(addressOf("event", [event.event_id]))}
              >
                {columns.map((column) => (
                  <div key={column.name} role="gridcell" className={`cell cell-${column.name}`}>
                    {column.cell(event, clock)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

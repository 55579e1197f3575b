import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { ApiError, getJson } from "../api/client";
import type { Histogram as Counts } from "../api/types";
import { type Clock, usePreferences } from "../preferences";
import { moment } from "../times";
import { count } from "../words";
import { CountsAwaited, CountsFrame } from "./CountsFrame";
import { apiQuery, withValues } from "./filters";

const HEIGHT = 110;
const BARS = "130";

interface Props {
  query: URLSearchParams;
  change: (query: URLSearchParams) => void;
  /** Whether it may ask: until then what was drawn last stays. */
  isDue: boolean;
}

/** How many events there are over time, by status; drawing over a span narrows the time to it. */
export default function Histogram({ query, change, isDue }: Props) {
  const { clock, theme } = usePreferences();
  const parameters = apiQuery(query);
  const counts = useQuery({
    queryKey: ["histogram", parameters.toString()],
    queryFn: ({ signal }) => getJson<Counts>("/v1/events/histogram", withValues(parameters, { bars: BARS }), signal),
    enabled: isDue,
    placeholderData: (before) => before,
  });
  if (counts.error instanceof ApiError && counts.data === undefined) {
    // What is wrong with the question stands in place of the table.
    if (counts.error.status === 422) return null;
    return <p className="histogram-note">No counts over time: {counts.error.detail}</p>;
  }
  if (counts.data === undefined) return <CountsAwaited />;
  const total = counts.data.bars.reduce((sum, bar) => sum + bar.success + bar.failure, 0);
  const failures = counts.data.bars.reduce((sum, bar) => sum + bar.failure, 0);
  return (
    <CountsFrame
      label={`${count(total, "event")} over time, ${count(failures, "failure")}`}
      plot={
        <Plot
          key={`${theme} ${clock}`}
          counts={counts.data}
          clock={clock}
          narrow={(from, to) => change(withValues(query, { from, to, at: null }))}
          jump={(at) => change(withValues(query, { at }))}
        />
      }
      caption={
        <>
          <strong>{count(total, "event")}</strong>
          <span className="status-success">{count(total - failures, "success", "successes")}</span>
          <span className="status-failure">{count(failures, "failure")}</span>
          <span className="muted">a bar: {spanOf(counts.data.seconds)}</span>
        </>
      }
    />
  );
}

interface PlotProps {
  counts: Counts;
  clock: Clock;
  narrow: (from: string, to: string) => void;
  jump: (at: string) => void;
}

function Plot({ counts, clock, narrow, jump }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const chosen = useRef({ narrow, jump });
  useEffect(() => {
    chosen.current = { narrow, jump };
  });
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const plot = new uPlot(options(element, clock, counts, (from, to) => chosen.current.narrow(from, to)), dataOf(counts), element);
    // A press without drawing is a jump: to the end of the bar, since the newest stands on top.
    plot.over.addEventListener("click", () => {
      const [first] = plot.data[0];
      const { left = -1 } = plot.cursor;
      if (first === undefined || left < 0 || plot.select.width > 0) return;
      const bar = Math.floor((plot.posToVal(left, "x") - first) / counts.seconds);
      chosen.current.jump(new Date((first + (bar + 1) * counts.seconds - 1) * 1000).toISOString());
    });
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [counts, clock]);
  return <div ref={place} className="histogram-plot" aria-hidden="true" />;
}

function dataOf(counts: Counts): uPlot.AlignedData {
  const seconds: number[] = [];
  const all: number[] = [];
  const successes: number[] = [];
  const known = new Map(counts.bars.map((bar) => [Date.parse(bar.begin) / 1000, bar]));
  const first = counts.bars[0];
  if (first !== undefined && counts.end !== null) {
    // Every span has its place, be it empty, so that silence shows as a gap.
    const end = Date.parse(counts.end) / 1000;
    for (let second = Date.parse(first.begin) / 1000; second < end; second += counts.seconds) {
      const bar = known.get(second);
      seconds.push(second);
      all.push((bar?.success ?? 0) + (bar?.failure ?? 0));
      successes.push(bar?.success ?? 0);
    }
  }
  return [seconds, all, successes];
}

function options(element: HTMLElement, clock: Clock, counts: Counts, narrow: (from: string, to: string) => void): uPlot.Options {
  const color = (name: string): string => {
    // A canvas takes a color, and not the expression that gives one for each theme.
    element.style.color = `var(${name})`;
    return getComputedStyle(element).color;
  };
  const bars = uPlot.paths.bars?.({ size: [0.86, 40], align: 1 });
  const series = (fill: string): uPlot.Series => ({ fill, width: 0, points: { show: false }, ...(bars && { paths: bars }) });
  const axis: uPlot.Axis = { stroke: color("--text-muted"), ticks: { show: false }, font: "11px system-ui" };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [6, 34, 0, 14],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: true, range: (_, first, last) => [first, last + counts.seconds] }, y: { range: (_, __, most) => [0, Math.max(most, 1)] } },
    tzDate: (second) => (clock === "utc" ? uPlot.tzDate(new Date(second * 1000), "Etc/UTC") : new Date(second * 1000)),
    axes: [
      { ...axis, grid: { show: false }, size: 22, space: 80, values: (_, ticks, __, ___, step) => ticks.map((tick) => tickTitle(tick, step, clock)) },
      { ...axis, grid: { stroke: color("--line"), width: 1 }, size: 44, space: 30, values: (_, ticks) => ticks.map((tick) => (tick === 0 ? "" : String(tick))) },
    ],
    series: [{}, series(color("--failure-bar")), series(color("--success-bar"))],
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          const at = (pixel: number): string => new Date(Math.round(plot.posToVal(pixel, "x")) * 1000).toISOString();
          narrow(at(left), at(left + width));
        },
      ],
    },
  };
}

/** As precise as the ticks are apart: a day, or a time of day with its day where one begins. */
function tickTitle(second: number, step: number, clock: Clock): string {
  const [day = "", time = ""] = moment(new Date(second * 1000).toISOString(), clock).split(" ");
  if (step >= 86_400) return day;
  return time === "00:00:00" ? day.slice(5) : step >= 60 ? time.slice(0, 5) : time;
}

function spanOf(seconds: number): string {
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]] as const) {
    if (seconds >= size) return count(seconds / size, unit);
  }
  return count(seconds, "second");
}


import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Label, Slider, SliderOutput, SliderThumb, SliderTrack } from "react-aria-components";
import { addressOf, go } from "../address";
import { getJson } from "../api/client";
import type { EntityDiff, EntityState, Timeline, TimelineStep } from "../api/estate";
import { StatusBadge } from "../explore/columns";
import { withValues } from "../explore/filters";
import { type Clock, usePreferences } from "../preferences";
import { Card, ChangesTable, EntityLink, Facts, More, PageLink, Value, momentOf } from "../shell/parts";
import { Failed, Loading } from "../shell/states";
import { moment, zone } from "../times";
import { phrase, title } from "../words";
import { told } from "./relations";

interface Props {
  type: string;
  id: string;
  query: URLSearchParams;
}

/** An entity through time: its state at any of its events, what each changed, and two moments side by side. */
export default function EntityView({ type, id, query }: Props) {
  const path = `/v1/entities/${encodeURIComponent(type)}/${encodeURIComponent(id)}`;
  const timeline = useInfiniteQuery({
    queryKey: ["timeline", type, id],
    queryFn: ({ pageParam, signal }) =>
      getJson<Timeline>(`${path}/timeline`, withValues(new URLSearchParams(), { limit: "500", cursor: pageParam }), signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const asOf = momentOf(query);
  const state = useQuery({
    queryKey: ["entity", type, id, asOf.toString()],
    queryFn: ({ signal }) => getJson<EntityState>(path, asOf, signal),
    placeholderData: (before) => before,
  });
  const steps = timeline.data?.pages.flatMap((page) => page.events) ?? [];
  const change = (values: Record<string, string | null>): void =>
    go(addressOf("entity", [type, id], withValues(query, values)), "replace");
  if (state.isPending || timeline.isPending) return <Loading what="the entity's history" />;
  if (timeline.isError) return <Failed error={timeline.error} retry={() => void timeline.refetch()} />;
  return (
    <article className="event">
      <header className="event-head">
        <span className="muted">{phrase(type)}</span>
        <h1>{state.data?.name ?? id}</h1>
      </header>
      <TimeSlider steps={steps} query={query} change={change} />
      {state.isError && <Failed error={state.error} retry={() => void state.refetch()} />}
      {state.data && <StateCards found={state.data} asOf={asOf} steps={steps} />}
      <Comparison path={path} steps={steps} query={query} change={change} />
      <Card title="Timeline">
        <TimelineTable steps={steps} shown={query.get("position")} change={change} />
        <More hasMore={timeline.hasNextPage} isLoading={timeline.isFetchingNextPage} load={() => void timeline.fetchNextPage()} />
      </Card>
    </article>
  );
}

interface SliderProps {
  steps: readonly TimelineStep[];
  query: URLSearchParams;
  change: (values: Record<string, string | null>) => void;
}

/** Every stop is an event: nothing changes between two of them. */
function TimeSlider({ steps, query, change }: SliderProps) {
  const { clock } = usePreferences();
  const at = query.get("at");
  const stop = steps.filter((step) => isBy(step, query)).length;
  const [dragged, setDragged] = useState<number | null>(null);
  const shown = dragged ?? stop;
  if (steps.length < 2) return null;
  return (
    <Slider
      className="time-slider"
      minValue={1}
      maxValue={steps.length}
      value={Math.max(1, shown)}
      onChange={setDragged}
      onChangeEnd={(value) => {
        setDragged(null);
        const step = steps[value - 1];
        change({ at: null, position: value === steps.length || step === undefined ? null : String(step.position) });
      }}
    >
      <Label>Moment</Label>
      <SliderOutput className="time-slider-output">{() => (at === null || dragged !== null ? stopTitle(steps, shown, clock) : atTitle(steps[stop - 1], at, clock))}</SliderOutput>
      <SliderTrack className="slider-track">
        <SliderThumb className="slider-thumb" aria-label="Moment in the entity's timeline" />
      </SliderTrack>
    </Slider>
  );
}

/** Whether a step was taken by the moment that an address names: a position, a time, or now. */
function isBy(step: TimelineStep, query: URLSearchParams): boolean {
  const position = query.get("position");
  const at = query.get("at");
  if (position !== null) return step.position <= Number(position);
  return at === null || Date.parse(step.occurred_at) <= Date.parse(at);
}

function atTitle(step: TimelineStep | undefined, at: string, clock: Clock): string {
  const last = step === undefined ? "before its first event" : `after ${phrase(step.activity)} of ${moment(step.occurred_at, clock)}`;
  return `${moment(at, clock)} ${zone(clock)}, ${last}`;
}

function stopTitle(steps: readonly TimelineStep[], stop: number, clock: Clock): string {
  const step = steps[stop - 1];
  if (step === undefined) return "";
  const when = `${moment(step.occurred_at, clock)} ${zone(clock)}, ${phrase(step.activity)}`;
  return stop === steps.length ? `Now (since ${when})` : when;
}

function StateCards({ found, asOf, steps }: { found: EntityState; asOf: URLSearchParams; steps: readonly TimelineStep[] }) {
  const changed = new Set(
    steps.find((step) => step.position === found.as_of.position)?.changes.map((change) => change.path.split("/")[2]) ?? [],
  );
  return (
    <div className="event-grid">
      <Card title="State">
        <p className="state-name">{found.state === null ? "unknown: no event has told it" : title(found.state)}</p>
        <Facts
          facts={Object.entries(found.attributes).map(([name, value]) => [
            phrase(name),
            changed.has(name) ? (
              <mark key={name}>
                <Value value={value} />
              </mark>
            ) : (
              <Value key={name} value={value} />
            ),
          ])}
        />
      </Card>
      <Card title="Related, at this moment">
        <Facts
          facts={told(found.relations).map(([relation, others]) => [
            phrase(relation),
            others.map((one) => (
              <span key={`${one.type} ${one.id}`} className="related">
                <EntityLink type={one.type} id={one.id} moment={asOf} />
              </span>
            )),
          ])}
        />
      </Card>
      <Card title="How this is known">
        <p>
          Replayed from {found.version} events of the ledger, each checked against its hash, up to position{" "}
          {found.replayed_to.position}.
        </p>
        <p className="muted">
          Chain hash there: <code className="hash">{found.replayed_to.chain_hash}</code>
        </p>
        {found.unknown.length > 0 && <p>No event has told: {found.unknown.map(phrase).join(", ")}.</p>}
        {found.notes.map((note) => (
          <p key={note} className="note">{note}</p>
        ))}
      </Card>
    </div>
  );
}

interface ComparisonProps extends SliderProps {
  path: string;
}

/** Two moments, chosen from the timeline. */
function Comparison({ path, steps, query, change }: ComparisonProps) {
  const [from, to] = [query.get("diff_from"), query.get("diff_to")];
  const diff = useQuery({
    queryKey: ["diff", path, from, to],
    queryFn: ({ signal }) =>
      getJson<EntityDiff>(`${path}/diff`, new URLSearchParams({ from: from ?? "", to: to ?? "" }), signal),
    enabled: from !== null && to !== null,
  });
  if (steps.length < 2) return null;
  return (
    <Card title="Compare two moments">
      <div className="compare">
        <MomentChoice label="From" steps={steps} value={from} choose={(value) => change({ diff_from: value })} />
        <MomentChoice label="To" steps={steps} value={to} choose={(value) => change({ diff_to: value })} />
      </div>
      {diff.isError && <Failed error={diff.error} />}
      {diff.data && <ChangesTable changes={diff.data.changes} />}
    </Card>
  );
}

interface MomentChoiceProps {
  label: string;
  steps: readonly TimelineStep[];
  value: string | null;
  choose: (value: string | null) => void;
}

function MomentChoice({ label, steps, value, choose }: MomentChoiceProps) {
  const { clock } = usePreferences();
  return (
    <label>
      {label}{" "}
      <select className="input" value={value ?? ""} onChange={(event) => choose(event.target.value || null)}>
        <option value="">Choose an event …</option>
        {steps.map((step) => (
          <option key={step.position} value={step.position}>
            {moment(step.occurred_at, clock)} {phrase(step.activity)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface TimelineProps {
  steps: readonly TimelineStep[];
  shown: string | null;
  change: (values: Record<string, string | null>) => void;
}

function TimelineTable({ steps, shown, change }: TimelineProps) {
  const { clock } = usePreferences();
  return (
    <ol className="timeline">
      {steps.map((step) => (
        <li key={step.position} aria-current={String(step.position) === shown ? "step" : undefined}>
          <div className="timeline-head">
            <time dateTime={step.occurred_at}>{moment(step.occurred_at, clock)}</time>
            <StatusBadge status={step.status} />
            <PageLink to={["event", step.event_id]}>{step.description}</PageLink>
            {step.late && <span className="badge badge-warning">reported late</span>}
            <button type="button" className="button button-quiet" onClick={() => change({ at: null, position: String(step.position) })}>
              State here
            </button>
          </div>
          {step.contradictions.map((one) => (
            <p key={one.words} className="warning">
              Does not add up: {one.words}
            </p>
          ))}
          {step.changes.length > 0 && <ChangesTable changes={step.changes} />}
        </li>
      ))}
    </ol>
  );
}

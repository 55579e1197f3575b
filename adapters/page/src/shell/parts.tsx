/** Small parts that several views share. */

import type { ReactNode } from "react";
import { addressOf, follow } from "../address";
import type { Json } from "../api/types";
import { usePreferences } from "../preferences";
import { moment, zone } from "../times";
import { phrase } from "../words";

export function Card({ title, children, className = "" }: { title: string; children: ReactNode; className?: string }) {
  return (
    <section className={`card ${className}`} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export type Fact = readonly [string, ReactNode];

export function Facts({ facts }: { facts: readonly Fact[] }) {
  if (facts.length === 0) return <p className="muted">None.</p>;
  return (
    <dl className="facts">
      {facts.map(([name, value], index) => (
        <div key={`${name} ${index}`}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function PageLink({ to, query, children }: { to: readonly [string, ...string[]]; query?: URLSearchParams; children: ReactNode }) {
  const [view, ...rest] = to;
  return (
    <a href={addressOf(view, rest, query)} onClick={follow}>
      {children}
    </a>
  );
}

interface EntityLinkProps {
  type: string;
  id: string;
  name?: string | null | undefined;
  /** When, as the API takes it: nothing for now. */
  moment?: URLSearchParams;
  /** Where all around are of its type, which need not be said then. */
  isOfKnownType?: boolean;
}

/** A link to an entity, at the moment that the reader looks at. */
export function EntityLink({ type, id, name, moment, isOfKnownType = false }: EntityLinkProps) {
  const called = name ?? id;
  const kind = phrase(type);
  return (
    <PageLink to={["entity", type, id]} {...(moment ? { query: moment } : {})}>
      {isOfKnownType || called.startsWith(kind) ? called : `${kind} ${called}`}
    </PageLink>
  );
}

/** The part of an address that says when. */
export function momentOf(query: URLSearchParams): URLSearchParams {
  const position = query.get("position");
  const at = query.get("at");
  return new URLSearchParams(position ? { position } : at ? { at } : {});
}

/** A value of details, attributes or changes. */
export function Value({ value }: { value: Json | undefined }) {
  if (value === undefined) return <span className="muted">–</span>;
  if (value === null) return <span className="muted">none</span>;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(", ") || "none";
  if (typeof value === "object") return <code>{JSON.stringify(value)}</code>;
  if (typeof value === "string" && TIME.test(value)) return <Time at={value} />;
  return String(value);
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function Time({ at }: { at: string }) {
  const { clock } = usePreferences();
  return (
    <time dateTime={at}>
      {moment(at, clock)} {zone(clock)}
    </time>
  );
}

const ATTRIBUTE = /^\/(?:attributes\/)?(\w+)$/;

/** A place in an entity as people read it; one that lies deeper stays a JSON Pointer. */
function pathTitle(path: string): string {
  const [, name] = ATTRIBUTE.exec(path) ?? [];
  return name === undefined ? path : phrase(name);
}

/** What changed, from what to what. */
export function ChangesTable({ changes }: { changes: readonly { path: string; old?: Json; new?: Json }[] }) {
  if (changes.length === 0) return <p className="muted">Nothing changed.</p>;
  return (
    <table className="changes">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">From</th>
          <th scope="col">To</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <tr key={change.path}>
            <th scope="row">{pathTitle(change.path)}</th>
            <td>
              <Value value={change.old} />
            </td>
            <td>
              <Value value={change.new} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function More({ hasMore, isLoading, load }: { hasMore: boolean; isLoading: boolean; load: () => void }) {
  if (!hasMore) return null;
  return (
    <button type="button" className="button" disabled={isLoading} onClick={load}>
      {isLoading ? "Loading …" : "Show more"}
    </button>
  );
}

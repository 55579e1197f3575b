/** What an entity is related to, as people read it. */

import type { Relation } from "../api/estate";

const ANY = "affected";

/** Each relation once, with all that stand in it; what is told by a better name is not told as affected, too. */
export function told(relations: readonly Relation[]): [relation: string, others: Relation[]][] {
  const named = new Set(relations.filter(({ relation }) => relation !== ANY).map(placeOf));
  const found = new Map<string, Relation[]>();
  for (const one of relations) {
    if (one.relation === ANY && named.has(placeOf(one))) continue;
    found.set(one.relation, [...(found.get(one.relation) ?? []), one]);
  }
  return [...found].sort(([one], [other]) => Number(one === ANY) - Number(other === ANY));
}

function placeOf({ type, id }: Relation): string {
  return `${type}:${id}`;
}

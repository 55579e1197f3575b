import { createContext, use } from "react";
import type { Session } from "../api/types";

export const SessionContext = createContext<Session | null>(null);

/** Who is signed in; only below the shell, which asks. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (session === null) throw new Error("nobody is signed in");
  return session;
}

/** Whether this session may look at events of everybody. */
export function seesAll(session: Session): boolean {
  return session.role === "auditor";
}

export function seesHealth(session: Session): boolean {
  return session.role === "auditor" || session.role === "operator";
}

export function readsEvents(session: Session): boolean {
  return session.role === "auditor" || session.role === "user";
}

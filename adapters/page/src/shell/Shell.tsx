import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useEffect } from "react";
import { type Address, addressOf, useAddress } from "../address";
import { ApiError, getJson } from "../api/client";
import type { Session } from "../api/types";
import { Explore } from "../explore/Explore";
import { Guarded } from "./Guarded";
import { Failed, Loading } from "./states";
import { SessionContext, readsEvents, seesHealth } from "./session";
import { useFileDrop } from "../verify/dropped";
import { useShortcuts } from "./shortcuts";
import { SignIn } from "./SignIn";
import { TopBar } from "./TopBar";

const ShortcutSheet = lazy(() => import("./ShortcutSheet"));
const EntityView = lazy(() => import("../estate/EntityView"));
const EstateView = lazy(() => import("../estate/EstateView"));
const FindingsView = lazy(() => import("../findings/FindingsView"));
const InvestigateView = lazy(() => import("../investigate/InvestigateView"));
const HealthView = lazy(() => import("../health/HealthView"));
const VerifyView = lazy(() => import("../verify/VerifyView"));
const EventView = lazy(() => import("../event/EventView"));

/** The frame of all views: who is signed in, where one can go, and the view that the address names. */
export function Shell() {
  const client = useQueryClient();
  const session = useQuery({
    queryKey: ["session"],
    queryFn: () => getJson<Session>("/v1/session"),
    retry: false,
    refetchInterval: 60_000,
  });
  const address = useAddress();
  const [sheetIsOpen, openSheet] = useShortcuts();
  const fileIsOver = useFileDrop();
  useEffect(() => {
    document.title = `${titleOf(address)} · CertiNext audit trail`;
  }, [address]);

  if (session.isPending) return <Loading what="the audit trail" />;
  if (session.error instanceof ApiError && session.error.status === 401) {
    return <SignIn onSignedIn={(found) => client.setQueryData(["session"], found)} />;
  }
  if (session.data === undefined) return <Failed error={session.error} retry={() => void session.refetch()} />;
  return (
    <SessionContext value={session.data}>
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <TopBar address={address} offline={session.isError} />
      <main id="content" className="content" tabIndex={-1}>
        <p className="print-only">
          CertiNext audit trail, ledger {session.data.ledger}: {window.location.href}, read by {session.data.name}
        </p>
        <Guarded of={addressOf(address.view, address.rest, address.query)}>
          <Suspense fallback={<Loading what="this view" />}>{viewOf(address, session.data)}</Suspense>
        </Guarded>
      </main>
      {fileIsOver && <div className="drop-overlay">Drop the exported file to verify it here. It is sent nowhere.</div>}
      {sheetIsOpen && (
        <Suspense>
          <ShortcutSheet close={() => openSheet(false)} />
        </Suspense>
      )}
    </SessionContext>
  );
}

function viewOf(address: Address, session: Session): ReactNode {
  const [first = "", second = ""] = address.rest;
  switch (address.view) {
    case "explore":
      // Where everybody begins: who reads no event has other work.
      if (!readsEvents(session)) return seesHealth(session) ? <HealthView /> : <VerifyView />;
      return <Explore query={address.query} />;
    case "event":
      if (first === "") return <Nowhere />;
      return <EventView eventId={first} key={first} />;
    case "entity":
      if (second === "") return <Nowhere />;
      return <EntityView type={first} id={second} query={address.query} key={`${first}/${second}`} />;
    case "estate":
      return <EstateView type={first || "certificate"} query={address.query} key={first} />;
    case "findings":
      return <FindingsView query={address.query} />;
    case "investigate":
      return <InvestigateView query={address.query} />;
    case "health":
      return <HealthView />;
    case "verify":
      return <VerifyView />;
    default:
      return <Nowhere />;
  }
}

function Nowhere() {
  return (
    <section className="notice">
      <h1>There is nothing at this address</h1>
      <p>Choose a view above.</p>
    </section>
  );
}

function titleOf(address: Address): string {
  return address.view.charAt(0).toUpperCase() + address.view.slice(1);
}

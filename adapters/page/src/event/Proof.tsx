import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "react-aria-components";
import { getJson } from "../api/client";
import type { EventWithEvidence } from "../api/types";
import { parseVerifierKey } from "../evidence/note";
import { type InclusionProof, type Step, verifyEvent } from "../evidence/verify";
import { useSession } from "../shell/session";
import { Failed } from "../shell/states";

interface Checked {
  steps: Step[];
  proof: InclusionProof;
}

/** The event's proof, checked here and not by the service: what it says is taken for nothing. */
export function Proof({ evidence }: { evidence: EventWithEvidence }) {
  const { ledger } = useSession();
  const { event_id } = evidence.event;
  const checked = useQuery({
    queryKey: ["proof", event_id],
    queryFn: async ({ signal }): Promise<Checked> => {
      const [proof, published] = await Promise.all([
        getJson<InclusionProof>(`/v1/events/${encodeURIComponent(event_id)}/proof`, undefined, signal),
        getJson<{ keys: { verifier_key: string }[] }>(
          "/.well-known/certinext-audit/keys",
          new URLSearchParams({ ledger }),
          signal,
        ),
      ]);
      const keys = await Promise.all(published.keys.map((key) => parseVerifierKey(key.verifier_key)));
      return { proof, steps: await verifyEvent(evidence, proof, keys) };
    },
    staleTime: Infinity,
  });
  return (
    <section className="card proof" aria-label="Proof">
      <h2>Proof, verified in this browser</h2>
      {checked.isPending && <p role="status">Fetching the proof and hashing …</p>}
      {checked.isError && <Failed error={checked.error} retry={() => void checked.refetch()} />}
      {checked.data && <Steps checked={checked.data} />}
    </section>
  );
}

function Steps({ checked: { steps, proof } }: { checked: Checked }) {
  const [shows, setShows] = useState(false);
  const holds = steps.every((step) => step.holds);
  return (
    <>
      <p className={`verdict ${holds ? "verdict-good" : "verdict-bad"}`} role="status">
        {holds
          ? "This event is in the signed ledger, exactly as it is shown here."
          : "This event is NOT what was signed. Treat it as tampered with, and keep this page."}
      </p>
      <ol className="steps">
        {steps.map((step) => (
          <li key={step.title} className={step.holds ? "step-good" : "step-bad"}>
            <strong>{step.title}</strong>
            <span>{step.words}</span>
            {step.value && <code>{step.value}</code>}
          </li>
        ))}
      </ol>
      <Button className="button" aria-expanded={shows} onPress={() => setShows(!shows)}>
        {shows ? "Hide" : "Show"} the path and the checkpoint
      </Button>
      {/* On paper it is always there. */}
      <div className="proof-parts" hidden={!shows}>
        <h3>Path, from the leaf up</h3>
        <ol>
          {proof.path.map((hash) => (
            <li key={hash}>
              <code>{hash}</code>
            </li>
          ))}
        </ol>
        <h3>Signed checkpoint</h3>
        <pre tabIndex={0}>{proof.checkpoint}</pre>
      </div>
    </>
  );
}

import { useState } from "react";
import { Button } from "react-aria-components";
import type { EventWithEvidence } from "../api/types";

/** The bytes that were hashed, and ways to take the event along. */
export function Raw({ evidence }: { evidence: EventWithEvidence }) {
  const { event_id } = evidence.event;
  const curl = `curl -s -H "Authorization: Bearer $KEY" "${window.location.origin}/v1/events/${event_id}"`;
  return (
    <section className="card" aria-label="Record">
      <h2>Record</h2>
      <div className="raw-actions">
        <Copy words="Copy link" text={window.location.href} />
        <Copy words="Copy JSON" text={JSON.stringify(evidence, null, 2)} />
        <Copy words="Copy curl" text={curl} />
      </div>
      <pre tabIndex={0}>{evidence.record}</pre>
    </section>
  );
}

function Copy({ words, text }: { words: string; text: string }) {
  const [outcome, setOutcome] = useState<string | null>(null);
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("Copied");
    } catch {
      setOutcome("The browser did not allow it");
    }
  }
  return (
    <Button className="button" onPress={() => void copy()}>
      {outcome ?? words}
    </Button>
  );
}

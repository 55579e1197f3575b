import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "react-aria-components";
import { sendJson } from "../api/client";
import type { LedgerHealth, Verification } from "../api/health";
import { usePreferences } from "../preferences";
import { Card } from "../shell/parts";
import { seesAll, useSession } from "../shell/session";
import { Failed } from "../shell/states";
import { ago, moment, zone } from "../times";

const KIND_WORDS: Record<Verification["kind"], string> = {
  requested: "somebody asked for it",
  "command-line": "from the command line",
  nightly: "the service's own check of each night",
  tail: "the service's own check of what is new",
};

/** What came of checking the ledger, and for auditors a way to have it checked now. */
export function Verifications({ health: { verification, whole_verification }, now }: { health: LedgerHealth; now: number }) {
  const isRunning = verification?.state === "running";
  return (
    <Card title="Verification">
      {verification === null && <p>The ledger was not verified yet.</p>}
      {verification !== null && <Shown heading="Last check" run={verification} now={now} />}
      {whole_verification !== null && whole_verification.id !== verification?.id && (
        <Shown heading="Last check of everything" run={whole_verification} now={now} />
      )}
      {seesAll(useSession()) && <Start isRunning={isRunning} />}
    </Card>
  );
}

function Shown({ heading, run, now }: { heading: string; run: Verification; now: number }) {
  const { clock } = usePreferences();
  const { report, progress } = run;
  const when = run.finished_at ?? run.started_at;
  return (
    <section aria-label={heading} className="verification">
      <h3>
        {heading} <Verdict run={run} />
      </h3>
      <p>
        {moment(when, clock)} {zone(clock)} ({ago(when, now)}): {KIND_WORDS[run.kind]}
        {report?.from_position !== undefined && report.to_position !== undefined && `; positions ${report.from_position} to ${report.to_position}`}.
      </p>
      {run.state === "running" && (
        <p role="status">
          {progress.stage}: {progress.done} of {progress.total}
          <progress max={Math.max(progress.total, 1)} value={progress.done} aria-label="Verified" />
        </p>
      )}
      {report?.reason && <p>{report.reason}</p>}
      {(report?.tampering?.length ?? 0) > 0 && (
        <ul>
          {report?.tampering?.map(({ text }) => <li key={text}>{text}</li>)}
          {(report?.left_out ?? 0) > 0 && <li>and {report?.left_out} more</li>}
        </ul>
      )}
    </section>
  );
}

function Verdict({ run: { state, verdict } }: { run: Verification }) {
  if (verdict === "intact") return <span className="badge badge-success">✓ Intact</span>;
  if (verdict === "tampered") return <span className="badge badge-failure">✕ Tampered with</span>;
  if (verdict === "failed") return <span className="badge badge-warning">Could not be done</span>;
  return <span className="badge severity-low">{state === "running" ? "Running" : "Interrupted"}</span>;
}

function Start({ isRunning }: { isRunning: boolean }) {
  const client = useQueryClient();
  const start = useMutation({
    mutationFn: () => sendJson<Verification>("POST", "/v1/verifications"),
    onSuccess: () => client.invalidateQueries({ queryKey: ["health"] }),
  });
  return (
    <>
      <p>
        <Button className="button" isDisabled={isRunning} isPending={start.isPending} onPress={() => start.mutate()}>
          Verify everything now
        </Button>
      </p>
      {start.isError && <Failed error={start.error} />}
      <p className="hint">
        Every hash is computed anew and every read table compared; one verification runs at a time, and its verdict is recorded.
      </p>
    </>
  );
}

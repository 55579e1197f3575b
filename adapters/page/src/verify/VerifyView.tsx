import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { Button, Input, Label, ProgressBar, Text, TextField } from "react-aria-components";
import { getJson } from "../api/client";
import { type VerifierKey, parseVerifierKey } from "../evidence/note";
import { usePreferences } from "../preferences";
import { Card, type Fact, Facts } from "../shell/parts";
import { Failed } from "../shell/states";
import { moment, zone } from "../times";
import { bytesOf, count, title } from "../words";
import { type Checked, type Keys, checkFile, readKey } from "./checkFile";
import { offer, useDropped } from "./dropped";
import { type Fault, Unreadable } from "./exportedFile";
import type { Manifest } from "./manifest";
import type { Verdict } from "./verdict";

/** An exported file, checked here: it is sent nowhere, and nothing that it says is believed but what is signed. */
export default function VerifyView() {
  const file = useDropped();
  const [ownKey, setOwnKey] = useState("");
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <div className="page verify">
      <header className="page-head">
        <h1>Verify an exported file</h1>
      </header>
      <section className="card drop-here" aria-label="The file">
        <p>
          Drop a workbook or JSON Lines of the audit trail anywhere on this page. It is read in this browser and sent nowhere.
        </p>
        <input
          ref={chooser}
          className="visually-hidden"
          type="file"
          accept=".xlsx,.jsonl"
          tabIndex={-1}
          aria-label="File to verify"
          onChange={(event) => {
            offer(event.target.files?.[0] ?? null);
            event.target.value = "";
          }}
        />
        <Button className="button button-primary" onPress={() => chooser.current?.click()}>
          Choose a file
        </Button>
        <TextField className="own-key" value={ownKey} onChange={setOwnKey}>
          <Label>A public key that you got from the operator, if you have one</Label>
          <Input className="input mono" spellCheck="false" placeholder="name+id+key, or 64 hex digits" />
          <Text slot="description" className="hint">
            Without it the keys count that this service publishes.
          </Text>
        </TextField>
      </section>
      {file !== null && <Check key={`${file.name} ${file.lastModified} ${ownKey}`} file={file} ownKey={ownKey.trim()} />}
    </div>
  );
}

function Check({ file, ownKey }: { file: File; ownKey: string }) {
  const [rows, setRows] = useState<readonly [done: number, all: number]>([0, 0]);
  const checked = useQuery({
    queryKey: ["file", file.name, file.size, file.lastModified, ownKey],
    queryFn: ({ signal }) => checkFile(file, ownKey === "" ? published : given(ownKey), (done, all) => setRows([done, all]), signal),
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
  });
  const [done, all] = rows;
  return (
    <section className="results" aria-label="Result" aria-busy={checked.isPending}>
      <h2>
        {file.name} <span className="muted">{bytesOf(file.size)}</span>
      </h2>
      {checked.isPending && (
        <ProgressBar className="progress" value={done} maxValue={Math.max(all, 1)} aria-label="Rows checked">
          {({ percentage = 0 }) => (
            <>
              <progress max={100} value={percentage} aria-hidden="true" />
              <p>
                {count(done, "row")} of {count(all, "row")} checked …
              </p>
            </>
          )}
        </ProgressBar>
      )}
      {checked.isError &&
        (checked.error instanceof Unreadable ? (
          <p className="verdict verdict-bad" role="alert">
            This file cannot be verified: {checked.error.message}.
          </p>
        ) : (
          <Failed error={checked.error} retry={() => void checked.refetch()} />
        ))}
      {checked.data && <Result checked={checked.data} hasOwnKey={ownKey !== ""} />}
    </section>
  );
}

/** The keys that the service publishes for a ledger. */
const published: Keys = async (ledger) => {
  const found = await getJson<{ keys: { verifier_key: string }[] }>(
    "/.well-known/certinext-audit/keys",
    new URLSearchParams({ ledger }),
  );
  return Promise.all(found.keys.map((key) => parseVerifierKey(key.verifier_key)));
};

function given(key: string): Keys {
  return async (_, name): Promise<readonly VerifierKey[]> => [await readKey(key, name)];
}

function Result({ checked: { verdict, manifest, key }, hasOwnKey }: { checked: Checked; hasOwnKey: boolean }) {
  const [first] = verdict.faults;
  return (
    <>
      <p className={`verdict ${verdict.good ? "verdict-good" : "verdict-bad"}`} role="status">
        {first === undefined ? goodWords(verdict) : `This file is NOT as it was exported. The first that is wrong: ${wordsOf(first)}.`}
      </p>
      {first !== undefined && <Faults verdict={verdict} />}
      {manifest !== null && (
        <div className="event-grid">
          <Card title={key === null ? "What the file says of itself; it is not signed" : "What is signed"}>
            <Facts facts={claims(manifest)} />
          </Card>
          <Checks verdict={verdict} manifest={manifest} signer={key} hasOwnKey={hasOwnKey} />
        </div>
      )}
    </>
  );
}

function goodWords({ rows, unproven }: Verdict): string {
  const whole = `This file is as it was exported: ${count(rows, "event")}, none changed, none missing, none added.`;
  if (unproven === 0) return whole;
  return `${whole} The latest ${count(unproven, "event")} came after the last checkpoint: for them the signed manifest vouches alone.`;
}

function wordsOf({ place, column, message }: Fault): string {
  return `${place}${column === null ? "" : `, column ${column}`}: ${message}`;
}

function Faults({ verdict: { faults, faultsInAll } }: { verdict: Verdict }) {
  return (
    <Card title={`${count(faultsInAll, "fault")}${faultsInAll > faults.length ? `, of which the first ${faults.length}` : ""}`}>
      <div className="table-wrap" tabIndex={0} role="region" aria-label="Faults">
        <table className="plain">
          <thead>
            <tr>
              <th scope="col">Where</th>
              <th scope="col">Column</th>
              <th scope="col">What is wrong</th>
            </tr>
          </thead>
          <tbody>
            {faults.map((fault, number) => (
              <tr key={number}>
                <th scope="row">{fault.place}</th>
                <td>{fault.column ?? ""}</td>
                <td className="wrapped">{fault.message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function claims(manifest: Manifest): Fact[] {
  const { askedBy, filters } = manifest;
  const told: Fact[] = Object.entries(filters).map(([name, value]) => [
    `Filter: ${name}`,
    Array.isArray(value) ? value.join(" or ") : String(value),
  ]);
  return [
    ["Ledger", manifest.ledger],
    ["Made at", <MadeAt key="m" at={manifest.madeAt} />],
    ["Asked for by", `${askedBy.name ?? ""} (${askedBy.id ?? ""})`],
    ...(told.length === 0 ? [["Filters", "none: all events of the ledger"] as const] : told),
    ...(manifest.onlyActor === null ? [] : [["Only what was done by", manifest.onlyActor] as const]),
    ["Order", manifest.order === "occurred" ? "newest first" : "as recorded, oldest first"],
    ["Events", count(manifest.rows, "event")],
    ["Positions covered", `1 to ${manifest.position}`],
    ...(manifest.setAside === 0 ? [] : [["May be missing", `${count(manifest.setAside, "event")} that the service could not understand`] as const]),
    ["Export", <code key="e">{manifest.exportId}</code>],
  ];
}

function MadeAt({ at }: { at: string }) {
  const { clock } = usePreferences();
  return `${moment(at, clock)} ${zone(clock)}`;
}

interface ChecksProps {
  verdict: Verdict;
  manifest: Manifest;
  signer: VerifierKey | null;
  hasOwnKey: boolean;
}

function Checks({ verdict, manifest, signer, hasOwnKey }: ChecksProps) {
  const { rows, chained, withoutPersonal } = verdict;
  return (
    <Card title="What was checked">
      <ul>
        <li>
          {signer === null
            ? "The manifest is not signed by a key that counts here."
            : `The manifest and the checkpoint are signed by ${signer.name}, ${hasOwnKey ? "with your key" : "with a key that this service publishes"} (Ed25519).`}
        </li>
        <li>{count(rows, "record")} hashed, and compared with what each column shows.</li>
        <li>
          {verdict.good
            ? `All rows led, by one proof for all, to the root of the signed tree of ${count(manifest.checkpointSize, "event")}.`
            : "Whether all rows are in the signed tree was not asked any more where something was wrong before."}
        </li>
        <li>{count(chained, "row")} linked to the row of the position before.</li>
        {withoutPersonal > 0 && <li>{title(count(withoutPersonal, "row"))} had no personal data any more when the file was made.</li>}
      </ul>
      {manifest.facts.format === "xlsx" && (
        <p className="hint">
          Not compared: the sheets About and Summary, which are for reading. What is signed stands here;{" "}
          <code>certinext-audit verify</code> compares them, too.
        </p>
      )}
    </Card>
  );
}

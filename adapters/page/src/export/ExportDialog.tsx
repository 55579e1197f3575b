import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Button, Dialog, Heading, Label, Modal, ModalOverlay, ProgressBar, RadioButton, RadioField, RadioGroup } from "react-aria-components";
import { addressOf, follow } from "../address";
import { getJson } from "../api/client";
import type { AuditEvent, Histogram } from "../api/types";
import { termsOf, valueTitle, withValues } from "../explore/filters";
import { usePreferences } from "../preferences";
import { Facts, type Fact } from "../shell/parts";
import { useSession } from "../shell/session";
import { Failed } from "../shell/states";
import { moment, zone } from "../times";
import { bytesOf, count, phrase } from "../words";
import { type Exported, FORMATS, type Format, ORDERS, type Order, download, recordOf, save } from "./download";

const FORMAT_WORDS: Record<Format, readonly [string, string]> = {
  xlsx: ["Excel workbook", "for people; every row can be verified offline"],
  jsonl: ["JSON Lines", "for machines; every row can be verified offline"],
  csv: ["CSV", "for other programs; it proves nothing"],
};

const ORDER_WORDS: Record<Order, readonly [string, string]> = {
  occurred: ["Newest first", "by the time when it happened"],
  recorded: ["As recorded", "by position, oldest first"],
};

type Stage =
  | { name: "asking" }
  | { name: "running"; bytes: number; abort: AbortController }
  | { name: "done"; exported: Exported; record: AuditEvent | null }
  | { name: "failed"; error: unknown };

interface Props {
  /** The filters in force: they decide what is in the file. */
  filters: URLSearchParams;
  close: () => void;
}

/** From filters to a file: which kind, how far it is, and what the ledger says of it. */
export default function ExportDialog({ filters, close }: Props) {
  const [format, setFormat] = useState<Format>("xlsx");
  const [order, setOrder] = useState<Order>("occurred");
  const [stage, setStage] = useState<Stage>({ name: "asking" });
  const running = useRef<AbortController>(null);
  // Whoever leaves the view has left the export, too; the ledger says so.
  useEffect(() => () => running.current?.abort(), []);

  async function start(): Promise<void> {
    const abort = new AbortController();
    running.current = abort;
    setStage({ name: "running", bytes: 0, abort });
    try {
      const exported = await download(filters, format, order, (bytes) => setStage({ name: "running", bytes, abort }), abort.signal);
      save(exported);
      setStage({ name: "done", exported, record: await recordOf(exported.exportId, abort.signal) });
    } catch (error) {
      setStage(abort.signal.aborted ? { name: "asking" } : { name: "failed", error });
    }
  }

  const isRunning = stage.name === "running";
  return (
    <ModalOverlay className="overlay" isOpen isDismissable={!isRunning} onOpenChange={(open) => !open && close()} isKeyboardDismissDisabled={isRunning}>
      <Modal className="modal modal-wide">
        <Dialog className="dialog export">
          <Heading slot="title">Export events</Heading>
          {(stage.name === "asking" || stage.name === "failed") && (
            <>
              <What filters={filters} />
              <Choice name="Format" values={FORMATS} words={FORMAT_WORDS} value={format} choose={setFormat} />
              <Choice name="Order" values={ORDERS} words={ORDER_WORDS} value={order} choose={setOrder} />
              {stage.name === "failed" && <Failed error={stage.error} />}
              <div className="dialog-buttons">
                <Button slot="close" className="button">
                  Cancel
                </Button>
                <Button className="button button-primary" onPress={() => void start()}>
                  Export
                </Button>
              </div>
            </>
          )}
          {isRunning && <Running bytes={stage.bytes} stop={() => stage.abort.abort()} />}
          {stage.name === "done" && <Done exported={stage.exported} record={stage.record} format={format} />}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface ChoiceProps<T extends string> {
  name: string;
  values: readonly T[];
  words: Record<T, readonly [string, string]>;
  value: T;
  choose: (value: T) => void;
}

function Choice<T extends string>({ name, values, words, value, choose }: ChoiceProps<T>) {
  return (
    <RadioGroup className="choices" value={value} onChange={(chosen) => choose(chosen as T)}>
      <Label>{name}</Label>
      {values.map((one) => (
        <RadioField key={one} value={one}>
          <RadioButton className="choice">
            <span>{words[one][0]}</span> <span className="muted">{words[one][1]}</span>
          </RadioButton>
        </RadioField>
      ))}
    </RadioGroup>
  );
}

/** What will be in the file, in words; how many there are now is what the histogram has counted. */
function What({ filters }: { filters: URLSearchParams }) {
  const { clock } = usePreferences();
  const counted = useQuery({
    queryKey: ["histogram", filters.toString()],
    queryFn: ({ signal }) => getJson<Histogram>("/v1/events/histogram", withValues(filters, { bars: "130" }), signal),
  });
  const facts: Fact[] = termsOf(filters).map((term) => [phrase(term.name === "q" ? "search" : term.name), valueTitle(term)]);
  const [from, to] = [filters.get("from"), filters.get("to")];
  if (from !== null) facts.push([`From (${zone(clock)})`, moment(from, clock)]);
  if (to !== null) facts.push([`To (${zone(clock)})`, moment(to, clock)]);
  const events = counted.data?.bars.reduce((sum, bar) => sum + bar.success + bar.failure, 0);
  return (
    <section className="what-is-exported" aria-label="What is exported">
      <p>
        {facts.length === 0 ? "All events that you may see" : "The events that fit the filters"}, up to now
        {events !== undefined && `: about ${count(events, "event")}`}. The export itself is recorded in the ledger.
      </p>
      {facts.length > 0 && <Facts facts={facts} />}
    </section>
  );
}

function Running({ bytes, stop }: { bytes: number; stop: () => void }) {
  return (
    <>
      <ProgressBar className="progress" isIndeterminate aria-label="Export">
        <div className="progress-bar" aria-hidden="true" />
        <p>
          <strong>{bytesOf(bytes)}</strong> received. The file is made while it is sent: how large it will be is not known before.
        </p>
      </ProgressBar>
      <div className="dialog-buttons">
        <Button className="button" onPress={stop}>
          Stop
        </Button>
      </div>
    </>
  );
}

function Done({ exported, record, format }: { exported: Exported; record: AuditEvent | null; format: Format }) {
  const recorded = record?.details.sha256;
  const agrees = recorded === exported.sha256;
  return (
    <>
      <p className={`verdict ${record === null || agrees ? "verdict-good" : "verdict-bad"}`} role="status">
        {record === null
          ? "The file is here. The ledger has not shown its record yet."
          : agrees
            ? "The file is here, byte for byte as the ledger has recorded it."
            : "The file is NOT the one that the ledger has recorded: do not use it."}
      </p>
      <Facts
        facts={[
          ["File", exported.name],
          ["Size", bytesOf(exported.content.size)],
          ...(typeof record?.details.rows === "number" ? [["Events", count(record.details.rows, "event")] as const] : []),
          ["SHA-256", <code key="d">{exported.sha256}</code>],
          ...(record === null
            ? []
            : [
                [
                  "Recorded as",
                  <a key="r" href={addressOf("event", [record.event_id])} onClick={follow}>
                    the event at position {record.position}
                  </a>,
                ] as const,
              ]),
        ]}
      />
      <HowToVerify format={format} name={exported.name} />
      <div className="dialog-buttons">
        <Button className="button" onPress={() => save(exported)}>
          Save again
        </Button>
        <Button slot="close" className="button button-primary">
          Close
        </Button>
      </div>
    </>
  );
}

function HowToVerify({ format, name }: { format: Format; name: string }) {
  const { ledger } = useSession();
  if (format === "csv") {
    return <p className="hint">CSV holds no proof. Export a workbook or JSON Lines if the file is to serve as evidence.</p>;
  }
  return (
    <section className="how-to-verify" aria-label="How to verify">
      <h3>How to verify</h3>
      <p>
        Drop the file on the view{" "}
        <a href={addressOf("verify")} onClick={follow}>
          Verify
        </a>
        , or check it without the service and without a network:
      </p>
      <pre tabIndex={0}>
        {`certinext-audit verify ${name} --key KEY\nsha256sum ${name}`}
      </pre>
      <p className="hint">
        KEY is the ledger's public key, at{" "}
        <a href={`/.well-known/certinext-audit/keys?ledger=${encodeURIComponent(ledger)}`}>/.well-known/certinext-audit/keys</a>: get it
        from the operator rather than from the file.
      </p>
    </section>
  );
}

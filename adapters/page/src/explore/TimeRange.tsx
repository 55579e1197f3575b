import { useState } from "react";
import { Button, Dialog, DialogTrigger, Input, Label, Popover, TextField } from "react-aria-components";
import { usePreferences } from "../preferences";
import { fromInput, moment, toInput, zone } from "../times";
import { withValues } from "./filters";

const PRESETS: readonly [string, number][] = [
  ["Last hour", 3_600_000],
  ["Last 24 hours", 86_400_000],
  ["Last 7 days", 604_800_000],
  ["Last 30 days", 2_592_000_000],
  ["Last 90 days", 7_776_000_000],
];

interface Props {
  query: URLSearchParams;
  change: (query: URLSearchParams) => void;
}

/** From when to when: spans of people's, or two moments. */
export function TimeRange({ query, change }: Props) {
  const { clock } = usePreferences();
  const [from, to] = [query.get("from"), query.get("to")];
  return (
    <DialogTrigger>
      <Button className="button time-range">
        <span className="time-range-text">
          {from === null && to === null
            ? "All time"
            : `${from === null ? "the beginning" : moment(from, clock)} – ${to === null ? "now" : moment(to, clock)}`}
        </span>
        <span className="zone">{zone(clock)}</span>
      </Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="dialog" aria-label="Time range">
          {({ close }) => (
            <Choices
              from={from}
              to={to}
              choose={(values) => {
                change(withValues(query, values));
                close();
              }}
            />
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

interface ChoicesProps {
  from: string | null;
  to: string | null;
  choose: (values: { from: string | null; to: string | null }) => void;
}

function Choices({ from, to, choose }: ChoicesProps) {
  const { clock } = usePreferences();
  const [begin, setBegin] = useState(from === null ? "" : toInput(from, clock));
  const [end, setEnd] = useState(to === null ? "" : toInput(to, clock));
  return (
    <form
      className="time-choices"
      onSubmit={(event) => {
        event.preventDefault();
        choose({ from: begin ? fromInput(begin, clock) : null, to: end ? fromInput(end, clock) : null });
      }}
    >
      <div className="presets">
        {PRESETS.map(([words, span]) => (
          <Button
            key={words}
            className="button button-quiet"
            onPress={() => choose({ from: new Date(Date.now() - span).toISOString(), to: null })}
          >
            {words}
          </Button>
        ))}
        <Button className="button button-quiet" onPress={() => choose({ from: null, to: null })}>
          All time
        </Button>
      </div>
      <TextField value={begin} onChange={setBegin}>
        <Label>From ({zone(clock)})</Label>
        <Input className="input" type="datetime-local" step="1" />
      </TextField>
      <TextField value={end} onChange={setEnd}>
        <Label>To, not included</Label>
        <Input className="input" type="datetime-local" step="1" />
      </TextField>
      <Button type="submit" className="button button-primary">
        Apply
      </Button>
    </form>
  );
}

import { useState } from "react";
import { Button, Dialog, DialogTrigger, Input, Label, Popover, TextField } from "react-aria-components";
import { usePreferences } from "../preferences";
import { fromInput, moment, toInput, zone } from "../times";

interface Props {
  at: string | null;
  jump: (at: string | null) => void;
}

/** To a moment in the table, whatever the filters are: what happened then, and before, is a key away. */
export function JumpTo({ at, jump }: Props) {
  return (
    <DialogTrigger>
      <Button className="button jump-button">Go to time</Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="dialog" aria-label="Go to a time in the table">
          {({ close }) => (
            <Moment
              at={at}
              jump={(chosen) => {
                jump(chosen);
                close();
              }}
            />
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function Moment({ at, jump }: { at: string | null; jump: (at: string) => void }) {
  const { clock } = usePreferences();
  const [text, setText] = useState(toInput(at ?? new Date().toISOString(), clock));
  return (
    <form
      className="time-choices"
      onSubmit={(event) => {
        event.preventDefault();
        if (text !== "") jump(fromInput(text, clock));
      }}
    >
      <TextField value={text} onChange={setText} autoFocus>
        <Label>Time ({zone(clock)})</Label>
        <Input className="input" type="datetime-local" step="1" required />
      </TextField>
      <Button type="submit" className="button button-primary" isDisabled={text === ""}>
        Go
      </Button>
    </form>
  );
}

/** Says that the table does not begin with the newest event, and leads back to it. */
export function JumpedBar({ at, jump }: { at: string; jump: (at: null) => void }) {
  const { clock } = usePreferences();
  return (
    <div className="live-bar">
      <span className="link" role="status">
        Events up to {moment(at, clock)} {zone(clock)}. Newer ones are not shown.
      </span>
      <Button className="button button-quiet" onPress={() => jump(null)}>
        Back to the newest
      </Button>
    </div>
  );
}

import { useEffect, useSyncExternalStore } from "react";
import { Button, ToggleButton } from "react-aria-components";
import type { AuditEvent } from "../api/types";
import { count } from "../words";
import type { Feed, Link } from "./feed";

const WORDS: Record<Link, string> = {
  connecting: "Connecting …",
  live: "Live",
  paused: "Paused",
  reconnecting: "Connection lost: reconnecting, nothing will be missed",
  ended: "Signed out",
};

interface Props {
  feed: Feed;
  follows: boolean;
  setFollows: (follows: boolean) => void;
  /** Puts new events on top of the table. */
  show: (events: readonly AuditEvent[]) => void;
  /** Asks anew, when more arrived than is kept. */
  refresh: () => void;
}

/** New events wait here, so that nothing moves under the reader; who follows has them at once. */
export function LiveBar({ feed, follows, setFollows, show, refresh }: Props) {
  const { link, arrived, overflowed } = useSyncExternalStore(feed.subscribe, feed.snapshot);
  useEffect(() => {
    if (!follows || arrived.length === 0) return;
    if (overflowed) refresh();
    else show(feed.take());
  }, [follows, arrived, overflowed, feed, show, refresh]);
  const waiting = count(arrived.length, "new event");
  return (
    <div className="live-bar">
      <span className={`link link-${link}`} role="status">
        <span aria-hidden="true">●</span> {WORDS[link]}
      </span>
      {arrived.length > 0 && !follows && (
        <Button className="button pill" onPress={() => (overflowed ? refresh() : show(feed.take()))}>
          ↑ {overflowed ? `More than ${waiting}` : waiting}
        </Button>
      )}
      <ToggleButton className="button button-quiet" isSelected={follows} onChange={setFollows}>
        Follow
      </ToggleButton>
      <ToggleButton
        className="button button-quiet"
        isSelected={link === "paused"}
        isDisabled={link !== "live" && link !== "paused"}
        onChange={(paused) => feed.setPaused(paused)}
      >
        Pause
      </ToggleButton>
    </div>
  );
}

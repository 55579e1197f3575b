/** A client of the live feed (docs/feed.md): every event once, from a position on, through all disconnects. */

import type { AuditEvent } from "../api/types";

export type Link = "connecting" | "live" | "paused" | "reconnecting" | "ended";

export interface FeedState {
  link: Link;
  /** What has arrived and was not taken yet, oldest first. */
  arrived: readonly AuditEvent[];
  /** Whether more arrived than is kept: a new search shows it all. */
  overflowed: boolean;
}

type Frame =
  | { type: "event"; position: number; event: AuditEvent }
  | { type: "caught_up" | "heartbeat"; position: number }
  | { type: "subscribed"; after: number }
  | { type: "problem"; problem: { detail: string } };

const MOST_KEPT = 1000;
const TOLD_EVERY = 100;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/** The service says so when the credential has ended; to connect again would be in vain. */
const NOT_AUTHENTICATED = 4401;

export class Feed {
  private state: FeedState = { link: "connecting", arrived: [], overflowed: false };
  private readonly listeners = new Set<() => void>();
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause = FIRST_PAUSE;
  private isPaused = false;
  private readonly heard: AuditEvent[] = [];
  private told: ReturnType<typeof setTimeout> | undefined;

  /** `seen` is the position that the reader already knows everything up to. */
  constructor(
    private readonly parameters: URLSearchParams,
    private seen: number,
    private readonly wanted: (event: AuditEvent) => boolean,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.connect();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.disconnect();
    };
  };

  readonly snapshot = (): FeedState => this.state;

  /** What has arrived; it counts as shown from now on. */
  take(): readonly AuditEvent[] {
    const { arrived } = this.state;
    this.change({ arrived: [], overflowed: false });
    return arrived;
  }

  setPaused(paused: boolean): void {
    this.isPaused = paused;
    if (this.socket?.readyState === WebSocket.OPEN) this.say();
  }

  private connect(): void {
    const address = new URL("/v1/feed", window.location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.search = new URLSearchParams([...this.parameters, ["after", String(this.seen)]]).toString();
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.onopen = () => {
      this.pause = FIRST_PAUSE;
      this.say();
    };
    socket.onmessage = (message: MessageEvent<string>) => this.hear(JSON.parse(message.data) as Frame);
    socket.onclose = (event) => {
      // One that was closed here, and perhaps followed by another, has nothing more to say.
      if (this.socket === socket) this.closed(event.code);
    };
  }

  private disconnect(): void {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }

  private say(): void {
    if (this.isPaused) this.socket?.send('{"type":"pause"}');
    else if (this.state.link === "paused") this.socket?.send('{"type":"resume"}');
    this.change({ link: this.isPaused ? "paused" : "live" });
  }

  private hear(frame: Frame): void {
    if (frame.type === "problem") throw new Error(frame.problem.detail);
    if (frame.type === "subscribed") return;
    this.seen = frame.position;
    if (frame.type !== "event" || !this.wanted(frame.event)) return;
    this.heard.push(frame.event);
    this.told ??= setTimeout(() => this.tell(), TOLD_EVERY);
  }

  /** In one go what a burst has brought, so that the page draws it once. */
  private tell(): void {
    this.told = undefined;
    const arrived = [...this.state.arrived, ...this.heard.splice(0)];
    this.change({ arrived: arrived.slice(0, MOST_KEPT), overflowed: arrived.length > MOST_KEPT });
  }

  private closed(code: number): void {
    if (code === NOT_AUTHENTICATED) {
      this.change({ link: "ended" });
      return;
    }
    this.change({ link: "reconnecting" });
    // Not all readers at once, when a service comes back.
    this.timer = setTimeout(() => this.connect(), this.pause * (0.5 + Math.random() / 2));
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  private change(change: Partial<FeedState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

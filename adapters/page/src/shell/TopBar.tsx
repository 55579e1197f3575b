import { useQueryClient } from "@tanstack/react-query";
import { Button, Header, type Key, Menu, MenuItem, MenuSection, MenuTrigger, Popover, type Selection, Separator } from "react-aria-components";
import { type Address, addressOf, follow } from "../address";
import { sendJson } from "../api/client";
import type { Session } from "../api/types";
import { type Clock, type Theme, prefer, usePreferences } from "../preferences";
import { zone } from "../times";
import { Brand } from "./Brand";
import { readsEvents, seesAll, seesHealth, useSession } from "./session";

interface View {
  name: string;
  title: string;
  offered: (session: Session) => boolean;
}

const VIEWS: readonly View[] = [
  { name: "explore", title: "Explore", offered: readsEvents },
  { name: "findings", title: "Findings", offered: seesAll },
  { name: "estate", title: "Estate", offered: seesAll },
  { name: "investigate", title: "Investigate", offered: readsEvents },
  { name: "health", title: "Health", offered: seesHealth },
  { name: "verify", title: "Verify", offered: () => true },
];

export function TopBar({ address, offline }: { address: Address; offline: boolean }) {
  const session = useSession();
  return (
    <header className="top-bar">
      <a className="brand-link" href="/" onClick={follow} aria-label="CertiNext audit trail, start">
        <Brand />
      </a>
      <nav aria-label="Views">
        {VIEWS.filter((view) => view.offered(session)).map((view) => (
          <a
            key={view.name}
            href={addressOf(view.name)}
            onClick={follow}
            aria-current={view.name === address.view ? "page" : undefined}
          >
            {view.title}
          </a>
        ))}
      </nav>
      {offline && (
        <span className="badge badge-failure" role="status">
          Offline
        </span>
      )}
      <span className="top-bar-ledger" title="The ledger that this key is bound to">
        {session.ledger}
      </span>
      <SettingsMenu session={session} />
    </header>
  );
}

function SettingsMenu({ session }: { session: Session }) {
  const { theme, clock } = usePreferences();
  const client = useQueryClient();
  async function signOut(): Promise<void> {
    await sendJson("DELETE", "/v1/session");
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
    await client.resetQueries({ queryKey: ["session"] });
  }
  return (
    <MenuTrigger>
      <Button className="button button-quiet" aria-label={`Settings of ${session.name}`}>
        {session.name} <span aria-hidden="true">▾</span>
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu">
          <MenuSection
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[theme]}
            onSelectionChange={(keys) => prefer({ theme: only(keys) as Theme })}
          >
            <Header>Theme</Header>
            <MenuItem id="system">As the system</MenuItem>
            <MenuItem id="light">Light</MenuItem>
            <MenuItem id="dark">Dark</MenuItem>
          </MenuSection>
          <Separator />
          <MenuSection
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[clock]}
            onSelectionChange={(keys) => prefer({ clock: only(keys) as Clock })}
          >
            <Header>Times</Header>
            <MenuItem id="utc">UTC</MenuItem>
            <MenuItem id="local">{`Local (${zone("local")})`}</MenuItem>
          </MenuSection>
          <Separator />
          <MenuSection>
            <Header>{`${session.name} · ${session.role}`}</Header>
            <MenuItem id="sign-out" onAction={() => void signOut()}>
              Sign out
            </MenuItem>
          </MenuSection>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

/** The one that is chosen. */
function only(keys: Selection): Key | undefined {
  const [key] = keys === "all" ? [] : keys;
  return key;
}

import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { useNarrow } from "../shell/narrow";
import { COLUMNS, columnsOf } from "./columns";
import { withValues } from "./filters";

interface Props {
  query: URLSearchParams;
  change: (query: URLSearchParams) => void;
}

export function ColumnChoice({ query, change }: Props) {
  const isNarrow = useNarrow();
  return (
    <MenuTrigger>
      <Button className="button">Columns</Button>
      <Popover className="popover" placement="bottom end">
        <Menu
          className="menu"
          aria-label="Columns"
          selectionMode="multiple"
          selectedKeys={columnsOf(query, isNarrow).map((column) => column.name)}
          onSelectionChange={(keys) => {
            const names = COLUMNS.map((column) => column.name).filter((name) => keys === "all" || keys.has(name));
            change(withValues(query, { columns: names.join(",") }));
          }}
        >
          {COLUMNS.map((column) => (
            <MenuItem key={column.name} id={column.name}>
              {column.title}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

import { useRef, useState } from "react";
import {
  Button,
  ComboBox,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Tag,
  TagGroup,
  TagList,
  Text,
} from "react-aria-components";
import { seesAll, useSession } from "../shell/session";
import { type Completion, useActivities, useCompletions } from "./completions";
import { type Term, nameTitle, termsOf, valueTitle } from "./filters";

interface Props {
  query: URLSearchParams;
  add: (term: Term) => void;
  remove: (term: Term) => void;
}

/** One box for all filters: type words, or a filter's name and a colon; each filter becomes a tag. */
export function SearchBox({ query, add, remove }: Props) {
  const [input, setInput] = useState("");
  // Each choice makes the box anew: the old one would open its list again as soon as it is emptied.
  const [choices, setChoices] = useState(0);
  const [justChose, setJustChose] = useState(false);
  const box = useRef<HTMLInputElement>(null);
  const [isUsed, setIsUsed] = useState(false);
  const session = useSession();
  const activities = useActivities(isUsed && seesAll(session));
  // Of what is in the box, and not of what was a moment ago: a quick Enter chooses from them.
  const completions = useCompletions(input, activities);
  const terms = termsOf(query);

  function choose(completion: Completion | undefined): void {
    if (completion?.term) {
      add(completion.term);
      setInput("");
      setChoices(choices + 1);
      setJustChose(true);
    } else if (completion?.input) {
      setInput(completion.input);
      box.current?.focus();
    }
  }

  /** A search in the language comes back into the box, to be written otherwise. */
  function takeAway(term: Term): void {
    remove(term);
    if (term.name === "q") setInput(term.value);
  }

  return (
    <div className="search" role="search">
      <ComboBox
        key={choices}
        className="search-box"
        items={completions}
        inputValue={input}
        onInputChange={setInput}
        value={null}
        onChange={(key) => {
          if (key !== null) choose(completions.find((completion) => completion.id === key));
        }}
        allowsCustomValue
        menuTrigger={justChose ? "input" : "focus"}
        allowsEmptyCollection
      >
        <Label className="visually-hidden">Filter events</Label>
        <Input
          ref={box}
          className="input search-input"
          autoFocus={justChose}
          onFocus={() => setIsUsed(true)}
          onBlur={() => setJustChose(false)}
          placeholder="Filter: words, or user: module: activity: status: entity: …"
          onKeyDown={(event) => {
            if (event.key === "Enter" && input.trim() !== "" && !event.currentTarget.getAttribute("aria-activedescendant")) {
              choose(completions[0]);
            }
            const last = terms.at(-1);
            if (event.key === "Backspace" && input === "" && last !== undefined) {
              event.preventDefault(); // What comes back into the box is not to lose its last letter.
              takeAway(last);
            }
          }}
        />
        <Popover className="popover search-popover">
          <ListBox<Completion> className="list-box" renderEmptyState={() => <p className="list-empty">Nothing begins so.</p>}>
            {(completion) => (
              <ListBoxItem textValue={completion.title} className="list-item">
                <Text slot="label">{completion.title}</Text>
                <Text slot="description">{completion.hint}</Text>
              </ListBoxItem>
            )}
          </ListBox>
        </Popover>
      </ComboBox>
      {terms.length > 0 && (
        <TagGroup
          className="terms"
          aria-label="Filters in force"
          onRemove={(keys) => {
            for (const term of terms) if (keys.has(keyOf(term))) takeAway(term);
          }}
        >
          <TagList items={terms.map((term) => ({ id: keyOf(term), ...term }))}>
            {(term) => (
              <Tag className="term" textValue={`${term.name} ${term.value}`}>
                <span className="term-name">{nameTitle(term)}</span> {valueTitle(term)}
                <Button slot="remove" className="term-remove">
                  ×
                </Button>
              </Tag>
            )}
          </TagList>
        </TagGroup>
      )}
    </div>
  );
}

function keyOf(term: Term): string {
  return `${term.name}=${term.value}`;
}

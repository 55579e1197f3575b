import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Button, FieldError, Form, Input, Label, Text, TextField } from "react-aria-components";
import { ApiError, getJson, sendJson } from "../api/client";
import type { Session } from "../api/types";
import { Brand } from "./Brand";

/** The key goes to the service once; what stays is a cookie that no script can read. */
export function SignIn({ onSignedIn }: { onSignedIn: (session: Session) => void }) {
  const [key, setKey] = useState("");
  const signIn = useMutation({
    mutationFn: async () => {
      await sendJson("POST", "/v1/session", { key: key.trim() });
      // Asked again, since only this shows that the browser has kept the cookie.
      return getJson<Session>("/v1/session");
    },
    onSuccess: onSignedIn,
  });
  return (
    <main className="sign-in">
      <Form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate();
        }}
      >
        <Brand />
        <h1>Sign in to the audit trail</h1>
        <TextField
          type="password"
          name="key"
          autoComplete="current-password"
          value={key}
          onChange={(typed) => {
            setKey(typed);
            signIn.reset(); // What was wrong with another key keeps nobody from trying this one.
          }}
          isInvalid={signIn.isError}
          isRequired
          autoFocus
        >
          <Label>API key</Label>
          <Input className="input mono" spellCheck="false" placeholder="cna_…" />
          <Text slot="description" className="hint">
            An operator makes one: <code>certinext-audit keys create --name you --role auditor</code>
          </Text>
          <FieldError className="field-error">{signIn.isError && wordsOf(signIn.error)}</FieldError>
        </TextField>
        <Button type="submit" className="button button-primary" isDisabled={key.trim() === ""} isPending={signIn.isPending}>
          Sign in
        </Button>
      </Form>
    </main>
  );
}

function wordsOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 401 && window.location.protocol === "http:") {
    return `${error.detail}. Over plain HTTP, sign-in works on the service's own machine only: use TLS elsewhere.`;
  }
  if (error instanceof ApiError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}

/** Bytes of a file as texts, piece by piece. */

import { Unreadable } from "./exportedFile";

/** Throws Unreadable for what is not UTF-8. */
export async function* texts(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = bytes.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const text = decoded(decoder, value);
      if (text !== "") yield text;
      if (done) return;
    }
  } finally {
    await reader.cancel();
  }
}

function decoded(decoder: TextDecoder, bytes: Uint8Array | undefined): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw new Unreadable("the file is damaged: it is not UTF-8");
  }
}

const LONGEST = 24;
let rested = 0;

/** Lets the page live now and then while much is computed. */
export async function rest(): Promise<void> {
  if (performance.now() - rested < LONGEST) return;
  await new Promise((resolve) => setTimeout(resolve));
  rested = performance.now();
}

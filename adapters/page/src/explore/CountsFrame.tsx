import type { ReactNode } from "react";

interface Props {
  /** What the counts say, for who cannot see them; without it they are still to come. */
  label?: string;
  plot?: ReactNode;
  caption: ReactNode;
}

/** Where the counts over time stand; as high while they are awaited, so that nothing below moves when they come. */
export function CountsFrame({ label, plot, caption }: Props) {
  return (
    <figure className="histogram" aria-label={label} aria-hidden={label === undefined}>
      {plot ?? <div className="histogram-plot" />}
      <figcaption className="histogram-caption">{caption}</figcaption>
    </figure>
  );
}

export function CountsAwaited() {
  return <CountsFrame caption={<span className="muted">Counting …</span>} />;
}
